"""Rounds over HTTP and as bare SQL by turns, so that whatever else the machine does hits both."""

import pickle
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import psutil

from bench import cpu, servers
from bench.board import Board, Outcome, Question, Round, Visit

Through = Literal["http", "sql"]
THROUGH: tuple[Through, Through] = ("http", "sql")


@dataclass(frozen=True)
class Size:
    """How long a run takes. Everything in it is bounded by time and by count."""

    rounds: int = 4
    seconds: float = 2.0
    """Of a round of searches."""
    visits: int = 60
    """Of a round of bookings, for each client."""
    clients: tuple[int, ...] = (1, 8)
    history: int = 1_000_000


@dataclass(slots=True)
class Figures:
    """What rounds of one kind came to. Times in ms; CPU in ms for each piece of work."""

    pieces: int = 0
    refused: int = 0
    per_second: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    booking_p50: float | None = None
    """Of the booking alone, without the hold before it."""
    cpu_web: float = 0.0
    cpu_postgres: float = 0.0
    cpu_valkey: float = 0.0
    cpu_load: float = 0.0
    refusals: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """The same work over HTTP and as bare SQL."""

    name: str
    clients: int
    http: Figures
    sql: Figures

    @property
    def ratio(self) -> float:
        """HTTP's throughput as a share of bare SQL's."""
        return self.http.per_second / self.sql.per_second if self.sql.per_second else 0.0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


class Load:
    """The load process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"], cwd=servers.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, asked: Round) -> Outcome:
        assert self.process.stdin
        assert self.process.stdout
        pickle.dump(asked, self.process.stdin)
        self.process.stdin.flush()
        outcome: Outcome = pickle.load(self.process.stdout)  # noqa: S301 - from our own process
        return outcome


@contextmanager
def load() -> Iterator[Load]:
    started = Load()
    with started.process:
        try:
            yield started
        finally:
            started.process.terminate()


@dataclass(frozen=True, slots=True)
class Stand:
    """All that a measurement needs: whom to ask, and whose processor time to count."""

    load: Load
    database_url: str
    port: int
    web: psutil.Process
    postgres: psutil.Process | None
    valkey: list[psutil.Process]
    size: Size

    def spent(self) -> dict[str, float]:
        return {
            "web": cpu.tree(self.web),
            "postgres": cpu.tree(self.postgres) if self.postgres else 0.0,
            "valkey": sum(cpu.tree(process) for process in self.valkey),
        }

    def run(self, through: Through, clients: int, seconds: float, **work: Any) -> tuple[Outcome, dict[str, float]]:
        """One round, and the CPU seconds that each server spent on it."""
        before = self.spent()
        outcome = self.load.run(Round(through, self.database_url, self.port, clients, seconds, **work))
        after = self.spent()
        return outcome, {who: after[who] - before[who] for who in after}


def search(stand: Stand, question: Question, clients: int) -> Line:
    rounds: dict[str, list[tuple[Outcome, dict[str, float]]]] = {"http": [], "sql": []}
    for _ in range(stand.size.rounds):
        for through in THROUGH:
            rounds[through].append(stand.run(through, clients, stand.size.seconds, question=question))
    return Line(f"search, {question.name}", clients, figures(rounds["http"]), figures(rounds["sql"]))


def search_on_both(first: Stand, second: Stand, question: Question) -> tuple[Line, Line]:
    """The same search by one client on two databases, by turns."""
    rounds: dict[tuple[int, str], list[tuple[Outcome, dict[str, float]]]] = defaultdict(list)
    for _ in range(first.size.rounds):
        for through in THROUGH:
            for number, stand in enumerate((first, second)):
                rounds[number, through].append(stand.run(through, 1, stand.size.seconds, question=question))
    lines = [
        Line(f"search, {question.name}", 1, figures(rounds[number, "http"]), figures(rounds[number, "sql"]))
        for number in range(2)
    ]
    return lines[0], lines[1]


def book(stand: Stand, name: str, visits: Iterator[Visit], clients: int, *, each: int | None = None) -> Line:
    """Hold and book `each` visits (of Size, where not given) a round and client, as long as there are `visits`."""
    rounds: dict[str, list[tuple[Outcome, dict[str, float]]]] = {"http": [], "sql": []}
    for _ in range(stand.size.rounds):
        for through in THROUGH:
            wanted = [visit for visit, _ in zip(visits, range((each or stand.size.visits) * clients), strict=False)]
            if wanted:
                rounds[through].append(stand.run(through, clients, 60.0, visits=wanted))
    return Line(name, clients, figures(rounds["http"]), figures(rounds["sql"]))


def warm_up(stand: Stand, board: Board) -> None:
    """Let every thread of the web server open its connection and plan its statements."""
    for question in board.questions:
        stand.run("http", max(stand.size.clients), stand.size.seconds / 2, question=question)


def figures(rounds: list[tuple[Outcome, dict[str, float]]]) -> Figures:
    found = Figures()
    took = sorted(value for outcome, _ in rounds for value in outcome.took)
    booked = sorted(value for outcome, _ in rounds for value in outcome.booked)
    refused = [refusal for outcome, _ in rounds for refusal in outcome.refused]
    found.pieces, found.refused = len(took), len(refused)
    found.refusals = sorted(set(refused))[:3]
    if not took:
        return found
    found.per_second = len(took) / sum(outcome.elapsed for outcome, _ in rounds)
    found.p50, found.p95 = 1000 * quantile(took, 0.5), 1000 * quantile(took, 0.95)
    if booked:
        found.booking_p50 = 1000 * quantile(booked, 0.5)
    for who in ("web", "postgres", "valkey"):
        setattr(found, f"cpu_{who}", 1000 * sum(spent[who] for _, spent in rounds) / len(took))
    found.cpu_load = 1000 * sum(outcome.cpu for outcome, _ in rounds) / len(took)
    return found


def quantile(ordered: list[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)]
