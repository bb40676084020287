"""How long one worker takes to send many reminders that are due at once: the sweep, the outbox and SMTP, for real."""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import servers
from bench.report import Target
from bench.sink import sink
from config import embedded

VOLUME = "reminders"
# 100,000 in ten minutes (issue 3).
WANTED_PER_SECOND = 100_000 / 600
BARE = 5_000  # at most so many by hand
HEADER = (
    f"{'':38}{'count':>9}{'seconds':>9}{'a second':>10}{'CPU ms each: ours':>19}{'postgres':>10}{'statements each':>17}"
)


@dataclass(frozen=True, slots=True)
class Bare:
    """The same work by hand, in the same run: see `bench.bare_reminders`. Times in seconds."""

    count: int
    seconds: float
    cpu: float
    cpu_postgres: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0


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
    cpu_postgres: float
    statements: int
    """That the worker sent; what begins and ends a transaction is not counted."""
    bare: Bare
    loads: tuple[float, float]
    """How many processes wanted a core, on average of the minute before, and of the last."""

    @property
    def per_second(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0

    @property
    def ratio(self) -> float:
        """Our throughput as a share of that by hand."""
        return self.per_second / self.bare.per_second if self.bare.per_second else 0.0

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
        before, after = self.loads
        load = f"load {before:.1f} before and {after:.1f} at the end"
        statements = f"{self.statements / max(self.count, 1):17.2f}"
        share = f"{self.ratio:.0%} of the throughput of bare SQL and SMTP"
        return "\n".join(
            [
                f"\n{self.count:,} reminders due, one worker of four threads; {os.cpu_count()} cores, {load}\n",
                HEADER,
                row("one worker", self) + statements,
                row("    bare SQL and SMTP", self.bare),
                f"\n  all in the outbox after {self.handed_over:.1f} s, {share}",
                *(f"  {'reached' if one.reached else 'MISSED':8} {one.what}: {one.found}" for one in self.targets()),
            ]
        )

    def as_json(self) -> dict[str, Any]:
        return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "cores": os.cpu_count(), **asdict(self)}


def row(name: str, found: Drained | Bare) -> str:
    each = 1000 / max(found.count, 1)
    return (
        f"{name:38}{found.count:9,}{found.seconds:9.1f}{found.per_second:10.0f}{found.cpu * each:19.2f}"
        f"{found.cpu_postgres * each:10.2f}"
    )


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
    """What came of `count` reminders in a database that is migrated and has none: by hand first, then by a worker."""
    by_hand = min(count, BARE)
    run(environment, "bench.draining", "plant", str(by_hand))
    with sink() as server:
        bare = Bare(**json.loads(run(environment | mail_to(server.port), "bench.bare_reminders")))
    run(environment, "bench.draining", "plant", str(count))
    before, _, _ = os.getloadavg()
    with sink() as server:
        working = {"DJANGO_SETTINGS_MODULE": "bench.worker_settings", "BENCH_QUEUE": f"bench-{uuid.uuid4()}"}
        told = json.loads(run(environment | mail_to(server.port) | working, "bench.draining", "drain"))
        taken = server.taken
    after, _, _ = os.getloadavg()
    return Drained(
        count=count,
        taken=taken.total(),
        repeated=taken.total() - len(taken),
        bare=bare,
        loads=(before, after),
        **told,
    )


def mail_to(port: int) -> dict[str, str]:
    return {"EMAIL_HOST": embedded.LOCALHOST, "EMAIL_PORT": str(port)}


def run(environment: dict[str, str], *command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", *command], env=environment, cwd=servers.ROOT, check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip


def write(drained: Drained, folder: Path) -> Path:
    path = folder / f"{VOLUME}.json"
    path.write_text(json.dumps(drained.as_json(), indent=1))
    return path
