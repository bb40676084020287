"""Periods from an anchor: month ends, leap days, and no drift."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships import money, periods

ANCHORS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
INTERVALS = st.sampled_from(["month", "year"])


@pytest.mark.parametrize(
    ("anchor", "interval", "number", "start", "end"),
    [
        (date(2026, 1, 31), "month", 0, date(2026, 1, 31), date(2026, 2, 28)),
        (date(2026, 1, 31), "month", 1, date(2026, 2, 28), date(2026, 3, 31)),
        (date(2026, 1, 31), "month", 2, date(2026, 3, 31), date(2026, 4, 30)),
        (date(2028, 1, 31), "month", 1, date(2028, 2, 29), date(2028, 3, 31)),
        (date(2024, 2, 29), "year", 0, date(2024, 2, 29), date(2025, 2, 28)),
        (date(2024, 2, 29), "year", 4, date(2028, 2, 29), date(2029, 2, 28)),
        (date(2026, 12, 15), "month", 1, date(2027, 1, 15), date(2027, 2, 15)),
    ],
)
def test_a_period_begins_on_the_anchors_day_or_the_months_last(anchor, interval, number, start, end):
    assert periods.period(anchor, interval, number) == (start, end)


@given(ANCHORS, INTERVALS, st.integers(0, 240))
def test_periods_follow_each_other_without_gap_or_drift(anchor, interval, number):
    this, following = (periods.period(anchor, interval, n) for n in (number, number + 1))

    assert this.end == following.start
    assert this.start < this.end
    assert this.start.day == anchor.day or (this.start + timedelta(days=1)).day == 1


@given(st.integers(0, 10_000_000), st.integers(1, 366), st.integers(0, 366))
def test_what_is_used_and_what_is_left_is_the_whole_to_half_a_cent(amount, days, left):
    left = min(left, days)

    used, unused = money.share(amount, days - left, days), money.share(amount, left, days)

    assert abs(used + unused - amount) <= 1
    assert money.share(amount, days, days) == amount
    assert money.share(amount, 0, days) == 0


@pytest.mark.parametrize(("amount", "part", "whole", "expected"), [(1, 1, 2, 1), (99, 1, 2, 50), (900, 10, 30, 300)])
def test_half_a_cent_goes_up(amount, part, whole, expected):
    assert money.share(amount, part, whole) == expected
