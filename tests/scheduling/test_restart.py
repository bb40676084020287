"""PostgreSQL restarted at once, without time to end anything, while patients book at the real server (promise 7)."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench import servers
from config import embedded
from config.embedded import home, postgres

PATIENTS, CLIENTS, BEFORE = 120, 6, 25
AFTER = 40  # who book from the restart on
PATIENCE = 300  # seconds within which everybody must have their visit, however slow the machine

PLANT = """
import json
from datetime import timedelta
import django
django.setup()
from django.utils import timezone
from tests import calls, cast

office = cast.make_visit_type()
place = cast.make_place(clinicians=4, rooms=4)
first = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
for number in range(4):
    cast.make_shift(place, first, first + timedelta(hours=12), office, clinician=number)
patients = [cast.make_patient(f"Pat{number}") for number in range(%d)]
print(json.dumps([
    [calls.sign_in(patient.user),
     place.slot(first + timedelta(minutes=20 * (number // 4)), office, clinician=number %% 4).id]
    for number, patient in enumerate(patients)
]))
"""


@dataclass
class Ledger:
    """What the clients were told."""

    booked: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # answers that were no success, each of which was asked again
    gave_up: list[str] = field(default_factory=list)


@dataclass
class Client:
    port: int
    ledger: Ledger
    deadline: float

    def book(self, token: str, slot: str) -> None:
        """Hold and book, asking again with the same key whenever no clear answer came."""
        held = self.insist("/api/v1/holds", token, {"slot": slot})
        visit = held and self.insist("/api/v1/appointments", token, {"hold": held["id"]})
        if visit:
            self.ledger.booked.append(visit["id"])

    def insist(self, path: str, token: str, body: dict[str, str]) -> dict[str, Any] | None:
        key = str(uuid.uuid4())
        while time.monotonic() < self.deadline:
            try:
                status, answer = self.ask(path, token, body, key)
            except (OSError, http.client.HTTPException) as error:
                status, answer = 0, {"code": type(error).__name__}
            if status == 201:
                return answer
            self.ledger.failures.append(f"{status} {answer.get('code')}")
            if 400 <= status < 500:
                break
            time.sleep(0.05)
        self.ledger.gave_up.append(f"{path} {self.ledger.failures[-1]}")
        return None

    def ask(self, path: str, token: str, body: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        headers = {"X-Session-Token": token, "Idempotency-Key": key, "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(embedded.LOCALHOST, self.port, timeout=20)) as connection:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or "{}")


@pytest.mark.slow
def test_it_loses_no_booking_when_postgresql_is_restarted_under_load(tmp_path: Path):
    folder = tmp_path / "servers"
    given = {name: os.environ.pop(name) for name in embedded.ADDRESSES}
    try:
        urls = embedded.start(folder)
        environment = servers.environment(folder, urls)
        servers.manage(environment, "migrate", "--no-input", "--verbosity", "0")
        people = deque(json.loads(plant(environment)))
        with servers.web(environment, tmp_path / "web.log") as (port, _server):
            ledger, restarts = Ledger(), threading.Event()
            client = Client(port, ledger, time.monotonic() + PATIENCE)
            threads = [threading.Thread(target=work, args=[client, people, restarts]) for _ in range(CLIENTS)]
            for thread in threads:
                thread.start()
            try:
                wait_until(lambda: len(ledger.booked) >= BEFORE)
                before = len(ledger.booked)
                restart(folder, restarts)
            finally:
                restarts.set()
            for thread in threads:
                thread.join(PATIENCE + 20)
        told = rows(urls["DATABASE_URL"])
    finally:
        embedded.stop(folder)
        os.environ.update(given)

    assert BEFORE <= before < PATIENTS
    assert ledger.gave_up == []
    assert {failure.split()[0] for failure in ledger.failures} <= {"0", "503"}
    assert len(ledger.booked) == len(set(ledger.booked)) == PATIENTS
    assert sorted(told) == sorted((visit, 3) for visit in ledger.booked)
    assert ledger.failures  # the restart was felt


def plant(environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PLANT % PATIENTS], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def work(client: Client, people: "deque[list[str]]", restarts: threading.Event) -> None:
    while True:
        if len(people) <= AFTER:
            restarts.wait(PATIENCE)
        try:
            token, slot = people.popleft()
        except IndexError:
            return
        client.book(token, slot)


def restart(folder: Path, stopped: threading.Event) -> None:
    """Stop PostgreSQL as a crash would, and start it again: it recovers from its log."""
    with home.locked(folder) as found:
        home.run(found, postgres.program(found, "pg_ctl"), "-D", found.cluster, "-m", "immediate", "-w", "stop")
    stopped.set()
    embedded.start(folder)


def wait_until(true: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def rows(url: str) -> list[tuple[str, int]]:
    """Every visit and hold that there is, and how many calendars each takes for good."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT a.id::text, count(c.id)::int FROM scheduling_appointment a"
            " LEFT JOIN scheduling_claim c ON c.appointment_id = a.id AND c.expires_at IS NULL"
            " GROUP BY a.id"
        ).fetchall()
