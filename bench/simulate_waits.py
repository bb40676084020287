"""Waiting for a clinician, simulated: `make simulate`. Exits with 1 where what people are told misses its targets.

Sixty days of video calls and sixty of text consults, by the formula and the nightly recalibration that run in
production (virtualcare.waits.estimate), without a database: people come by chance, more by day than by night, now and
then in bursts; clinicians come and go in shifts, licensed for different states; consults last as long as they last.
What is told on the first days, when there is no history yet, is not counted.
"""

import argparse
import heapq
import json
import math
import random
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from statistics import fmean
from typing import Any

from virtualcare.waits import chart
from virtualcare.waits.estimate import DEFAULTS, Crew, Factors, NobodyOnDuty, OnDuty, Past, calibrate, estimate, minutes

MOST_ERROR = 4.0  # minutes
INSIDE = (0.85, 0.95)
DAY, HISTORY = 86_400.0, 28 * 86_400.0  # seconds
FIRST_DAY = date(2026, 10, 1)

STATES = {"OH": 0.60, "IN": 0.25, "KY": 0.15}
# Seconds to be seen in, by acuity, and how many of a hundred have it: what comes later may be due sooner.
ACUITIES = {2: (300.0, 10), 3: (600.0, 80), 4: (900.0, 10)}
# Who comes in each hour of a day, at scale 1.
BY_HOUR = [5, 4, 3, 3, 3, 4, 6, 9, 12, 14, 14, 13, 12, 12, 13, 14, 15, 17, 18, 18, 16, 13, 10, 7]
# From and to which hour, each day, and licensed where.
SHIFTS = [
    (0, 24, ("OH", "IN", "KY")),
    (0, 8, ("OH", "IN")),
    (7, 15, ("OH",)),
    (8, 16, ("OH", "IN")),
    (8, 18, ("OH", "KY")),
    (12, 20, ("OH",)),
    (15, 23, ("OH", "IN")),
    (16, 24, ("OH", "IN", "KY")),
    (17, 22, ("OH", "KY")),
]
BURSTS_A_DAY, BURST = 0.35, (1.5, 2.2)  # how often, and how many times as many people
TAKEN_WITHIN = (5.0, 30.0)  # seconds from being free to taking the next


@dataclass(frozen=True, slots=True)
class Scene:
    """What is simulated: how many people come, and how long one takes a clinician who has so many at once."""

    modality: str
    scale: float
    places: int
    mean_service: float  # seconds
    sigma: float  # of its logarithm


SCENES = [
    Scene("video", scale=1.21, places=1, mean_service=720.0, sigma=0.5),
    Scene("text", scale=1.92, places=3, mean_service=1440.0, sigma=0.7),
]


@dataclass(slots=True)
class Person:
    came: float
    state: str
    due: float
    told: tuple[int, int] | None = None
    seconds: float = 0.0
    step: float = 0.0
    waited: float = -1.0


@dataclass(slots=True)
class Doctor:
    states: frozenset[str]
    until: float
    places: int
    held: int = 0

    def is_on(self, now: float) -> bool:
        return now < self.until

    def on_duty(self) -> OnDuty:
        return OnDuty(self.states, self.places, max(self.places - self.held, 0))


@dataclass(slots=True)
class Outcome:
    """What became of what people were told: those of the days after the first ones."""

    scene: Scene
    people: list[Person]
    factors: Factors
    untold: int

    @property
    def mean_wait(self) -> float:
        return fmean(person.waited / 60 for person in self.people)

    @property
    def mean_error(self) -> float:
        """Minutes between the middle of the range and the wait."""
        return fmean(abs(middle(person) - person.waited / 60) for person in self.people)

    @property
    def inside(self) -> float:
        return fmean(is_inside(person) for person in self.people)

    @property
    def mean_width(self) -> float:
        return fmean(high - low for low, high in map(told, self.people))

    @property
    def is_right(self) -> bool:
        return self.mean_error < MOST_ERROR and INSIDE[0] <= self.inside <= INSIDE[1]

    def days(self) -> Iterator[chart.Day]:
        by_day: dict[int, list[Person]] = {}
        for person in self.people:
            by_day.setdefault(int(person.came // DAY), []).append(person)
        for number, people in sorted(by_day.items()):
            day = Outcome(self.scene, people, self.factors, 0)
            on = FIRST_DAY + timedelta(days=number)
            yield chart.Day(on, len(people), day.inside, day.mean_error, day.mean_wait)


def told(person: Person) -> tuple[int, int]:
    assert person.told is not None
    return person.told


def middle(person: Person) -> float:
    return sum(told(person)) / 2


def is_inside(person: Person) -> bool:
    low, high = told(person)
    return low <= person.waited / 60 <= high


@dataclass(slots=True)
class Simulation:
    """A virtual waiting room, event by event."""

    scene: Scene
    days: int
    chance: random.Random
    factors: Factors
    waiting: list[Person] = field(default_factory=list)
    doctors: list[Doctor] = field(default_factory=list)
    seen: list[Person] = field(default_factory=list)
    waits: deque[tuple[float, Past]] = field(default_factory=deque)
    services: deque[tuple[float, float]] = field(default_factory=deque)
    events: list[tuple[float, int, str, Any]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def run(self) -> None:
        for came in self.arrivals():
            self.plan(came, "comes", None)
        for day in range(self.days):
            for begins, ends, states in SHIFTS:
                doctor = Doctor(frozenset(states), (day * 24 + ends) * 3600.0, self.scene.places)
                self.plan((day * 24 + begins) * 3600.0, "begins", doctor)
            self.plan(day * DAY, "night", None)
        while self.events:
            now, _, what, who = heapq.heappop(self.events)
            if what == "comes":
                self.comes(now)
            elif what == "begins":
                self.doctors = [doctor for doctor in self.doctors if doctor.is_on(now) or doctor.held]
                self.doctors.append(who)
            elif what == "ends":
                who.held -= 1
            else:
                self.recalibrate(now)
            self.take(now)

    def plan(self, at: float, what: str, who: Any) -> None:
        heapq.heappush(self.events, (at, next(self.numbers), what, who))

    def arrivals(self) -> Iterator[float]:
        """When people come: a Poisson process, by thinning one that is as fast as the fastest hour of a burst."""
        bursts = []
        for day in range(self.days):
            if self.chance.random() < BURSTS_A_DAY:
                begins = day * DAY + self.chance.uniform(7, 21) * 3600
                bursts.append((begins, begins + self.chance.uniform(40, 120) * 60, self.chance.uniform(*BURST)))
        fastest = max(BY_HOUR) * self.scene.scale * BURST[1] ** 2 / 3600
        at = 0.0
        while (at := at + self.chance.expovariate(fastest)) < self.days * DAY:
            rate = BY_HOUR[int(at % DAY // 3600)] * self.scene.scale / 3600
            rate *= math.prod(times for begins, ends, times in bursts if begins <= at < ends)
            if self.chance.random() < rate / fastest:
                yield at

    def comes(self, now: float) -> None:
        [state] = self.chance.choices([*STATES], [*STATES.values()])
        [target] = self.chance.choices(
            [within for within, _ in ACUITIES.values()], [part for _, part in ACUITIES.values()]
        )
        person = Person(now, state, now + target)
        ahead: dict[str, int] = {}
        for other in self.waiting:
            if other.due <= person.due:
                ahead[other.state] = ahead.get(other.state, 0) + 1
        crew = Crew(doctor.on_duty() for doctor in self.doctors if doctor.is_on(now))
        try:
            found = estimate(state=state, ahead=ahead, crew=crew, mean_service=self.factors.mean_service)
        except NobodyOnDuty:
            pass
        else:
            person.told = minutes(found, self.factors)
            person.seconds, person.step = found.seconds, found.step
        self.waiting.append(person)
        self.waiting.sort(key=lambda one: one.due)

    def take(self, now: float) -> None:
        """Whoever has room takes who is due first of those whom they may treat."""
        for person in list(self.waiting):
            able = [
                doctor
                for doctor in self.doctors
                if doctor.is_on(now) and doctor.held < doctor.places and person.state in doctor.states
            ]
            if able:
                self.waiting.remove(person)
                self.is_taken(person, self.chance.choice(able), now + self.chance.uniform(*TAKEN_WITHIN))

    def is_taken(self, person: Person, doctor: Doctor, at: float) -> None:
        sigma = self.scene.sigma
        lasts = self.chance.lognormvariate(math.log(self.scene.mean_service) - sigma**2 / 2, sigma)
        doctor.held += 1
        person.waited = at - person.came
        self.seen.append(person)
        self.plan(at + lasts, "ends", doctor)
        self.services.append((at, lasts))
        if person.told is not None:
            self.waits.append((at, Past(person.waited, person.seconds, person.step)))

    def recalibrate(self, now: float) -> None:
        for history in (self.waits, self.services):
            while history and history[0][0] < now - HISTORY:
                history.popleft()
        self.factors = calibrate(
            waits=[past for _, past in self.waits],
            services=[lasts for _, lasts in self.services],
            default=DEFAULTS[self.scene.modality],
        )


def simulate(scene: Scene, *, days: int, first: int, seed: int) -> Outcome:
    """Simulate `days`, of which the `first` are for history alone."""
    room = Simulation(scene, days, random.Random(seed), DEFAULTS[scene.modality])
    room.run()
    counted = [person for person in room.seen if person.came >= first * DAY]
    return Outcome(
        scene,
        [person for person in counted if person.told is not None],
        room.factors,
        sum(person.told is None for person in counted),
    )


def picture(outcome: Outcome, title: str) -> str:
    """The days, and each wait against the middle of what was told."""
    rows = list(outcome.days())
    pairs = [(middle(person), person.waited / 60) for person in outcome.people]
    most = sorted(max(pair) for pair in pairs)[int(len(pairs) * 0.99)]
    every = max(1, len(pairs) // 4000)
    dots = chart.against(pairs[::every], title="Minutes waited, by the middle of the range told", panel=2, most=most)
    parts = [*chart.shares(rows, INSIDE), *chart.errors(rows), *dots]
    return chart.document(3 * chart.PANEL, title, parts)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.simulate_waits", description=__doc__)
    parser.add_argument("--days", type=int, default=60, help="that are counted (default: %(default)s)")
    parser.add_argument("--first", type=int, default=7, help="days before them, for history (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="of chance (default: %(default)s)")
    parser.add_argument("--to", type=Path, default=Path(".sameday/simulate"), help="folder (default: %(default)s)")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    outcomes = [simulate(scene, days=asked.first + asked.days, first=asked.first, seed=asked.seed) for scene in SCENES]
    for outcome in outcomes:
        modality = outcome.scene.modality
        where = asked.to / f"{modality}.svg"
        title = f"{modality.capitalize()}: {asked.days} simulated days, seed {asked.seed}"
        where.write_text(picture(outcome, title), "utf-8")
        sys.stdout.write(
            f"{modality:5}  {len(outcome.people):6,} waits, mean {outcome.mean_wait:4.1f} min; "
            f"mean error {outcome.mean_error:4.2f} min (under {MOST_ERROR:g}), "
            f"{outcome.inside:.1%} inside the range ({INSIDE[0]:.0%} to {INSIDE[1]:.0%}), "
            f"which is {outcome.mean_width:.1f} min wide; "
            f"{'as it should be' if outcome.is_right else 'MISSED'}  {where}\n"
        )
    figures = {
        outcome.scene.modality: {
            "waits": len(outcome.people),
            "untold": outcome.untold,
            "mean_wait": round(outcome.mean_wait, 2),
            "mean_error": round(outcome.mean_error, 2),
            "inside": round(outcome.inside, 4),
            "mean_width": round(outcome.mean_width, 2),
        }
        for outcome in outcomes
    }
    (asked.to / "waits.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return 0 if all(outcome.is_right for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
