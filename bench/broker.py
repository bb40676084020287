"""Holding and booking with a broker that hangs beside the same with one that answers, by turns."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from bench import measuring
from bench.board import Outcome, Visit
from bench.measuring import Figures, Stand
from bench.report import Target
from config import embedded

# What chance and the machine may take, and what a broker that hangs may cost a request (promise 11).
SHARE, MOST_MS = 0.9, 50.0
CLIENTS = 4


@contextmanager
def hanging() -> Iterator[str]:
    """The address of a broker that takes connections and never says a word."""
    with closing(socket.create_server((embedded.LOCALHOST, 0))) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, name="hangs", daemon=True).start()
        try:
            yield f"redis://{embedded.LOCALHOST}:{server.getsockname()[1]}/0"
        finally:
            for connection in taken:
                connection.close()
            server.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class Beside:
    """Hold and book by so many clients with a broker that answers, and with one that hangs."""

    clients: int
    answers: Figures
    hangs: Figures

    @property
    def ratio(self) -> float:
        """Throughput with the broker hanging, as a share of that with it."""
        return self.hangs.per_second / self.answers.per_second if self.answers.per_second else 0.0

    def targets(self) -> list[Target]:
        more = self.hangs.p50 - self.answers.p50
        refused = self.answers.refused + self.hangs.refused
        return [
            Target(
                f"hold + book, the broker hangs: at least {SHARE:.0%} of the throughput with it",
                f"{self.ratio:.0%}, {self.hangs.per_second:.1f} and {self.answers.per_second:.1f} a second",
                self.ratio >= SHARE,
            ),
            Target(
                f"hold + book, the broker hangs: p50 at most {MOST_MS:.0f} ms more",
                f"{more:+.1f} ms, {self.hangs.p50:.1f} and {self.answers.p50:.1f}",
                more <= MOST_MS,
            ),
            Target(
                "hold + book, the broker hangs: all valid bookings accepted",
                f"{refused} refused of {self.answers.pieces + self.hangs.pieces + refused}",
                not refused,
            ),
        ]

    def show(self) -> str:
        lines = [f"\nhold + book by {self.clients} clients, with a broker and with one that hangs, by turns\n"]
        for name, found in (("answers", self.answers), ("hangs", self.hangs)):
            times = f"p50 {found.p50:6.1f} ms, p95 {found.p95:6.1f} ms"
            lines.append(f"  the broker {name:8} {times}, {found.per_second:5.1f} a second")
        lines += [f"  {'reached' if one.reached else 'MISSED':8} {one.what}: {one.found}" for one in self.targets()]
        lines += [f"  refused: {refusal}" for refusal in (*self.answers.refusals, *self.hangs.refusals)]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def measure(answers: Stand, hangs: Stand, visits: Iterator[Visit], clients: int = CLIENTS) -> Beside:
    """Hold and book over HTTP at two servers on one database, by turns, as long as there are `visits`."""
    rounds: list[list[tuple[Outcome, dict[str, float]]]] = [[], []]
    for _ in range(answers.size.rounds):
        for number, stand in enumerate((answers, hangs)):
            wanted = [visit for visit, _ in zip(visits, range(stand.size.visits * clients), strict=False)]
            if wanted:
                rounds[number].append(stand.run("http", clients, 60.0, visits=wanted))
    return Beside(clients, measuring.figures(rounds[0]), measuring.figures(rounds[1]))
