"""The whole of Sameday on one machine, in one foreground command: `make demo` (python -m config.demo).

Servers, migrations and demo network one after the other; then web, sockets, worker and beat side by side until
Ctrl-C. PORT is where the web server listens (8000); sockets are at the next port that is free. DATABASE_URL and
REDIS_URL, when set, are used instead of servers of its own. What it keeps is in .sameday/demo (or SAMEDAY_DATA):
delete that folder to start anew. Its screen shows the address, the logins, and from then on what goes wrong; each
request and task is a line of demo.log in that folder, which every start begins anew.
"""

import argparse
import errno
import fcntl
import itertools
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

import psutil
from honcho.manager import Manager

from clinics import encryption
from config import embedded, probe, sockets, web

ROOT = Path(__file__).resolve().parent.parent
# Set for everything the demo starts and for nothing else, so that a later run knows what this one left.
MARK = "SAMEDAY_DEMO_PROCESS_OF"
LOG = "demo.log"


class CannotRun(Exception):
    """The demo cannot run here and now; the message says what to do about it."""


def main() -> int:
    """Run the demo until it is stopped; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when the process that started it is gone")
    asked = parser.parse_args()
    folder = Path(os.environ.get("SAMEDAY_DATA") or ROOT / ".sameday" / "demo").resolve()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, leave)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
        signal.signal(signal.SIGHUP, leave)
    parent = psutil.Process().parent() if asked.stop_with_parent else None
    if parent:
        threading.Thread(target=stop_with, args=[parent], daemon=True).start()
    try:
        port = port_asked_for(os.environ.get("PORT") or "8000")
        with alone(folder, port, parent) as note:
            return run(folder, port, note)
    except (CannotRun, embedded.ServerFailed) as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def run(folder: Path, port: int, note: "Note") -> int:
    """Prepare everything, then serve until stopped. However it ends, no process is left behind."""
    embedded.end(left_over(folder))
    require_free(port)
    try:
        tell("PostgreSQL and Valkey")
        sockets_port = next_free(port)
        environment = {**os.environ, **embedded.start(folder), **settings(folder, port, sockets_port)}
        tell("Migrations")
        manage(environment, "migrate", "--no-input")
        tell("Demo network")
        logins = manage(environment, "seed_demo", captured=True)
        # The owner has made the tables; from here on everything runs as a role that cannot rewrite history.
        application = embedded.application(folder)
        if application:
            manage(environment, "give_rights", embedded.APPLICATION)
        environment |= application
        (folder / LOG).unlink(missing_ok=True)
        environment["DEMO_LOG"] = str(folder / LOG)
        tell("Web server, sockets, worker and beat")
        return serve(folder, port, sockets_port, environment, logins)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a second Ctrl-C must not stop the stopping
            signal.signal(number, signal.SIG_IGN)
        note.write(stopping=True)
        embedded.end(left_over(folder))
        if len(embedded.given()) < len(embedded.ADDRESSES):
            embedded.stop(folder)
        with suppress(OSError):  # the terminal may be gone
            tell("Stopped")


def serve(folder: Path, port: int, sockets_port: int, environment: dict[str, str], logins: str) -> int:
    """Run web, sockets, worker and beat until one of them ends or we are told to stop; the exit status."""
    python, celery = shlex.quote(sys.executable), "-m celery --quiet --app config"
    schedule = shlex.quote(str(folder / "beat"))
    manager = Manager()
    for name, command in {
        "web": shlex.join(web.arguments(port)),
        "sockets": shlex.join(sockets.arguments(sockets_port)),
        # Threads, as the signal that ends a group of processes would end a prefork worker's children mid-task.
        "worker": f"-W 'ignore:You' {celery} worker --pool threads --concurrency 2 --loglevel WARNING"
        " --without-gossip --without-mingle --without-heartbeat",
        "beat": f"{celery} beat --loglevel WARNING --schedule {schedule}",
    }.items():
        manager.add_process(name, f"exec {python} {command}", env=environment, cwd=str(ROOT))
    threading.Thread(target=announce, args=[port, sockets_port, logins, folder / LOG], daemon=True).start()
    threading.Thread(target=end_orphans, daemon=True).start()
    try:
        manager.loop()
    except KeyError:  # told to stop while starting: honcho asks for a pid that it doesn't have yet
        return 0
    return 0 if manager.returncode in (130, 143) else 1


def announce(port: int, sockets_port: int, logins: str, log: Path) -> None:
    """Print the address, the logins and where the log is as soon as web server and socket server answer."""
    for server in (sockets_port, port):
        while not probe.answers(f"http://{embedded.LOCALHOST}:{server}/healthz"):
            time.sleep(0.1)
    print(f"\nSameday runs at http://localhost:{port} (Ctrl-C stops it)\n\n{logins}", flush=True)
    print(f"Each request and task is a line of {log}; here you see what goes wrong.\n", flush=True)


def end_orphans() -> None:
    """End what a killed process of ours leaves running: honcho waits until the last of a process's family is gone."""
    while True:
        time.sleep(1)
        with suppress(psutil.Error, ProcessLookupError):
            for runner in psutil.Process().children():
                for process in runner.children():
                    if process.status() == psutil.STATUS_ZOMBIE:
                        os.killpg(process.pid, signal.SIGTERM)


def manage(environment: dict[str, str], *command: str, captured: bool = False) -> str:
    """Run a management command; what it printed, where that is captured. Raises CannotRun when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if captured else None,
        text=True,
        start_new_session=True,  # Ctrl-C is for us to handle
        check=False,
    )
    if done.returncode:
        raise CannotRun(f"{done.stdout or ''}manage.py {command[0]} failed: see above.")
    return done.stdout or ""


def settings(folder: Path, port: int, sockets_port: int) -> dict[str, str]:
    """The environment that makes config.settings the demo's."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "SAMEDAY_MODE": "demo",
        "SAMEDAY_DATA": str(folder),
        "PUBLIC_URL": f"http://localhost:{port}",
        "SOCKETS_URL": f"ws://localhost:{sockets_port}",
        "SECRET_KEY": kept(folder / "secret_key", lambda: secrets.token_urlsafe(48)),
        "ENCRYPTION_KEYS": kept(folder / "encryption_keys", lambda: encryption.new_key("demo")),
        MARK: str(folder),
    }


def kept(path: Path, make: Callable[[], str]) -> str:
    """A secret of the demo's own, made once, readable by its owner alone."""
    if not path.exists():
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600, exist_ok=False)
        new.write_text(make())
        new.replace(path)
    return path.read_text()


# Ports


def port_asked_for(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise CannotRun(f"PORT={text} is no port: use a number from 1 to 65535.")
    return int(text)


def require_free(port: int) -> None:
    """Raise CannotRun, naming the port, unless our web server can have it, on either meaning of localhost."""
    another = f"Stop that, or use another port: PORT={port + 1 if port < 65535 else 8000} make demo"
    for family, address in ((socket.AF_INET, embedded.LOCALHOST), (socket.AF_INET6, "::1")):
        with suppress(OSError), socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, port)) == 0:
                raise CannotRun(f"Port {port} is already taken{by_whom(port)}. {another}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((embedded.LOCALHOST, port))
        except OSError as refused:
            if refused.errno == errno.EADDRINUSE:
                raise CannotRun(f"Port {port} is already taken{by_whom(port)}. {another}") from refused
            raise CannotRun(f"Port {port} cannot be used here: {refused.strerror}. {another}") from refused


def next_free(port: int) -> int:
    """The first port after `port`, or after 1023 where there is none, at which nobody listens. Raises CannotRun."""
    for candidate in itertools.chain(range(port + 1, min(port + 101, 65_536)), range(1024, 1124)):
        with suppress(CannotRun):
            require_free(candidate)
            return candidate
    raise CannotRun(f"Sockets find no free port after {port}. Use another port: PORT=8000 make demo")


def by_whom(port: int) -> str:
    """' by nginx (process 123)', as far as this user may know."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens_there = connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:2] == (port,)
            if listens_there and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


# One demo at a time, and what an earlier one left


@dataclass
class Note:
    """What a running demo tells of itself, in the file that it holds locked: a lock dies with its process."""

    file: TextIO

    def write(self, **facts: object) -> None:
        noted = {**self.read(), **facts}
        self.file.seek(0)
        self.file.truncate()
        json.dump(noted, self.file)
        self.file.flush()

    def read(self) -> dict[str, object]:
        self.file.seek(0)
        try:
            noted: dict[str, object] = json.load(self.file)
        except json.JSONDecodeError:  # empty, or just being written
            return {}
        return noted


@contextmanager
def alone(folder: Path, port: int, parent: psutil.Process | None) -> Iterator[Note]:
    """Hold the folder for one demo. Raises CannotRun where another one runs in it.

    One that is stopping, or about to because its `make` was killed, is waited for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("a+") as file:
        note = Note(file)
        deadline = time.monotonic() + 30
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # unlike flock, not inherited by forked children
                break
            except BlockingIOError:
                other = note.read()
                if not (other.get("stopping") or is_orphaned(other)) or time.monotonic() > deadline:
                    raise CannotRun(
                        f"Sameday's demo already runs at http://localhost:{other.get('port', port)} "
                        f"(process {other.get('pid', 'unknown')}). Stop it with Ctrl-C there, or use it."
                    ) from None
                time.sleep(0.1)
        stops_with = {"parent": parent.pid, "parent_started": parent.create_time()} if parent else {}
        note.file.truncate(0)
        note.write(pid=os.getpid(), port=port, **stops_with)
        yield note


def is_orphaned(other: dict[str, object]) -> bool:
    """True where the other demo stops with its parent, and that is gone."""
    if "parent" not in other:
        return False
    try:
        parent = psutil.Process(int(str(other["parent"])))
        return parent.create_time() != other["parent_started"] or parent.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def left_over(folder: Path) -> list[psutil.Process]:
    """What demos of this folder started and is still alive, under whatever pid."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone, a zombie, or another user's
            if process.environ().get(MARK) == str(folder) and process.pid != os.getpid():
                found.append(process)
    return found


def stop_with(parent: psutil.Process) -> None:
    """Stop this process as soon as its parent is gone, or was interrupted.

    `make` may be killed without a word to its children; and sent SIGINT alone (Ctrl-C reaches both), it waits for them.
    """
    waited_for = catches_interrupts(parent)
    while os.getppid() == parent.pid and catches_interrupts(parent) == waited_for:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def catches_interrupts(process: psutil.Process) -> bool:
    """True while the process has a handler for SIGINT: make's takes itself away when it is called. Linux tells."""
    try:
        told = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return False
    caught = next((line.split()[1] for line in told.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


def leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def tell(what: str) -> None:
    print(f"── {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
