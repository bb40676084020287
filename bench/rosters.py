"""How long a worker takes to read, match and diff a roster of 100,000 people, twice: all of them new, and all known."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from bench import servers
from bench.report import Target

VOLUME = "rosters"
# Issue 4: under 60 s, at under 300 MB.
WANTED_SECONDS, WANTED_MB = 60, 300


@dataclass(frozen=True, slots=True)
class Worked:
    """What came of one file. Times in seconds, memory in MB: the most that the process held."""

    what: str
    people: int
    diff: dict[str, int]
    received: float
    """Until the file was stored, in the request that sends it."""
    parsed: float
    matched: float
    diffed: float
    seen: int
    """How many different numbers of lines read another connection saw meanwhile."""
    megabytes: float

    @property
    def seconds(self) -> float:
        return self.parsed + self.matched + self.diffed

    def targets(self) -> list[Target]:
        found = f"{self.seconds:.1f} s"
        return [
            Target(
                f"{self.what}, {self.people:,} people: each line told as what it is",
                ", ".join(f"{count:,} {name}" for name, count in self.diff.items() if count),
                sum(self.diff.values()) >= self.people and not self.diff["errors"],
            ),
            Target(
                f"{self.what}: parsed, matched, diffed within {WANTED_SECONDS} s", found, self.seconds < WANTED_SECONDS
            ),
            Target(f"{self.what}: under {WANTED_MB} MB", f"{self.megabytes:.0f} MB", self.megabytes < WANTED_MB),
            Target(f"{self.what}: progress shown meanwhile", f"seen {self.seen} times", self.seen >= 3),
        ]

    def show(self) -> str:
        steps = f"parsed {self.parsed:.1f}, matched {self.matched:.1f}, diffed {self.diffed:.1f}"
        told = f"received in {self.received:.1f} s, {steps}; {self.megabytes:.0f} MB at most"
        lines = [f"\n{self.what}, {self.people:,} people: {told}\n"]
        lines += [f"  {'reached' if one.reached else 'MISSED':8} {one.what}: {one.found}" for one in self.targets()]
        return "\n".join(lines)


def measure(urls: dict[str, str], people: int) -> list[Worked]:
    """Send rosters of `people` in a database of their own."""
    servers.drop_database(urls["DATABASE_URL"], VOLUME)
    url, _ = servers.make_database(urls["DATABASE_URL"], VOLUME)
    environment = servers.environment(servers.FOLDER, urls | {"DATABASE_URL": url})
    try:
        servers.manage(environment, "migrate", "--no-input", "--verbosity", "0")
        return worked(environment, people)
    finally:
        servers.drop_database(urls["DATABASE_URL"], VOLUME)


def worked(environment: dict[str, str], people: int) -> list[Worked]:
    """A first roster; then, when its people are on the roster, the next one with a hundredth of them changed."""
    found: list[Worked] = []
    for what in ("first", "next"):
        told: dict[str, Any] = json.loads(
            subprocess.run(
                [sys.executable, "-m", "bench.roster_working", what, str(people)], env=environment, cwd=servers.ROOT,
                check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            ).stdout
        )  # fmt: skip
        found.append(Worked(**told))
    return found
