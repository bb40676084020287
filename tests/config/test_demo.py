"""`make demo` as a person meets it: real processes on a port of their own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from config import demo, embedded

pytestmark = pytest.mark.slow(minutes=3)

ROOT = Path(__file__).resolve().parent.parent.parent


class Demo:
    """One run of the demo, and what it printed."""

    started: ClassVar[list["Demo"]] = []

    def __init__(self, folder: Path, port: int, *, command: tuple[str, ...] = (sys.executable, "-m", "config.demo")):
        self.folder, self.port, self.printed = folder, port, ""
        names = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SAMEDAY_MODE"}
        kept = {name: value for name, value in os.environ.items() if name not in names}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**kept, "PORT": str(port), "SAMEDAY_DATA": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.started.append(self)

    def read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.printed += line

    def until(self, words: str, seconds: float = 900) -> "Demo":
        deadline = time.monotonic() + seconds
        while words not in self.printed:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.05)
        return self

    def until_it_serves(self) -> "Demo":
        return self.until(f"Sameday runs at http://localhost:{self.port}")

    def status(self) -> int:
        """Its exit status, once it has ended."""
        status = self.process.wait(timeout=180)
        self.reader.join(timeout=60)
        return status

    def stopped(self) -> int:
        """Its exit status after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.status()

    def alive(self) -> list[str]:
        """The command lines of what is left of it."""
        told = []
        for process in [*demo.left_over(self.folder), *working_in(self.folder)]:
            with suppress(psutil.Error):  # ended between being found and being asked
                told.append(" ".join(process.cmdline()))
        return told


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    """A test that fails leaves the folder to the next one."""
    yield
    while Demo.started:
        started = Demo.started.pop()
        if started.process.poll() is None:
            started.process.kill()
            embedded.end(demo.left_over(started.folder))
            started.status()


@pytest.fixture
def port() -> int:
    return embedded.free_port()


class TestDemo:
    def test_it_serves_refuses_a_second_one_and_stops_without_a_trace(self, folder, port):
        first = Demo(folder, port).until_it_serves()
        assert answers(port)
        assert sockets_answer(folder)
        assert (folder / "secret_key").stat().st_mode & 0o077 == 0

        second = Demo(folder, port)
        assert second.status() == 1
        assert f"already runs at http://localhost:{port}" in second.printed

        assert first.stopped() == 0
        assert "Traceback" not in first.printed
        assert first.alive() == []
        assert not answers(port)

    def test_it_starts_again_after_kill_9_and_keeps_its_data(self, folder, port):
        killed = Demo(folder, port).until_it_serves()
        key = (folder / "secret_key").read_text()
        remember(folder)
        postmaster = int((folder / "postgres/postmaster.pid").read_text().split()[0])
        killed.process.kill()
        os.kill(postmaster, signal.SIGKILL)
        assert killed.alive()

        again = Demo(folder, port).until_it_serves()
        assert answers(port)
        assert (folder / "secret_key").read_text() == key
        assert remembers(folder)

        web, *_ = running(folder, "config.web")
        web.kill()
        killed.status()
        assert again.status() == 1
        assert again.alive() == []

    def test_it_stops_when_make_is_killed_or_interrupted(self, folder, port, tmp_path):
        makefile = tmp_path / "Makefile"
        makefile.write_text(f"demo:\n\t@exec {sys.executable} -m config.demo --stop-with-parent\n")
        make = ("make", "--file", str(makefile), "demo")

        interrupted = Demo(folder, port, command=make).until("Migrations")
        interrupted.process.send_signal(signal.SIGINT)
        interrupted.status()
        assert interrupted.alive() == []

        killed = Demo(folder, port, command=make).until("Migrations")
        killed.process.kill()
        following = Demo(folder, port).until("Migrations")
        killed.status()
        assert following.stopped() == 0
        assert following.alive() == []


def running(folder: Path, module: str) -> list[psutil.Process]:
    """The demo's processes of one kind."""
    found = []
    for process in demo.left_over(folder):
        with suppress(psutil.NoSuchProcess):  # ended between being found and being asked
            if module in process.cmdline():
                found.append(process)
    return found


def sockets_answer(folder: Path) -> bool:
    """Whether the socket server that the demo started answers, where the web server sends clients to."""
    (sockets,) = running(folder, "config.sockets")
    where = urlsplit(sockets.environ()["SOCKETS_URL"])
    with urllib.request.urlopen(f"http://127.0.0.1:{where.port}/healthz", timeout=60) as answer:
        return bool(answer.status == 200) and where.hostname == "localhost"


class TestScreen:
    def test_it_shows_address_logins_and_what_goes_wrong_and_the_rest_is_in_a_file(self, folder, port):
        shown = Demo(folder, port).until_it_serves().until("what goes wrong")
        before = len(shown.printed)
        log = folder / "demo.log"

        assert answers(port)
        until(lambda: "task=virtualcare.tasks.keep_queue" in log.read_text() and " GET / ms=" in log.read_text())

        assert str(log) in shown.printed
        assert "clinician@example.com" in shown.printed[:before]
        rest = shown.printed[before:].splitlines()
        assert [line for line in rest if "WARNING" not in line] == []  # of a busy machine there may be some
        assert shown.stopped() == 0


class TestPort:
    def test_sockets_take_the_next_port_that_is_free(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]

            assert demo.next_free(number - 1) > number

    def test_it_names_a_port_that_is_taken_before_it_starts_anything(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            number = taken.getsockname()[1]
            refused = Demo(folder / "elsewhere", number)

            assert refused.status() == 1
        assert re.search(rf"Port {number} is already taken.* PORT=\d+ make demo", refused.printed)
        assert "PostgreSQL" not in refused.printed

    def test_it_finds_a_port_taken_on_the_other_meaning_of_localhost(self):
        if not socket.has_dualstack_ipv6():
            pytest.skip("this machine has no IPv6")
        with (
            socket.create_server(("::1", 0), family=socket.AF_INET6) as taken,
            pytest.raises(demo.CannotRun, match="is already taken"),
        ):
            demo.require_free(taken.getsockname()[1])

    @pytest.mark.parametrize("text", ["", "http", "0", "65536", "-1", "8000 "])
    def test_it_takes_numbers_only(self, text):
        with pytest.raises(demo.CannotRun, match="is no port"):
            demo.port_asked_for(text)


def until(so: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=60):
            return True
    except urllib.error.HTTPError as refused:
        refused.close()
        return True
    except OSError:
        return False


def working_in(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                yield process
        except psutil.Error:
            continue


def remember(folder: Path) -> None:
    with psycopg.connect(embedded.status(folder)["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept ()")


def remembers(folder: Path) -> bool:
    with psycopg.connect(embedded.status(folder)["DATABASE_URL"]) as connection:
        return connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)
