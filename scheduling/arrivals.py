"""What the front desk does with a visit on its day: the patient comes in, is seen and leaves, or does not come."""

from datetime import datetime, timedelta

from django.db import transaction

from clinics import messages
from clinics.models import User
from clinics.refusals import Refused
from memberships.models import InvoiceLine
from scheduling import booking, claims, fees, notices, reminders
from scheduling.booking import records
from scheduling.booking import wanted as wanting
from scheduling.booking.records import Kind, Status
from scheduling.models import Appointment

# From where a visit gets to each status. A desk in a hurry leaves steps out, but none backwards.
AFTER: dict[Appointment.Status, list[Appointment.Status]] = {
    Status.ARRIVED: [Status.BOOKED],
    Status.CHECKED_IN: [Status.BOOKED, Status.ARRIVED],
    Status.ROOMED: [Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN],
    Status.COMPLETED: [Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.ROOMED],
    Status.NO_SHOW: [Status.BOOKED],
}
# What can be taken back, for so long after it was done: later it is history, on which other records rest.
UNDONE = frozenset(AFTER)
UNDO_WITHIN = timedelta(hours=12)


class OtherStatus(Refused):
    code = "other_status"
    detail = "The visit is at another step than this one follows. Look at it again: somebody may have changed it."


class NotToday(Refused):
    code = "not_today"
    detail = "This can be said of a visit only on its day, at its clinic. Move it first, if it is to be now."


class NotBegun(Refused):
    code = "not_begun"
    detail = "The visit has not begun yet: somebody can only fail to come, or be done, after its start."


class TooLateToUndo(Refused):
    code = "too_late_to_undo"
    detail = "This was done too long ago to take it back, or cannot be taken back at all."


def possible(visit: Appointment, *, now: datetime) -> list[Appointment.Status]:
    """What can be said of `visit` at `now`, in order. Needs its clinic loaded."""
    return [to for to in AFTER if visit.status in AFTER[to] and obstacle(visit, to, now=now) is None]


def obstacle(visit: Appointment, to: Appointment.Status, *, now: datetime) -> Refused | None:
    """Why `to` cannot be said of `visit` at `now`, as far as that is a matter of time.

    Coming in is for the visit's local day. That it is over, or that nobody came, may be said later, but not before its
    start: a no-show gives the time away.
    """
    if to in (Status.NO_SHOW, Status.COMPLETED):
        return NotBegun() if now < visit.starts_at else None
    same_day = now.astimezone(visit.clinic.zone).date() == visit.local_start.date()
    return None if same_day or visit.starts_at <= now < visit.ends_at else NotToday()


def advance(*, visit: Appointment, to: Appointment.Status, actor: User, now: datetime) -> Appointment:
    """Say that the patient has arrived, is checked in, in a room, done, or did not come. Again it changes nothing.

    A visit that is over keeps its time: it was used, and the turnover behind it is the clinician's. That of a no-show
    is given back at once. Raises OtherStatus from where there is no way to `to`, NotToday, NotBegun, and NotFound where
    the visit was moved to a clinic at which `actor` does not work.
    """
    with transaction.atomic():
        was = records.locked(visit, staff=actor)
        before = was.status
        if before == to:
            return was
        if before not in AFTER[to]:
            raise OtherStatus(status_now=before)
        if (refusal := obstacle(was, to, now=now)) is not None:
            raise refusal
        if to == Status.NO_SHOW:
            claims.lock_calendars(records.calendars_of(was))
            claims.release(appointment=was.pk)
            policy = booking.policy_for(was)
            if policy is not None:
                fees.bill(was, InvoiceLine.Kind.NO_SHOW, policy.no_show_fee_code, now=now)
        records.change(was, before, status=to)
        records.record(was, Kind.STATUS, before, actor, now)
        # Whoever is here, or was not there, needs no word of it any more.
        reminders.withdraw(was, now=now)
        messages.withdraw(about=notices.about(was), now=now)
    return was


def undoable(visit: Appointment, *, now: datetime) -> bool:
    """Whether the last thing said of `visit` can be taken back at `now`."""
    return visit.status in UNDONE and last_step(visit, now=now) is not None


def undo(*, visit: Appointment, said: Appointment.Status, actor: User, now: datetime) -> Appointment:
    """Take back that `said` was said of a visit: it gets the status that it had before. Doing so again changes nothing.

    A visit that was no no-show after all takes its time again. Raises SlotTaken or PatientBusy, with three other times,
    where that was given away meanwhile; TooLateToUndo; OtherStatus where something else was said since; NotFound
    as `advance`.
    """
    with transaction.atomic():
        was = records.locked(visit, staff=actor)
        step = last_step(was, now=now)
        if was.status != said:
            if is_taken_back(was, said):
                return was
            raise OtherStatus(status_now=was.status)
        if step is None or was.status not in UNDONE:
            raise TooLateToUndo
        if said == Status.NO_SHOW:
            retake(was, now=now)
            fees.take_back(was, actor=actor, now=now)
        records.change(was, said, status=step)
        records.record(was, Kind.STATUS, said, actor, now)
    return was


def last_step(visit: Appointment, *, now: datetime) -> str | None:
    """The status before the one that `visit` has, where it came to it by a step that can still be taken back."""
    steps = visit.changes.filter(kind=Kind.STATUS, at__gt=now - UNDO_WITHIN).order_by("-id")
    for came_from, to in steps.values_list("from_status", "to_status"):
        if to == visit.status and came_from in AFTER.get(Appointment.Status(to), []):
            return str(came_from)
    return None


def is_taken_back(visit: Appointment, said: Appointment.Status) -> bool:
    """Whether the last thing that happened to `visit` is that `said` was taken back."""
    last = visit.changes.order_by("-id").first()
    return (
        last is not None
        and (last.kind, last.from_status, last.to_status) == (Kind.STATUS, said, visit.status)
        and visit.status in AFTER[said]
    )


def retake(visit: Appointment, *, now: datetime) -> None:
    """Claim a visit's time again. Raises SlotTaken or PatientBusy where any of it is taken now."""
    wanted = wanting.wanted_of(visit, staff=True, now=now)
    wants = wanted.wants(visit.room_id, lane=visit.lane)
    with wanting.refusals(wanted):
        claims.lock_calendars(records.calendars_of(visit))
        claims.drop_expired(wants)
        claims.take(appointment=visit.pk, wants=wants, hold_for=None)
