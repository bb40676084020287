"""Keeping shifts 90 days ahead."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import DateField, F, Func, Q, Value
from django.db.models.functions import Greatest

from clinics.ids import new_id
from scheduling import claims, intervals
from scheduling.intervals import Span
from scheduling.models import DayByHand, Shift, WeeklyHours
from scheduling.shifts.expansion import DAYS_AHEAD, Day, Hours, Place, Planned, around, plan

# Clinicians whose calendars are locked together. Bookings of theirs wait for some tenths of a second.
TOGETHER = 50


def extend(*, now: datetime, clinicians: Iterable[uuid.UUID] | None = None) -> int:
    """Expand weekly hours into shifts up to DAYS_AHEAD days behind each clinic's today; returns how many were added.

    A day is expanded once: what staff removed or moved since stays removed or moved. Nothing overlaps a shift that is
    there. Safe to run twice, also at once, and to be cut short: each batch of clinicians is a transaction of its own.
    Where nothing is due it reads once and locks nothing.
    """
    due = WeeklyHours.objects.filter(
        Q(expanded_until__isnull=True) | Q(expanded_until__lt=DayThere(now, plus=DAYS_AHEAD + 1)),
        # Days that are left to expand: GREATEST passes over a null.
        Q(during__upper_inf=True) | Q(during__endswith__gt=Greatest("expanded_until", DayThere(now, plus=-1))),
    )
    if clinicians is not None:
        due = due.filter(clinician__in=clinicians)
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for clinician, clinic in due.order_by("clinician").values_list("clinician", "clinic").distinct():
        found[clinician].add(clinic)
    added = 0
    waiting = iter(found)
    while batch := list(itertools.islice(waiting, TOGETHER)):
        with transaction.atomic():
            lock_clinics(set.union(*(found[clinician] for clinician in batch)), change=False)
            claims.lock_calendars(batch)
            added += _extend(batch, now=now)
    return added


class DayThere(Func):
    """The date at an instant on the clock of a row's clinic, some days added."""

    template = "(timezone(%(expressions)s)::date + %(plus)s)"
    output_field = DateField()

    def __init__(self, at: datetime, *, plus: int) -> None:
        super().__init__(F("clinic__time_zone"), Value(at), plus=plus)


def lock_clinics(clinics: Iterable[uuid.UUID], *, change: bool) -> None:
    """Lock these clinics until the transaction ends, before any calendar: to `change` or to rely on their hours."""
    strength = "NO KEY UPDATE" if change else "SHARE"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM clinics_clinic WHERE id = ANY (%s) ORDER BY id FOR {strength}",  # noqa: S608 - two constants
            [sorted(set(clinics))],
        )


def _extend(clinicians: list[uuid.UUID], *, now: datetime) -> int:
    rows = list(WeeklyHours.objects.filter(clinician__in=clinicians).order_by("clinician", "id"))
    places = Place.all_of(row.clinic_id for row in rows)
    planned: list[Planned] = []
    done: dict[date, list[uuid.UUID]] = defaultdict(list)
    for row in rows:
        place = places[row.clinic_id]
        horizon = place.horizon(now)
        if row.expanded_until is not None and row.expanded_until >= horizon:
            continue
        # At first from yesterday, whose night may still be going on.
        first = row.expanded_until or place.today(now) - intervals.DAY
        planned += (found for found in plan(Hours.of(row), place, first=first, until=horizon) if found.span.end > now)
        done[horizon].append(row.pk)
    added = add(planned, places)
    for horizon, keys in done.items():
        WeeklyHours.objects.filter(pk__in=keys).update(expanded_until=horizon)
    return added


def add(planned: list[Planned], places: dict[uuid.UUID, Place]) -> int:
    """Insert shifts, except on days set by hand and except the time of shifts that are there; returns how many.

    Needs the clinicians' calendar locks.
    """
    if not planned:
        return 0
    since = min(found.on for found in planned) - 2 * intervals.DAY
    clinicians = {found.clinician for found in planned}
    there = Shift.objects.filter(clinician__in=clinicians, on__gte=since)
    taken: dict[uuid.UUID, list[Span]] = defaultdict(list)
    for clinician, during in there.order_by().values_list("clinician", "during"):
        taken[clinician].append(Span(during.lower, during.upper))
    by_hand = days_by_hand(clinicians, since=since)
    return insert(around([found for found in planned if found.day not in by_hand], taken, places))


def insert(planned: list[Planned]) -> int:
    """Insert shifts, in a fraction of the time that an object for each takes; returns how many.

    Needs the clinicians' calendar locks: one that overlaps another violates `shift_once`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO scheduling_shift (id, clinician_id, clinic_id, "on", during, visit_types)
            SELECT new.id, new.clinician, new.clinic, new.day, tstzrange(new.start, new.until), new.types::smallint[]
            FROM unnest(
                %s::uuid[], %s::uuid[], %s::uuid[], %s::date[], %s::timestamptz[], %s::timestamptz[], %s::text[]
            ) AS new (id, clinician, clinic, day, start, until, types)
            """,
            [
                [new_id() for _ in planned],
                [found.clinician for found in planned],
                [found.clinic for found in planned],
                [found.on for found in planned],
                [found.span.start for found in planned],
                [found.span.end for found in planned],
                [f"{{{','.join(map(str, found.visit_types))}}}" for found in planned],
            ],
        )
        return int(cursor.rowcount)


def days_by_hand(clinicians: Iterable[uuid.UUID], *, since: date) -> set[Day]:
    """The days of these clinicians from `since` on that staff set by hand."""
    found = DayByHand.objects.filter(clinician__in=clinicians, on__gte=since)
    return set(found.values_list("clinician", "clinic", "on"))
