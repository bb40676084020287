"""Production, rehearsed: what compose.yaml starts, as processes of this machine (docs/operations.md)."""

import asyncio
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.config import rehearsing
from tests.config.rehearsing import CELERY, HOST, PATIENCE, TOKEN, Stack, run, until

pytestmark = [
    pytest.mark.slow(minutes=2),
    pytest.mark.skipif(not rehearsing.NGINX, reason="NOT REHEARSED: no nginx here (apt-get install nginx-light)"),
]
CANARY = "Zanzibarquist"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'scheduling_visittype'::regclass"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="sameday-rehearsal-"))
    folder.chmod(0o755)
    with rehearsing.rehearse(folder) as stack:
        yield stack


def test_it_serves_by_nginx_alone_what_is_for_everybody(stack: Stack):
    assert stack.outside("GET", "/api/v1/visit-types")[0] == 200
    assert stack.outside("GET", "/healthz") == (200, b"ok\n")
    assert stack.outside("GET", "/readyz") == (200, b"ok\n")
    assert stack.outside("GET", "/metrics", {"Authorization": f"Bearer {TOKEN}"})[0] == 404
    assert stack.direct("web1", "GET", "/metrics")[0] == 404
    assert (
        b"sameday_database_up 1.0" in stack.direct("web1", "GET", "/metrics", {"Authorization": f"Bearer {TOKEN}"})[1]
    )
    assert stack.outside("GET", "/static/clinics/sameday.css")[0] == 200
    assert stack.outside("POST", "/api/v1/holds", {"Content-Type": "application/json"}, b"x" * (2 << 20))[0] == 413


def test_beat_and_worker_are_seen_to_run(stack: Stack):
    run(*CELERY, "call", "config.tasks.note_beat", environment=stack.app)

    def seen() -> bool:
        told = stack.direct("web2", "GET", "/metrics", {"Authorization": f"Bearer {TOKEN}"})[1]
        return b"sameday_beat_last_run_timestamp_seconds" in told

    until(seen, stack.log("worker").read_text())
    until(lambda: '"task": "config.tasks.note_beat"' in stack.log("worker").read_text(), "the worker says nothing")
    assert stack.running["beat"].poll() is None


async def closed_with(url: str, **options: Any) -> int:
    """The code with which a socket that opens is closed. (In one thread: two must not use one TLS connection.)"""
    async with connect(url, **options) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), PATIENCE)
        return closed.value.rcvd.code


async def refused_with(url: str, **options: Any) -> int:
    """The status with which one is refused."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, **options)
    return refused.value.response.status_code


def test_sockets_are_opened_by_nginx_and_closed_when_they_are_to_stop(stack: Stack):
    """Without a ticket that is good one is opened and closed at once (4401); for a stranger's page none is opened."""
    url = f"wss://localhost:{stack.ports['https']}/ws/clinician?ticket={CANARY}"
    trust = ssl.create_default_context(cafile=str(stack.folder / "fullchain.pem"))
    ours: dict[str, Any] = {"origin": f"https://{HOST}", "ssl": trust, "open_timeout": PATIENCE}

    assert asyncio.run(closed_with(url, **ours)) == 4401
    assert asyncio.run(refused_with(url, **{**ours, "origin": "https://evil.example"})) == 403
    token = {"Authorization": f"Bearer {TOKEN}"}
    none_open = b'sameday_sockets_open{kind="clinician"} 0.0'
    until(lambda: none_open in stack.direct("sockets", "GET", "/metrics", token)[1], "one stays open")
    assert stack.direct("sockets", "GET", "/metrics")[0] == 404
    assert CANARY not in stack.log("sockets").read_text() + stack.log("nginx").read_text()

    stack.stop("sockets")
    assert asyncio.run(refused_with(url, **ours)) == 502
    assert stack.outside("GET", "/readyz") == (200, b"ok\n")
    stack.sockets()


def test_no_log_holds_what_was_asked_for(stack: Stack):
    secret = {"X-Session-Token": f"{CANARY}-token", "User-Agent": CANARY, "Referer": f"https://care.test/{CANARY}"}
    for path in (f"/calendar/{CANARY}.ics", f"/v/{CANARY}", f"/api/v1/clinics?near={CANARY}", f"/{CANARY}"):
        stack.outside("GET", path, secret)
    known = {"X-Request-ID": "partner-request-1"}
    stack.outside("POST", "/api/v1/holds", {**secret, **known, "Content-Type": "application/json"}, CANARY.encode())

    written = {name: stack.log(name).read_text() for name in ("nginx", "web1", "web2", "worker", "beat")}
    assert [name for name, text in written.items() if CANARY in text] == []
    until(lambda: '"request_id":"partner-request-1"' in stack.log("nginx").read_text(), "nginx says nothing of it")
    assert '"request_id": "partner-request-1"' in written["web1"] + written["web2"]


def test_requests_in_flight_are_answered_when_told_to_stop(stack: Stack):
    """Some wait for a lock in a server that is told to stop: each gets its answer, and nobody new gets in."""
    with psycopg.connect(stack.admin_url) as holder, psycopg.connect(stack.admin_url, autocommit=True) as watcher:
        holder.execute("LOCK TABLE scheduling_visittype IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(6) as clients:
            asked: list[Any] = []

            def some_wait() -> bool:
                if all(one.done() for one in asked):  # after three seconds they have given up
                    asked[:] = [clients.submit(stack.direct, "web1", "GET", "/api/v1/visit-types") for _ in range(4)]
                return bool(watcher.execute(WAITING).fetchone() != (0,))

            until(some_wait, "nobody waits")
            stack.running["web1"].send_signal(signal.SIGTERM)
            until(lambda: refuses(stack), "web1 still takes connections")
            holder.rollback()
            answers = [answer.result()[0] for answer in asked]

    assert stack.running.pop("web1").wait(timeout=rehearsing.PATIENCE) == 0
    assert set(answers) <= {200, 503}  # 503 where the machine was too slow for the lock's three seconds
    assert len(answers) == 4
    stack.web("web1")


def refuses(stack: Stack) -> bool:
    try:
        return stack.direct("web1", "GET", "/healthz")[0] != 200
    except ConnectionError:
        return True


def test_no_request_fails_while_servers_are_renewed_one_by_one(stack: Stack):
    answers: Counter[int] = Counter()
    over = threading.Event()

    def ask_on(number: int) -> None:
        while not over.is_set():
            if number % 2:
                status, _ = stack.outside("GET", "/api/v1/visit-types")
            else:
                keyed = {"Idempotency-Key": "k", "Content-Type": "application/json"}
                status, _ = stack.outside("POST", "/api/v1/holds", keyed, b"{}")
            answers[status] += 1

    threads = [threading.Thread(target=ask_on, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for name in ("web1", "web2"):
            before = answers.total()
            until(lambda before=before: answers.total() > before + 40, "no answers")
            assert stack.stop(name) == 0
            stack.web(name)
            known = served_by(stack, name)
            until(lambda name=name, known=known: served_by(stack, name) > known + 5, f"{name} is asked nothing")
    finally:
        over.set()
        for thread in threads:
            thread.join()

    failed = [line for line in stack.log("nginx").read_text().splitlines() if '"status":50' in line]
    assert set(answers) <= {200, 401, 429}, failed[-5:]
    assert answers[200]


def served_by(stack: Stack, name: str) -> int:
    """How many requests nginx had answered by this server alone."""
    return stack.log("nginx").read_text().count(f'"upstream":"127.0.0.1:{stack.ports[name]}"')


def test_a_worker_told_to_stop_finishes_its_task(stack: Stack):
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'clinics_session'::regclass"
    done = purged(stack)
    with psycopg.connect(stack.admin_url) as holder, psycopg.connect(stack.admin_url, autocommit=True) as watcher:
        holder.execute("LOCK TABLE clinics_session IN ACCESS EXCLUSIVE MODE")
        until(lambda: waits_again(stack, watcher, waiting), "no task waits")
        stack.running["worker"].send_signal(signal.SIGTERM)
        holder.rollback()

    assert stack.running.pop("worker").wait(timeout=rehearsing.PATIENCE) == 0
    assert purged(stack) > done
    assert stack.stop("beat") == 0
    stack.worker()
    stack.beat()


def purged(stack: Stack) -> int:
    """How often the task was done, as it is not while the table is locked."""
    lines = stack.log("worker").read_text().splitlines()
    return sum('"clinics.tasks.purge_sessions"' in line and '"state": "success"' in line for line in lines)


def waits_again(stack: Stack, watcher: "psycopg.Connection[Any]", waiting: str) -> bool:
    """Whether the task waits, after it was called (once more: after three seconds it gives up)."""
    run(*CELERY, "call", "clinics.tasks.purge_sessions", environment=stack.app)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if watcher.execute(waiting).fetchone() != (0,):
            return True
        time.sleep(0.05)
    return False


def test_a_backup_can_be_restored(stack: Stack):
    """The commands of docs/operations.md, on another database."""
    environment = rehearsing.psql_environment(stack.folder / "servers", stack.admin_url)
    backup = str(stack.folder / "sameday.dump")

    run("pg_dump", "--format=custom", f"--file={backup}", "sameday", environment=environment)
    run("createdb", "--owner=sameday_owner", "restored", environment=environment)
    run("pg_restore", "--exit-on-error", "--single-transaction", "--dbname=restored", backup, environment=environment)

    restored = stack.admin_url.rpartition("/")[0] + "/restored"
    count = "SELECT count(*) FROM django_migrations"
    with psycopg.connect(stack.admin_url) as one, psycopg.connect(restored) as other:
        assert one.execute(count).fetchone() == other.execute(count).fetchone()
    app = {**stack.app, "DATABASE_URL": stack.as_role("sameday_app").rpartition("/")[0] + "/restored"}
    run(sys.executable, "manage.py", "migrate", "--check", environment=app)
    run(sys.executable, "manage.py", "check", "--deploy", "--database", "default", environment=app)


def test_the_owner_of_the_tables_is_told_from_the_application(stack: Stack):
    command = [sys.executable, "manage.py", "check", "--deploy", "--database", "default"]

    checked = subprocess.run(command, cwd=rehearsing.ROOT, env=stack.owner, capture_output=True, text=True, check=False)

    assert checked.returncode != 0
    assert "sameday.E001" in checked.stderr
