"""Changing a clinician's weekly hours."""

import itertools
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q, QuerySet

from clinics.models import Clinician, User
from clinics.refusals import Refused
from scheduling import claims, intervals
from scheduling.intervals import Block, Span
from scheduling.models import Shift, VisitType, WeeklyHours
from scheduling.shifts import diffs
from scheduling.shifts.diffs import Diff
from scheduling.shifts.expansion import Hours, Place, Planned, around, plan
from scheduling.shifts.extending import days_by_hand, lock_clinics

# Clinics in two zones overlap in one season and not in the other: a year and a week shows it.
LOOK_AHEAD = timedelta(days=372)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class BadHours(Refused):
    code = "bad_hours"
    status = 400
    detail = "These hours cannot be."


class HoursOverlap(Refused):
    """Two blocks take the same time, and nobody is in two places."""

    code = "hours_overlap"
    status = 409


class WeeklyBlock(NamedTuple):
    """A block of a weekday (0 is Monday) at a clinic, in its local time, for visits of these types."""

    clinic: uuid.UUID
    weekday: int
    starts: time
    ends: time  # at or before `starts`: on the next day
    visit_types: tuple[int, ...]


def preview_weekly_hours(
    *,
    clinician: Clinician,
    blocks: Sequence[WeeklyBlock],
    from_on: date,
    now: datetime,
    only_at: Collection[uuid.UUID] | None = None,
) -> Diff:
    """What `change_weekly_hours` with the same arguments would do. Its `digest` is what to accept.

    Raises BadHours and HoursOverlap.
    """
    return _diff(clinician, blocks, from_on, _places(clinician, blocks, from_on), now, only_at)


def change_weekly_hours(
    *,
    clinician: Clinician,
    blocks: Sequence[WeeklyBlock],
    from_on: date,
    actor: User | None,
    accept: str,
    now: datetime,
    only_at: Collection[uuid.UUID] | None = None,
) -> Diff:
    """Replace all weekly hours of `clinician` by `blocks`, for days from `from_on` on, and bring their shifts in line.

    With `only_at`, the clinics whose hours are the caller's to change, their hours elsewhere stay as they are.
    `accept` is the digest of the diff previewed: DiffChanged where something else would happen by now. Visits that lose
    their shift stay booked, and are in the diff for staff to move or cancel. Days set by hand stay as they are.
    Raises BadHours and HoursOverlap.
    """
    with transaction.atomic():
        lock_clinics(_places(clinician, blocks, from_on), change=False)
        claims.lock_calendars([clinician.pk])
        diffs.lock(Shift.objects.filter(clinician=clinician, on__gte=from_on))
        places = _places(clinician, blocks, from_on)
        diff = _diff(clinician, blocks, from_on, places, now, only_at)
        diffs.require_accepted(diff, accept)
        for row in _rows_from(clinician, from_on):
            if not _is_at(only_at, row.clinic_id):
                continue
            if row.during.lower is not None and row.during.lower >= from_on:
                row.delete()
            else:
                WeeklyHours.objects.filter(pk=row.pk).update(during=DateRange(row.during.lower, from_on))
        WeeklyHours.objects.bulk_create(
            WeeklyHours(
                clinician=clinician,
                clinic_id=block.clinic,
                weekday=block.weekday,
                starts=block.starts,
                ends=block.ends,
                visit_types=list(block.visit_types),
                during=DateRange(from_on, None),
                expanded_until=max(from_on, places[block.clinic].horizon(now)),
                set_by=actor,
            )
            for block in blocks
        )
        diffs.apply(diff)
        return diff


def _rows_from(clinician: Clinician, on: date) -> QuerySet[WeeklyHours]:
    """The hours of `clinician` that hold on `on` or later."""
    return WeeklyHours.objects.filter(
        Q(during__upper_inf=True) | Q(during__endswith__gt=on), clinician=clinician
    ).order_by("pk")


def _places(clinician: Clinician, blocks: Iterable[WeeklyBlock], from_on: date) -> dict[uuid.UUID, Place]:
    """The clinics where they work from then on, by the old hours, the new ones or by hand."""
    old = _rows_from(clinician, from_on - intervals.DAY).values_list("clinic", flat=True)
    there = Shift.objects.filter(clinician=clinician, on__gte=from_on - intervals.DAY).values_list("clinic", flat=True)
    return Place.all_of([*(block.clinic for block in blocks), *old, *there.distinct()])


def _is_at(only_at: Collection[uuid.UUID] | None, clinic: uuid.UUID) -> bool:
    return only_at is None or clinic in only_at


def _diff(
    clinician: Clinician,
    blocks: Sequence[WeeklyBlock],
    from_on: date,
    places: dict[uuid.UUID, Place],
    now: datetime,
    only_at: Collection[uuid.UUID] | None,
) -> Diff:
    rows = list(_rows_from(clinician, from_on - intervals.DAY))
    _check(blocks, [row for row in rows if not _is_at(only_at, row.clinic_id)], from_on, places, now, only_at)
    by_hand = {day for day in days_by_hand([clinician.pk], since=from_on) if _is_at(only_at, day[1])}
    near = list(Shift.objects.filter(clinician=clinician, on__gte=from_on - 2 * intervals.DAY))
    there = [
        shift
        for shift in near
        if shift.on >= from_on
        and _is_at(only_at, shift.clinic_id)
        and (clinician.pk, shift.clinic_id, shift.on) not in by_hand
    ]
    new = [
        Hours(clinician.pk, block.clinic, Block(*block[1:4]), tuple(block.visit_types), from_on, None)
        for block in blocks
    ]
    planned = [found for hours in new for found in _plan(hours, places, first=from_on, now=now)]
    # A block of the day before that begins, clipped to the opening hours, after midnight.
    for row in (row for row in rows if _is_at(only_at, row.clinic_id)):
        eve = plan(Hours.of(row), places[row.clinic_id], first=from_on - intervals.DAY, until=from_on)
        planned += (found for found in eve if found.on >= from_on)
    there, planned = diffs.still_on(there, (found for found in planned if found.day not in by_hand), now=now)
    kept = [diffs.span_of(shift) for shift in near if shift not in there]
    wanted = around(planned, {clinician.pk: kept}, places)
    zones = {clinic: place.zone for clinic, place in places.items()}
    return diffs.compare(there, wanted, by_hand=by_hand, zones=zones, now=now)


def _plan(hours: Hours, places: dict[uuid.UUID, Place], *, first: date, now: datetime) -> list[Planned]:
    place = places[hours.clinic]
    return plan(hours, place, first=first, until=max(first, place.horizon(now)))


def _check(
    blocks: Sequence[WeeklyBlock],
    elsewhere: Iterable[WeeklyHours],
    from_on: date,
    places: dict[uuid.UUID, Place],
    now: datetime,
    only_at: Collection[uuid.UUID] | None,
) -> None:
    """Raises BadHours for hours that cannot be, and HoursOverlap for two blocks that take the same time.

    Blocks are compared with the hours `elsewhere`, too, which stay.
    """
    known = set(VisitType.objects.values_list("pk", flat=True))
    for block in blocks:
        if block.clinic not in places or not _is_at(only_at, block.clinic):
            raise BadHours("There is no such clinic.")
        if not 0 <= block.weekday <= 6:
            raise BadHours("A weekday is a number from 0, Monday, to 6, Sunday.")
        if not block.visit_types or not known.issuperset(block.visit_types):
            raise BadHours("Each block needs at least one type of visit, and only types that exist.")
    if any(from_on < place.today(now) for place in places.values()):
        raise BadHours("Hours can be changed from today on, not in the past.")
    taken: list[tuple[Span, WeeklyBlock]] = []
    periods = [(block, from_on, from_on + LOOK_AHEAD) for block in blocks]
    for row in elsewhere:
        first, until = row.during.lower or from_on, row.during.upper or from_on + LOOK_AHEAD
        stays = WeeklyBlock(row.clinic_id, row.weekday, row.starts, row.ends, tuple(row.visit_types))
        periods.append((stays, max(first, from_on), min(until, from_on + LOOK_AHEAD)))
    for block, first, until in periods:
        spans = intervals.expand([Block(*block[1:4])], first=first, until=until, zone=places[block.clinic].zone)
        taken += ((span, block) for span in spans)
    for (one, block), (other, another) in itertools.pairwise(sorted(taken)):
        if one.overlaps(other):
            raise HoursOverlap(
                f"{_words(block, places)} and {_words(another, places)} overlap: make one of them shorter."
            )


def _words(block: WeeklyBlock, places: dict[uuid.UUID, Place]) -> str:
    return f"{WEEKDAYS[block.weekday]} {block.starts:%H:%M}-{block.ends:%H:%M} at {places[block.clinic].name}"
