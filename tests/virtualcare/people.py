"""Those who wait for care and those who give it, at NOW. All of them are invented."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinics import npi
from clinics.models import Calendar, Clinician, Licence, Patient, User
from memberships.models import VisitPrice
from tests import cast
from tests.cast import ALWAYS, NOW
from virtualcare import queue
from virtualcare.models import Consult, Duty, IntakeForm, OnCallShift

BOTH = ["text", "video"]


def make_doctor(name: str = "Reyes", *, states: tuple[str, ...] = ("OH",), available: bool = True) -> Clinician:
    """A clinician with an account and licences in `states`, on duty where `available`. No shift yet."""
    nine = f"1{uuid.uuid4().int % 10**8:08d}"
    doctor = Clinician.objects.create(
        calendar=Calendar.objects.create(kind="clinician"),
        user=cast.make_user(name.lower(), is_staff=True),
        given_name="Ana",
        family_name=name,
        credentials="MD",
        npi=nine + npi.check_digit(nine),
        languages=["en"],
    )
    for state in states:
        Licence.objects.create(clinician=doctor, state=state, number="1", during=ALWAYS)
    Duty.objects.create(clinician=doctor, available=available, changed_at=NOW, heard_at=NOW)
    return doctor


def on_call(
    doctor: Clinician,
    *,
    starts: datetime = NOW - timedelta(hours=4),
    ends: datetime = NOW + timedelta(hours=8),
    modalities: list[str] = BOTH,
    capacity: int = 3,
) -> OnCallShift:
    return OnCallShift.objects.create(
        clinician=doctor, during=DateTimeTZRange(starts, ends), modalities=modalities, capacity=capacity
    )


def doctor_on_duty(name: str = "Reyes", *, states: tuple[str, ...] = ("OH",), **shift: Any) -> Clinician:
    """A clinician on call at NOW, licensed in `states`, available and there."""
    doctor = make_doctor(name, states=states)
    on_call(doctor, **shift)
    return doctor


def form(complaint: str = "sore_throat", *, acuity: int = 3, **fields: Any) -> IntakeForm:
    """A published form that asks nothing, the same each time."""
    values = {"name": complaint.replace("_", " ").capitalize(), "acuity": acuity, "is_sample": True, **fields}
    found, _ = IntakeForm.objects.get_or_create(
        complaint=complaint, version=1, defaults={**values, "written_at": NOW, "published_at": NOW}
    )
    return found


def prices() -> None:
    """What text and video cost who is not covered."""
    for benefit, amount in (("text", 2_900), ("video", 4_900)):
        VisitPrice.objects.get_or_create(benefit=benefit, defaults={"amount": amount, "during": ALWAYS})


def user_of(person: Patient | Clinician) -> User:
    assert person.user is not None
    return person.user


def waiting(
    patient: Patient | None = None,
    *,
    modality: str = "text",
    state: str = "OH",
    acuity: int = 3,
    now: datetime = NOW,
    **fields: Any,
) -> Consult:
    """A consult of `patient` (or somebody new) in the queue since `now`."""
    patient = patient or cast.make_patient(f"W{uuid.uuid4().hex[:6]}")
    return queue.enter(
        patient=patient,
        actor=user_of(patient),
        acuity=acuity,
        now=now,
        modality=modality,
        street="1 Example Street",
        city="Avon",
        state=state,
        postal_code="44011",
        form=form(acuity=acuity) if acuity == 3 else form(f"complaint_{acuity}", acuity=acuity),
        price=0,
        **fields,
    )


def claimed(doctor: Clinician, *, now: datetime = NOW) -> Consult | None:
    return queue.claim_next(clinician=doctor, actor=user_of(doctor), now=now)


def accepted(consult: Consult, doctor: Clinician, *, now: datetime = NOW) -> Consult:
    return queue.accept(consult=consult, clinician=doctor, actor=user_of(doctor), now=now)


def taken(doctor: Clinician, *, now: datetime = NOW) -> Consult:
    """The next patient, in the doctor's care."""
    offered = claimed(doctor, now=now)
    assert offered is not None
    return accepted(offered, doctor, now=now)


def let_offers_pass() -> None:
    """As if half a minute had gone by on the database's clock."""
    for consult in Consult.objects.filter(status="offered"):
        assert consult.offer_expires_at is not None
        Consult.objects.filter(pk=consult.pk).update(offer_expires_at=consult.offer_expires_at - timedelta(seconds=90))
