"""Closing a clinic for a time although its hours say otherwise: a holiday, snow."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet

from clinics.models import Clinic, User
from clinics.refusals import Refused
from scheduling import claims
from scheduling.models import Appointment, Closure, Shift

LONGEST = timedelta(days=366)


class BadClosure(Refused):
    code = "bad_closure"
    status = 400
    detail = "A closure ends after it begins, is not over yet, lasts at most a year and has a reason."


def visits_during(*, clinic: Clinic, start: datetime, end: datetime) -> QuerySet[Appointment]:
    """The live visits at `clinic` that meet [start, end): what closing it would hit."""
    at_the_time = Appointment.objects.filter(clinic=clinic).meeting(start, end)
    return at_the_time.filter(claims.takes_time()).order_by("starts_at", "id")


def close(
    *, clinic: Clinic, start: datetime, end: datetime, reason: str, actor: User | None, now: datetime
) -> tuple[Closure, list[Appointment]]:
    """Close `clinic` during [start, end); returns the closure and the visits in it, for staff to move or cancel.

    The list is complete: a booking holds its shift FOR SHARE until it commits, and this waits for it; a later one sees
    the closure. The clinic's lock keeps out shifts added meanwhile, which this would not wait for. Nobody's visit is
    cancelled silently. Holds in it can no longer be booked. Raises BadClosure.
    """
    if not (start < end <= start + LONGEST and end > now and reason.strip()):
        raise BadClosure
    with transaction.atomic():
        list(Clinic.objects.select_for_update(no_key=True).filter(pk=clinic.pk).values_list("pk"))
        shifts = Shift.objects.filter(clinic=clinic, during__overlap=(start, end))
        list(shifts.select_for_update().order_by("id").values_list("id"))
        closure = Closure.objects.create(
            clinic=clinic, during=DateTimeTZRange(start, end), reason=reason, created_by=actor
        )
        return closure, list(visits_during(clinic=clinic, start=start, end=end))


def reopen(*, closure: Closure) -> None:
    """Take a closure back. Its time can be booked again; visits that were cancelled meanwhile stay cancelled."""
    closure.delete()
