"""How long somebody will wait, as a range: pure, without a clock, a database or Django.

Who waits is served by those on duty who are licensed where they are. Of the people ahead, as many are in their way as
those clinicians will take: somebody whom others may take, too, counts by the share of it. Consults end one after
another, every `mean_service / places` seconds on average, and so it is for the (ahead + 1 - free)th that one waits. The
spread of such a wait grows with its square root (each end is a matter of chance), so what the range is wider than the
estimate is observed in units of `sqrt(seconds * step)`: `Factors.low` and `.high`, quantiles of our own history.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

# The part of the waits that are shorter than the range, and that which are longer: four of five lie inside, and
# rounding to minutes, outwards, makes it nine of ten.
OUTSIDE = 0.1
# Who is next, with a clinician free, waits until that one takes them.
AT_ONCE = (0, 2)
# A history of fewer consults says less than the defaults.
LEAST_SAMPLE = 100
# What no history makes us believe: seconds of one consult, and how far the range goes.
SERVICE = (60.0, 7200.0)
LOW, HIGH = (-3.0, 0.0), (0.5, 6.0)
LONGEST = 24 * 60  # minutes that are ever told


@dataclass(frozen=True, slots=True)
class Factors:
    """What history says: seconds that a clinician spends on one, and how far from the estimate waits have been."""

    mean_service: float
    low: float
    high: float
    sample: int = 0


DEFAULTS = {
    "text": Factors(mean_service=600.0, low=-1.0, high=1.5),
    "video": Factors(mean_service=720.0, low=-1.0, high=1.5),
}


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A clinician on duty, for one modality: how many they hold at once, and how many more they have room for."""

    states: frozenset[str]
    places: int
    free: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """`place` counts from 1; `seconds` of waiting; `step` is how often somebody in it is taken, in seconds."""

    place: int
    seconds: float
    step: float


@dataclass(frozen=True, slots=True)
class Past:
    """A wait that is over, with what was estimated when it began. All in seconds."""

    waited: float
    seconds: float
    step: float


class Crew:
    """Those on duty for one modality, and what they mean for somebody in a state; reckoned once for each."""

    def __init__(self, on_duty: Iterable[OnDuty]) -> None:
        self.on_duty = list(on_duty)
        self.reaches: dict[str, tuple[int, int]] = {}
        self.shares: dict[tuple[str, str], float] = {}

    def reach(self, state: str) -> tuple[int, int]:
        """The places of those who are licensed in `state`, and how many of these are free."""
        if state not in self.reaches:
            mine = [one for one in self.on_duty if state in one.states]
            self.reaches[state] = sum(one.places for one in mine), sum(one.free for one in mine)
        return self.reaches[state]

    def share(self, state: str, other: str) -> float:
        """How much somebody ahead in the state `other` is in the way of somebody in `state`: 0 is not at all."""
        if (state, other) not in self.shares:
            places, _ = self.reach(other)
            shared = sum(one.places for one in self.on_duty if {state, other} <= one.states)
            self.shares[state, other] = shared / places if places else 0.0
        return self.shares[state, other]


def estimate(*, state: str, ahead: Mapping[str, int], crew: Crew, mean_service: float) -> Estimate:
    """The wait of somebody in `state`, behind as many people as `ahead` says of each state.

    Raises NobodyOnDuty where nobody on duty may take them.
    """
    places, free = crew.reach(state)
    if not places:
        raise NobodyOnDuty
    place, load = 1, 0.0
    for other, count in ahead.items():
        share = crew.share(state, other)
        if share:
            place += count
            load += count * share
    step = mean_service / places
    return Estimate(place, max(load + 1 - free, 0.0) * step, step)


class NobodyOnDuty(Exception):
    """Nobody on duty is licensed where somebody waits, or takes what they ask for."""


def minutes(told: Estimate, factors: Factors) -> tuple[int, int]:
    """The range that somebody is told, in whole minutes, rounded outwards."""
    if told.seconds == 0:
        return AT_ONCE
    spread = math.sqrt(told.seconds * told.step)
    low = math.floor(max(told.seconds + factors.low * spread, 0.0) / 60)
    high = math.ceil((told.seconds + factors.high * spread) / 60)
    return min(low, LONGEST - 1), min(max(high, low + AT_ONCE[1]), LONGEST)


def calibrate(*, waits: Sequence[Past], services: Sequence[float], default: Factors) -> Factors:
    """Factors from what has been: waits beside their estimates, and seconds of consults. `default` for what is too few.

    Waits that were told to be over at once say nothing of the spread.
    """
    mean = within(fmean(services), SERVICE) if len(services) >= LEAST_SAMPLE else default.mean_service
    off = sorted(
        (past.waited - past.seconds) / math.sqrt(past.seconds * past.step)
        for past in waits
        if past.seconds > 0 and past.step > 0
    )
    if len(off) < LEAST_SAMPLE:
        return Factors(mean, default.low, default.high, len(off))
    return Factors(mean, within(quantile(off, OUTSIDE), LOW), within(quantile(off, 1 - OUTSIDE), HIGH), len(off))


def quantile(ordered: Sequence[float], part: float) -> float:
    """The value below which `part` of `ordered` lies."""
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
