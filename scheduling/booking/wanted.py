"""A slot that is wanted for a patient, and the refusals when it cannot be had."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import IntegrityError
from django.db.models import OuterRef

from clinics.models import Clinic, Clinician, Patient, Room
from clinics.refusals import NotFound, Refused
from memberships import entitlement
from scheduling import claims, rules, slots
from scheduling.claims import Want
from scheduling.models import Appointment, VisitType
from scheduling.slots import Slot


class SlotRefused(Refused):
    """The slot cannot be had. `help` adds three others, looked for after the locks are gone."""

    def __init__(self, wanted: "Wanted") -> None:
        super().__init__()
        self.wanted = wanted

    def help(self) -> dict[str, Any]:
        wanted = self.wanted
        patient = wanted.patient.pk
        terms = entitlement.terms(patient_id=patient, benefit=wanted.visit_type.code)
        found = slots.alternatives(
            wanted.slot, code=wanted.visit_type.code, patient=patient, staff=wanted.staff, now=wanted.now
        )
        return {"alternatives": slots.as_rows(found, price=slots.price_of(terms), with_distance=False)}


class SlotTaken(SlotRefused):
    code = "slot_taken"
    detail = "Somebody else has just taken this time. Here are others."


class SlotNotOffered(SlotRefused):
    code = "slot_not_offered"
    detail = (
        "This time cannot be booked: it is past or too soon, or the clinician or the clinic is away. Here are others."
    )


class PatientBusy(SlotRefused):
    code = "patient_busy"
    detail = "The patient has another visit or hold at this time. Cancel or move it first, or take another time."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A slot for a patient, with what the rules need to know of it, read before any lock."""

    slot: Slot
    patient: Patient
    visit_type: VisitType
    clinic: Clinic
    clinician: Clinician
    rooms: list[uuid.UUID]
    staff: bool
    now: datetime

    @property
    def end(self) -> datetime:
        return self.slot.start + self.visit_type.duration

    @property
    def on(self) -> date:
        """The visit's local day."""
        return self.slot.start.astimezone(self.clinic.zone).date()

    @property
    def calendars(self) -> list[uuid.UUID]:
        return [self.slot.clinician, self.patient.pk, *self.rooms]

    def wants(self, room: uuid.UUID | None, *, lane: int = 0) -> list[Want]:
        """The time that the visit takes. Turnover is the clinician's alone."""
        start, end = self.slot.start, self.end
        wants = [
            Want(self.slot.clinician, start, end + self.visit_type.turnover, lane),
            Want(self.patient.pk, start, end),
        ]
        return [*wants, Want(room, start, end)] if room else wants


def wanted_slot(slot: Slot, patient: Patient, *, staff: bool, now: datetime) -> Wanted:
    """Read what the rules need, and hold them against it.

    Raises the refusals of `rules`, and NotFound for a slot of nowhere.
    """
    visit_type = VisitType.objects.filter(pk=slot.visit_type).first()
    if visit_type is None:
        raise NotFound
    rooms = Room.objects.filter(clinic=OuterRef("pk"), kind=visit_type.room_kind, in_use=True).order_by("name")
    clinic = Clinic.objects.filter(pk=slot.clinic).annotate(room_ids=ArraySubquery(rooms.values("pk"))).first()
    clinician = Clinician.objects.filter(pk=slot.clinician).first()
    if clinic is None or clinician is None:
        raise NotFound
    wanted = Wanted(slot, patient, visit_type, clinic, clinician, clinic.room_ids, staff, now)
    rules.require_fit(patient, visit_type=visit_type, clinic=clinic, at=slot.start, staff=staff)
    return wanted


def wanted_of(visit: Appointment, *, staff: bool, now: datetime) -> Wanted:
    """A visit as the slot that it takes. Needs its patient, visit type, clinic and clinician loaded."""
    slot = Slot(visit.clinician_id, visit.clinic_id, visit.visit_type_id, visit.starts_at)
    return Wanted(slot, visit.patient, visit.visit_type, visit.clinic, visit.clinician, [], staff, now)


def require_offered(wanted: Wanted, *, overbook: bool = False, apart_from: uuid.UUID | None = None) -> None:
    """Raises SlotTaken, PatientBusy or SlotNotOffered unless the slot is still free by the rules that list it.

    Asked under the locks.
    """
    if slots.is_offered(
        wanted.slot,
        now=wanted.now,
        patient=wanted.patient.pk,
        staff=wanted.staff,
        overbook=overbook,
        apart_from=apart_from,
    ):
        return
    patient, clinician, room = claims.who_is_busy(wanted.wants(None), rooms=wanted.rooms, apart_from=apart_from)
    if patient:
        raise PatientBusy(wanted)
    if room or (clinician and not overbook):
        raise SlotTaken(wanted)
    raise SlotNotOffered(wanted)


def choose_room(wanted: Wanted, *, apart_from: uuid.UUID | None = None) -> uuid.UUID | None:
    """The room for the visit, lowest free first, chosen under the locks of all. None where its type needs none."""
    if not wanted.visit_type.room_kind:
        return None
    room = claims.free_room(rooms=wanted.rooms, start=wanted.slot.start, end=wanted.end, apart_from=apart_from)
    if room is None:
        raise SlotTaken(wanted)
    return room


def keeps_room(visit: Appointment) -> bool:
    """Whether the room that `visit` has, if any, was not taken out of service meanwhile.

    Another one that is free is no use to it: its lock is not held.
    """
    if visit.room_id is None:
        return True
    start, end = visit.starts_at, visit.ends_at
    return claims.free_room(rooms=[visit.room_id], start=start, end=end, apart_from=visit.pk) is not None


@contextmanager
def refusals(wanted: Wanted) -> Iterator[None]:
    """Says what it means when the database refuses a claim in spite of the check: a writer without our locks."""
    try:
        yield
    except claims.Taken as taken:
        raise PatientBusy(wanted) if taken.calendar == wanted.patient.pk else SlotTaken(wanted) from taken
    except IntegrityError as error:
        if claims.is_overlap(error):
            raise SlotTaken(wanted) from error
        raise
