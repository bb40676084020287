"""Stretches of time, half-open: [start, end). No clock, no database.

A weekly block is written in local time and becomes real time here, once. `instant` never runs backwards: a later local
time is never an earlier instant. So blocks that do not overlap on the wall do not overlap in fact, and blocks that
meet still meet.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class Span(NamedTuple):
    """The instants from `start` up to, and without, `end`. Both in UTC."""

    start: datetime
    end: datetime

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Span") -> bool:
        return self.start <= other.start and other.end <= self.end


class Block(NamedTuple):
    """A stretch of a weekday in local time. `ends` at or before `starts` is on the next day: equal means 24 hours."""

    weekday: int  # 0 is Monday, 6 is Sunday, as in date.weekday()
    starts: time
    ends: time


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which the clock of `zone` reads `at` on `day`.

    In the hour that autumn repeats it is the first of the two. In the hour that spring leaves out, where the clock
    never reads `at`, it is the moment of the change. (RFC 5545 §3.3.5 takes the first of the two as well, but moves a
    time in the gap behind it, by the length of the gap, where it could overtake a later one.)
    """
    local = datetime.combine(day, at.replace(fold=0), tzinfo=zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    return _change_before(found, local.utcoffset() or timedelta(), zone)


def _change_before(after: datetime, offset: timedelta, zone: ZoneInfo) -> datetime:
    """The moment, at most a day before `after`, at which `zone` left `offset`. Zones change on whole seconds."""
    latest = int(after.timestamp())
    earliest = latest - 24 * 60 * 60
    while latest - earliest > 1:
        middle = (earliest + latest) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            earliest = middle
        else:
            latest = middle
    return datetime.fromtimestamp(latest, UTC)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of `day` in `zone`."""
    return instant(day, time(), zone)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The date on the wall of `zone` at the instant `at`."""
    return at.astimezone(zone).date()


def days(first: date, until: date) -> Iterator[date]:
    """The dates from `first` up to, and without, `until`."""
    for offset in range((until - first).days):
        yield first + timedelta(days=offset)


def span_on(day: date, starts: time, ends: time, zone: ZoneInfo) -> Span | None:
    """The time from `starts` on `day` to the `ends` after it, on the clock of `zone`.

    22:00 to 06:00 is 8 hours, but 9 in the night that repeats an hour and 7 in the night that leaves one out. A block
    that lies wholly in the hour left out has no time: None.
    """
    start = instant(day, starts, zone)
    end = instant(day if ends > starts else day + DAY, ends, zone)
    return Span(start, end) if start < end else None


def expand(blocks: Iterable[Block], *, first: date, until: date, zone: ZoneInfo) -> list[Span]:
    """Every occurrence that begins on a date from `first` up to, and without, `until`; in order of their starts."""
    by_weekday: dict[int, list[Block]] = {}
    for block in blocks:
        by_weekday.setdefault(block.weekday, []).append(block)
    found = (
        span_on(day, block.starts, block.ends, zone)
        for day in days(first, until)
        for block in by_weekday.get(day.weekday(), [])
    )
    return sorted(span for span in found if span is not None)


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans in order; those that overlap or meet become one. Empty ones are left out."""
    joined: list[Span] = []
    for span in sorted(spans):
        if span.start >= span.end:
            continue
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def intersect(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that lies in both, in order. Spans of `spans` that meet are kept apart; `others` count as their union.

    The spans of `spans` must not overlap each other.
    """
    windows = union(others)
    common: list[Span] = []
    first = 0
    for span in sorted(spans):
        while first < len(windows) and windows[first].end <= span.start:
            first += 1
        for window in windows[first:]:
            if window.start >= span.end:
                break
            cut = Span(max(span.start, window.start), min(span.end, window.end))
            if cut.start < cut.end:
                common.append(cut)
    return common


def subtract(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time of `spans` that lies in none of `others`, in order. Spans that meet are kept apart.

    The spans of `spans` must not overlap each other.
    """
    taken = union(others)
    left: list[Span] = []
    first = 0
    for span in sorted(spans):
        start = span.start
        while first < len(taken) and taken[first].end <= start:
            first += 1
        for busy in taken[first:]:
            if busy.start >= span.end:
                break
            if start < busy.start:
                left.append(Span(start, busy.start))
            start = max(start, busy.end)
        if start < span.end:
            left.append(Span(start, span.end))
    return left
