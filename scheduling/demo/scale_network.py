"""Systems, clinics and clinicians of the network to grow into. All numbered: an id says its number."""

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import zipcodes
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics import npi
from clinics.models import Calendar, Clinic, Clinician, Credential, Licence, OpeningHours, Organization, Room
from scheduling.demo import names
from scheduling.demo.chance import chance
from scheduling.demo.network import DOORS, OPEN_SINCE
from scheduling.demo.staff import EARLY, LATE, SINCE, WEEKEND_EARLY, WEEKEND_LATE
from scheduling.models import VisitType, WeeklyHours

# Where the systems are: a ZIP code in the middle of a city. All four zones, and Arizona, whose clock never changes.
CITIES = [
    *("10001", "90012", "60601", "77002", "85003", "19103", "78205", "92101", "75201", "95113"),
    *("78701", "32202", "43215", "28202", "80202", "02108", "37203", "30303", "55401", "33130"),
]
# A system's clinics are some ZIP codes apart.
EVERY_NTH_ZIP = 3
# The kinds of things that are numbered.
SYSTEM, CLINIC, CLINICIAN, ROOM, PATIENT, PAST, AHEAD = range(1, 8)
ENDING = "-5ca1-4e00-8000-000000000000"  # of all their ids


@dataclass(frozen=True)
class Size:
    """How much of each. Clinics spread evenly over systems, clinicians and patients over clinics."""

    systems: int = 20
    clinics: int = 500
    clinicians: int = 2_000
    patients: int = 1_000_000
    visits: int = 1_000_000


def key(kind: int, number: int) -> uuid.UUID:
    """The id of the `number`th thing of a kind, as `numbered` gives it in SQL. In the order of the numbers.

    The number stands in front: btree_gist tells uuids apart by their first 53 bits when it decides where a claim or a
    shift goes, and an index over ids that are alike there is many times as slow.
    """
    return uuid.UUID(f"{kind:x}{number:07x}{ENDING}")


def numbered(kind: int, number: str) -> str:
    """SQL for the id of the thing whose number is the SQL expression `number`."""
    return f"('{kind:x}' || lpad(to_hex({number}), 7, '0') || '{ENDING}')::uuid"


def plant(size: Size) -> None:
    """Make systems, clinics, rooms, clinicians and their weekly hours."""
    Organization.objects.bulk_create(
        Organization(
            pk=key(SYSTEM, number),
            kind=Organization.Kind.HEALTH_SYSTEM,
            name=f"Example Health {number + 1} (invented)",
            slug=f"example-health-{number + 1}",
        )
        for number in range(size.systems)
    )
    clinics = sorted(
        (clinic for number in range(size.systems) for clinic in clinics_of(number, size)), key=lambda c: c.pk
    )
    Clinic.objects.bulk_create(clinics)
    OpeningHours.objects.bulk_create(
        OpeningHours(clinic=clinic, weekday=weekday, opens=opens, closes=closes)
        for clinic in clinics
        for weekday, (opens, closes) in DOORS.items()
    )
    # As many exam rooms as clinicians.
    Calendar.objects.bulk_create(
        Calendar(pk=key(ROOM, number), kind=Calendar.Kind.ROOM) for number in range(size.clinicians)
    )
    Room.objects.bulk_create(
        Room(
            pk=key(ROOM, number),
            clinic=clinics[number % size.clinics],
            kind="exam",
            name=f"Exam {number // size.clinics + 1}",
        )
        for number in range(size.clinicians)
    )
    plant_clinicians(clinics, size)


def clinics_of(system: int, size: Size) -> list[Clinic]:
    """The clinics of a system: around the middle of its city, in ZIP codes of their own."""
    return [
        Clinic(
            pk=key(CLINIC, number),
            health_system_id=key(SYSTEM, system),
            name=f"{place['city']} {place['zip_code']}",
            slug=f"example-clinic-{number + 1}",
            brand=f"Sameday with Example Health {system + 1}",
            street=f"{number + 1} Example Street",
            city=place["city"],
            state=place["state"],
            postal_code=place["zip_code"],
            latitude=float(place["lat"]),
            longitude=float(place["long"]),
            time_zone=place["timezone"],
            phone="+12025550100",
            opens_on=OPEN_SINCE,
        )
        for number, place in zip(
            range(system, size.clinics, size.systems), zip_codes_around(CITIES[system % len(CITIES)]), strict=False
        )
    ]


def zip_codes_around(middle: str) -> Iterator[dict[str, Any]]:
    """ZIP codes where people live, the nearest to `middle` first, some left out between."""
    found = [
        place
        for place in zipcodes.list_all()  # type: ignore[no-untyped-call]
        if place["zip_code_type"] == "STANDARD" and place["active"] and place["timezone"].startswith("America/")
    ]
    here = next(place for place in found if place["zip_code"] == middle)
    north, east = float(here["lat"]), float(here["long"])
    shrink = math.cos(math.radians(north))  # a degree east is shorter than a degree north
    found.sort(key=lambda p: (float(p["lat"]) - north) ** 2 + (shrink * (float(p["long"]) - east)) ** 2)
    yield from found[::EVERY_NTH_ZIP]


def plant_clinicians(clinics: list[Clinic], size: Size) -> None:
    numbers = range(size.clinicians)
    clinic_of = {number: clinics[number % size.clinics] for number in numbers}
    Calendar.objects.bulk_create(Calendar(pk=key(CLINICIAN, n), kind=Calendar.Kind.CLINICIAN) for n in numbers)
    Clinician.objects.bulk_create(invent(number) for number in numbers)
    Licence.objects.bulk_create(
        Licence(
            clinician_id=key(CLINICIAN, number),
            state=clinic.state,
            number=f"{clinic.state}.DEMO.{number:05}",
            during=DateRange(SINCE, None),
        )
        for number, clinic in clinic_of.items()
    )
    Credential.objects.bulk_create(
        Credential(
            clinician_id=key(CLINICIAN, number),
            health_system_id=clinic.health_system_id,
            during=DateRange(SINCE, None),
        )
        for number, clinic in clinic_of.items()
    )
    offered = list(VisitType.objects.order_by("pk").values_list("pk", flat=True))
    WeeklyHours.objects.bulk_create(
        WeeklyHours(
            clinician_id=key(CLINICIAN, number),
            clinic=clinic,
            weekday=weekday,
            starts=starts,
            ends=ends,
            visit_types=offered,
            during=DateRange(OPEN_SINCE, None),
        )
        for number, clinic in clinic_of.items()
        for weekday, (starts, ends) in week(number // size.clinics).items()
    )


def invent(number: int) -> Clinician:
    rng = chance("scale", "clinician", number)
    woman = rng.random() < 0.55
    digits = f"29{number:07}"  # real ones begin with 1
    return Clinician(
        pk=key(CLINICIAN, number),
        given_name=rng.choice(names.FEMALE if woman else names.MALE),
        family_name=rng.choice(names.FAMILY),
        credentials=rng.choice(["MD", "MD", "DO", "FNP-C", "PA-C"]),
        npi=digits + npi.check_digit(digits),
        languages=["en", *(["es"] if rng.random() < 0.3 else [])],
        gender=Clinician.Gender.FEMALE if woman else Clinician.Gender.MALE,
    )


def week(place: int) -> dict[int, Any]:
    """Hours by weekday for the clinician at this place of a clinic's list: five days, early and late by turns."""
    return {
        day: ((EARLY, LATE) if day < 5 else (WEEKEND_EARLY, WEEKEND_LATE))[(day + place) % 2]
        for day in range(7)
        if (day - 2 * place) % 7 > 1
    }
