"""Holding a slot while its patient finishes booking."""

import uuid
from datetime import datetime, timedelta
from typing import cast

from django.db import transaction
from django.db.models import Min, QuerySet

from clinics.models import Patient, User
from clinics.refusals import Refused
from memberships import entitlement
from scheduling import claims
from scheduling.booking import records
from scheduling.booking import wanted as wanting
from scheduling.booking.records import Kind, Status
from scheduling.claims import HOLD_FOR
from scheduling.models import Appointment
from scheduling.slots import Slot

MOST_HOLDS = 2


class TooManyHolds(Refused):
    code = "too_many_holds"
    detail = f"A patient can hold {MOST_HOLDS} times at once. Book or release one of them first."


class HoldExpired(Refused):
    code = "hold_expired"
    detail = "The hold is over and the time may be gone. Look for a time again."


class HoldExtended(Refused):
    code = "hold_already_extended"
    detail = "A hold can be extended once. Book it, or look for a time again."


class NotHeld(Refused):
    code = "not_held"
    detail = "This is not a hold any more."


def hold(
    *,
    patient: Patient,
    slot: Slot,
    actor: User,
    source: Appointment.Source,
    hold_for: timedelta = HOLD_FOR,
    now: datetime,
) -> tuple[Appointment, datetime]:
    """Hold `slot` for `patient` for a while, so that they can finish booking; returns the hold and when it expires.

    Raises SlotTaken, SlotNotOffered or PatientBusy, each with three other slots; TooManyHolds; MembershipRequired where
    neither a membership nor a per-visit price covers the visit's date; and the refusals of `rules`. Concurrent holds of
    overlapping slots: exactly one wins, and none deadlock (locks and claims are taken in calendar order).
    """
    wanted = wanting.wanted_slot(slot, patient, staff=source == Appointment.Source.STAFF, now=now)
    offer = entitlement.resolve(patient=patient, benefit=wanted.visit_type.code, on=wanted.on)
    with transaction.atomic(), wanting.refusals(wanted):
        claims.lock_calendars(wanted.calendars)
        claims.lock_shift(clinician=slot.clinician, clinic=slot.clinic, start=slot.start)
        if holds_of(patient).count() >= MOST_HOLDS:
            raise TooManyHolds
        wanting.require_offered(wanted)
        visit, expires_at = records.create(wanted, Status.HELD, actor, source, hold_for=hold_for, price=offer.price)
    return visit, cast(datetime, expires_at)


def extend(*, held: Appointment, actor: User, now: datetime) -> datetime:
    """Give a hold HOLD_FOR from now, or leave it the longer time that it has, once; returns when it expires.

    Raises HoldExpired, HoldExtended or NotHeld.
    """
    with transaction.atomic():
        visit = records.locked(held)
        require_held(visit)
        if visit.extended_at is not None:
            raise HoldExtended
        claims.lock_calendars(records.calendars_of(visit))
        count, expires_at = claims.extend(appointment=visit.pk, hold_for=HOLD_FOR)
        if count != records.claims_of(visit) or expires_at is None:
            raise HoldExpired
        Appointment.objects.filter(pk=visit.pk).update(extended_at=now)
        records.record(visit, Kind.EXTENDED, Status.HELD, actor, now)
    return expires_at


def release(*, held: Appointment, actor: User, now: datetime) -> None:
    """Give a hold back. One that is over already is left as it is. Raises NotHeld for a booked visit."""
    with transaction.atomic():
        visit = records.locked(held)
        if visit.status in {Status.CANCELLED, Status.EXPIRED}:
            return
        require_held(visit)
        claims.lock_calendars(records.calendars_of(visit))
        claims.release(appointment=visit.pk)
        records.change(visit, Status.HELD, status=Status.CANCELLED)
        records.record(visit, Kind.CANCELLED, Status.HELD, actor, now)


def expire_holds(*, now: datetime, most: int = 500) -> int:
    """Close holds whose time is over, each in its own transaction; returns how many. Safe to run twice, and at once."""
    over = Appointment.objects.filter(~claims.is_unexpired(), status=Status.HELD)
    closed = 0
    for visit in over.order_by("starts_at")[:most]:
        with transaction.atomic():
            # Asked again under the lock: its patient may have booked or extended it in the meantime.
            if not Appointment.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=visit.pk).first():
                continue
            if not over.filter(pk=visit.pk).exists():
                continue
            claims.lock_calendars(records.calendars_of(visit))
            claims.release(appointment=visit.pk)
            records.change(visit, Status.HELD, status=Status.EXPIRED)
            records.record(visit, Kind.EXPIRED, Status.HELD, None, now)
            closed += 1
    return closed


def holds_of(patient: Patient) -> QuerySet[Appointment]:
    """The patient's holds that can still be booked."""
    return Appointment.objects.filter(claims.is_unexpired(), patient=patient, status=Status.HELD)


def live_holds(patients: list[uuid.UUID]) -> QuerySet[Appointment]:
    """The holds of these patients that can still be booked, each with `expires_at`, all they show loaded."""
    return (
        Appointment.objects.filter(claims.is_unexpired(), patient__in=patients, status=Status.HELD)
        .with_what_it_shows()
        .annotate(expires_at=Min("claims__expires_at"))
        .order_by("starts_at", "id")[: MOST_HOLDS * len(patients)]
    )


def require_held(visit: Appointment) -> None:
    if visit.status == Status.EXPIRED:
        raise HoldExpired
    if visit.status != Status.HELD:
        raise NotHeld(appointment=str(visit.pk), status_now=visit.status)
