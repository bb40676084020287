"""GET intake: which complaints there are, what is asked, and what has to be agreed to."""

import json
from datetime import timedelta

import pytest
import time_machine

from tests.calls import Caller
from tests.cast import NOW
from virtualcare.demo import forms as samples
from virtualcare.models import Advice, ConsentText, IntakeForm

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def seeded():
    with time_machine.travel(NOW, tick=False):
        samples.seed(now=NOW)
        yield


class TestComplaints:
    def test_it_lists_those_in_force_by_name_a_page_at_a_time(self):
        IntakeForm.objects.create(complaint="draft", version=1, name="A draft")

        first = Caller().get("/intake", {"limit": 3}).json()
        pages = [first]
        while pages[-1]["next"]:
            pages.append(Caller().get(pages[-1]["next"].partition("/api/v1")[2]).json())

        names = [row["name"] for page in pages for row in page["results"]]
        assert [len(page["results"]) for page in pages] == [3, 3, 2]
        assert names == sorted(name for _, name, *_ in samples.FORMS)

    def test_it_says_that_samples_are_samples(self):
        assert {row["is_sample"] for row in Caller().get("/intake").json()["results"]} == {True}


class TestQuestions:
    def test_it_tells_a_client_what_to_ask_and_how(self):
        asked = Caller().get("/intake/stomach_pain").json()

        by_code = {question["code"]: question for question in asked["questions"]}
        assert (asked["complaint"], asked["version"], asked["is_sample"]) == ("stomach_pain", 1, True)
        assert list(by_code) == ["how_bad", "where", "also", "pregnant", "since", "more"]
        assert by_code["how_bad"] | {"min": 0, "max": 10, "required": True} == by_code["how_bad"]
        assert {"code": "upper", "text": "Upper belly"} in by_code["where"]["options"]
        assert by_code["since"]["unit"] == "days"
        assert by_code["pregnant"] == {
            "code": "pregnant",
            "text": "Are you pregnant, or could you be?",
            "kind": "yes_no",
            "required": True,
        }
        assert by_code["more"]["required"] is False

    def test_it_says_nothing_of_what_is_a_red_flag(self):
        text = Caller().get("/intake/chest_pain").content.decode()

        assert "advice" not in text
        assert "flag" not in text
        assert not any(json.dumps(advice) in text for advice in Advice.values)

    def test_a_new_version_takes_the_place_of_the_old_once_it_is_published(self):
        new = IntakeForm.objects.create(
            complaint="rash",
            version=2,
            name="Rash",
            questions=[{"code": "itches", "text": "Does it itch?", "kind": "yes_no"}],
            is_sample=True,
        )
        before = Caller().get("/intake/rash").json()["version"]
        IntakeForm.objects.filter(pk=new.pk).update(published_at=NOW)

        after = Caller().get("/intake/rash").json()

        assert before == 1
        assert after["version"] == 2
        assert [question["code"] for question in after["questions"]] == ["itches"]

    @pytest.mark.parametrize("complaint", ["no_such", "draft", "retired"])
    def test_what_is_not_in_force_is_not_there(self, complaint):
        IntakeForm.objects.create(complaint="draft", version=1, name="A draft")
        IntakeForm.objects.create(
            complaint="retired", version=1, name="Old", is_sample=True, published_at=NOW, retired_at=NOW
        )

        answer = Caller().get(f"/intake/{complaint}")

        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_complaint")

    def test_it_takes_two_statements(self, django_assert_num_queries):
        with django_assert_num_queries(2):
            Caller().get("/intake/child_fever", {"state": "OH", "modality": "text"})


class TestConsents:
    def test_the_closest_text_is_asked_for(self):
        ConsentText.objects.bulk_create(
            ConsentText(
                code=code,
                modality=modality,
                state=state,
                version=1,
                body=f"{code} {modality} {state}",
                from_on=NOW.date(),
                is_sample=True,
                published_at=NOW,
            )
            for code, modality, state in [
                ("telehealth", "video", ""),
                ("telehealth", "video", "OH"),
                ("fees", "", "TX"),
            ]
        )

        def asked(**query):
            return [
                (text["code"], text["body"])
                for text in Caller().get("/intake/rash", query).json()["consents"]
            ]  # fmt: skip

        assert asked() == [("telehealth", samples.TELEHEALTH)]
        assert asked(state="HI", modality="text") == [("telehealth", samples.TELEHEALTH)]
        assert asked(state="HI", modality="video") == [("telehealth", "telehealth video ")]
        assert asked(state="OH", modality="text") == [("telehealth", samples.TELEHEALTH_OH)]
        assert asked(state="OH", modality="video") == [("telehealth", "telehealth video OH")]
        assert asked(state="TX", modality="text") == [("fees", "fees  TX"), ("telehealth", samples.TELEHEALTH)]

    def test_a_state_that_is_none_is_refused(self):
        answer = Caller().get("/intake/rash", {"state": "ZZ"})

        assert answer.status_code == 400
        assert "state" in answer.json()["errors"]

    def test_a_text_counts_from_its_day_on(self):
        ConsentText.objects.create(
            code="telehealth",
            version=2,
            body="New.",
            from_on=NOW.date() + timedelta(days=2),
            is_sample=True,
            published_at=NOW,
        )

        before = Caller().get("/intake/rash").json()["consents"]
        with time_machine.travel(NOW + timedelta(days=2), tick=False):
            after = Caller().get("/intake/rash").json()["consents"]

        assert [text["version"] for text in before] == [1]
        assert [(text["version"], text["body"]) for text in after] == [(2, "New.")]
