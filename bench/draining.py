"""The process that plants reminders, or drains them as one worker: `python -m bench.draining plant|drain COUNT`.

Draining calls the tasks that beat calls, one after the other, until nothing is left, with mail by SMTP to where
EMAIL_HOST and EMAIL_PORT say. It prints what came of it as JSON.
"""

import json
import os
import sys
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django

DAY_BEFORE = "P1D"
BATCH = 5_000
LIMIT = 3_600.0  # seconds


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
    start = now + timedelta(hours=20)
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
            for patient in patients
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
    """Hand over and send what is due, as one worker does."""
    import clinics.tasks  # noqa: PLC0415
    import scheduling.tasks  # noqa: PLC0415
    from clinics.models import Message  # noqa: PLC0415
    from scheduling.models import Reminder  # noqa: PLC0415

    began, cpu = time.monotonic(), time.process_time()
    handed_over = 0.0
    while time.monotonic() < began + LIMIT:
        scheduling.tasks.send_reminders()
        handed_over = handed_over or time.monotonic() - began
        clinics.tasks.send_messages("email")
        if (
            not Reminder.objects.filter(status="planned").exists()
            and not Message.objects.filter(status="queued").exists()
        ):
            break
    return {
        "handed_over": handed_over,
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - cpu,
        "reminders": Reminder.objects.filter(status="sent").count(),
        "messages": Message.objects.filter(status="sent", template="visit_reminder").count(),
    }


def main(what: str, count: str) -> None:
    django.setup()
    if what == "plant":
        plant(int(count), now=datetime.now(UTC))
        return
    from django.test.utils import override_settings  # noqa: PLC0415

    by_smtp = override_settings(
        TRANSPORTS={"email": "clinics.transports.smtp", "sms": "clinics.transports.demo"},
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST=os.environ["EMAIL_HOST"],
        EMAIL_PORT=int(os.environ["EMAIL_PORT"]),
    )
    with by_smtp:
        print(json.dumps(drain()))


if __name__ == "__main__":
    main(*sys.argv[1:])
