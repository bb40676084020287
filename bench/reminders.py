"""How long one worker takes to send many reminders that are due at once: the sweep, the outbox and SMTP, for real."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from bench import servers
from bench.report import Target
from bench.sink import sink
from config import embedded

VOLUME = "reminders"
# 100,000 in ten minutes (issue 3).
WANTED_PER_SECOND = 100_000 / 600


@dataclass(frozen=True, slots=True)
class Drained:
    """What came of so many reminders. Times in seconds."""

    count: int
    reminders: int
    """Marked as sent."""
    messages: int
    """Marked as sent."""
    taken: int
    """Mails that the mail server took."""
    repeated: int
    """Of these, those with a Message-ID that it had seen before."""
    handed_over: float
    """Until all were in the outbox."""
    seconds: float
    cpu: float
    """Of the worker."""

    @property
    def per_second(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0

    def targets(self) -> list[Target]:
        arrived = f"{self.taken:,} taken, {self.repeated} of them twice, {self.reminders:,} marked"
        return [
            Target(
                f"{self.count:,} reminders by one worker: each sent once",
                arrived,
                self.count == self.reminders == self.messages == self.taken and not self.repeated,
            ),
            Target(
                f"{self.count:,} reminders by one worker: at least {WANTED_PER_SECOND:.0f} a second",
                f"{self.per_second:.0f} a second, {self.seconds:.0f} s",
                self.per_second >= WANTED_PER_SECOND,
            ),
        ]

    def show(self) -> str:
        told = f"in the outbox after {self.handed_over:.1f} s, sent after {self.seconds:.1f} s"
        lines = [f"\n{self.count:,} reminders due, one worker: {told}, {self.cpu:.1f} s of CPU in the worker\n"]
        lines += [f"  {'reached' if one.reached else 'MISSED':8} {one.what}: {one.found}" for one in self.targets()]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(urls: dict[str, str], count: int) -> Drained:
    """Plant `count` reminders in a database of their own, and let one worker send them."""
    servers.drop_database(urls["DATABASE_URL"], VOLUME)
    url, _ = servers.make_database(urls["DATABASE_URL"], VOLUME)
    environment = servers.environment(servers.FOLDER, urls | {"DATABASE_URL": url})
    try:
        servers.manage(environment, "migrate", "--no-input", "--verbosity", "0")
        return drained(environment, count)
    finally:
        servers.drop_database(urls["DATABASE_URL"], VOLUME)


def drained(environment: dict[str, str], count: int) -> Drained:
    """What came of `count` reminders in a database that is migrated and has none."""
    run(environment, "plant", count)
    with sink() as server:
        told = run(environment | {"EMAIL_HOST": embedded.LOCALHOST, "EMAIL_PORT": str(server.port)}, "drain", count)
        taken = server.taken
    return Drained(count=count, taken=taken.total(), repeated=taken.total() - len(taken), **json.loads(told))


def run(environment: dict[str, str], what: str, count: int) -> str:
    return subprocess.run(
        [sys.executable, "-m", "bench.draining", what, str(count)], env=environment, cwd=servers.ROOT, check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
