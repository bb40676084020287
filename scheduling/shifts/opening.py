"""Changing a clinic's opening hours, and clipping its shifts to them again."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from clinics.models import Clinic, OpeningHours, User
from scheduling import claims, intervals
from scheduling.intervals import Block, Span
from scheduling.models import OpeningHoursChange, Shift, WeeklyHours
from scheduling.shifts import diffs
from scheduling.shifts.diffs import Diff
from scheduling.shifts.expansion import Hours, Place, around, plan
from scheduling.shifts.extending import days_by_hand, lock_clinics
from scheduling.shifts.weekly import WEEKDAYS, BadHours, HoursOverlap

# Any week without a change of the clock shows whether doors overlap.
A_MONDAY = date(2026, 6, 1)


def preview_opening_hours(*, clinic: Clinic, hours: Sequence[Block], now: datetime) -> Diff:
    """What `change_opening_hours` with the same arguments would do. Its `digest` is what to accept.

    Raises BadHours and HoursOverlap.
    """
    return _diff(clinic, hours, now)


def change_opening_hours(
    *, clinic: Clinic, hours: Sequence[Block], actor: User | None, accept: str, now: datetime
) -> Diff:
    """Replace the opening hours of `clinic` by `hours`, and clip its shifts from today on to them.

    A weekday that `hours` leaves out is closed all day. With the hours as they are, it brings shifts in line with the
    clinic's first and last day. `accept` is the digest of the diff previewed: DiffChanged where something else would
    happen by now. Visits that lose their shift stay booked, and are in the diff for staff to move or cancel. Days set
    by hand stay as they are. Who did it, and what the hours were before, is kept as an OpeningHoursChange. Raises
    BadHours and HoursOverlap.
    """
    with transaction.atomic():
        lock_clinics([clinic.pk], change=True)
        claims.lock_calendars(_clinicians(clinic, now))
        diffs.lock(_shifts(clinic, now))
        diff = _diff(clinic, hours, now)
        diffs.require_accepted(diff, accept)
        before = [Block(row.weekday, row.opens, row.closes) for row in OpeningHours.objects.filter(clinic=clinic)]
        OpeningHoursChange.objects.create(
            clinic=clinic, at=now, actor=actor, before=_as_json(before), after=_as_json(hours)
        )
        OpeningHours.objects.filter(clinic=clinic).delete()
        OpeningHours.objects.bulk_create(
            OpeningHours(clinic=clinic, weekday=weekday, opens=opens, closes=closes) for weekday, opens, closes in hours
        )
        place = Place.all_of([clinic.pk])[clinic.pk]
        _rows(clinic, now).update(expanded_until=place.horizon(now))
        diffs.apply(diff)
        return diff


def _today(clinic: Clinic, now: datetime) -> date:
    return intervals.local_date(now, clinic.zone)


def _rows(clinic: Clinic, now: datetime) -> QuerySet[WeeklyHours]:
    lasting = Q(during__upper_inf=True) | Q(during__endswith__gte=_today(clinic, now))
    return WeeklyHours.objects.filter(lasting, clinic=clinic)


def _shifts(clinic: Clinic, now: datetime) -> QuerySet[Shift]:
    return Shift.objects.filter(clinic=clinic, on__gte=_today(clinic, now))


def _clinicians(clinic: Clinic, now: datetime) -> set[uuid.UUID]:
    by_hours = _rows(clinic, now).values_list("clinician", flat=True)
    return {*by_hours, *_shifts(clinic, now).values_list("clinician", flat=True)}


def _diff(clinic: Clinic, hours: Sequence[Block], now: datetime) -> Diff:
    _check(hours, clinic)
    today = _today(clinic, now)
    place = replace(Place.all_of([clinic.pk])[clinic.pk], hours=tuple(hours))
    clinicians = _clinicians(clinic, now)
    by_hand = {day for day in days_by_hand(clinicians, since=today) if day[1] == clinic.pk}
    there = [shift for shift in _shifts(clinic, now) if (shift.clinician_id, clinic.pk, shift.on) not in by_hand]
    planned = (
        found
        for row in _rows(clinic, now)
        for found in plan(Hours.of(row), place, first=today - timedelta(days=1), until=place.horizon(now))
        if found.on >= today and found.day not in by_hand
    )
    there, wanted = diffs.still_on(there, planned, now=now)
    ours = {shift.pk for shift in there}
    kept: dict[uuid.UUID, list[Span]] = defaultdict(list)
    near = Shift.objects.filter(clinician__in=clinicians, on__gte=today - 2 * intervals.DAY)
    for shift in near:
        if shift.pk not in ours:
            kept[shift.clinician_id].append(diffs.span_of(shift))
    wanted = around(wanted, kept, {clinic.pk: place})
    return diffs.compare(there, wanted, by_hand=by_hand, zones={clinic.pk: place.zone}, now=now)


def _check(hours: Sequence[Block], clinic: Clinic) -> None:
    if any(not 0 <= block.weekday <= 6 for block in hours):
        raise BadHours("A weekday is a number from 0, Monday, to 6, Sunday.")
    week = sorted(
        (span, block)
        for block in hours
        for span in intervals.expand([block], first=A_MONDAY, until=A_MONDAY + timedelta(days=8), zone=clinic.zone)
    )
    for (one, block), (other, another) in itertools.pairwise(week):
        if one.overlaps(other):
            raise HoursOverlap(f"{_words(block)} and {_words(another)} overlap: make them one.")


def _as_json(hours: Iterable[Block]) -> list[list[int | str]]:
    return [[weekday, f"{opens:%H:%M}", f"{closes:%H:%M}"] for weekday, opens, closes in sorted(hours)]


def _words(block: Block) -> str:
    return f"{WEEKDAYS[block.weekday]} {block.starts:%H:%M}-{block.ends:%H:%M}"
