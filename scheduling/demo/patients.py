"""Patients, their families, memberships and insurances."""

import random
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.db.backends.postgresql.psycopg_any import DateRange

from clinics.models import Calendar, ContactPreference, Coverage, Identifier, Patient, Proxy, Registration, Sex
from memberships.models import Membership, Price
from scheduling.demo import names, network, staff
from scheduling.demo.chance import chance, key
from scheduling.demo.network import SITES, Site
from scheduling.demo.staff import Login

BORN_BEFORE = date(2026, 6, 1)
MEMBER_SINCE = date(2025, 1, 1)
AGREED_AT = datetime(2025, 1, 1, 17, tzinfo=UTC)
# Nobody else in the demo has a number there, so that each with a login has their own: a text speaks for its number.
LOGINS_AREA_CODE = "330"
# Near 44011, with the places around it.
AROUND_AVON = [("Avon", "44011"), ("Avon Lake", "44012"), ("North Ridgeville", "44039"), ("Westlake", "44145")]
PAYERS = [
    (Coverage.Class.COMMERCIAL, "Great Lakes Mutual (invented)"),
    (Coverage.Class.COMMERCIAL, "Evergreen Benefit (invented)"),
    (Coverage.Class.COMMERCIAL, "Northern Shield (invented)"),
    (Coverage.Class.MEDICARE, "Medicare"),
    (Coverage.Class.MEDICAID, "Medicaid"),
    (Coverage.Class.SELF_PAY, ""),
]
MEMBER_LOGINS = [f"patient{number:02}@example.com" for number in range(1, 41)]
LOGINS = [
    Login("patient@example.com", "member near Avon"),
    Login("parent@example.com", "member with two children"),
    Login("patient01@example.com … patient40@example.com", "members near Avon"),
]


class Invented(NamedTuple):
    """What is planted together for one person."""

    patient: Patient
    membership: Membership | None
    coverage: Coverage
    identifier: Identifier
    registration: Registration
    preference: ContactPreference | None = None


def plant() -> None:
    """Make the patients and accounts that are missing. Patients of a site are made together, or were."""
    staff.make_accounts(["patient@example.com", "parent@example.com", *MEMBER_LOGINS])
    prices = {
        plan: Price.objects.filter(plan=plan, interval="year").latest("from_on").pk for plan in ("annual", "family")
    }
    for site in SITES:
        if not Patient.objects.filter(pk=key("patient", site.slug, 0)).exists():
            insert(neighbours(site, prices))
    if not Patient.objects.filter(pk=key("patient", "patient@example.com")).exists():
        insert(people_with_logins(prices))
        children = [key("patient", "parent@example.com", number) for number in (1, 2)]
        parent = key("user", "parent@example.com")
        Proxy.objects.bulk_create([Proxy(user_id=parent, patient_id=child) for child in children])


def insert(invented: list[Invented]) -> None:
    Calendar.objects.bulk_create([Calendar(pk=one.patient.pk, kind=Calendar.Kind.PATIENT) for one in invented])
    Patient.objects.bulk_create([one.patient for one in invented])
    Membership.objects.bulk_create([one.membership for one in invented if one.membership])
    Coverage.objects.bulk_create([one.coverage for one in invented])
    Identifier.objects.bulk_create([one.identifier for one in invented])
    Registration.objects.bulk_create([one.registration for one in invented])
    ContactPreference.objects.bulk_create([one.preference for one in invented if one.preference])


def neighbours(site: Site, prices: dict[str, int]) -> list[Invented]:
    """People who live around `site`: a fifth are children, and follow a grown-up of their family who is a member."""
    found: list[Invented] = []
    head: Invented | None = None
    for number in range(site.patients):
        rng = chance("patient", site.slug, number)
        child = head is not None and number % 5 == 4
        one = invent(
            key("patient", site.slug, number), site, rng, age=rng.randint(0, 16) if child else rng.randint(18, 88)
        )
        if not child:
            one = one._replace(preference=preference(one.patient))
        if child and head is not None and head.membership is not None:
            one.patient.family_name, one.patient.street = head.patient.family_name, head.patient.street
            one = one._replace(membership=family(one.patient, head.membership, prices))
        else:
            one = one._replace(membership=membership(one.patient, site, rng, prices))
            if one.membership is not None and one.membership.source == Membership.Source.SELF_PAID:
                head = one
        found.append(one)
    return found


def people_with_logins(prices: dict[str, int]) -> list[Invented]:
    """patient@, parent@ with two children, and patient01@ to patient40@: all members, all near Avon."""
    avon = SITES[0]
    found = []
    for number, email in enumerate(["patient@example.com", "parent@example.com", *MEMBER_LOGINS]):
        rng = chance("login", email)
        one = invent(key("patient", email), avon, rng, age=41 if email == "parent@example.com" else rng.randint(25, 64))
        one.patient.user_id, one.patient.email = key("user", email), email
        one.patient.phone = f"+1{LOGINS_AREA_CODE}55501{number:02}"
        one.patient.language = "es" if email == "parent@example.com" or number % 4 == 3 else "en"
        both = number < 2
        chosen = ContactPreference(patient=one.patient, sms_opted_in_at=AGREED_AT) if both else preference(one.patient)
        # Not all of them renew on one day.
        since = MEMBER_SINCE + timedelta(days=5 * number)
        found.append(one._replace(membership=self_paid(one.patient, prices, since), preference=chosen))
    parent = found[1]
    for number, age in [(1, 14), (2, 6)]:
        child = invent(key("patient", "parent@example.com", number), avon, chance("child", number), age=age)
        child.patient.family_name, child.patient.street = parent.patient.family_name, parent.patient.street
        child.patient.phone = ""
        if parent.membership is not None:
            child = child._replace(membership=family(child.patient, parent.membership, prices))
        found.append(child)
    return found


def invent(pk: uuid.UUID, site: Site, rng: random.Random, *, age: int) -> Invented:
    """Somebody near `site` who is about `age` years old, without membership."""
    woman = rng.random() < 0.52
    city, postal_code = rng.choice(AROUND_AVON) if site.slug == "avon" else (site.city, site.postal_code)
    born = BORN_BEFORE - timedelta(days=round(age * 365.25) + rng.randrange(365))
    patient = Patient(
        pk=pk,
        given_name=rng.choice(names.FEMALE if woman else names.MALE),
        family_name=rng.choice(names.FAMILY),
        birth_date=born,
        sex=Sex.FEMALE if woman else Sex.MALE,
        phone=f"+1{site.area_code}55501{rng.randrange(100):02}",
        email=f"{pk.hex[:12]}@example.com" if age >= 18 else "",
        street=f"{rng.randint(1, 9999)} {rng.choice(names.STREETS)} Street",
        city=city,
        state=site.state,
        postal_code=postal_code,
        time_zone=site.zone,
        language=rng.choice(names.LANGUAGES),
    )
    payer_class, payer = (Coverage.Class.MEDICARE, "Medicare") if age >= 65 else rng.choice(PAYERS[:3] + PAYERS[4:])
    coverage = Coverage(
        pk=key("coverage", pk),
        patient=patient,
        payer=payer,
        payer_class=payer_class,
        member_id=f"DEMO{rng.randrange(10**8):08}" if payer else "",
        during=DateRange(date(2025, 1, 1), None),
    )
    mrn = Identifier(patient=patient, system=f"https://{site.system}.example.com/mrn", value=f"D{pk.int % 10**12:012}")
    registration = Registration(patient=patient, clinic_id=key("clinic", site.slug))
    return Invented(patient, None, coverage, mrn, registration)


def preference(patient: Patient) -> ContactPreference:
    """Most agreed to texts, and some want no reminders by e-mail. Whoever has neither is not reminded, as in life."""
    rng = chance("preference", patient.pk)
    texts, mails = rng.random() < 0.7, rng.random() < 0.85
    return ContactPreference(patient=patient, email_reminders=mails, sms_opted_in_at=AGREED_AT if texts else None)


def membership(patient: Patient, site: Site, rng: random.Random, prices: dict[str, int]) -> Membership | None:
    """Most are members, near Avon some by their employer, a few for free; the rest pay by the visit."""
    drawn = rng.random()
    if drawn < 0.65 or (drawn < 0.8 and site.slug != "avon"):
        return self_paid(patient, prices)
    since = DateRange(MEMBER_SINCE, None)
    if drawn < 0.8:
        sponsor = key("organization", network.EMPLOYER)
        return Membership(
            pk=key("membership", patient.pk),
            patient=patient,
            plan_id="employer",
            source=Membership.Source.EMPLOYER,
            sponsor_id=sponsor,
            during=since,
        )
    if drawn < 0.83:
        return Membership(
            pk=key("membership", patient.pk),
            patient=patient,
            plan_id="complimentary",
            source=Membership.Source.COMPLIMENTARY,
            during=since,
        )
    return None


def self_paid(patient: Patient, prices: dict[str, int], since: date = MEMBER_SINCE) -> Membership:
    return Membership(
        pk=key("membership", patient.pk),
        patient=patient,
        plan_id="annual",
        price_id=prices["annual"],
        source=Membership.Source.SELF_PAID,
        during=DateRange(since, None),
    )


def family(patient: Patient, head: Membership, prices: dict[str, int]) -> Membership:
    return Membership(
        pk=key("membership", patient.pk),
        patient=patient,
        plan_id="family",
        price_id=prices["family"],
        source=Membership.Source.FAMILY,
        head=head,
        during=DateRange(head.during.lower, None),
    )
