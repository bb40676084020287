"""Visits of the demo, and what became of them."""

import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from clinics.models import Clinic
from memberships import entitlement
from memberships.models import Membership, VisitPrice
from scheduling.demo.chance import chance
from scheduling.intervals import Span
from scheduling.models import Appointment, AppointmentChange, VisitType

REASONS = [
    "Sore throat",
    "Cough for a week",
    "Back pain",
    "Rash",
    "Medication refill",
    "Ear ache",
    "Blood pressure check",
    "Headaches",
    "Sprained ankle",
    "Allergies",
    "Follow-up on lab results",
    "Stomach pain",
]


class Wish(NamedTuple):
    """A visit that somebody would have."""

    id: uuid.UUID
    clinician: uuid.UUID
    patient: uuid.UUID
    visit_type: VisitType
    start: datetime
    reason: str

    @property
    def span(self) -> Span:
        return Span(self.start, self.start + self.visit_type.duration)

    @property
    def taken(self) -> Span:
        return Span(self.start, self.start + self.visit_type.duration + self.visit_type.turnover)


def payers(patients: set[uuid.UUID]) -> dict[uuid.UUID, Membership]:
    """What covers each of these patients who is a member."""
    return {
        grant.patient_id: grant
        for grant in Membership.objects.filter(patient__in=patients).select_related("plan", "sponsor")
    }


def prices() -> dict[str, int]:
    """What a visit without membership costs, in cents, by its type's code."""
    return dict(VisitPrice.objects.order_by("during").values_list("benefit", "amount"))


def as_visit(
    wish: Wish,
    clinic: Clinic,
    room: uuid.UUID,
    grant: Membership | None,
    prices: dict[str, int],
    *,
    now: datetime,
) -> Appointment:
    rng = chance("visit", wish.id)
    status = Appointment.Status.BOOKED
    if wish.span.end <= now:
        status = outcome(wish.id)
    elif wish.span.start <= now:
        status = Appointment.Status.ROOMED
    return Appointment(
        pk=wish.id,
        patient_id=wish.patient,
        clinic=clinic,
        clinician_id=wish.clinician,
        room_id=room,
        visit_type=wish.visit_type,
        starts_at=wish.span.start,
        ends_at=wish.span.end,
        status=status,
        reason=wish.reason,
        source=rng.choice([Appointment.Source.PATIENT] * 3 + [Appointment.Source.STAFF]),
        booked_at=min(now, wish.start) - timedelta(minutes=rng.randint(30, 1800)),
        price=0 if grant else prices[wish.visit_type.code],
        paid_by=grant.source if grant else Appointment.PaidBy.PER_VISIT,
        membership=grant,
        paid_because=entitlement.why_covered(grant.plan.name, grant.source, grant.sponsor.name if grant.sponsor else "")
        if grant
        else "No membership covers this date, so it costs what a single visit costs.",
    )


def outcome(visit: uuid.UUID) -> Appointment.Status:
    return Appointment.Status.NO_SHOW if visit.int % 25 == 0 else Appointment.Status.COMPLETED


def story(visit: Appointment) -> list[AppointmentChange]:
    """What happened to a visit of the demo until now."""
    booked = AppointmentChange(
        appointment=visit,
        at=visit.booked_at or visit.starts_at,
        kind=AppointmentChange.Kind.BOOKED,
        to_status=Appointment.Status.BOOKED,
    )
    if visit.status == Appointment.Status.BOOKED:
        return [booked]
    if visit.status == Appointment.Status.ROOMED:
        return [booked, after(visit, visit.starts_at)]
    return [booked, ended(visit)]


def ended(visit: Appointment) -> AppointmentChange:
    return after(visit, visit.ends_at)


def after(visit: Appointment, at: datetime) -> AppointmentChange:
    return AppointmentChange(
        appointment=visit,
        at=at,
        kind=AppointmentChange.Kind.STATUS,
        from_status=Appointment.Status.BOOKED,
        to_status=visit.status,
    )
