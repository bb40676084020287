"""What patients and staff do to visits, in a word each, and the clock that holds run by."""

from datetime import timedelta

from django.db import transaction

from clinics.refusals import Refused
from scheduling import booking, claims, slots
from scheduling.models import Appointment, Claim
from tests.canaries import REASON
from tests.cast import NOW

PATIENT, STAFF = Appointment.Source.PATIENT, Appointment.Source.STAFF


def hold(patient, slot, *, source=PATIENT, now=NOW):
    held, _ = booking.hold(patient=patient, slot=slot, actor=patient.user, source=source, now=now)
    return held


def confirm(held, *, accept_price=None, now=NOW):
    return booking.book(held=held, reason=REASON, accept_price=accept_price, actor=held.patient.user, now=now)


def book(patient, slot, *, accept_price=None, now=NOW):
    return confirm(hold(patient, slot, now=now), accept_price=accept_price, now=now)


def extend(held, *, now=NOW):
    return booking.extend(held=held, actor=held.patient.user, now=now)


def release(held, *, now=NOW):
    booking.release(held=held, actor=held.patient.user, now=now)


def move(visit, slot, *, source=PATIENT, accept_price=None, now=NOW):
    return booking.reschedule(
        visit=visit, slot=slot, accept_price=accept_price, actor=visit.patient.user, source=source, now=now
    )


def cancel(visit, *, source=PATIENT, now=NOW):
    return booking.cancel(visit=visit, reason="", actor=visit.patient.user, source=source, now=now)


def overbook(patient, slot, *, now=NOW):
    return booking.overbook(
        patient=patient,
        slot=slot,
        overbook_reason="urgent",
        reason="",
        accept_price=None,
        actor=patient.user,
        now=now,
    )


def age(visit, *, by=timedelta(minutes=6)):
    """Let a hold's five minutes be over since the rest of `by` (negative: still to come), by the only clock that
    counts.
    """
    Claim.objects.filter(appointment=visit).update(expires_at=claims.ClockTimestamp() - by)


def found(place, code="office", *, now=NOW, limit=200, after=None, **options):
    """What a search for all of `place` lists."""
    wanted = slots.Search(visit_type=code, **{"asked_at": now, "clinics": (place.clinic.pk,), **options})
    return slots.search(wanted, now=now, limit=limit, after=after)


def starts(place, code="office", **options):
    return [row.slot.start for row in found(place, code, **options)]


def can_be_held(patient, slot, *, now):
    """Whether `slot` can be held; it is not afterwards."""
    with transaction.atomic():
        try:
            return bool(hold(patient, slot, now=now))
        except Refused:
            return False
        finally:
            transaction.set_rollback(True)
