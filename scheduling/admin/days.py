"""The day that a list shows: each clinic's own, by its clock."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Q

from clinics.models import Clinic
from scheduling import intervals

WORDS = {"yesterday": -1, "today": 0, "tomorrow": 1}
# The days of the admin. At either end of the calendar there is no week before or after, nor a night.
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)


def named(text: str | None) -> date | int | None:
    """The day that an address names: a date, or days from each clinic's today. None where it names none."""
    return WORDS[text] if text in WORDS else dated(text)


def dated(text: str | None) -> date | None:
    """The date that an address names, near enough to reckon with; None where it names none."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if FIRST <= day <= LAST else None


def of(day: date | int, zone_of: Clinic, *, now: datetime) -> date:
    """The date of `day` at a clinic."""
    return day if isinstance(day, date) else now.astimezone(zone_of.zone).date() + timedelta(days=day)


def starting_on(day: date | int, clinics: Iterable[Clinic], *, now: datetime) -> Q:
    """The condition on a visit that it starts on `day` at one of `clinics`."""
    by_zone: dict[str, list[Clinic]] = defaultdict(list)
    for clinic in clinics:
        by_zone[clinic.time_zone].append(clinic)
    condition = Q(pk=uuid.UUID(int=0))
    for there in by_zone.values():
        begins, ends = bounds(day, there[0], now=now)
        condition |= Q(clinic__in=[clinic.pk for clinic in there], starts_at__gte=begins, starts_at__lt=ends)
    return condition


def bounds(day: date | int, clinic: Clinic, *, now: datetime) -> tuple[datetime, datetime]:
    """The instants at which `day` begins and ends at `clinic`."""
    on = of(day, clinic, now=now)
    return intervals.midnight(on, clinic.zone), intervals.midnight(on + timedelta(days=1), clinic.zone)
