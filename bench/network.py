"""What is measured: 25 clinics around one ZIP code, partly booked, and patients who are signed in.

They stand beside whatever else the database holds, so that every volume is asked the same. The first clinic has five
clinicians, the others four. Everybody works from 8 to 18 on each day, and two fifths of the day are taken.
"""

import random
import uuid
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange

from bench.board import Board, Question, Visit
from clinics import npi, places, sessions
from clinics.models import (
    Calendar,
    Clinic,
    Clinician,
    Credential,
    Licence,
    Organization,
    Patient,
    Room,
    Session,
    User,
)
from memberships.models import Membership, Plan, Price
from scheduling import intervals, slots
from scheduling.models import Appointment, Claim, Shift, VisitType

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://example.com/sameday/bench")
# Boise, Idaho: far from the clinics of the demo.
ZIP_CODE, STATE, ZONE, MILES = "83702", "ID", "America/Boise", 20
CLINICS = 25
OPENS, CLOSES = time(8), time(18)
HALF_HOUR = timedelta(minutes=30)
TAKEN = 8  # of the twenty half hours of a day
DAYS = 14
BOOKERS = 400
# Who of them books where.
SPREAD, AT_CLINIC, WITH_CLINICIAN = range(300), range(300, 350), range(350, 400)
SINCE = date(2024, 1, 1)
ALWAYS = DateRange(SINCE, None)
OFFICE = "office"


def key(*name: object) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, "/".join(map(str, name)))


def plant(*, now: datetime) -> Board:
    """Make what is missing, take back what an earlier run booked, and say what there is to ask and to book."""
    office = VisitType.objects.get(code=OFFICE)
    with transaction.atomic():
        make_clinics()
        make_clinicians()
        make_patients()
        take_back()
        for number in range(CLINICS):
            make_days(number, office, now=now)
    tidy()
    tokens = sign_in()
    return Board(
        questions=questions(now),
        spread=visits(range(2, CLINICS), office, tokens, SPREAD, now=now),
        clinic=visits(range(1, 2), office, tokens, AT_CLINIC, now=now),
        clinician=visits(range(1), office, tokens, WITH_CLINICIAN, now=now, clinicians=[clinician_key(0, 0)]),
        counts=counts(),
    )


# Places and people


def clinicians_of(number: int) -> range:
    return range(5 if number == 0 else 4)


def clinic_key(number: int) -> uuid.UUID:
    return key("clinic", number)


def clinician_key(number: int, which: int) -> uuid.UUID:
    return key("clinician", number, which)


def make_clinics() -> None:
    centre = places.parse_near(ZIP_CODE)
    system = Organization(
        pk=key("system"), kind=Organization.Kind.HEALTH_SYSTEM, name="Benchmark Health", slug="benchmark-health"
    )
    Organization.objects.bulk_create([system], ignore_conflicts=True)
    Clinic.objects.bulk_create(
        [
            Clinic(
                pk=clinic_key(number), health_system=system, name=f"Benchmark {number}", slug=f"benchmark-{number}",
                brand="Sameday with Benchmark Health", street=f"{number} Example Street", city="Boise", state=STATE,
                postal_code=ZIP_CODE, latitude=centre.latitude + 0.02 * (number // 5 - 2),
                longitude=centre.longitude + 0.03 * (number % 5 - 2), time_zone=ZONE, phone="+12085550100",
                opens_on=SINCE,
            )
            for number in range(CLINICS)
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    rooms = [
        Room(pk=key("room", number, which), clinic_id=clinic_key(number), kind="exam", name=f"Exam {which}")
        for number in range(CLINICS)
        for which in clinicians_of(number)
    ]
    make_calendars(Calendar.Kind.ROOM, [room.pk for room in rooms])
    Room.objects.bulk_create(rooms, ignore_conflicts=True)


def make_clinicians() -> None:
    everybody = [(number, which) for number in range(CLINICS) for which in clinicians_of(number)]
    missing = [who for who in everybody if not Clinician.objects.filter(pk=clinician_key(*who)).exists()]
    make_calendars(Calendar.Kind.CLINICIAN, [clinician_key(*who) for who in missing])
    Clinician.objects.bulk_create([clinician(*who) for who in missing])
    Licence.objects.bulk_create(
        [Licence(clinician_id=clinician_key(*who), state=STATE, number="BENCH", during=ALWAYS) for who in missing]
    )
    Credential.objects.bulk_create(
        [Credential(clinician_id=clinician_key(*who), health_system_id=key("system"), during=ALWAYS) for who in missing]
    )


def clinician(number: int, which: int) -> Clinician:
    digits = f"20{90_000_00 + number * 10 + which:07}"
    return Clinician(
        pk=clinician_key(number, which), given_name="Ana", family_name=f"Benchmark-{number}-{which}",
        credentials="MD", npi=digits + npi.check_digit(digits), languages=["en"],
        gender=Clinician.Gender.FEMALE,
    )  # fmt: skip


def make_patients() -> None:
    """Those who book, with accounts and memberships; and for each clinician one who has all the visits taken."""
    bookers = [key("booker", number) for number in range(BOOKERS)]
    others = [key("neighbour", number, which) for number in range(CLINICS) for which in clinicians_of(number)]
    there = set(Patient.objects.filter(pk__in=[*bookers, *others]).values_list("pk", flat=True))
    missing = [pk for pk in (*bookers, *others) if pk not in there]
    make_calendars(Calendar.Kind.PATIENT, missing)
    User.objects.bulk_create(
        [User(pk=pk, email=f"{pk.hex}@example.com", password="!") for pk in bookers], ignore_conflicts=True
    )
    Patient.objects.bulk_create(
        [
            Patient(
                pk=pk, user_id=pk if pk in bookers else None, given_name="Pat", family_name="Benchmark",
                birth_date=date(1980, 2, 3), time_zone=ZONE, state=STATE, postal_code=ZIP_CODE,
            )
            for pk in missing
        ]
    )  # fmt: skip
    plan, _ = Plan.objects.get_or_create(code="benchmark", defaults={"name": "Benchmark", "benefits": ["*"]})
    price, _ = Price.objects.get_or_create(plan=plan, interval="year", from_on=SINCE, defaults={"amount": 19_900})
    Membership.objects.bulk_create(
        [
            Membership(
                pk=key("membership", pk), patient_id=pk, plan=plan, price=price,
                source=Membership.Source.SELF_PAID, during=ALWAYS,
            )
            for pk in missing
        ]
    )  # fmt: skip


def make_calendars(kind: Calendar.Kind, ids: Iterable[uuid.UUID]) -> None:
    Calendar.objects.bulk_create([Calendar(pk=pk, kind=kind) for pk in ids], ignore_conflicts=True)


def sign_in() -> dict[uuid.UUID, str]:
    """A session token for each who books."""
    bookers = list(User.objects.filter(pk__in=[key("booker", number) for number in range(BOOKERS)]))
    Session.objects.filter(user__in=bookers).delete()
    tokens = {}
    for user in bookers:
        session = sessions.TokenStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save(must_create=True) if session.session_key else session.create()
        tokens[user.pk] = str(session.session_key)
    return tokens


# Days and visits


def make_days(number: int, office: VisitType, *, now: datetime) -> None:
    """Shifts of a clinic for the days ahead, and what is taken of them."""
    clinic = Clinic.objects.get(pk=clinic_key(number))
    first = intervals.local_date(now, clinic.zone)
    last = Shift.objects.filter(clinic=clinic).order_by("-on").values_list("on", flat=True).first()
    days = [first + timedelta(days=ahead) for ahead in range(DAYS + 1)]
    missing = [day for day in days if last is None or day > last]
    shifts, taken, claims = [], [], []
    for day in missing:
        opens, closes = (intervals.instant(day, hour, clinic.zone) for hour in (OPENS, CLOSES))
        for which in clinicians_of(number):
            shifts.append(
                Shift(
                    clinician_id=clinician_key(number, which), clinic=clinic, on=day,
                    during=DateTimeTZRange(opens, closes), visit_types=[office.pk],
                )
            )  # fmt: skip
            for place in random.Random(f"{number}/{which}/{day}").sample(range(20), TAKEN):
                visit = taken_visit(number, which, opens + place * HALF_HOUR, office)
                taken.append(visit)
                claims += claims_of(visit, office)
    Shift.objects.bulk_create(shifts)
    Appointment.objects.bulk_create(taken, batch_size=2000)
    Claim.objects.bulk_create(sorted(claims, key=lambda claim: claim.calendar_id), batch_size=2000)


def taken_visit(number: int, which: int, start: datetime, office: VisitType) -> Appointment:
    patient = key("neighbour", number, which)
    return Appointment(
        patient_id=patient, clinic_id=clinic_key(number), clinician_id=clinician_key(number, which),
        room_id=key("room", number, which), visit_type=office, starts_at=start, ends_at=start + office.duration,
        status=Appointment.Status.BOOKED, source=Appointment.Source.PATIENT, booked_at=start - timedelta(days=30),
        price=0, paid_by=Appointment.PaidBy.SELF_PAID, membership_id=key("membership", patient),
    )  # fmt: skip


def claims_of(visit: Appointment, office: VisitType) -> list[Claim]:
    visit_time = DateTimeTZRange(visit.starts_at, visit.ends_at)
    with_turnover = DateTimeTZRange(visit.starts_at, visit.ends_at + office.turnover)
    return [
        Claim(calendar_id=calendar, during=during, kind=Claim.Kind.VISIT, appointment=visit)
        for calendar, during in [
            (visit.clinician_id, with_turnover), (visit.patient_id, visit_time), (visit.room_id, visit_time),
        ]
    ]  # fmt: skip


def take_back() -> None:
    """Delete what an earlier run booked."""
    bookers = [key("booker", number) for number in range(BOOKERS)]
    theirs = "IN (SELECT id FROM scheduling_appointment WHERE patient_id = ANY (%s))"
    with connection.cursor() as cursor:
        for statement in (
            f"DELETE FROM scheduling_claim WHERE appointment_id {theirs}",
            f"DELETE FROM scheduling_appointmentchange WHERE appointment_id {theirs}",
            "DELETE FROM scheduling_appointment WHERE patient_id = ANY (%s)",
            "DELETE FROM clinics_registration WHERE patient_id = ANY (%s)",
            "DELETE FROM clinics_idempotencykey WHERE user_id = ANY (%s)",
        ):
            cursor.execute(statement, [bookers])


def tidy() -> None:
    """Start every run from tables without dead rows, and with the planner told what they hold."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


# What is asked and booked


def questions(now: datetime) -> list[Question]:
    """Searches of tomorrow and the day after, whole days: the same work at any hour."""
    first = intervals.local_date(now, Clinic.objects.get(pk=clinic_key(0)).zone) + timedelta(days=1)
    window = {"from": first.isoformat(), "to": (first + timedelta(days=1)).isoformat()}
    centre = places.parse_near(ZIP_CODE)
    near = Clinic.objects.annotate(metres=places.metres_from(centre)).filter(metres__lte=places.metres(MILES)).count()
    if near != CLINICS:
        raise RuntimeError(f"There are {near} clinics within {MILES} miles of {ZIP_CODE}, not {CLINICS}.")
    one: dict[str, Any] = {"clinics": (clinic_key(0),)}
    many: dict[str, Any] = {"near": centre, "within": places.metres(MILES)}
    return [
        question("5 clinicians x 2 days", {"clinic": str(clinic_key(0)), **window}, one, first, now),
        question(
            f"{CLINICS} clinics x 2 days", {"near": ZIP_CODE, "within_miles": str(MILES), **window}, many, first, now
        ),
    ]


def question(name: str, query: dict[str, str], where: dict[str, Any], first: date, now: datetime) -> Question:
    """A page of 50 of a search, and the statement that the application makes of it."""
    wanted = slots.Search(visit_type=OFFICE, asked_at=now, first_day=first, **where)
    kept: list[tuple[str, dict[str, Any]]] = []

    def keep(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        kept.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(keep):
        found = slots.search(wanted, now=now, limit=slots.LIMIT + 1)
    if len(found) != slots.LIMIT + 1:
        raise RuntimeError(f"{name}: a search finds {len(found)} starts, less than a page.")
    [(sql, parameters)] = kept
    return Question(name, f"/api/v1/slots?{urlencode({'visit_type': OFFICE, **query})}", sql, parameters)


def visits(
    numbers: range,
    office: VisitType,
    tokens: dict[uuid.UUID, str],
    bookers: range,
    *,
    now: datetime,
    clinicians: Iterable[uuid.UUID] = (),
) -> list[Visit]:
    """Free slots of these clinics from tomorrow on, no two of them at one time with one clinician or for one patient.

    In the order of chance, so that those who book at once want different days.
    """
    clinics = tuple(clinic_key(number) for number in numbers)
    wanted = slots.Search(
        visit_type=OFFICE, asked_at=now, clinics=clinics, clinicians=tuple(clinicians), days=None,
        from_at=now + timedelta(days=1), until_at=now + timedelta(days=DAYS - 1),
    )  # fmt: skip
    free_from: dict[uuid.UUID, datetime] = {}
    apart = []
    for found in slots.search(wanted, now=now, limit=1_000_000):
        slot = found.slot
        if slot.start >= free_from.get(slot.clinician, slot.start):
            apart.append(found)
            free_from[slot.clinician] = found.end + office.turnover
    random.Random(str(numbers)).shuffle(apart)
    rooms_of = {
        clinic_key(number): [key("room", number, which) for which in clinicians_of(number)] for number in numbers
    }
    users = sorted(tokens)[bookers.start : bookers.stop]
    turn = 0
    seen: set[tuple[uuid.UUID, date]] = set()
    made = []
    for found in apart:
        # By turns, so that nobody holds twice at once; and each patient has one visit a day at most.
        day = found.slot.start.date()
        free = [step for step in range(len(users)) if (users[(turn + step) % len(users)], day) not in seen]
        if not free:
            continue
        user = users[(turn + free[0]) % len(users)]
        turn += free[0] + 1
        seen.add((user, day))
        made.append(
            Visit(
                slot=found.slot.id, token=tokens[user], user=user, patient=user, membership=key("membership", user),
                clinician=found.slot.clinician, clinic=found.slot.clinic, rooms=rooms_of[found.slot.clinic],
                visit_type=office.pk, start=found.slot.start, end=found.end,
                taken_until=found.end + office.turnover,
            )
        )  # fmt: skip
    return made


def counts() -> dict[str, int]:
    """How many rows there are, by the planner's count."""
    tables = {
        "clinics": "clinics_clinic", "clinicians": "clinics_clinician", "patients": "clinics_patient",
        "shifts": "scheduling_shift", "appointments": "scheduling_appointment", "claims": "scheduling_claim",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples::bigint FROM pg_class WHERE relname = ANY (%s)", [[*tables.values()]])
        rows = dict(cursor.fetchall())
    return {name: rows[table] for name, table in tables.items()}
