"""Writing, reviewing and retiring forms and consent texts in the admin."""

import html
import json
from typing import Any

import pytest
from django.test import Client

from clinics.models import StaffRole, User
from tests import cast
from tests.calls import browser
from tests.cast import NOW, Place
from virtualcare.demo import forms as samples
from virtualcare.models import ConsentText, IntakeForm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
FORMS, TEXTS = "/admin/virtualcare/intakeform/", "/admin/virtualcare/consenttext/"
QUESTIONS = [
    {"code": "itches", "text": "Does it itch?", "kind": "yes_no"},
    {"code": "how_bad", "text": "How bad is it?", "kind": "scale"},
    {
        "code": "where",
        "text": "Where is it?",
        "kind": "choices",
        "options": [{"code": "face", "text": "Face"}, {"code": "arm", "text": "Arm"}],
    },
]
FLAGS = [
    {"question": "how_bad", "at_least": 9, "advice": "er"},
    {"question": "where", "one_of": ["face", "arm"], "advice": "911"},
    {"question": "itches", "is": True, "advice": "988"},
]


@pytest.fixture
def author(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "Author", StaffRole.Role.CLINICIAN)


@pytest.fixture
def reviewer(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "Reviewer", StaffRole.Role.MANAGER)


@pytest.fixture
def writes(author: User) -> Client:
    return browser(author)


@pytest.fixture
def reads(reviewer: User) -> Client:
    return browser(reviewer)


def said(**more: Any) -> dict[str, Any]:
    """The form's fields, for a new complaint."""
    return {
        "complaint": "hives",
        "name": "Hives",
        "acuity": "3",
        "questions": json.dumps(QUESTIONS),
        "red_flags": json.dumps(FLAGS),
        **more,
    }


def shown(answer) -> str:
    return html.unescape(answer.content.decode())


@pytest.fixture
def draft(writes: Client) -> IntakeForm:
    answer = writes.post(f"{FORMS}new/", said())
    assert answer.status_code == 302, shown(answer)
    return IntakeForm.objects.get()


class TestForms:
    def test_one_writes_and_another_publishes(self, writes: Client, reads: Client, draft: IntakeForm, author, reviewer):
        own, theirs = shown(writes.get(f"{FORMS}{draft.pk}/")), shown(reads.get(f"{FORMS}{draft.pk}/"))
        answer = reads.post(f"{FORMS}{draft.pk}/publish/", {"seen": draft.written_at.isoformat()}, follow=True)

        draft.refresh_from_db()
        assert "I have read it: publish it" not in own
        assert "somebody else has to read and publish it" in own
        assert "I have read it: publish it" in theirs
        assert (draft.written_by, draft.published_by, draft.published_at) == (author, reviewer, NOW)
        assert "patients are asked it from now on" in shown(answer)

    def test_it_is_shown_in_words(self, writes: Client, draft: IntakeForm):
        page = " ".join(shown(writes.get(f"{FORMS}{draft.pk}/")).split())

        assert "<td>Does it itch?</td> <td>yes or no</td>" in page
        assert "any of: Face, Arm" in page
        flags = ["Where is it? Face or Arm", "Does it itch? yes", "How bad is it? at least 9"]
        assert [page.index(flag) for flag in flags] == sorted(page.index(flag) for flag in flags)
        assert "Call 911 now" in page

    def test_who_wrote_it_cannot_publish_it_by_a_crafted_form(self, writes: Client, draft: IntakeForm):
        answer = writes.post(f"{FORMS}{draft.pk}/publish/", {"seen": draft.written_at.isoformat()})

        draft.refresh_from_db()
        assert answer.status_code == 422
        assert "does not publish it" in shown(answer)
        assert draft.published_at is None

    @pytest.mark.parametrize("seen", ["", "yesterday", "2026-11-24T13:59:59+00:00", "2026-11-24T14:00:00"])
    def test_what_was_changed_meanwhile_is_read_again(self, seen: str, reads: Client, draft: IntakeForm):
        answer = reads.post(f"{FORMS}{draft.pk}/publish/", {"seen": seen})

        draft.refresh_from_db()
        assert answer.status_code == 422
        assert "Read it again" in shown(answer)
        assert draft.published_at is None

    @pytest.mark.parametrize(
        ("field", "value", "why"),
        [
            ("questions", "[{", "This is not JSON: line 1, column 3"),
            ("questions", "1" * 5000, "This cannot be read"),
            ("questions", "[" * 100_000, "at most"),
            ("questions", '[{"code": "a", "text": "A\\u0000", "kind": "yes_no"}]', "Question 1: its text"),
            ("questions", '[{"code": "a", "text": "A\\ud800", "kind": "yes_no"}]', "Question 1: its text"),
            ("questions", "[]", "The questions are a list"),
            ("red_flags", '[{"question": "itch", "is": true, "advice": "911"}]', "Red flag 1: it names a question"),
            ("red_flags", '[{"question": "how_bad", "at_least": NaN, "advice": "911"}]', "Red flag 1: at_least"),
            ("red_flags", "{}", "The red flags are a list"),
            ("complaint", "Hives!", "small letters"),
            ("acuity", "9", "less than or equal to 5"),
        ],
    )
    def test_a_form_that_cannot_be_used_says_why_and_keeps_what_was_typed(self, field, value, why, writes: Client):
        answer = writes.post(f"{FORMS}new/", said(**{field: value, "name": "Typed name"}))

        assert answer.status_code == 422
        assert why in shown(answer)
        assert "Typed name" in shown(answer)
        assert not IntakeForm.objects.exists()

    def test_a_draft_is_changed_by_a_second_person(self, reads: Client, draft: IntakeForm, reviewer: User):
        page = reads.get(f"{FORMS}{draft.pk}/edit/")
        more = said(name="Hives, or welts", complaint="other", seen=draft.written_at.isoformat())
        answer = reads.post(f"{FORMS}{draft.pk}/edit/", more)

        draft.refresh_from_db()
        assert "Does it itch?" in shown(page)
        assert answer.status_code == 302
        assert (draft.name, draft.written_by, draft.complaint) == ("Hives, or welts", reviewer, "hives")

    def test_a_published_version_becomes_a_new_draft(self, writes: Client):
        samples.seed(now=NOW)
        old = IntakeForm.objects.get(complaint="rash")
        page = shown(writes.get(f"{FORMS}{old.pk}/"))
        begun = shown(writes.get(f"{FORMS}{old.pk}/edit/"))
        answer = writes.post(f"{FORMS}{old.pk}/edit/", said())

        new = IntakeForm.objects.get(complaint="rash", version=2)
        old.refresh_from_db()
        assert "This is a sample" in page
        assert "purple spots" in begun
        assert answer.status_code == 302
        assert (new.name, new.published_at, new.is_sample) == ("Hives", None, False)
        assert old.name == "Rash"

    def test_it_is_retired_and_its_history_says_by_whom(self, reads: Client, reviewer: User):
        samples.seed(now=NOW)
        form = IntakeForm.objects.get(complaint="rash")

        answer = reads.post(f"{FORMS}{form.pk}/retire/", follow=True)

        form.refresh_from_db()
        assert "It is retired" in shown(answer)
        assert (form.retired_by, form.retired_at) == (reviewer, NOW)
        assert "retired" in shown(reads.get(FORMS))
        assert reviewer.email in shown(reads.get(f"{FORMS}{form.pk}/history/"))

    def test_a_draft_is_thrown_away(self, reads: Client, draft: IntakeForm):
        reads.post(f"{FORMS}{draft.pk}/discard/", {"seen": draft.written_at.isoformat()})

        assert not IntakeForm.objects.exists()

    def test_a_form_that_is_sent_twice_is_done_once(self, writes: Client):
        first = writes.post(f"{FORMS}new/", said(once="k"))
        again = writes.post(f"{FORMS}new/", said(once="k"))

        assert first.status_code == again.status_code == 302
        assert IntakeForm.objects.count() == 1


class TestConsentTexts:
    WRITTEN = {
        "code": "telehealth",
        "modality": "video",
        "state": "OH",
        "body": "Seen by video.",
        "from_on": "2026-12-01",
    }

    def test_one_writes_and_another_publishes(self, writes: Client, reads: Client, reviewer: User):
        writes.post(f"{TEXTS}new/", self.WRITTEN)
        text = ConsentText.objects.get()
        page = shown(reads.get(f"{TEXTS}{text.pk}/"))
        reads.post(f"{TEXTS}{text.pk}/publish/", {"seen": text.written_at.isoformat()})

        text.refresh_from_db()
        assert "video in Ohio" in page
        assert "Seen by video." in page
        assert (text.published_by, text.modality, text.state) == (reviewer, "video", "OH")
        assert "Dec 1, 2026" in shown(reads.get(TEXTS))

    def test_a_new_version_keeps_what_it_is_of(self, writes: Client):
        samples.seed(now=NOW)
        old = ConsentText.objects.get(state="OH")

        answer = writes.post(f"{TEXTS}{old.pk}/edit/", {**self.WRITTEN, "state": "TX", "body": "New."})

        new = ConsentText.objects.get(version=2)
        assert answer.status_code == 302
        assert (new.state, new.modality, new.body, new.is_sample) == ("OH", "", "New.", False)

    def test_a_draft_is_changed(self, writes: Client):
        writes.post(f"{TEXTS}new/", self.WRITTEN)
        text = ConsentText.objects.get()

        writes.post(f"{TEXTS}{text.pk}/edit/", {**self.WRITTEN, "body": "Better.", "seen": text.written_at.isoformat()})

        text.refresh_from_db()
        assert text.body == "Better."

    @pytest.mark.parametrize(("field", "value"), [("body", ""), ("state", "ZZ"), ("from_on", "soon"), ("code", "A b")])
    def test_what_nobody_could_be_asked_is_refused(self, field: str, value: str, writes: Client):
        answer = writes.post(f"{TEXTS}new/", {**self.WRITTEN, field: value})

        assert answer.status_code == 422
        assert not ConsentText.objects.exists()


class TestWho:
    @pytest.mark.parametrize("role", [StaffRole.Role.FRONT_DESK, StaffRole.Role.BENEFITS, StaffRole.Role.PARTNER])
    def test_others_see_and_do_nothing_of_it(self, role, avon: Place, draft: IntakeForm):
        other = cast.make_user("other", is_staff=True)
        StaffRole.objects.create(user=other, role=role, organization=avon.clinic.health_system)
        samples.seed(now=NOW)
        client = browser(other)

        gets = {client.get(f"{FORMS}{path}").status_code for path in ("", "new/", f"{draft.pk}/", f"{draft.pk}/edit/")}
        gets |= {client.get(f"{TEXTS}{path}").status_code for path in ("", "new/")}
        posts = {
            client.post(f"{FORMS}{draft.pk}/{name}/", said(seen=draft.written_at.isoformat())).status_code
            for name in ("edit", "publish", "discard", "retire")
        }
        posts.add(client.post(f"{FORMS}new/", said(complaint="cough")).status_code)

        draft.refresh_from_db()
        assert gets | posts <= {302, 403, 404}
        assert (draft.published_at, draft.retired_at) == (None, None)
        assert not IntakeForm.objects.filter(complaint="cough").exists()

    def test_who_runs_the_server_does(self, draft: IntakeForm):
        operator = User.objects.create_superuser("operator@example.com", None)

        browser(operator).post(f"{FORMS}{draft.pk}/publish/", {"seen": draft.written_at.isoformat()})

        draft.refresh_from_db()
        assert draft.published_by == operator

    def test_nothing_is_done_by_looking(self, reads: Client, draft: IntakeForm):
        answers = [reads.get(f"{FORMS}{draft.pk}/{name}/").status_code for name in ("publish", "discard", "retire")]

        assert answers == [404, 404, 404]
        assert IntakeForm.objects.get().published_at is None
