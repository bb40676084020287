"""The process of clinicians who claim: `python -m bench.claiming WAITING`. It plants who waits, and prints JSON."""

import json
import sys
import threading
import time
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - after the settings
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange  # noqa: E402

from bench.measuring import quantile  # noqa: E402
from clinics import npi  # noqa: E402
from clinics.ids import new_id  # noqa: E402
from clinics.models import Calendar, Clinician, Licence, Patient, User  # noqa: E402
from virtualcare import queue  # noqa: E402
from virtualcare.models import Consult, Duty, IntakeForm, OnCallShift  # noqa: E402

CLAIMERS, CLAIMS = 8, 1_000
STATES = ["OH", "IN", "KY", "MI", "PA"]
# As read as a claim can be: nobody asks who may treat whom.
BARE = """
UPDATE virtualcare_consult SET status = 'cancelled' WHERE id = (
  SELECT id FROM virtualcare_consult WHERE status = 'waiting' ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def plant(waiting: int, now: datetime) -> list[Clinician]:
    """So many who wait, in five states; clinicians on duty, each licensed in two of them."""
    form = IntakeForm.objects.create(complaint="benchmark", version=1, name="Benchmark", is_sample=True, written_at=now)
    user = User.objects.create_user("bench@example.com", None)
    calendars = [Calendar(id=new_id(), kind="patient") for _ in range(waiting)]
    Calendar.objects.bulk_create(calendars, batch_size=5_000)
    patients = [
        Patient(calendar=one, given_name="Pat", family_name="Benchmark", birth_date=date(1990, 5, 17))
        for one in calendars
    ]
    Patient.objects.bulk_create(patients, batch_size=5_000)
    Consult.objects.bulk_create(
        [
            Consult(
                patient=patient, requested_by=user, form=form, modality="video" if number % 4 == 0 else "text",
                status="waiting", created_at=now, seen_at=now + timedelta(hours=1), queued_at=now,
                due_at=now + timedelta(seconds=number), state=STATES[number % 5], street="1 Example Street",
                city="Avon", postal_code="44011", acuity=3, price=0,
            )
            for number, patient in enumerate(patients)
        ],
        batch_size=5_000,
    )  # fmt: skip
    return [clinician(number, now) for number in range(CLAIMERS)]


def clinician(number: int, now: datetime) -> Clinician:
    nine = f"2{uuid.uuid4().int % 10**8:08d}"
    made = Clinician.objects.create(
        calendar=Calendar.objects.create(kind="clinician"),
        user=User.objects.create_user(f"bench-{number}@example.com", None),
        given_name="Ana", family_name=f"Benchmark{number}", npi=nine + npi.check_digit(nine), languages=["en"],
    )  # fmt: skip
    for state in (STATES[number % 5], STATES[(number + 1) % 5]):
        Licence.objects.create(clinician=made, state=state, number="1", during=DateRange(date(2020, 1, 1), None))
    OnCallShift.objects.create(
        clinician=made,
        during=DateTimeTZRange(now - timedelta(hours=1), now + timedelta(hours=8)),
        modalities=["text", "video"],
        capacity=10,
    )
    Duty.objects.create(clinician=made, available=True, changed_at=now, heard_at=now)
    return made


def claim(doctor: Clinician, until: threading.Event, took: list[float], who: list[Any]) -> None:
    """Claim and let go, again and again."""
    while not until.is_set():
        began = time.perf_counter()
        offered = queue.claim_next(clinician=doctor, actor=doctor.user, now=datetime.now(UTC))  # type: ignore[arg-type]
        took.append(time.perf_counter() - began)
        if offered is None:
            return
        who.append(offered.pk)
        with transaction.atomic():
            Consult.objects.filter(pk=offered.pk).update(status="cancelled", offer_expires_at=None)
        if len(who) >= CLAIMS:
            until.set()


def bare(until: threading.Event, who: list[Any]) -> None:
    while not until.is_set():
        with connection.cursor() as cursor:
            cursor.execute(BARE)
            who.append(cursor.fetchone()[0])
        if len(who) >= CLAIMS:
            until.set()


def at_once(works: list[Any]) -> float:
    """Run all of them; the seconds that it took."""

    def run(work: Any) -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def main() -> None:
    waiting = int(sys.argv[1])
    doctors = plant(waiting, datetime.now(UTC))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE virtualcare_consult")
    took: list[float] = []
    who: list[Any] = []
    until = threading.Event()
    seconds = at_once([lambda doctor=doctor: claim(doctor, until, took, who) for doctor in doctors])
    stop = threading.Event()
    barely: list[Any] = []
    bare_seconds = at_once([lambda: bare(stop, barely) for _ in range(CLAIMERS)])
    took.sort()
    print(
        json.dumps(
            {
                "waiting": waiting,
                "claimers": CLAIMERS,
                "claims": len(who),
                "per_second": len(who) / seconds,
                "p50": quantile(took, 0.5),
                "p99": quantile(took, 0.99),
                "twice": sum(count > 1 for count in Counter(who).values()),
                "bare_per_second": len(barely) / bare_seconds,
            }
        )
    )


if __name__ == "__main__":
    main()
