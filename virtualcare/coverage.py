"""Who may care for whom when: clinicians on call, licensed in a state, by text or video.

A licence is asked for its days. Which day it is differs within the United States, so it counts from when its first day
has begun everywhere, until its first day after begins anywhere (see duty.days): whoever is counted here may be offered
a patient wherever in the state they are. A renewal, a row of its own, goes on where the licence before it ended.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from clinics.models import Clinician
from virtualcare import duty

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HORIZON = timedelta(days=14)
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
Span = tuple[datetime, datetime]
Key = tuple[str, str]  # state and modality

# Shifts in a window, each beside the licences of who has it; bounded by the window and by how many are on call.
ON_CALL = """
SELECT shift.clinician_id, shift.modalities, lower(shift.during), upper(shift.during), licence.state,
       array_agg(lower(licence.during)), array_agg(upper(licence.during))
  FROM virtualcare_oncallshift AS shift
  JOIN clinics_clinician AS clinician ON clinician.calendar_id = shift.clinician_id
  JOIN clinics_user AS account ON account.id = clinician.user_id AND account.is_active
  JOIN clinics_licence AS licence ON licence.clinician_id = shift.clinician_id
 WHERE shift.during && tstzrange(%s, %s)
   AND shift.modalities && %s::varchar[]
   AND licence.state = ANY(%s::text[])
   AND licence.during && daterange(%s::date, %s::date, '[]')
 GROUP BY shift.id, licence.state
"""


@dataclass(frozen=True, slots=True)
class Matrix:
    """How many clinicians are licensed and on call throughout each hour from `first` on, by state and modality.

    Of an hour in which that changes, it is the least there are at any time of it.
    """

    first: datetime
    hours: int
    counts: dict[Key, list[int]]

    def starts(self) -> list[datetime]:
        """When each hour begins."""
        return [self.first + HOUR * number for number in range(self.hours)]

    def gaps(self, key: Key) -> list[datetime]:
        """When the hours begin for which there is nobody, for some time of them at least."""
        return [self.first + HOUR * number for number, there in enumerate(self.counts[key]) if not there]


def matrix(*, states: Collection[str], modalities: Collection[str], first: datetime, until: datetime) -> Matrix:
    """The coverage of each hour that has a part of [first, until), at most HORIZON: one statement.

    `first` goes back to its full hour, in UTC: all zones of the United States have the same minutes.
    """
    first = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = min(-((first - until) // HOUR), HORIZON // HOUR + 1)
    spans = covering(states=states, modalities=modalities, first=first, until=first + HOUR * hours)
    counts = {
        (state, modality): least(spans[state, modality], first, hours) for state in states for modality in modalities
    }
    return Matrix(first, hours, counts)


def next_covered(*, state: str, modality: str, now: datetime) -> datetime | None:
    """When somebody licensed in `state` is on call for `modality` next: `now` where they are; None within HORIZON."""
    spans = covering(states=[state], modalities=[modality], first=now, until=now + HORIZON)
    starts = [max(start, now) for start, _ in spans[state, modality]]
    return min(starts, default=None)


def covered_until(*, state: str, modality: str, now: datetime) -> datetime | None:
    """Until when somebody licensed in `state` is on call from `now` on, without a gap; None where nobody is now.

    What lies behind HORIZON is not looked into.
    """
    spans = covering(states=[state], modalities=[modality], first=now, until=now + HORIZON)
    until = now
    for start, end in sorted(spans[state, modality]):
        if start > until:
            break
        until = max(until, end)
    return until if until > now else None


def eligible_now(*, state: str, modality: str, now: datetime) -> QuerySet[Clinician]:
    """The clinicians who are on call now for `modality` and licensed in `state`, whether or not they are there."""
    # Of each day on its own: a renewal may lie between them.
    held = Q()
    for day in duty.days(now):
        held &= Q(pk__in=Clinician.objects.filter(licences__state=state, licences__during__contains=day).values("pk"))
    return Clinician.objects.filter(
        held,
        user__is_active=True,
        on_call_shifts__during__contains=now,
        on_call_shifts__modalities__contains=[modality],
    )


def on_duty(*, state: str, modality: str, now: datetime) -> QuerySet[Clinician]:
    """Those of `eligible_now` who said that they are available, and whose console was heard of lately."""
    return eligible_now(state=state, modality=modality, now=now).filter(
        duty__available=True, duty__heard_at__gte=now - duty.FRESH
    )


def covering(
    *, states: Collection[str], modalities: Collection[str], first: datetime, until: datetime
) -> dict[Key, list[Span]]:
    """When clinicians are licensed in a state and on call, as far as it has to do with [first, until): a span each."""
    found: dict[Key, list[Span]] = defaultdict(list)
    asked: list[Any] = [first, until, [*modalities], [*states], first.date() - DAY, until.date() + DAY]
    with connection.cursor() as cursor:
        cursor.execute(ON_CALL, asked)
        rows = cursor.fetchall()
    for _, takes, start, end, state, froms, untils in rows:
        for licensed_from, licensed_until in licensed(zip(froms, untils, strict=True)):
            span = max(start, licensed_from, first), min(end, licensed_until)
            if span[0] < span[1] and span[0] < until:
                for modality in set(takes) & set(modalities):
                    found[state, modality].append(span)
    return found


def licensed(periods: Iterable[tuple[date | None, date | None]]) -> list[Span]:
    """The instants at which a clinician may see the patients of a state, of the days of their licences there.

    Those that touch or overlap are one.
    """
    joined: list[tuple[date, date]] = []
    for start, end in sorted((start or date.min, end or date.max) for start, end in periods):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return [
        (
            EARLIEST if start == date.min else datetime.combine(start, time(), duty.LAST).astimezone(UTC),
            LATEST if end == date.max else datetime.combine(end, time(), duty.FIRST).astimezone(UTC),
        )
        for start, end in joined
    ]


def least(spans: Sequence[Span], first: datetime, hours: int) -> list[int]:
    """How many of `spans` there are at the least in each of so many hours from `first` on."""
    changes: dict[datetime, int] = defaultdict(int)
    for start, end in spans:
        changes[max(start, first)] += 1
        changes[end] -= 1
    edges = {first + HOUR * number: number for number in range(hours + 1)}
    moments = sorted({*changes, *edges})
    counts, there = [len(spans)] * hours, 0
    for moment, following in pairwise(moments):
        there += changes.get(moment, 0)
        number = (moment - first) // HOUR
        if moment < following and 0 <= number < hours:
            counts[number] = min(counts[number], there)
    return counts
