"""Time that is nobody's to book: a clinician's day off, a room out of service."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet

from clinics.models import Clinician, Room, User
from clinics.refusals import Refused
from scheduling import claims
from scheduling.models import Appointment, Claim, TimeOffChange

LONGEST = timedelta(days=366)


class BadTimeOff(Refused):
    code = "bad_time_off"
    status = 400
    detail = "Time off ends after it begins, is not over yet, and lasts at most a year."


class AlreadyAway(Refused):
    code = "already_away"
    detail = "There is time off at this time already. Change that one instead."


def visits_during(*, of: Clinician | Room, start: datetime, end: datetime) -> QuerySet[Appointment]:
    """The live visits that have time of a clinician (their turnover, too) or a room in [start, end)."""
    met = Claim.objects.filter(calendar=of.pk, during__overlap=(start, end), appointment__isnull=False)
    visits = Appointment.objects.filter(claims.takes_time(), pk__in=met.values("appointment"))
    return visits.order_by("starts_at", "id")


def enter(
    *,
    of: Clinician | Room,
    start: datetime,
    end: datetime,
    reason: str,
    actor: User | None = None,
    now: datetime,
) -> tuple[Claim, list[Appointment]]:
    """Take [start, end) off the calendar of a clinician (time off) or a room (block), also over visits.

    Returns the claim and the live visits that stand in it, for staff to move or cancel: none is cancelled silently, and
    the list is complete, because a booking holds the calendar's lock. A visit of which only the clinician's turnover
    lies in it is in the list: that is time of theirs too, and somebody is to see that it suffices without. Who entered
    it is kept as a TimeOffChange; without `actor` it was the system. Raises BadTimeOff and AlreadyAway.
    """
    if not (start < end <= start + LONGEST and end > now):
        raise BadTimeOff
    kind = Claim.Kind.TIME_OFF if isinstance(of, Clinician) else Claim.Kind.BLOCK
    try:
        with transaction.atomic():
            claims.lock_calendars([of.pk])
            claim = Claim.objects.create(
                calendar_id=of.pk, lane=Claim.AWAY, during=DateTimeTZRange(start, end), kind=kind, reason=reason
            )
            _note(claim, TimeOffChange.What.ENTERED, actor, now)
            return claim, list(visits_during(of=of, start=start, end=end))
    except IntegrityError as error:
        if claims.is_overlap(error):
            raise AlreadyAway from error
        raise


def withdraw(*, claim: Claim, actor: User | None = None, now: datetime) -> None:
    """Give time off back: it can be booked again. Done twice it changes nothing."""
    with transaction.atomic():
        if Claim.objects.filter(pk=claim.pk, lane=Claim.AWAY).delete()[0]:
            _note(claim, TimeOffChange.What.WITHDRAWN, actor, now)


def _note(claim: Claim, what: TimeOffChange.What, actor: User | None, now: datetime) -> None:
    TimeOffChange.objects.create(
        calendar_id=claim.calendar_id, at=now, actor=actor, what=what, during=claim.during, reason=claim.reason
    )
