"""The formula of waits: by hand, and what must hold of it whatever it is asked."""

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import NOW
from virtualcare.waits import chart
from virtualcare.waits.estimate import (
    AT_ONCE,
    DEFAULTS,
    HIGH,
    LEAST_SAMPLE,
    LOW,
    Crew,
    Estimate,
    Factors,
    NobodyOnDuty,
    OnDuty,
    Past,
    calibrate,
    estimate,
    minutes,
)

BUSY = OnDuty(frozenset({"OH"}), places=1, free=0)
FREE = OnDuty(frozenset({"OH"}), places=1, free=1)
BOTH = OnDuty(frozenset({"OH", "IN"}), places=1, free=0)
TEN = Factors(mean_service=600.0, low=-1.0, high=1.0)


def wait(state: str = "OH", *, ahead: dict[str, int] | None = None, on_duty: list[OnDuty]) -> Estimate:
    return estimate(state=state, ahead=ahead or {}, crew=Crew(on_duty), mean_service=600.0)


class TestEstimate:
    def test_it_takes_the_people_ahead_and_one_more_by_those_on_duty(self):
        assert wait(ahead={"OH": 3}, on_duty=[BUSY, BUSY]) == Estimate(place=4, seconds=1200.0, step=300.0)

    def test_it_counts_places_where_somebody_holds_several_at_once(self):
        assert wait(ahead={"OH": 5}, on_duty=[OnDuty(frozenset({"OH"}), places=3, free=0)]).seconds == 1200.0

    def test_it_is_at_once_where_somebody_is_free(self):
        assert wait(on_duty=[FREE, BUSY]).seconds == 0.0
        assert wait(ahead={"OH": 1}, on_duty=[FREE, FREE]).seconds == 0.0
        assert wait(ahead={"OH": 1}, on_duty=[FREE, BUSY]).seconds == 300.0

    def test_people_ahead_whom_nobody_of_mine_may_take_are_not_in_the_way(self):
        indiana = OnDuty(frozenset({"IN"}), places=1, free=0)

        found = wait(ahead={"IN": 9, "OH": 1, "HI": 5}, on_duty=[BUSY, indiana])

        assert found == Estimate(place=2, seconds=1200.0, step=600.0)

    def test_people_ahead_whom_others_may_take_too_are_in_the_way_by_their_share(self):
        indiana = OnDuty(frozenset({"IN"}), places=1, free=0)

        found = wait(ahead={"IN": 4}, on_duty=[BOTH, indiana])

        assert found == Estimate(place=5, seconds=(2 + 1) * 600.0, step=600.0)

    def test_it_knows_when_nobody_may_take_them(self):
        with pytest.raises(NobodyOnDuty):
            wait("HI", on_duty=[BUSY, BOTH])
        with pytest.raises(NobodyOnDuty):
            wait(on_duty=[])

    @given(
        ahead=st.dictionaries(st.sampled_from(["OH", "IN", "KY"]), st.integers(0, 50)),
        licences=st.lists(st.sets(st.sampled_from(["OH", "IN", "KY"]), min_size=1), min_size=1, max_size=6),
        busy=st.integers(0, 3),
    )
    def test_nobody_waits_less_for_more_people_ahead(self, ahead: dict[str, int], licences: list[set[str]], busy: int):
        on_duty = [OnDuty(frozenset({"OH", *states}), places=3, free=3 - busy) for states in licences]

        found = wait(ahead=ahead, on_duty=on_duty)
        longer = wait(ahead={**ahead, "OH": ahead.get("OH", 0) + 1}, on_duty=on_duty)

        assert 0 <= found.seconds <= longer.seconds
        assert 1 <= found.place <= longer.place - 1
        assert found.place <= sum(ahead.values()) + 1


class TestMinutes:
    def test_it_is_a_range_in_whole_minutes_rounded_outwards(self):
        # 20 minutes, in steps of 5: 10 minutes to either side.
        assert minutes(Estimate(4, 1200.0, 300.0), TEN) == (10, 30)
        assert minutes(Estimate(4, 1190.0, 300.0), TEN) == (9, 30)

    def test_at_once_has_a_range_of_its_own(self):
        assert minutes(Estimate(1, 0.0, 300.0), TEN) == AT_ONCE

    @given(
        seconds=st.floats(0, 1e6), step=st.floats(0.1, 1e4), low=st.floats(LOW[0], LOW[1]), high=st.floats(0.5, HIGH[1])
    )
    def test_it_is_a_range_that_holds_the_estimate(self, seconds: float, step: float, low: float, high: float):
        least, most = minutes(Estimate(1, seconds, step), Factors(600.0, low, high))

        assert 0 <= least < most <= 24 * 60
        assert least <= seconds / 60 or least == 24 * 60 - 1
        assert most >= min(seconds / 60, 24 * 60)


class TestCalibrate:
    def test_it_takes_the_quantiles_of_what_waits_were_off_by(self):
        # Off by -50 to 49 units of sqrt(100 * 1) = 10 s: at most those it believes in.
        waits = [Past(waited=100.0 + 10 * off / 25, seconds=100.0, step=1.0) for off in range(-50, 50)]

        found = calibrate(waits=waits, services=[300.0] * LEAST_SAMPLE, default=TEN)

        assert found.mean_service == 300.0
        assert found.low == pytest.approx(-40 / 25)
        assert found.high == pytest.approx(40 / 25)
        assert found.sample == 100

    def test_it_keeps_to_the_defaults_while_there_is_little_history(self):
        waits = [Past(10.0, 100.0, 10.0)] * (LEAST_SAMPLE - 1)

        found = calibrate(waits=waits, services=[1.0] * (LEAST_SAMPLE - 1), default=DEFAULTS["video"])

        default = DEFAULTS["video"]
        assert (found.mean_service, found.low, found.high) == (default.mean_service, default.low, default.high)
        assert found.sample == LEAST_SAMPLE - 1

    def test_waits_that_were_to_be_over_at_once_say_nothing_of_the_spread(self):
        waits = [Past(waited=9e9, seconds=0.0, step=1.0)] * 500

        assert calibrate(waits=waits, services=[], default=TEN) == Factors(600.0, -1.0, 1.0, sample=0)

    def test_it_believes_nothing_absurd(self):
        waits = [Past(waited=1e9, seconds=1.0, step=1.0)] * 500

        found = calibrate(waits=waits, services=[0.0] * 500, default=TEN)

        assert (found.mean_service, found.low, found.high) == (60.0, LOW[1], HIGH[1])

    def test_its_ranges_hold_four_of_five_of_the_waits_they_come_from(self):
        waits = [Past(waited=600.0 + 9 * (n % 101 - 50), seconds=600.0, step=60.0) for n in range(1010)]
        found = calibrate(waits=waits, services=[], default=TEN)

        spread = math.sqrt(600.0 * 60.0)
        inside = [found.low * spread <= past.waited - 600.0 <= found.high * spread for past in waits]

        assert sum(inside) / len(inside) == pytest.approx(0.8, abs=0.02)


class TestChart:
    def test_it_is_well_formed_and_says_its_numbers_in_words(self):
        rows = [chart.Day(NOW.date(), 40, 0.9, 2.5, 10.0), chart.Day(NOW.date(), 4, 0.5, 9.0, 12.0)]

        drawn = ET.fromstring(chart.days(rows, title="Waits <told>", goal=(0.85, 0.95)))  # noqa: S314 - ours

        said = [title.text for title in drawn.iter("{http://www.w3.org/2000/svg}title")]
        assert said[0] == "Waits <told>"
        assert "2026-11-24: 90% of 40 waits inside" in said
        assert "2026-11-24: mean wait 12.0 min, mean error 9.0 min" in said

    def test_it_draws_no_days_too(self):
        assert ET.fromstring(chart.days([], title="Nothing", goal=(0.85, 0.95))) is not None  # noqa: S314
