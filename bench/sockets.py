"""What open sockets take of the socket server, and how soon they hear: idle ones, consoles that are told, and chat."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench import servers
from bench.report import Target
from config import embedded, probe, sockets

VOLUME = "sockets"
MOST_MEMORY = 64 * 1024  # bytes of a socket
PUSH_P99, CHAT_P50 = 0.5, 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Held:
    """What came of so many sockets. Times in seconds, memory in bytes."""

    sockets: int
    memory_each: float
    """That the server took more for each, once some were open."""
    opened_per_second: float
    """With a ticket that is checked, spent, and looked up in PostgreSQL."""
    idle_cpu: float
    """Of one core, while nothing is said: pings, and looks whether somebody may stay."""
    watchers: int
    push_p50: float
    push_p99: float
    chat_p50: float
    chat_p99: float

    def targets(self) -> list[Target]:
        return [
            Target(
                f"{self.sockets:,} idle sockets: at most {MOST_MEMORY // 1024} KB each",
                f"{self.memory_each / 1024:.1f} KB, {self.idle_cpu:.0%} of a core while idle",
                self.memory_each <= MOST_MEMORY,
            ),
            Target(
                f"push to {self.watchers} watchers: p99 under {1000 * PUSH_P99:.0f} ms",
                f"p50 {1000 * self.push_p50:.1f} ms, p99 {1000 * self.push_p99:.1f} ms",
                self.push_p99 < PUSH_P99,
                orientation=True,
            ),
            Target(
                f"chat, sent to read over HTTP beside them: p50 under {1000 * CHAT_P50:.0f} ms",
                f"p50 {1000 * self.chat_p50:.1f} ms, p99 {1000 * self.chat_p99:.1f} ms",
                self.chat_p50 < CHAT_P50,
                orientation=True,
            ),
        ]

    def show(self) -> str:
        lines = [f"\n{self.sockets:,} sockets at one server, opened {self.opened_per_second:.0f} a second\n"]
        for one in self.targets():
            mark = "reached" if one.reached else "MISSED"
            lines.append(f"  {mark:8} {one.what}: {one.found}{'  (orientation)' if one.orientation else ''}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "cores": os.cpu_count(), **asdict(self)}


def measure(urls: dict[str, str], count: int, watchers: int) -> Held:
    """Hold `count` sockets, of them so many consoles that are told, in a database of their own."""
    servers.drop_database(urls["DATABASE_URL"], VOLUME)
    url, _ = servers.make_database(urls["DATABASE_URL"], VOLUME)
    environment = servers.environment(servers.FOLDER, urls | {"DATABASE_URL": url})
    try:
        servers.manage(environment, "migrate", "--no-input", "--verbosity", "0")
        return held(environment, servers.FOLDER / "logs", count, watchers)
    finally:
        servers.drop_database(urls["DATABASE_URL"], VOLUME)


def held(environment: dict[str, str], logs: Path, count: int, watchers: int) -> Held:
    """What came of `count` sockets on a database that is migrated."""
    with (
        servers.web(environment, logs / "web.log") as (web_port, _),
        serving(environment, logs / "sockets.log") as (port, server),
    ):
        numbers = (str(number) for number in (count, watchers, port, web_port, server.pid))
        told = subprocess.run(
            [sys.executable, "-m", "bench.socket_crowd", *numbers], env=environment, cwd=servers.ROOT, check=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        ).stdout  # fmt: skip
    return Held(**json.loads(told))


@contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The socket server for as long as the block takes: its port, and its process."""
    port = embedded.free_port()
    with log.open("w") as output:
        started = subprocess.Popen(
            [sys.executable, *sockets.arguments(port)], env=environment, cwd=servers.ROOT, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    server = psutil.Process(started.pid)
    try:
        await_health(port, started, log)
        yield port, server
    finally:
        with suppress(psutil.Error):
            embedded.end([server])
        started.wait(timeout=10)


def await_health(port: int, started: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and started.poll() is None:
        if probe.answers(f"http://{embedded.LOCALHOST}:{port}/healthz"):
            return
        time.sleep(0.1)
    raise embedded.ServerFailed(f"The socket server did not answer: see {log}")


def write(held: Held, folder: Path) -> Path:
    path = folder / f"{VOLUME}.json"
    path.write_text(json.dumps(held.as_json(), indent=1))
    return path
