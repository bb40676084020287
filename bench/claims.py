"""How fast clinicians claim from a long queue: in one statement, against finding and then taking, in the same run."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from bench import servers
from bench.report import Target

VOLUME = "claims"
WANTED_P99 = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Claimed:
    """What came of `claimers` who claim at once while `waiting` wait. Times in seconds."""

    waiting: int
    claimers: int
    claims: int
    per_second: float
    p50: float
    p99: float
    twice: int
    """Patients who were offered to two."""
    bare_per_second: float
    """Of a statement that takes the first who waits, and looks at nothing else: what the machine can do."""

    def targets(self) -> list[Target]:
        return [
            Target(
                f"{self.waiting:,} waiting, {self.claimers} claimers: nobody claimed twice",
                f"{self.twice}",
                not self.twice,
            ),
            Target(
                f"p99 of a claim under {1000 * WANTED_P99:.0f} ms",
                f"p50 {1000 * self.p50:.1f} ms, p99 {1000 * self.p99:.1f} ms",
                self.p99 < WANTED_P99,
                orientation=True,
            ),
            Target(
                "claims a second",
                f"{self.per_second:.0f}, 1/{self.bare_per_second / self.per_second:.1f} of a bare statement's",
                self.per_second > 0,
                orientation=True,
            ),
        ]

    def show(self) -> str:
        lines = [f"\n{self.claims:,} claims by {self.claimers} clinicians at once, {self.waiting:,} waiting\n"]
        for one in self.targets():
            mark = "reached" if one.reached else "MISSED"
            lines.append(f"  {mark:8} {one.what}: {one.found}{'  (orientation)' if one.orientation else ''}")
        return "\n".join(lines)


def measure(urls: dict[str, str], waiting: int) -> Claimed:
    """Have claimers take from `waiting` in a database of their own."""
    servers.drop_database(urls["DATABASE_URL"], VOLUME)
    url, _ = servers.make_database(urls["DATABASE_URL"], VOLUME)
    environment = servers.environment(servers.FOLDER, urls | {"DATABASE_URL": url})
    try:
        servers.manage(environment, "migrate", "--no-input", "--verbosity", "0")
        told: dict[str, Any] = json.loads(
            subprocess.run(
                [sys.executable, "-m", "bench.claiming", str(waiting)], env=environment, cwd=servers.ROOT,
                check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            ).stdout
        )  # fmt: skip
        return Claimed(**told)
    finally:
        servers.drop_database(urls["DATABASE_URL"], VOLUME)
