"""Telling people that an employer stops paying for them: when, what they are offered instead, and what stays.

Nothing of it says anything of their health. What they have booked is known above: it is handed in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from clinics import messages, people
from memberships.employers import converting
from memberships.employers.granting import about
from memberships.models import BenefitGrant

LATE = timedelta(days=30)  # nobody is told of what ended longer ago
BATCH = 100
MONTHS = {
    "en": [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ],
    "es": [
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
        "diciembre",
    ],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Booked:
    """A visit that stays, later than what paid for it: its day and time at the clinic, and what it costs, in cents."""

    on: date
    clock: dict[str, str]  # by language
    price: int


BookedOf = Callable[[list[BenefitGrant]], dict[UUID, list[Booked]]]


def nothing(_grants: list[BenefitGrant]) -> dict[UUID, list[Booked]]:
    """No visits: for who knows of none."""
    return {}


def tell_endings(*, now: datetime, booked: BookedOf = nothing) -> int:
    """Queue a message about each benefit that ends soon, or did, and whose end was not told yet. Returns how many.

    `booked` says, of a batch of grants, which visits that they pay for are later than their end, by membership.
    """
    told = 0
    while True:
        with transaction.atomic():
            batch = due(now=now)
            visits = booked(batch)
            wanted_now = [wanted(grant, visits.get(grant.membership_id, []), now=now) for grant in batch]
            messages.queue_all(wanted_now, now=now)
            for grant in batch:
                BenefitGrant.objects.filter(pk=grant.pk).update(told_until=grant.membership.during.upper)
        told += len(batch)
        if len(batch) < BATCH:
            return told


def due(*, now: datetime) -> list[BenefitGrant]:
    """A batch of those to be told, locked."""
    ends = F("membership__during__endswith")
    grants = converting.ending(on=people.today_at_home(now), ended_within=LATE).filter(
        Q(told_until__isnull=True) | ~Q(told_until=ends)
    )
    grants = grants.select_related("membership__patient", "membership__sponsor", "conversion__plan").order_by("pk")
    return list(grants.select_for_update(skip_locked=True, no_key=True, of=("self",))[:BATCH])


def wanted(grant: BenefitGrant, visits: list[Booked], *, now: datetime) -> messages.Wanted:
    membership = grant.membership
    last_day = membership.during.upper - timedelta(days=1)
    offer = grant.conversion
    context = {
        "employer": membership.sponsor.name if membership.sponsor else "",
        "last_day": {"en": written(last_day, "en"), "es": written(last_day, "es")},
        "is_over": last_day < people.today_at_home(now),
        "offer": {
            "plan": offer.plan.name,
            "amount": dollars(offer.amount),
            "interval": offer.interval,
            "by": {language: written(converting.last_day(grant), language) for language in MONTHS},
        }
        if offer
        else None,
        "visits": [
            {
                "day": {language: written(visit.on, language) for language in MONTHS},
                "clock": visit.clock,
                "price": dollars(visit.price) if visit.price else "",
            }
            for visit in visits
        ],
        "child": membership.patient.preferred_name or membership.patient.given_name
        if membership.patient.age_on(people.today_at_home(now)) < people.OF_AGE
        else "",
    }
    return messages.Wanted(
        to=membership.patient,
        template="benefit_ends",
        about=about(membership.pk),
        dedupe_key=f"benefit-ends:{membership.pk}:{membership.during.upper}:{people.today_at_home(now)}",
        context=context,
        channels=("email",),
    )


def written(day: date, language: str) -> str:
    """A day in words."""
    month = MONTHS[language][day.month - 1]
    return f"{day.day} de {month} de {day.year}" if language == "es" else f"{month} {day.day}, {day.year}"


def dollars(cents: int) -> str:
    """Without cents where there are none: people read $199."""
    return f"${cents // 100:,}" if cents % 100 == 0 else f"${cents / 100:,.2f}"
