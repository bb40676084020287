"""The demo's sample forms: said to be samples, good forms, and diverting whom they should."""

import pytest

from tests.cast import NOW
from virtualcare import intake
from virtualcare.demo import forms as samples
from virtualcare.models import ConsentText, IntakeForm

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def seeded():
    samples.seed(now=NOW)


def quiet(form):
    """Answers to all that must be answered, of somebody who is well."""
    said = {"yes_no": False, "scale": 2, "text": "Nothing", "choices": []}
    return {
        question["code"]: said[question["kind"]]
        if question["kind"] in said
        else question["options"][0]["code"]
        if question["kind"] == "choice"
        else 100
        for question in form.questions
    }


def test_all_of_them_are_marked_as_samples():
    assert set(IntakeForm.objects.values_list("is_sample", flat=True)) == {True}
    assert all(text.is_sample and samples.MARK in text.body for text in ConsentText.objects.all())


def test_who_is_well_waits():
    assert {form.complaint: intake.decide(form, quiet(form)).advice for form in intake.complaints()} == {
        complaint: None for complaint, *_ in samples.FORMS
    }


def test_a_sore_throat_is_plain():
    form = intake.published("sore_throat")
    worst = {question["code"]: True for question in form.questions}

    assert intake.decide(form, worst).advice is None
    assert intake.decide(form, {}).advice is None
    assert form.acuity == 4


@pytest.mark.parametrize(
    ("complaint", "said", "advice"),
    [
        ("chest_pain", {"pain_now": True}, "911"),
        ("low_mood", {"suicide": True}, "988"),
        ("low_mood", {"suicide": True, "harmed": True}, "911"),
        ("stomach_pain", {"how_bad": 9}, "er"),
        ("stomach_pain", {"also": ["fever", "black"]}, "er"),
        ("rash", {"swelling": True}, "911"),
        ("child_fever", {"age": 2.9}, "er"),
        ("child_fever", {"age": 3}, None),
        ("child_fever", {"temperature": 104.5}, "er"),
        ("headache", {"stroke": True, "injury": True}, "911"),
        ("medication_question", {"too_much": True}, "911"),
    ],
)
def test_red_flags_divert(complaint, said, advice):
    form = intake.published(complaint)

    decision = intake.decide(form, quiet(form) | said)

    assert decision.advice == advice


def test_seeding_again_changes_nothing_also_not_what_people_changed():
    IntakeForm.objects.filter(complaint="rash").update(retired_at=NOW)
    before = list(IntakeForm.objects.order_by("pk").values()), list(ConsentText.objects.order_by("pk").values())

    samples.seed(now=NOW)

    after = list(IntakeForm.objects.order_by("pk").values()), list(ConsentText.objects.order_by("pk").values())
    assert after == before
