"""The servers of a run: PostgreSQL and Valkey in .sameday/bench with fsync on, and the web server as production has it.

Each volume has a database of its own, which is kept between runs. Its name carries a digest of the migrations, so that
one that was made by others is made anew.
"""

import hashlib
import http.client
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg import sql

from clinics import encryption
from config import embedded
from config.web import arguments

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".sameday" / "bench"
READY = "seeded"
# Sessions that were planted must be those that the web server knows.
SECRET_KEY = secrets.token_urlsafe(48)
ENCRYPTION_KEYS = encryption.new_key("bench")


def environment(folder: Path, urls: dict[str, str]) -> dict[str, str]:
    """The demo's settings, behind one proxy as in production: so each request may come from an address of its own."""
    return {
        **os.environ,
        **urls,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "SAMEDAY_MODE": "demo",
        "SAMEDAY_DATA": str(folder),
        "SECRET_KEY": SECRET_KEY,
        "ENCRYPTION_KEYS": ENCRYPTION_KEYS,
        "STATIC_ROOT": str(folder / "static"),
        "TRUSTED_PROXIES": "1",
    }


def manage(environment: dict[str, str], *command: str) -> None:
    """Run a management command. Its output goes to ours."""
    subprocess.run(
        [sys.executable, "manage.py", *command], env=environment, cwd=ROOT, check=True, stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )  # fmt: skip


# Databases


def named(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def database_of(volume: str) -> str:
    """The volume's database, by the migrations that there are."""
    return f"bench_{volume}_{migrations()}"


@cache  # for the whole of a run
def migrations() -> str:
    digest = hashlib.sha256()
    for path in sorted([*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/sql/*.sql")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def make_database(url: str, volume: str, *, template: str = "template0") -> tuple[str, bool]:
    """Make the volume's database, unless there is one that was seeded to the end. Returns its address, and if it was.

    Databases of this volume that older migrations made are dropped. `template` is a database to copy.
    """
    wanted = database_of(volume)
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT datname, coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname ~ %s",
            [f"^bench_{volume}_[0-9a-f]{{8}}$"],
        ).fetchall()
        for name, said in found:
            if name != wanted or said != READY:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        if (wanted, READY) in found:
            return named(url, wanted), True
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(wanted), sql.Identifier(template))
        )
    return named(url, wanted), False


def drop_database(url: str, volume: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database_of(volume)))
        )


def mark_ready(url: str) -> None:
    """Say that the database is whole: a later run keeps it."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(urlsplit(url).path.strip("/"))
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, READY))


# The web server


@contextmanager
def web(environment: dict[str, str], log: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The web server for as long as the block takes: its port, and its first process."""
    port = embedded.free_port()
    with log.open("w") as output:
        started = subprocess.Popen(
            [sys.executable, *arguments(port)], env=environment, cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    server = psutil.Process(started.pid)
    try:
        wait_for(port, started, log)
        yield port, server
    finally:
        with suppress(psutil.Error):
            embedded.end([server, *server.children(recursive=True)])
        started.wait(timeout=10)


def wait_for(port: int, started: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and started.poll() is None:
        connection = http.client.HTTPConnection(embedded.LOCALHOST, port, timeout=30)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/api/v1/visit-types")
            with connection.getresponse() as response:
                if response.status == 200:
                    return
        time.sleep(0.1)
    raise embedded.ServerFailed(f"The web server did not answer: see {log}")
