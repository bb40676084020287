"""When an employer pays for somebody: by their days on its roster and its contract's versions."""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships.employers import coverage
from memberships.employers.coverage import Span, Terms

JANUARY = date(2026, 1, 1)


def terms(from_on: date = JANUARY, **more: Any) -> Terms:
    wanted = {
        "covers": "family", "dependents_until_age": 26, "end_rule": "day", "grace_days": 0, "plan": "employer", **more,
    }  # fmt: skip
    return Terms(from_on=from_on, **wanted)


def days(
    *periods: tuple[date, date | None],
    contracts: list[Terms] | None = None,
    relationship: str = "employee",
    born: date = date(1990, 5, 17),
) -> list[tuple[date, date | None]]:
    found = coverage.spans(
        relationship=relationship,
        birth_date=born,
        periods=periods,
        contracts=[terms()] if contracts is None else contracts,
    )
    return [(span.first, span.after) for span in found]


class TestWhoAndWhen:
    def test_it_is_from_the_contract_on_and_while_on_the_roster(self):
        assert days((date(2019, 3, 1), None)) == [(JANUARY, None)]
        assert days((date(2026, 4, 1), date(2026, 6, 16))) == [(date(2026, 4, 1), date(2026, 6, 16))]

    def test_it_covers_dependents_only_where_the_contract_says_so(self):
        alone = [terms(covers="employees")]

        assert days((JANUARY, None), contracts=alone) == [(JANUARY, None)]
        assert days((JANUARY, None), contracts=alone, relationship="spouse") == []
        assert days((JANUARY, None), contracts=[]) == []

    @pytest.mark.parametrize(
        ("born", "turns"),
        [(date(2000, 5, 17), date(2026, 5, 17)), (date(2000, 2, 29), date(2026, 3, 1))],
    )
    def test_a_child_is_paid_for_until_the_day_they_turn_26(self, born: date, turns: date):
        assert days((JANUARY, None), relationship="child", born=born) == [(JANUARY, turns)]
        assert days((JANUARY, None), relationship="other", born=born) == [(JANUARY, turns)]
        assert days((JANUARY, None), relationship="spouse", born=born) == [(JANUARY, None)]

    def test_a_child_who_is_older_never_is(self):
        assert days((JANUARY, None), relationship="child", born=date(1999, 12, 31)) == []

    def test_an_age_limit_that_is_raised_brings_them_back(self):
        later = [terms(), terms(date(2027, 1, 1), dependents_until_age=30)]

        assert days((JANUARY, None), contracts=later, relationship="child", born=date(2000, 7, 1)) == [
            (JANUARY, date(2026, 7, 1)),
            (date(2027, 1, 1), date(2030, 7, 1)),
        ]


class TestEnds:
    @pytest.mark.parametrize(
        ("rule", "grace", "last", "after"),
        [
            ("day", 30, date(2026, 6, 15), date(2026, 6, 16)),
            ("month", 30, date(2026, 6, 15), date(2026, 7, 1)),
            ("month", 0, date(2026, 6, 30), date(2026, 7, 1)),
            ("month", 0, date(2026, 12, 31), date(2027, 1, 1)),
            ("month", 0, date(2028, 2, 29), date(2028, 3, 1)),
            ("grace", 30, date(2026, 6, 15), date(2026, 7, 16)),
            ("grace", 0, date(2026, 6, 15), date(2026, 6, 16)),
        ],
    )
    def test_it_goes_on_as_long_as_the_rule_says(self, rule: str, grace: int, last: date, after: date):
        contract = terms(end_rule=rule, grace_days=grace)

        assert days((JANUARY, last + timedelta(days=1)), contracts=[contract]) == [(JANUARY, after)]

    def test_the_version_of_the_last_day_says_how_long(self):
        versions = [terms(), terms(date(2026, 6, 1), end_rule="grace", grace_days=10)]

        assert days((JANUARY, date(2026, 5, 20)), contracts=versions) == [(JANUARY, date(2026, 5, 20))]
        assert days((JANUARY, date(2026, 6, 20)), contracts=versions) == [(JANUARY, date(2026, 6, 30))]

    def test_an_employer_that_stops_gives_grace_too(self):
        versions = [terms(end_rule="grace", grace_days=30), terms(date(2026, 9, 1), covers="nobody")]

        assert days((JANUARY, None), contracts=versions) == [(JANUARY, date(2026, 10, 1))]

    def test_dependents_end_where_a_version_no_longer_covers_them(self):
        versions = [terms(end_rule="month"), terms(date(2026, 9, 10), covers="employees", end_rule="month")]

        assert days((JANUARY, None), contracts=versions, relationship="child", born=date(2015, 1, 1)) == [
            (JANUARY, date(2026, 10, 1))
        ]


class TestHiredAgain:
    GRACE = [terms(end_rule="grace", grace_days=30)]

    def test_in_grace_they_were_never_away(self):
        first, again = (JANUARY, date(2026, 3, 1)), (date(2026, 3, 20), None)

        assert days(first, again, contracts=self.GRACE) == [(JANUARY, None)]

    def test_on_the_day_that_grace_is_over_they_were_never_away_either(self):
        first, again = (JANUARY, date(2026, 3, 1)), (date(2026, 3, 31), None)

        assert days(first, again, contracts=self.GRACE) == [(JANUARY, None)]

    def test_after_grace_there_is_a_gap(self):
        first, again = (JANUARY, date(2026, 3, 1)), (date(2026, 4, 2), None)

        assert days(first, again, contracts=self.GRACE) == [(JANUARY, date(2026, 3, 31)), (date(2026, 4, 2), None)]


def test_another_plan_is_a_span_of_its_own():
    versions = [terms(), terms(date(2026, 7, 1), plan="more", conversion=3)]

    found = coverage.spans(
        relationship="employee", birth_date=date(1990, 1, 1), periods=[(JANUARY, None)], contracts=versions
    )

    assert found == [Span(JANUARY, date(2026, 7, 1), "employer"), Span(date(2026, 7, 1), None, "more", 3)]


def test_another_price_alone_is_none():
    assert days((JANUARY, None), contracts=[terms(), terms(date(2026, 7, 1))]) == [(JANUARY, None)]


DATES = st.dates(date(2025, 1, 1), date(2029, 12, 31))
PERIODS = st.lists(st.tuples(DATES, st.one_of(st.none(), st.integers(1, 400))), max_size=4).map(
    lambda found: [(first, None if length is None else first + timedelta(days=length)) for first, length in found]
)
VERSIONS = st.lists(
    st.tuples(
        DATES,
        st.sampled_from(["family", "employees", "nobody"]),
        st.sampled_from(["day", "month", "grace"]),
        st.integers(0, 60),
        st.sampled_from(["a", "b"]),
    ),
    max_size=4,
    unique_by=lambda version: version[0],
)


@given(
    PERIODS, VERSIONS, st.sampled_from(["employee", "spouse", "child"]), st.dates(date(1999, 1, 1), date(2010, 1, 1))
)
def test_spans_are_in_order_apart_and_hold_every_day_that_is_paid_for(periods, versions, relationship, born):
    contracts = [
        terms(first, covers=covers, end_rule=rule, grace_days=grace, plan=plan)
        for first, covers, rule, grace, plan in versions
    ]

    found = coverage.spans(relationship=relationship, birth_date=born, periods=periods, contracts=contracts)

    assert all(span.after is None or span.first < span.after for span in found)
    for one, other in itertools.pairwise(found):
        assert one.after is not None
        assert one.after <= other.first
        assert one.after < other.first or one.plan != other.plan
    ordered = sorted(contracts, key=lambda one: one.from_on)
    for offset in range(0, 5 * 365, 13):
        day = date(2025, 1, 1) + timedelta(days=offset)
        held = [one for one in ordered if one.from_on <= day]
        is_on = any(first <= day and (after is None or day < after) for first, after in periods)
        is_young = relationship != "child" or day < coverage.birthday(born, 26)
        if held and is_on and is_young and held[-1].covers_a(relationship):
            [span] = [span for span in found if span.first <= day and (span.after is None or day < span.after)]
            assert span.plan == held[-1].plan
