"""What patients read of who looked at their consults (promise 36)."""

from typing import Any

import pytest

from clinics.models import Clinician, Patient, Proxy, StaffRole
from tests import cast
from tests.calls import Caller, browser
from tests.canaries import FAMILY_NAME
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.people import user_of
from virtualcare import diverting
from virtualcare.models import Consult, NurseShift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
SUMMARY = {"reason": "A cough.", "assessment": "A cold.", "plan": "Rest."}


def log(patient: Patient, reader: Any = None) -> list[tuple[str, str, str]]:
    """Who did what and why, the first first, as `reader` is told: the patient, where it is nobody else."""
    query = {"patient": str(patient.pk)} if reader else {}
    found = Caller(reader or user_of(patient)).get("/me/access-log", query).json()["results"]
    return [(look["who"], look["what"], look["why"]) for look in reversed(found)]


def test_a_clinicians_work_reads_as_what_they_did(pat: Patient, reyes: Clinician):
    consult = people.waiting(pat)
    doctor, at = Caller(user_of(reyes)), f"/consults/{consult.pk}"

    doctor.post("/clinician/claims")
    doctor.post(f"/clinician/claims/{consult.pk}/accept")
    doctor.get("/clinician/queue")
    doctor.get(at)
    doctor.post(f"{at}/messages", {"client_id": str(consult.pk), "body": "Since when?"})
    doctor.get(f"{at}/messages")
    doctor.get(f"{at}/note")
    doctor.put(f"{at}/note", {"version": 0, "fields": {"plan": "Rest."}})
    doctor.post(f"{at}/complete", {"summary": SUMMARY})
    doctor.get(f"{at}/summary")

    told = log(pat)
    assert {(who, why) for who, _, why in told} == {("Ana Reyes, MD", "To care for you.")}
    assert [what for _, what, _ in told] == [
        "made or changed your request for a clinician",
        "made or changed your request for a clinician",
        "looked at your requests for a clinician",
        "looked at your request for a clinician",
        "made or changed your messages of a consult",
        "looked at your messages of a consult",
        "looked at your clinician's notes of a consult",
        "made or changed your clinician's notes of a consult",
        "made or changed your request for a clinician",
        "looked at your summary of a consult",
    ]


def test_a_parent_is_told_to_the_child_and_the_clinician_to_both(reyes: Clinician):
    child = cast.make_patient("Mia", born=NOW.date().replace(year=2016))
    parent = user_of(cast.make_patient("Parent"))
    Proxy.objects.create(user=parent, patient=child)
    consult = people.waiting(child)
    people.taken(reyes)

    Caller(parent).get(f"/consults/{consult.pk}")
    Caller(user_of(reyes)).get(f"/consults/{consult.pk}")

    care = "looked at {} request for a clinician"
    assert log(child) == [
        (f"Parent {FAMILY_NAME}", care.format("your"), "They act for you."),
        ("Ana Reyes, MD", care.format("your"), "To care for you."),
    ]
    assert log(child, parent) == [("Ana Reyes, MD", care.format("Mia's"), "To care for them.")]


def test_a_nurse_who_looks_whom_red_flags_sent_elsewhere_is_told(pat: Patient):
    place = cast.make_place()
    nurse = cast.make_staff(place.clinic, "Nurse", StaffRole.Role.CLINICIAN)
    NurseShift.objects.create(nurse=nurse, during=(NOW.replace(hour=0), NOW.replace(hour=23)))
    consult = people.waiting(pat)
    Consult.objects.filter(pk=consult.pk).update(status="diverted", advice="911", ended_at=NOW)
    consult.refresh_from_db()
    diverting.alert_nurse(consult, now=NOW)

    browser(nurse).get(f"/admin/virtualcare/nursealert/{consult.pk}/")

    [(who, what, why)] = log(pat)
    assert (what, why) == ("looked at your request for a clinician", "To care for you.")
    assert who == "A clinician of Sameday Avon"
