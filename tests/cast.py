"""The people and places that the tests speak of. All of them are invented."""

import itertools
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange

from clinics import npi
from clinics.models import (
    Calendar,
    Clinic,
    Clinician,
    Credential,
    Licence,
    OpeningHours,
    Organization,
    Patient,
    Registration,
    Room,
    StaffRole,
    User,
)
from clinics.refusals import Refused
from memberships.models import Membership, Plan, Price, VisitPrice
from scheduling.models import Appointment, Shift, VisitType
from scheduling.slots import Slot
from tests.canaries import FAMILY_NAME, STREET

# Of clinicians, in their NPIs: no two of one process alike, and none of another's but by rare chance.
NUMBERS = itertools.count(uuid.uuid4().int % 10**8)
# A Tuesday, 9:00 in Ohio.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ALWAYS = DateRange(date(2020, 1, 1), None)


def at(hour: int, minute: int = 0, *, days: int = 0, zone_offset: int = -5) -> datetime:
    """A time of NOW's day (or `days` later) on the clock of Ohio in winter."""
    return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(days=days, hours=hour - zone_offset, minutes=minute)


@dataclass
class Place:
    """A clinic with its clinicians and rooms."""

    clinic: Clinic
    clinicians: list[Clinician] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)

    def slot(self, start: datetime, visit_type: VisitType, clinician: int = 0) -> Slot:
        return Slot(self.clinicians[clinician].pk, self.clinic.pk, visit_type.pk, start)


def make_system(name: str = "Example Health") -> Organization:
    slug = f"{name.lower().replace(' ', '-')}-{uuid.uuid4().hex[:6]}"
    return Organization.objects.create(kind=Organization.Kind.HEALTH_SYSTEM, name=name, slug=slug)


def make_place(
    name: str = "Avon",
    *,
    clinicians: int = 1,
    rooms: int = 1,
    system: Organization | None = None,
    state: str = "OH",
    time_zone: str = "America/New_York",
    latitude: float = 41.45,
    longitude: float = -82.03,
) -> Place:
    clinic = Clinic.objects.create(
        health_system=system or make_system(f"{name} Health"),
        name=name,
        slug=f"{name.lower()}-{uuid.uuid4().hex[:6]}",
        brand=f"Sameday with {name} Health",
        street="1 Example Street",
        city=name,
        state=state,
        postal_code="44011",
        latitude=latitude,
        longitude=longitude,
        time_zone=time_zone,
        phone="+12015550123",
        opens_on=date(2020, 1, 1),
    )
    for weekday in range(7):
        OpeningHours.objects.create(clinic=clinic, weekday=weekday, opens=time(0), closes=time(0))
    place = Place(clinic)
    for number in range(clinicians):
        place.clinicians.append(make_clinician(clinic, family_name=f"{name}{number}"))
    for number in range(rooms):
        place.rooms.append(make_room(clinic, f"Exam {number}"))
    return place


def make_clinician(clinic: Clinic, family_name: str = "Reyes", **fields: Any) -> Clinician:
    nine = f"1{next(NUMBERS) % 10**8:08d}"
    clinician = Clinician.objects.create(
        calendar=Calendar.objects.create(kind="clinician"),
        given_name="Ana",
        family_name=family_name,
        credentials="MD",
        npi=nine + npi.check_digit(nine),
        **{"languages": ["en"], **fields},
    )
    Licence.objects.create(clinician=clinician, state=clinic.state, number="1", during=ALWAYS)
    Credential.objects.create(clinician=clinician, health_system=clinic.health_system, during=ALWAYS)
    return clinician


def make_room(clinic: Clinic, name: str, kind: str = "exam") -> Room:
    return Room.objects.create(calendar=Calendar.objects.create(kind="room"), clinic=clinic, kind=kind, name=name)


def make_visit_type(code: str = "office", *, price: int | None = 14_900, **fields: Any) -> VisitType:
    values = {
        "name": code.title(),
        "duration": timedelta(minutes=20),
        "step": 10,
        "room_kind": "exam",
        "overbook_lanes": 2,
        **fields,
    }
    if price is not None and not VisitPrice.objects.filter(benefit=code).exists():
        VisitPrice.objects.create(benefit=code, amount=price, during=ALWAYS)
    return VisitType.objects.create(code=code, **values)


def make_shift(
    place: Place, start: datetime, end: datetime, *visit_types: VisitType, clinician: int | Clinician = 0
) -> Shift:
    return Shift.objects.create(
        clinician=clinician if isinstance(clinician, Clinician) else place.clinicians[clinician],
        clinic=place.clinic,
        on=start.astimezone(place.clinic.zone).date(),
        during=DateTimeTZRange(start, end),
        visit_types=[kind.pk for kind in visit_types],
    )


def make_completed(place: Place, visit_type: VisitType, patient: Patient, start: datetime) -> Appointment:
    """A visit that was booked and took place."""
    visit = Appointment.objects.create(
        patient=patient,
        clinic=place.clinic,
        clinician=place.clinicians[0],
        visit_type=visit_type,
        starts_at=start,
        ends_at=start + visit_type.duration,
        status="completed",
        source="patient",
        price=0,
        booked_at=start,
    )
    visit.changes.create(at=start, kind="booked", to_status="booked")
    visit.changes.create(at=visit.ends_at, kind="status", from_status="booked", to_status="completed")
    return visit


def make_user(name: str, **fields: Any) -> User:
    return User.objects.create_user(f"{name}-{uuid.uuid4().hex[:6]}@example.com", None, **fields)


def make_patient(
    name: str = "Pat", *, born: date = date(1990, 5, 17), user: bool = True, member: bool = True
) -> Patient:
    patient = Patient.objects.create(
        calendar=Calendar.objects.create(kind="patient"),
        user=make_user(name.lower()) if user else None,
        given_name=name,
        family_name=FAMILY_NAME,
        birth_date=born,
        street=STREET,
    )
    if member:
        make_member(patient)
    return patient


def make_member(patient: Patient, *, during: DateRange = ALWAYS, benefits: tuple[str, ...] = ("*",)) -> Membership:
    plan, _ = Plan.objects.get_or_create(
        code="standard" if benefits == ("*",) else f"some-{'-'.join(benefits)}",
        defaults={"name": "Standard", "audience": "anyone", "benefits": list(benefits)},
    )
    price, _ = Price.objects.get_or_create(
        plan=plan, interval="year", from_on=date(2020, 1, 1), defaults={"amount": 19_900}
    )
    return Membership.objects.create(patient=patient, plan=plan, price=price, source="self_paid", during=during)


def make_staff(clinic: Clinic, name: str = "Desk", role: StaffRole.Role = StaffRole.Role.FRONT_DESK) -> User:
    user = make_user(name.lower(), is_staff=True)
    StaffRole.objects.create(user=user, role=role, clinic=clinic)
    return user


def register(patient: Patient, clinic: Clinic) -> None:
    Registration.objects.create(patient=patient, clinic=clinic)


def at_the_same_time(work: Callable[[Any], Any], each: Iterable[Any]) -> list[Any]:
    """Call `work` for each argument in a thread of its own, all starting together; the results, or a refusal's code.

    Each thread has a database connection of its own, closed behind it, and waits for locks for a minute: many threads
    share few cores here. Other exceptions come back as they are, for the test to see.
    """
    arguments = list(each)
    barrier = threading.Barrier(len(arguments), timeout=60)

    def run(argument: Any) -> Any:
        try:
            wait_for_locks()
            barrier.wait()
            return work(argument)
        except Refused as refusal:
            return refusal.code
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


def wait_for_locks() -> None:
    """Let this thread's connection wait a minute for a lock, where the application's own wait for seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '60s'")
