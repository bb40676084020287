"""Visits that cannot take place as booked, until somebody moves or cancels them."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Case, CharField, Exists, OuterRef, Value, When

from scheduling.models import Appointment, Claim, Closure, Shift
from scheduling.models.appointments import AppointmentQuerySet

CLOSED, AWAY, ROOM_BLOCKED, NO_SHIFT = "closed", "away", "room_blocked", "no_shift"
WORDS = {
    CLOSED: "The clinic is closed then.",
    AWAY: "The clinician is away then.",
    ROOM_BLOCKED: "The room is blocked then.",
    NO_SHIFT: "The clinician has no shift then.",
}


def visits(*, clinics: Iterable[uuid.UUID], now: datetime) -> AppointmentQuerySet:
    """The booked visits to come at `clinics` whose clinic is closed, clinician away, room blocked or shift gone.

    Each has a `stranded` that says which of these it is, the first that holds. Soonest first.
    """
    then = {"during__startswith__lt": OuterRef("ends_at"), "during__endswith__gt": OuterRef("starts_at")}
    away = Claim.objects.filter(lane=Claim.AWAY, **then)
    closed = Exists(Closure.objects.filter(clinic=OuterRef("clinic"), **then))
    clinician_away = Exists(away.filter(calendar=OuterRef("clinician")))
    room_blocked = Exists(away.filter(calendar=OuterRef("room")))
    in_shift = Exists(
        Shift.objects.filter(
            clinician=OuterRef("clinician"),
            clinic=OuterRef("clinic"),
            during__startswith__lte=OuterRef("starts_at"),
            during__endswith__gte=OuterRef("ends_at"),
        )
    )
    to_come = Appointment.objects.filter(
        status__in=Appointment.LIVE, booked_at__isnull=False, clinic__in=list(clinics), starts_at__gt=now
    )
    return (
        to_come.filter(closed | clinician_away | room_blocked | ~in_shift)
        .annotate(
            stranded=Case(
                When(closed, then=Value(CLOSED)),
                When(clinician_away, then=Value(AWAY)),
                When(room_blocked, then=Value(ROOM_BLOCKED)),
                default=Value(NO_SHIFT),
                output_field=CharField(),
            )
        )
        .order_by("starts_at", "pk")
    )
