"""The process that plants reminders, or has one worker drain them: `python -m bench.draining plant COUNT`, `… drain`.

Draining starts a worker as compose.yaml does, and calls the tasks that beat calls, when beat calls them, until nothing
is left; its mail goes by SMTP to where EMAIL_HOST and EMAIL_PORT say. It prints what came of it as JSON.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import django
import psutil

from bench import cpu
from config import embedded

DAY_BEFORE = "P1D"
BATCH = 5_000
LIMIT = 3_600.0  # seconds
# As compose.yaml has it: a process of four threads.
WORKER = (
    "worker", "--pool", "threads", "--concurrency", "4", "--loglevel", "WARNING", "--without-gossip",
    "--without-mingle", "--without-heartbeat",
)  # fmt: skip
# What drains reminders, of all that beat calls. Beat calls both at once, and then messages find no reminders yet until
# half a minute later: here they come a second later, and that half minute is not measured.
SWEEPS = {"send-reminders": 0.0, "send-emails": 1.0}
STARTS = 15  # different times of visits: those of a day are many, those of an hour few


def plant(count: int, *, now: datetime) -> None:
    """So many visits of tomorrow, each of another patient and due to be reminded of a minute ago."""
    from clinics import links, npi  # noqa: PLC0415 - models can be imported only after django.setup
    from clinics.models import Calendar, Clinic, Clinician, Organization, Patient  # noqa: PLC0415
    from scheduling import notices  # noqa: PLC0415
    from scheduling.models import Appointment, Reminder, VisitType  # noqa: PLC0415

    zone = noon_zone(now)
    system = Organization.objects.create(kind="health_system", name="Benchmark Health", slug=f"bench-{uuid.uuid4()}")
    clinic = Clinic.objects.create(
        health_system=system, name="Benchmark", slug=f"bench-{uuid.uuid4()}", brand="Sameday with Benchmark Health",
        street="1 Example Street", city="Boise", state="ID", postal_code="83702", latitude=43.6, longitude=-116.2,
        time_zone=zone, phone="+12085550100", opens_on=date(2024, 1, 1),
    )  # fmt: skip
    nine = f"1{uuid.uuid4().int % 10**8:08d}"
    clinician = Clinician.objects.create(
        calendar=Calendar.objects.create(kind="clinician"), given_name="Ana", family_name="Reyes", credentials="MD",
        npi=nine + npi.check_digit(nine), languages=["en"],
    )  # fmt: skip
    kind, _ = VisitType.objects.get_or_create(
        code="office", defaults={"name": "Office visit", "duration": timedelta(minutes=20), "step": 20}
    )
    starts = [now + timedelta(hours=20, minutes=number) for number in range(STARTS)]
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        calendars = Calendar.objects.bulk_create([Calendar(kind="patient") for _ in numbers])
        patients = Patient.objects.bulk_create(
            Patient(
                calendar=calendar, given_name="Pat", family_name="Example", birth_date=date(1990, 5, 17),
                email=f"pat{number}@example.com", time_zone=zone,
            )
            for number, calendar in zip(numbers, calendars, strict=True)
        )  # fmt: skip
        visits = Appointment.objects.bulk_create(
            Appointment(
                patient=patient, clinic=clinic, clinician=clinician, visit_type=kind, starts_at=start,
                ends_at=start + kind.duration, status="booked", source="patient", price=0, paid_by="per_visit",
                booked_at=now,
            )
            for patient, start in zip(patients, itertools.cycle(starts), strict=False)
        )  # fmt: skip
        links.save_all(link for visit in visits for link in notices.planned_links(visit))
        Reminder.objects.bulk_create(
            Reminder(appointment=visit, kind=DAY_BEFORE, sequence=0, due_at=now - timedelta(minutes=1))
            for visit in visits
        )


def noon_zone(now: datetime) -> str:
    """A zone where it is about noon, so that nobody has quiet hours. POSIX counts its offsets westwards."""
    offset = 12 - now.hour
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def drain() -> dict[str, Any]:
    """Have one worker hand over and send what is due."""
    from clinics.models import Message  # noqa: PLC0415
    from scheduling.models import Reminder  # noqa: PLC0415

    planned, open_ = Reminder.objects.filter(status="planned"), Message.objects.filter(status__in=Message.OPEN)
    sent = Reminder.objects.filter(status="sent"), Message.objects.filter(status="sent", template="visit_reminder")
    before = [rows.count() for rows in sent]
    handed_over = 0.0
    with tempfile.TemporaryDirectory() as folder:
        statements = Path(folder) / "statements"
        with worker(statements) as process:
            postgres = cpu.postmaster(os.environ["DATABASE_URL"])
            spent = [cpu.tree(one) for one in (process, postgres) if one]
            began, due = time.monotonic(), dict(SWEEPS)
            while time.monotonic() < began + LIMIT:
                call_what_is_due(due, since=began)
                if not planned.exists():
                    handed_over = handed_over or time.monotonic() - began
                    if not open_.exists():
                        break
                time.sleep(0.2)
            seconds = time.monotonic() - began
            spent = [cpu.tree(one) - was for one, was in zip((process, postgres), spent, strict=False) if one]
        counted = int(statements.read_text())
    reminders, messages = (rows.count() - was for rows, was in zip(sent, before, strict=True))
    return {
        "handed_over": handed_over,
        "seconds": seconds,
        "cpu": spent[0],
        "cpu_postgres": sum(spent[1:]),
        "statements": counted,
        "reminders": reminders,
        "messages": messages,
    }


@contextmanager
def worker(statements: Path) -> Iterator[psutil.Process]:
    """A worker that is ready, for as long as the block takes. `statements` is where it says how many it sent."""
    from config.celery import app  # noqa: PLC0415

    name = f"bench@{os.environ['BENCH_QUEUE']}"
    started = subprocess.Popen(
        [sys.executable, "-W", "ignore:You", "-m", "celery", "--quiet", "--app", "config", *WORKER, "--hostname", name],
        env=os.environ | {"BENCH_STATEMENTS": str(statements)}, stdin=subprocess.DEVNULL, stdout=sys.stderr,
        start_new_session=True,
    )  # fmt: skip
    process = psutil.Process(started.pid)
    try:
        deadline = time.monotonic() + 120
        while not app.control.ping(destination=[name], timeout=1):
            if started.poll() is not None or time.monotonic() > deadline:
                raise embedded.ServerFailed("The worker did not answer.")
        yield process
        started.send_signal(signal.SIGTERM)
        started.wait(60)
    finally:
        with suppress(psutil.Error):
            embedded.end([process, *process.children(recursive=True)])
        started.wait(10)


def call_what_is_due(due: dict[str, float], *, since: float) -> None:
    """Do as beat does, by its schedule. `due` says of each entry when it is called next, in seconds from `since` on."""
    from config.celery import app  # noqa: PLC0415

    for name, at in due.items():
        if time.monotonic() >= since + at:
            entry = app.conf.beat_schedule[name]
            app.send_task(entry["task"], args=entry.get("args"), **entry.get("options", {}))
            due[name] = at + entry["schedule"].total_seconds()


def main(what: str, count: str = "0") -> None:
    django.setup()
    if what == "plant":
        plant(int(count), now=datetime.now(UTC))
    else:
        print(json.dumps(drain()))


if __name__ == "__main__":
    main(*sys.argv[1:])
