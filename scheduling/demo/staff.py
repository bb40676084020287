"""Clinicians with what allows them to work, and the accounts of people who work here."""

import functools
import uuid
from datetime import date, time
from typing import NamedTuple

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics import npi
from clinics.models import Calendar, Clinician, Credential, Licence, StaffRole, User
from scheduling.demo import names, network
from scheduling.demo.chance import chance, key
from scheduling.demo.network import SITES, Site
from scheduling.models import VisitType, WeeklyHours

PASSWORD = "sameday-demo"  # noqa: S105 - printed at start
SINCE = date(2023, 1, 1)
EARLY, LATE = (time(7), time(14)), (time(13), time(21))
WEEKEND_EARLY, WEEKEND_LATE = (time(8), time(15)), (time(12), time(20))
MORNING, AFTERNOON = (time(8), time(12)), (time(13), time(18))


class Login(NamedTuple):
    """A way to sign in to the demo."""

    email: str
    who: str


STAFF_LOGINS = [
    Login("frontdesk@example.com", "front desk at Avon"),
    Login("manager@example.com", "manager at Avon: hours, staff, who saw whose record"),
    Login("clinician@example.com", "physician at Avon, on call for virtual care"),
    Login("clinician2@example.com", "physician at Avon, on call for virtual care"),
    Login("nurse@example.com", "nurse at Avon, told of whom red flags turn away"),
    Login("hr@example.com", "benefit staff of an employer"),
    Login("partner@example.com", "staff of Cleveland Clinic"),
    Login("admin@example.com", "operator: places, accounts and settings, no patients"),
]
# They work with the admin.
IN_ADMIN = [
    *("frontdesk@example.com", "manager@example.com", "clinician@example.com", "clinician2@example.com"),
    *("nurse@example.com", "hr@example.com"),
]


def make_accounts(emails: list[str]) -> None:
    """Make the accounts that are missing, with the demo's password and a verified address."""
    there = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
    missing = [email for email in emails if email not in there]
    if not missing:
        return
    users = [User(pk=key("user", email), email=email, password=hashed()) for email in missing]
    User.objects.bulk_create(users)
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users]
    )


@functools.cache
def hashed() -> str:
    """The demo's password as it is stored. Hashing is slow on purpose: once for all accounts."""
    return make_password(PASSWORD)


def plant() -> None:
    """Make the clinicians, their hours and the staff's accounts that are missing."""
    make_accounts([login.email for login in STAFF_LOGINS])
    User.objects.filter(pk=key("user", "admin@example.com")).update(is_staff=True, is_superuser=True)
    in_admin = [key("user", login) for login in IN_ADMIN]
    User.objects.filter(pk__in=in_admin, is_staff=False).update(is_staff=True)
    give_roles()
    missing = [site for site in SITES if not Clinician.objects.filter(pk=clinician_key(site, 0)).exists()]
    people = [(site, number) for site in missing for number in range(site.clinicians)]
    if not people:
        return
    Calendar.objects.bulk_create(
        [Calendar(pk=clinician_key(*person), kind=Calendar.Kind.CLINICIAN) for person in people]
    )
    Clinician.objects.bulk_create([invent(*person) for person in people])
    Licence.objects.bulk_create(
        [
            Licence(
                clinician_id=clinician_key(site, number),
                state=site.state,
                number=f"{site.state}.DEMO.{number:03}{site.postal_code}",
                during=DateRange(SINCE, None),
            )
            for site, number in people
        ]
    )
    Credential.objects.bulk_create(
        [
            Credential(
                clinician_id=clinician_key(site, number),
                health_system_id=key("organization", site.system),
                during=DateRange(SINCE, None),
            )
            for site, number in people
        ]
    )
    WeeklyHours.objects.bulk_create([hours for person in people for hours in weekly_hours(*person)])


def clinician_key(site: Site, number: int) -> uuid.UUID:
    return key("clinician", site.slug, number)


def invent(site: Site, number: int) -> Clinician:
    rng = chance("clinician", site.slug, number)
    woman = rng.random() < 0.55
    # Real numbers begin with 1: one that begins with 2 checks, and belongs to nobody.
    digits = f"2{rng.randrange(10**8):08}"
    physician = site.slug == "avon" or rng.random() < 0.6
    clinician = Clinician(
        pk=clinician_key(site, number),
        given_name=rng.choice(names.FEMALE if woman else names.MALE),
        family_name=rng.choice(names.FAMILY),
        credentials=rng.choice(["MD", "MD", "DO"] if physician else ["FNP-C", "PA-C"]),
        npi=digits + npi.check_digit(digits),
        languages=["en"] + ([rng.choice(["es", "es", "zh", "vi"])] if number % 2 else []),
        gender=Clinician.Gender.FEMALE if woman else Clinician.Gender.MALE,
    )
    if site.slug == "avon":
        login = ["clinician@example.com", "clinician2@example.com"][number]
        clinician.user_id = key("user", login)
    return clinician


def blocks(site: Site, number: int) -> list[tuple[Site, int, time, time]]:
    """Where and when somebody works: (site, weekday, starts, ends).

    Where there are two, both see patients every day, one early and one late by turns. Where there are more, everybody
    has two days off, one works split days, and in Seattle one spends the afternoons of Tuesday at another site.
    """
    found = []
    for weekday in range(7):
        early, late = (EARLY, LATE) if weekday < 5 else (WEEKEND_EARLY, WEEKEND_LATE)
        if site.clinicians > 2 and (weekday - 2 * number) % 7 in (0, 1):
            continue
        if number == 2 and weekday < 5:
            found += [(site, weekday, *MORNING), (site, weekday, *AFTERNOON)]
        elif site.slug == "seattle-downtown" and number == 4 and weekday == 1:
            ballard = next(other for other in SITES if other.slug == "ballard")
            found += [(site, weekday, *MORNING), (ballard, weekday, time(14), time(18))]
        else:
            found.append((site, weekday, *(early if (weekday + number) % 2 == 0 else late)))
    return found


def weekly_hours(site: Site, number: int) -> list[WeeklyHours]:
    offered = list(VisitType.objects.order_by("pk").values_list("pk", flat=True))
    return [
        WeeklyHours(
            pk=key("hours", site.slug, number, weekday, starts),
            clinician_id=clinician_key(site, number),
            clinic_id=key("clinic", where.slug),
            weekday=weekday,
            starts=starts,
            ends=ends,
            visit_types=offered,
            during=DateRange(network.OPEN_SINCE, None),
        )
        for where, weekday, starts, ends in blocks(site, number)
    ]


def give_roles() -> None:
    avon = {"clinic_id": key("clinic", "avon")}
    roles = [
        ("frontdesk@example.com", StaffRole.Role.FRONT_DESK, avon),
        ("manager@example.com", StaffRole.Role.MANAGER, avon),
        ("clinician@example.com", StaffRole.Role.CLINICIAN, avon),
        ("clinician2@example.com", StaffRole.Role.CLINICIAN, avon),
        ("nurse@example.com", StaffRole.Role.CLINICIAN, avon),
        ("hr@example.com", StaffRole.Role.BENEFITS, {"organization_id": key("organization", network.EMPLOYER)}),
        ("partner@example.com", StaffRole.Role.PARTNER, {"organization_id": key("organization", network.CLEVELAND)}),
    ]
    StaffRole.objects.bulk_create(
        [StaffRole(user_id=key("user", email), role=role, **place) for email, role, place in roles],
        ignore_conflicts=True,
    )
