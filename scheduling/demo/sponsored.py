"""An employer's contract and roster, taken in as HR would send it, who of it has claimed, and visits it paid for."""

import csv
import io
from datetime import date, datetime, time, timedelta

from clinics import people
from clinics.models import Clinic, Organization, Patient, Room, User
from memberships import rosters
from memberships.employers import claiming, contracts, granting
from memberships.models import (
    BenefitClaim,
    BenefitGrant,
    Membership,
    Plan,
    Price,
    Roster,
    SponsorContract,
    SponsoredPerson,
)
from memberships.rosters.reading import COLUMNS
from scheduling import intervals, usage
from scheduling.demo import names, network, visits
from scheduling.demo.chance import chance, key
from scheduling.demo.network import SITES
from scheduling.demo.staff import clinician_key
from scheduling.demo.visits import Wish
from scheduling.models import Appointment, AppointmentChange, VisitType

SINCE = date(2025, 1, 1)
AMOUNT = 15_000  # cents, for a person and a year
PEOPLE = 60
# They pay for themselves, too: what to do about that is theirs to say.
LOGINS = ["patient07@example.com", "patient12@example.com"]
AT, LATER = time(10), time(15)
# Enough that a month's totals are told, some of them twice.
SEEN, SEEN_TWICE = 16, 12


def plant(*, now: datetime) -> None:
    """Make the employer's contract, its roster with those who claimed, and a month of visits, once."""
    employer = Organization.objects.get(pk=key("organization", network.EMPLOYER))
    if Roster.objects.filter(employer=employer).exists():
        return
    agree(employer, now=now)
    members = sponsored(employer)
    hr = User.objects.get(pk=key("user", "hr@example.com"))
    content = io.BytesIO(roster(members).encode())
    today = people.today_at_home(now)
    sent = rosters.receive(
        employer=employer, content=content, kind=Roster.Kind.FULL, as_of=today, by=hr, now=now, today=today
    )
    rosters.approve(roster=sent, actor=hr, now=now)
    claim(employer, members, now=now)
    plant_visits(members, now=now)


def agree(employer: Organization, *, now: datetime) -> None:
    if SponsorContract.objects.filter(employer=employer).exists():
        return
    contracts.agree(
        employer=employer,
        from_on=SINCE,
        plan=Plan.objects.get(code="employer"),
        covers=SponsorContract.Covers.FAMILY,
        amount=AMOUNT,
        interval=Price.Interval.YEAR,
        end_rule=SponsorContract.EndRule.GRACE,
        grace_days=30,
        conversion=Price.objects.filter(plan="annual", interval=Price.Interval.YEAR).latest("from_on"),
        actor=User.objects.get(pk=key("user", "admin@example.com")),
        today=people.today_at_home(now),
        now=now,
    )


def sponsored(employer: Organization) -> list[Patient]:
    """The demo's patients who are members by the employer, and the logins that are on its roster besides."""
    found = Membership.objects.filter(sponsor=employer).order_by("pk").values_list("patient", flat=True)
    known = Patient.objects.in_bulk([*found, *(key("patient", email) for email in LOGINS)])
    return [known[pk] for pk in sorted(known)]


def roster(members: list[Patient]) -> str:
    """A full roster: `members` as employees, and others beside them with some families, PEOPLE in all or a few more."""
    into = io.StringIO()
    lines = csv.writer(into, lineterminator="\n")
    lines.writerow(COLUMNS)
    count = 0
    for number, member in enumerate(members, start=1001):
        born = member.birth_date.isoformat()
        lines.writerow(
            [number, "employee", member.given_name, member.family_name, born, member.email, SINCE.isoformat(), ""]
        )
        count += 1
    number = 2001
    while count < PEOPLE:
        rng = chance("sponsored", number)
        last = rng.choice(names.FAMILY)
        family = [("employee", rng.randint(1962, 2000))]
        if rng.random() < 0.4:
            family.append(("spouse", rng.randint(1962, 2000)))
            family += [("child", rng.randint(2008, 2022)) for _ in range(rng.randint(0, 2))]
        for place, (relationship, year) in enumerate(family):
            born = date(year, rng.randint(1, 12), rng.randint(1, 28)).isoformat()
            # No two children of a family by one name.
            first = (names.FEMALE if place % 2 else names.MALE)[(number * 7 + place) % 20]
            email = f"employee{number}@example.com" if relationship == "employee" else ""
            lines.writerow([number, relationship, first, last, born, email, SINCE.isoformat(), ""])
        count += len(family)
        number += 1
    return into.getvalue()


def claim(employer: Organization, members: list[Patient], *, now: datetime) -> None:
    """Those who are members by the employer have claimed it; of the logins only the first has."""
    held = {one.patient_id: one for one in Membership.objects.filter(sponsor=employer)}
    found = {person.email: person for person in SponsoredPerson.objects.filter(employer=employer).exclude(email="")}
    claimed = []
    for patient in members:
        if patient.pk not in held:
            continue
        person = found[patient.email]
        made = BenefitClaim.objects.create(
            person=person, patient=patient, by=BenefitClaim.By.NUMBER, claimed_by=None, claimed_at=now
        )
        BenefitGrant.objects.create(membership=held[patient.pk], claim=made)
        claimed.append(person)
    granting.follow(claimed, now=now)
    claiming.claim(user=User.objects.get(email=LOGINS[0]), now=now)


def plant_visits(members: list[Patient], *, now: datetime) -> None:
    """Visits of the last month of which totals are told: of SEEN people, SEEN_TWICE of whom came twice."""
    avon = Clinic.objects.get(slug="avon")
    room = Room.objects.filter(clinic=avon, kind="exam").earliest("name")
    office = VisitType.objects.get(code="office")
    grants = {one.patient_id: one for one in Membership.objects.filter(sponsor=key("organization", network.EMPLOYER))}
    grants = {patient: one for patient, one in grants.items() if one.during.lower == SINCE}
    first, prices = month_told(people.today_at_home(now)), visits.prices()
    made = []
    for number, patient in enumerate([one for one in members if one.pk in grants][:SEEN]):
        for at in (AT, LATER)[: 2 if number < SEEN_TWICE else 1]:
            start = intervals.instant(first + timedelta(days=number), at, avon.zone)
            pk = key("visit", "sponsored", patient.pk, at)
            wish = Wish(pk, clinician_key(SITES[0], number % 2), patient.pk, office, start, "Cough")
            visit = visits.as_visit(wish, avon, room.pk, grants[patient.pk], prices, now=now)
            visit.status = Appointment.Status.COMPLETED
            made.append(visit)
    Appointment.objects.bulk_create(made)
    AppointmentChange.objects.bulk_create([line for visit in made for line in visits.story(visit)])


def month_told(today: date) -> date:
    """The first day of the last month whose totals are told on `today`."""
    ended = (today - usage.SETTLED).replace(day=1)
    return (ended - timedelta(days=1)).replace(day=1)
