"""PostgreSQL and Valkey of our own: started, reused, stopped, and found again after the worst."""

import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis

from config import embedded
from config.embedded import home

pytestmark = pytest.mark.slow


@pytest.fixture
def started(folder):
    return embedded.start(folder)


class TestStart:
    def test_it_gives_addresses_that_answer(self, started):
        assert ask(started, "SELECT current_database()") == "sameday"
        assert ask(started, "SHOW fsync") == "on"
        assert redis.Redis.from_url(started["REDIS_URL"]).ping()

    def test_it_listens_on_this_machine_only(self, folder, started):
        addresses = {
            connection.laddr[0]
            for connections in told(folder, lambda process: process.net_connections("inet"))
            for connection in connections
            if connection.status == psutil.CONN_LISTEN
        }

        assert addresses == {"127.0.0.1"}

    def test_it_asks_for_a_password(self, started):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(started["DATABASE_URL"], password="a guess")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port_of(started["REDIS_URL"]), password="a guess").ping()

    def test_it_keeps_passwords_to_itself(self, folder, started):
        assert (folder / "servers.json").stat().st_mode & 0o077 == 0
        for line in told(folder, lambda process: " ".join(process.cmdline())):
            assert not any(secret in line for secret in passwords(started))

    def test_it_reuses_servers_that_run(self, folder, started):
        before = main_processes(folder)

        again = embedded.start(folder)

        assert again == started
        assert main_processes(folder) == before

    def test_it_starts_nothing_whose_address_is_given(self, folder, monkeypatch):
        monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/clinic")
        monkeypatch.setenv("REDIS_URL", "redis://elsewhere")

        assert embedded.start(folder / "never") == {
            "DATABASE_URL": "postgresql://elsewhere/clinic",
            "REDIS_URL": "redis://elsewhere",
        }
        assert not (folder / "never").exists()

    def test_it_gives_tests_fast_servers_and_others_durable_ones(self, folder, started):
        fast = embedded.start(folder, fast=True)
        assert ask(fast, "SHOW fsync") == "off"

        durable = embedded.start(folder)
        assert ask(durable, "SHOW fsync") == "on"


class TestStop:
    def test_it_leaves_no_process_and_keeps_the_data(self, folder, started):
        remember(started, "stopped")

        embedded.stop(folder)

        assert not servers(folder)
        assert remembered(embedded.start(folder)) == "stopped"

    def test_it_is_content_where_nothing_runs(self, folder):
        embedded.stop(folder)
        embedded.stop(folder)

        assert embedded.status(folder) == {}


class TestAfterTheWorst:
    def test_it_recovers_from_kill_9(self, folder, started):
        remember(started, "killed")
        postmaster = (folder / "postgres/postmaster.pid").read_text().split()[0]
        valkey = (folder / "valkey/valkey.pid").read_text()
        kill_9([psutil.Process(int(postmaster)), psutil.Process(int(valkey))])

        assert remembered(embedded.start(folder)) == "killed"

    def test_it_is_not_misled_by_a_strangers_pid(self, folder, started):
        remember(started, "stranger")
        kill_9(servers(folder))
        with stranger() as process:
            note = (folder / "postgres/postmaster.pid").read_text().splitlines(keepends=True)
            (folder / "postgres/postmaster.pid").write_text("".join([f"{process.pid}\n", *note[1:]]))

            embedded.stop(folder)
            assert process.poll() is None
            assert remembered(embedded.start(folder)) == "stranger"
            embedded.stop(folder)
            assert process.poll() is None

    def test_it_moves_where_its_ports_were_taken(self, folder, started):
        remember(started, "moved")
        embedded.stop(folder)

        with listening(port_of(started["DATABASE_URL"])), listening(port_of(started["REDIS_URL"])):
            moved = embedded.start(folder)

            assert port_of(moved["DATABASE_URL"]) != port_of(started["DATABASE_URL"])
            assert remembered(moved) == "moved"
            assert redis.Redis.from_url(moved["REDIS_URL"]).ping()

    def test_it_begins_again_where_the_first_start_was_cut_short(self, folder):
        unfinished = folder / "unfinished"
        (unfinished / "postgres.new").mkdir(parents=True)
        (unfinished / "postgres.new" / "PG_VERSION").write_text("18")
        (unfinished / "programs").symlink_to(folder / "programs")

        assert ask(embedded.start(unfinished), "SELECT 1") == 1
        embedded.stop(unfinished)


class TestLent:
    def test_it_stops_with_the_last_of_its_borrowers(self, folder):
        with embedded.lent(folder) as one, embedded.lent(folder) as other:
            assert one == other
        assert not servers(folder)

    def test_it_goes_on_while_somebody_uses_it(self, folder):
        with embedded.lent(folder):
            subprocess.run(
                [sys.executable, "-m", "config.embedded", "run", folder, "true"],
                check=True,
                env={**os.environ, "SAMEDAY_KEEP_SERVERS": ""},
            )
            assert servers(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone runs its servers as somebody else")
class TestAsRoot:
    def test_it_runs_them_as_an_unprivileged_user(self, folder, started):
        assert set(told(folder, lambda process: process.username())) == {"nobody"}

    def test_it_moves_where_that_user_cannot_reach_the_folder(self, tmp_path):
        tmp_path.chmod(0o700)

        assert home.home_of(tmp_path / "checkout/.sameday/demo").path.parent == Path("/var/lib/sameday")

    def test_it_leaves_a_folder_to_the_user_who_made_it(self, folder, monkeypatch):
        theirs = folder.parent / "theirs"
        (theirs / "postgres").mkdir(parents=True)
        os.chown(theirs / "postgres", pwd.getpwnam("daemon").pw_uid, -1)

        owner = home.home_of(theirs).owner

        assert owner
        assert owner.pw_name == "daemon"


class TestUninterrupted:
    def test_it_puts_ctrl_c_off_until_all_is_done(self):
        done = []

        def interrupted_half_way():
            with embedded.uninterrupted():
                signal.raise_signal(signal.SIGINT)
                done.append("the rest")

        with pytest.raises(KeyboardInterrupt):
            interrupted_half_way()
        assert done == ["the rest"]


def main_processes(folder: Path) -> list[str]:
    """The numbers of both servers' first processes, as they say themselves."""
    files = [folder / "postgres/postmaster.pid", folder / "valkey/valkey.pid"]
    return [file.read_text().split()[0] for file in files]


def told(folder: Path, ask: Callable[[psutil.Process], Any]) -> list[Any]:
    """What each process below the folder says of itself, but for those that end meanwhile."""
    answers = []
    for process in servers(folder):
        with suppress(psutil.NoSuchProcess):
            answers.append(ask(process))
    return answers


def servers(folder: Path) -> list[psutil.Process]:
    """Every process that works below the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_9(processes) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # PostgreSQL's children follow their postmaster
            process.kill()


def ask(urls, sql):
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        row = connection.execute(sql).fetchone()
    assert row
    return row[0]


def remember(urls, word):
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        connection.execute("DROP TABLE IF EXISTS note")
        connection.execute("CREATE TABLE note AS SELECT %s::text AS word", [word])


def remembered(urls):
    return ask(urls, "SELECT word FROM note")


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])


def passwords(urls) -> list[str]:
    return [url.rsplit("@", 1)[0].rsplit(":", 1)[1] for url in urls.values()]


@contextmanager
def listening(port: int):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield


@contextmanager
def stranger():
    """Somebody else's process."""
    process = subprocess.Popen(["sleep", "60"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class TestFreePort:
    def test_it_is_none_that_the_system_gives_to_whoever_names_no_port(self):
        with socket.create_server(("127.0.0.1", 0)) as given:
            lowest = min(given.getsockname()[1], 32_768)

        assert all(1024 < embedded.free_port() < lowest for _ in range(20))

    def test_it_finds_none_twice(self, monkeypatch):
        monkeypatch.setattr(home, "SERVED", range(21_000, 21_100))

        found = [embedded.free_port() for _ in range(20)]

        assert len(set(found)) == 20

    def test_it_is_the_one_wanted_unless_somebody_has_it(self):
        wanted = embedded.free_port()
        assert embedded.free_port(wanted) == wanted

        with listening(wanted):
            assert embedded.free_port(wanted) != wanted
