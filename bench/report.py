"""What came of a run: a table to read, the targets with whether they are reached, and JSON to compare."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measuring import Figures, Line

SEARCH_SHARE, BOOKING_SHARE = 1 / 4, 1 / 12
SEARCH_MS, BOOKING_MS = 10, 15
SAME = 0.02  # history without effect, told by the pages read: time tells what else the machine did
HEADER = (
    f"{'':38}{'clients':>8}{'p50 ms':>9}{'p95 ms':>9}{'a second':>10}{'CPU ms: web':>13}{'postgres':>10}{'valkey':>8}"
    f"{'load':>7}{'refused':>9}{'ratio':>7}"
)


@dataclass(frozen=True, slots=True)
class Target:
    """Something to reach, and whether it is. Orientation depends on the machine and does not fail a run."""

    what: str
    found: str
    reached: bool
    orientation: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """The same search without and with visits of the past."""

    past_before: int
    past_after: int
    pages_before: int
    pages_after: int
    before: Line
    after: Line

    @property
    def ratio(self) -> float:
        """Throughput over HTTP with history, as a share of that without."""
        return self.after.http.per_second / self.before.http.per_second if self.before.http.per_second else 0.0


@dataclass(frozen=True, slots=True)
class Volume:
    """What was measured on one volume of data."""

    name: str
    counts: dict[str, int]
    searches: list[Line]
    bookings: list[Line]
    crowds: list[Line]
    """Bookings by eight clients of one clinic, and of one clinician."""
    histories: list[History]

    def targets(self) -> Iterable[Target]:
        for line in self.searches:
            yield Target(
                f"{named(line)}: at least 1/4 of bare SQL's throughput", share(line.ratio), line.ratio >= SEARCH_SHARE
            )
        for line in self.bookings:
            yield Target(
                f"{named(line)}: at least 1/12 of bare SQL's throughput", share(line.ratio), line.ratio >= BOOKING_SHARE
            )
        for line in [*self.bookings, *self.crowds]:
            found = accepted(line.http)
            yield Target(
                f"{named(line)}: all valid bookings accepted",
                f"{found:.1%} of {line.http.pieces + line.http.refused}",
                found == 1,
            )
        for history in self.histories:
            yield Target(
                f"{history.before.name}: as many pages read with {history.past_after:,} visits of the past",
                f"{history.pages_before} and {history.pages_after}, throughput {history.ratio:.0%}",
                history.pages_after <= history.pages_before * (1 + SAME),
            )
        for line in self.searches:
            if line.clients == 1:
                found_ms = line.http.p50
                yield Target(
                    f"{named(line)}: p50 under {SEARCH_MS} ms", f"{found_ms:.1f} ms", found_ms < SEARCH_MS, True
                )
        for line in self.bookings:
            if line.clients == 1:
                found_ms = line.http.p50
                yield Target(
                    f"{named(line)}: p50 of both under {BOOKING_MS} ms",
                    f"{found_ms:.1f} ms",
                    found_ms < BOOKING_MS,
                    True,
                )

    def as_json(self) -> dict[str, Any]:
        return {
            "volume": self.name,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "rows": self.counts,
            "lines": [line.as_json() for line in (*self.searches, *self.bookings, *self.crowds)],
            "history": [
                {
                    "past_visits": [history.past_before, history.past_after],
                    "pages": [history.pages_before, history.pages_after],
                    "ratio": history.ratio,
                    "lines": [history.before.as_json(), history.after.as_json()],
                }
                for history in self.histories
            ],
            "targets": [
                {"what": target.what, "found": target.found, "reached": target.reached} for target in self.targets()
            ],
        }


def accepted(figures: Figures) -> float:
    """The share of valid bookings that were accepted."""
    tried = figures.pieces + figures.refused
    return figures.pieces / tried if tried else 0.0


def share(ratio: float) -> str:
    return f"1/{1 / ratio:.1f}" if 0 < ratio < 1 else f"{ratio:.1f}"


def named(line: Line) -> str:
    return f"{line.name}, {line.clients} client{'s' if line.clients > 1 else ''}"


def show(volume: Volume) -> str:
    """The table and the targets."""
    rows = ", ".join(f"{count:,} {name}" for name, count in volume.counts.items())
    lines = [f"\n{volume.name} volume: {rows}; {os.cpu_count()} cores\n", HEADER]
    for line in (*volume.searches, *volume.bookings, *volume.crowds):
        lines += rows_of(line, line.name)
    for history in volume.histories:
        for found, past in ((history.before, history.past_before), (history.after, history.past_after)):
            lines += rows_of(found, f"… with {past:,} past visits")
    lines.append("")
    for target in volume.targets():
        mark = "reached" if target.reached else "MISSED"
        lines.append(f"  {mark:8} {target.what}: {target.found}{'  (orientation)' if target.orientation else ''}")
    for line in (*volume.searches, *volume.bookings, *volume.crowds):
        lines += [f"  refused: {named(line)}: {refusal}" for refusal in (*line.http.refusals, *line.sql.refusals)]
    return "\n".join(lines)


def rows_of(line: Line, name: str) -> list[str]:
    return [
        row(name, line.clients, line.http, share(line.ratio)),
        row("    bare SQL", line.clients, line.sql, ""),
    ]


def row(name: str, clients: int, found: Figures, ratio: str) -> str:
    return (
        f"{name:38}{clients:8}{found.p50:9.1f}{found.p95:9.1f}{found.per_second:10.1f}{found.cpu_web:13.2f}"
        f"{found.cpu_postgres:10.2f}{found.cpu_valkey:8.2f}{found.cpu_load:7.2f}{found.refused:9}{ratio:>7}"
    )


def write(volume: Volume, folder: Path) -> Path:
    path = folder / f"{volume.name}.json"
    path.write_text(json.dumps(volume.as_json(), indent=1))
    return path
