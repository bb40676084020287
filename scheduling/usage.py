"""How much an employer's people use what it pays for: totals that give away nobody, also when they are subtracted.

What was told once stays as it was told, and no two stored reports share a day. A longer period is answered by the sum
of those that lie in it, and by new ones for the rest: so the difference of any two answers is a sum of stored numbers,
each 0 or at least FEWEST. A number is stored as 0 where fewer than FEWEST people had visits, or all but fewer than
that: then it would be known of whoever is on the roster.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics.models import Organization, User
from clinics.refusals import Refused
from scheduling.models import UsageReport

FEWEST = 11
SETTLED = timedelta(days=7)  # after its end, what took place is entered
PERIOD = re.compile(r"(20\d\d)(?:-(0[1-9]|1[0-2]|Q[1-4]))?", re.ASCII)

COUNT = """
SELECT count(*), count(DISTINCT v.patient_id)
FROM memberships_membership m
JOIN scheduling_appointment v ON v.patient_id = m.patient_id AND v.membership_id = m.id
JOIN clinics_clinic c ON c.id = v.clinic_id
WHERE m.sponsor_id = %(employer)s AND v.status = 'completed'
  AND v.starts_at >= %(first)s::date - 1 AND v.starts_at < %(after)s::date + 1
  AND (v.starts_at AT TIME ZONE c.time_zone)::date >= %(first)s
  AND (v.starts_at AT TIME ZONE c.time_zone)::date < %(after)s
"""
PEOPLE = """
SELECT count(DISTINCT p.id)
FROM memberships_sponsoredperson p JOIN memberships_sponsoredperiod d ON d.person_id = p.id
WHERE p.employer_id = %(employer)s AND d.during && daterange(%(first)s, %(after)s)
"""


class BadPeriod(Refused):
    code = "bad_period"
    status = 400
    detail = "Give a month, a quarter or a year: 2026-10, 2026-Q4, 2026."


class PeriodNotOver(Refused):
    code = "period_not_over"
    detail = f"Numbers are told {SETTLED.days} days after the end of a period."


@dataclass(frozen=True, slots=True)
class Totals:
    """What is told of a period: [first, after). `people` is how many there were at least."""

    first: date
    after: date
    visits: int
    people: int


def days_of(period: str) -> tuple[date, date]:
    """The first day of a period, and the first day after it. Raises BadPeriod."""
    found = PERIOD.fullmatch(period)
    if found is None:
        raise BadPeriod
    year, part = int(found[1]), found[2]
    first, months = 1, 12
    if part is not None:
        first, months = (3 * int(part[1]) - 2, 3) if part.startswith("Q") else (int(part), 1)
    return date(year, first, 1), month_after(date(year, first + months - 1, 1))


def month_after(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def report(*, employer: Organization, period: str, actor: User | None, today: date, now: datetime) -> Totals:
    """The totals of `period`, told before or from now on. Raises BadPeriod, and PeriodNotOver by `today`."""
    first, after = days_of(period)
    if after + SETTLED > today:
        raise PeriodNotOver
    with transaction.atomic():
        # Two at once would each find the same days untold.
        Organization.objects.select_for_update(no_key=True).get(pk=employer.pk)
        touching = UsageReport.objects.filter(employer=employer, during__overlap=DateRange(first, after))
        told = list(touching.order_by("during"))
        if not any(one.during.lower < first or one.during.upper > after for one in told):
            told += [publish(employer, gap, actor=actor, now=now) for gap in gaps(told, first, after)]
    inside = [one for one in told if first <= one.during.lower and one.during.upper <= after]
    return Totals(
        first,
        after,
        visits=sum(one.visits for one in inside),
        # Whoever came in two of them is one person: more than the most of any is not known.
        people=max((one.people for one in inside), default=0),
    )


def gaps(told: list[UsageReport], first: date, after: date) -> list[tuple[date, date]]:
    """The days of [first, after) that were not told yet. `told` is in order."""
    found, at = [], first
    for one in told:
        if at < one.during.lower:
            found.append((at, one.during.lower))
        at = one.during.upper
    if at < after:
        found.append((at, after))
    return found


def publish(employer: Organization, days: tuple[date, date], *, actor: User | None, now: datetime) -> UsageReport:
    """Store what is told of these days: as many statements whatever there is to tell."""
    visits, people, eligible = counted(employer.pk, *days)
    visits, people = tellable(visits, people, eligible)
    return UsageReport.objects.create(
        employer=employer,
        during=DateRange(*days),
        visits=visits,
        people=people,
        published_at=now,
        published_to=actor,
    )


def counted(employer: uuid.UUID, first: date, after: date) -> tuple[int, int, int]:
    """Visits that it paid for, people who had them, and people on its roster, on these days where the clinic is."""
    asked: dict[str, Any] = {"employer": employer, "first": first, "after": after}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, asked)
        visits, people = cursor.fetchone()
        cursor.execute(PEOPLE, asked)
        [eligible] = cursor.fetchone()
    return visits, people, eligible


def tellable(visits: int, people: int, eligible: int) -> tuple[int, int]:
    """Of visits and people as much as can be told where `eligible` people are on the roster, otherwise 0."""
    if people < FEWEST or eligible - people < FEWEST:
        return 0, 0
    again = visits - people
    return visits, people if again == 0 or again >= FEWEST else 0
