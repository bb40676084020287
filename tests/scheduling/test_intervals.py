"""Local time to real time: what people write on a wall, and what the clock does to it twice a year (promise 6)."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling import intervals
from scheduling.intervals import Block, Span

NEW_YORK, CHICAGO, DENVER, LOS_ANGELES, PHOENIX = (
    ZoneInfo(f"America/{city}") for city in ("New_York", "Chicago", "Denver", "Los_Angeles", "Phoenix")
)
CHANGING = [NEW_YORK, CHICAGO, DENVER, LOS_ANGELES]
AUTUMN, SPRING = date(2026, 11, 1), date(2027, 3, 14)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def hours(spans):
    return sum((span.end - span.start for span in spans), timedelta()) / HOUR


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


class TestInstant:
    def test_it_reads_the_clock_of_the_zone(self):
        assert intervals.instant(date(2026, 11, 22), time(9), LOS_ANGELES) == at("2026-11-22T17:00:00Z")

    def test_it_takes_the_first_of_the_two_times_that_autumn_repeats(self):
        assert intervals.instant(AUTUMN, time(1, 30), NEW_YORK) == at("2026-11-01T01:30:00-04:00")

    def test_it_ignores_a_fold_that_came_with_the_time(self):
        assert intervals.instant(AUTUMN, time(1, 30, fold=1), NEW_YORK) == at("2026-11-01T01:30:00-04:00")

    @pytest.mark.parametrize("minute", [0, 1, 30, 59])
    def test_it_moves_a_time_that_spring_leaves_out_to_the_change(self, minute):
        assert intervals.instant(SPRING, time(2, minute), CHICAGO) == at("2027-03-14T03:00:00-05:00")

    def test_it_finds_the_change_whatever_its_length(self):
        assert intervals.instant(date(2026, 10, 4), time(2, 15), ZoneInfo("Australia/Lord_Howe")) == at(
            "2026-10-04T02:30:00+11:00"
        )

    def test_it_finds_a_day_that_was_left_out_whole(self):
        samoa = ZoneInfo("Pacific/Apia")  # crossed the date line: there was no 30 December 2011

        assert intervals.midnight(date(2011, 12, 30), samoa) == intervals.midnight(date(2011, 12, 31), samoa)

    def test_it_knows_no_change_in_arizona(self):
        assert intervals.instant(SPRING, time(2, 30), PHOENIX) == at("2027-03-14T02:30:00-07:00")


class TestSpanOn:
    def test_it_ends_on_the_next_day_where_the_end_is_before_the_start(self):
        span = intervals.span_on(date(2026, 11, 20), time(22), time(6), DENVER)

        assert span == Span(at("2026-11-20T22:00:00-07:00"), at("2026-11-21T06:00:00-07:00"))

    def test_it_lasts_24_hours_where_the_end_equals_the_start(self):
        span = intervals.span_on(date(2026, 11, 20), time(8), time(8), DENVER)

        assert span is not None
        assert hours([span]) == 24

    @pytest.mark.parametrize("zone", CHANGING, ids=str)
    @pytest.mark.parametrize(("change", "long"), [(AUTUMN, 9), (SPRING, 7)], ids=["autumn", "spring"])
    def test_it_gives_the_night_of_a_change_its_real_hours(self, zone, change, long):
        span = intervals.span_on(change - DAY, time(22), time(6), zone)

        assert span is not None
        assert hours([span]) == long

    @pytest.mark.parametrize("change", [AUTUMN, SPRING])
    def test_it_gives_every_night_in_arizona_8_hours(self, change):
        span = intervals.span_on(change - DAY, time(22), time(6), PHOENIX)

        assert span is not None
        assert hours([span]) == 8

    def test_it_vanishes_in_the_hour_that_is_left_out(self):
        assert intervals.span_on(SPRING, time(2), time(3), NEW_YORK) is None
        assert intervals.span_on(SPRING, time(2, 10), time(2, 50), NEW_YORK) is None

    def test_it_begins_with_the_change_where_its_start_is_left_out(self):
        span = intervals.span_on(SPRING, time(2, 30), time(4), NEW_YORK)

        assert span == Span(at("2027-03-14T03:00:00-04:00"), at("2027-03-14T04:00:00-04:00"))

    def test_it_ends_with_the_change_where_its_end_is_left_out(self):
        span = intervals.span_on(SPRING, time(1), time(2, 30), NEW_YORK)

        assert span == Span(at("2027-03-14T01:00:00-05:00"), at("2027-03-14T02:00:00-05:00"))

    def test_it_counts_the_repeated_hour_to_the_block_that_goes_on_through_it(self):
        before = intervals.span_on(AUTUMN, time(0), time(1, 30), NEW_YORK)
        behind = intervals.span_on(AUTUMN, time(1, 30), time(4), NEW_YORK)

        assert before is not None
        assert behind is not None
        assert hours([before]) == 1.5
        assert hours([behind]) == 3.5
        assert before.end == behind.start


class TestExpand:
    def test_it_gives_each_weekday_its_blocks_in_order(self):
        blocks = [Block(4, time(13), time(17)), Block(4, time(8), time(12)), Block(6, time(10), time(14))]

        spans = intervals.expand(blocks, first=date(2026, 11, 20), until=date(2026, 11, 23), zone=NEW_YORK)

        assert [span.start.astimezone(NEW_YORK).strftime("%a %H:%M") for span in spans] == [
            "Fri 08:00",
            "Fri 13:00",
            "Sun 10:00",
        ]

    def test_it_belongs_to_the_day_on_which_it_begins(self):
        night = Block(4, time(22), time(6))

        assert intervals.expand([night], first=date(2026, 11, 21), until=date(2026, 11, 22), zone=NEW_YORK) == []
        assert len(intervals.expand([night], first=date(2026, 11, 20), until=date(2026, 11, 21), zone=NEW_YORK)) == 1


class TestAlgebra:
    def test_it_joins_what_meets_in_a_union(self):
        assert intervals.union([span(3, 5), span(1, 2), span(2, 3), span(8, 9)]) == [span(1, 5), span(8, 9)]

    def test_it_clips_to_opening_hours_and_keeps_shifts_that_meet_apart(self):
        assert intervals.intersect([span(1, 4), span(4, 9)], [span(2, 5), span(5, 6), span(8, 12)]) == [
            span(2, 4),
            span(4, 6),
            span(8, 9),
        ]

    def test_it_leaves_both_sides_of_what_is_taken_out(self):
        assert intervals.subtract([span(1, 4), span(4, 9)], [span(2, 3), span(6, 20)]) == [
            span(1, 2),
            span(3, 4),
            span(4, 6),
        ]


# Properties

MINUTE = timedelta(minutes=1)
EPOCH = datetime(2026, 11, 1, tzinfo=UTC)

clock = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
zones = st.sampled_from([*CHANGING, PHOENIX])
dates_near_a_change = st.builds(
    lambda change, offset: change + timedelta(days=offset), st.sampled_from([AUTUMN, SPRING]), st.integers(-2, 2)
)
local_times = st.tuples(dates_near_a_change, clock)


def span(start, end):
    return Span(EPOCH + start * MINUTE, EPOCH + end * MINUTE)


def minutes(spans):
    return {minute for one in spans for minute in range((one.start - EPOCH) // MINUTE, (one.end - EPOCH) // MINUTE)}


apart = (
    st.lists(st.integers(0, 60), unique=True, max_size=12)
    .map(sorted)
    .map(lambda cuts: [span(*pair) for pair in zip(cuts[::2], cuts[1::2], strict=False)])
)
anyhow = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(lambda pair: span(*pair)), max_size=8
)


class TestProperties:
    @given(local_times, zones)
    def test_an_instant_reads_as_written_unless_spring_left_it_out(self, local, zone):
        day, at_clock = local

        read = intervals.instant(day, at_clock, zone).astimezone(zone).replace(tzinfo=None, fold=0)

        written = datetime.combine(day, at_clock)
        left_out = zone is not PHOENIX and day == SPRING and at_clock.hour == 2
        assert read == (written.replace(hour=3, minute=0) if left_out else written)

    @given(local_times, local_times, zones)
    def test_a_later_time_on_the_wall_is_never_an_earlier_instant(self, one, other, zone):
        (day, earlier), (other_day, later) = sorted([one, other])

        assert intervals.instant(day, earlier, zone) <= intervals.instant(other_day, later, zone)

    @given(dates_near_a_change, clock, clock, zones)
    def test_a_block_has_its_length_on_the_wall_give_or_take_the_hour_of_a_change(self, day, starts, ends, zone):
        found = intervals.span_on(day, starts, ends, zone)

        written = datetime.combine(day if ends > starts else day + DAY, ends) - datetime.combine(day, starts)
        real = found.end - found.start if found else timedelta()
        assert abs(real - written) <= HOUR
        if zone is PHOENIX or not {AUTUMN, SPRING} & {day, day + DAY}:
            assert real == written

    @given(dates_near_a_change, clock, clock, clock, zones)
    def test_blocks_that_meet_on_the_wall_meet_in_fact(self, day, one, other, third, zone):
        first, middle, last = sorted([one, other, third])

        halves = [(first, middle), (middle, last)]
        parts = [intervals.span_on(day, starts, ends, zone) for starts, ends in halves if starts < ends]
        whole = [intervals.span_on(day, first, last, zone)] if first < last else []
        assert intervals.union(part for part in parts if part) == [part for part in whole if part]

    @given(st.sampled_from([AUTUMN, SPRING]), zones)
    def test_the_blocks_of_a_round_the_clock_week_leave_no_gap_and_never_overlap(self, change, zone):
        blocks = [Block(weekday, *shift) for weekday in range(7) for shift in ROUND_THE_CLOCK]

        spans = intervals.expand(blocks, first=change - 3 * DAY, until=change + 4 * DAY, zone=zone)

        assert all(one.end == other.start for one, other in itertools.pairwise(spans))
        assert hours(spans) == 7 * 24 + (0 if zone is PHOENIX else 1 if change == AUTUMN else -1)

    @given(anyhow)
    def test_a_union_holds_the_same_time_apart(self, spans):
        joined = intervals.union(spans)

        assert minutes(joined) == minutes(spans)
        assert all(one.end < other.start for one, other in itertools.pairwise(joined))

    @given(apart, anyhow)
    def test_what_is_common_and_what_is_left_make_up_the_whole(self, spans, others):
        common, left = intervals.intersect(spans, others), intervals.subtract(spans, others)

        assert minutes(common) == minutes(spans) & minutes(others)
        assert minutes(left) == minutes(spans) - minutes(others)
        assert all(one.start < one.end for one in common + left)


ROUND_THE_CLOCK = [(time(6), time(14)), (time(14), time(22)), (time(22), time(6))]
