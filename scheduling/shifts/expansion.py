"""From weekly hours to the blocks of real time that shifts are made of. Reads records; writes nothing."""

import bisect
import functools
import itertools
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinics.models import Clinic, OpeningHours
from scheduling import intervals
from scheduling.intervals import Block, Span
from scheduling.models import Shift, WeeklyHours

# Shifts exist from the clinic's today to this many days behind it.
DAYS_AHEAD = 90


Day = tuple[uuid.UUID, uuid.UUID, date]  # clinician, clinic, the clinic's local date


class Planned(NamedTuple):
    """A shift that hours ask for."""

    clinician: uuid.UUID
    clinic: uuid.UUID
    on: date
    span: Span
    visit_types: tuple[int, ...]

    @property
    def day(self) -> Day:
        return self.clinician, self.clinic, self.on


class Hours(NamedTuple):
    """A clinician's block of a weekday at a clinic, on the days from `first` up to, and without, `until`."""

    clinician: uuid.UUID
    clinic: uuid.UUID
    block: Block
    visit_types: tuple[int, ...]
    first: date
    until: date | None

    @classmethod
    def of(cls, row: WeeklyHours) -> "Hours":
        block = Block(row.weekday, row.starts, row.ends)
        first, until = row.during.lower or date.min, row.during.upper
        return cls(row.clinician_id, row.clinic_id, block, tuple(row.visit_types), first, until)


@dataclass(frozen=True)
class Place:
    """What of a clinic decides when visits are possible there: zone, opening hours, first and last day.

    A weekday without opening hours is closed all day.
    """

    clinic: uuid.UUID
    name: str
    zone: ZoneInfo
    hours: tuple[Block, ...]
    opens_on: date
    closes_on: date | None

    @classmethod
    def all_of(cls, clinics: Iterable[uuid.UUID]) -> dict[uuid.UUID, "Place"]:
        """The places of these clinics by id, read in two queries."""
        found = list(Clinic.objects.filter(pk__in=set(clinics)))
        hours: dict[uuid.UUID, list[Block]] = {clinic.pk: [] for clinic in found}
        for row in OpeningHours.objects.filter(clinic__in=hours):
            hours[row.clinic_id].append(Block(row.weekday, row.opens, row.closes))
        return {
            clinic.pk: cls(
                clinic.pk, clinic.name, clinic.zone, tuple(hours[clinic.pk]), clinic.opens_on, clinic.closes_on
            )
            for clinic in found
        }

    def today(self, now: datetime) -> date:
        return intervals.local_date(now, self.zone)

    def horizon(self, now: datetime) -> date:
        """The first day for which no shifts are made yet."""
        return self.today(now) + timedelta(days=DAYS_AHEAD + 1)


@functools.lru_cache(maxsize=64)
def opened(place: Place, first: date, until: date) -> list[Span]:
    """When a clinic is open, for blocks that begin on a date from `first` up to, and without, `until`."""
    lives = Span(
        intervals.midnight(place.opens_on, place.zone),
        intervals.midnight(min(place.closes_on or date.max, until + 2 * intervals.DAY), place.zone),
    )
    if lives.start >= lives.end:
        return []
    # A day's block reaches into the next day, and the hours of the day before reach into this one.
    doors = intervals.expand(place.hours, first=first - intervals.DAY, until=until + intervals.DAY, zone=place.zone)
    return intervals.intersect(intervals.union(doors), [lives])


def plan(hours: Hours, place: Place, *, first: date, until: date) -> list[Planned]:
    """The shifts that `hours` ask for on blocks that begin from `first` up to `until`, clipped to the opening hours.

    A block that the clinic's lunch break cuts gives two.
    """
    first = max(first, hours.first)
    until = min(until, hours.until or until)
    spans = intervals.expand([hours.block], first=first, until=until, zone=place.zone)
    return [
        Planned(hours.clinician, hours.clinic, intervals.local_date(span.start, place.zone), span, hours.visit_types)
        for span in intervals.intersect(spans, opened(place, first, until))
    ]


def around(
    planned: Iterable[Planned], taken: Mapping[uuid.UUID, Iterable[Span]], places: Mapping[uuid.UUID, Place]
) -> list[Planned]:
    """`planned` without the time `taken` by other shifts of the same clinician, and apart: where two overlap, the
    earlier stays whole.
    """
    busy = {clinician: sorted(spans) for clinician, spans in taken.items()}
    left: list[Planned] = []
    for found in sorted(planned, key=lambda found: found.span):
        spans = busy.setdefault(found.clinician, [])
        near = spans[max(0, bisect.bisect_left(spans, (found.span.start,)) - 1) :]
        near = list(itertools.takewhile(lambda span: span.start < found.span.end, near))  # noqa: B023 - used at once
        for span in intervals.subtract([found.span], near):
            bisect.insort(spans, span)
            on = intervals.local_date(span.start, places[found.clinic].zone)
            left.append(found._replace(span=span, on=on))
    return left


def as_shift(planned: Planned) -> Shift:
    return Shift(
        clinician_id=planned.clinician,
        clinic_id=planned.clinic,
        on=planned.on,
        during=DateTimeTZRange(*planned.span),
        visit_types=list(planned.visit_types),
    )
