"""Who is on the roster, as the sponsor told us: its own facts, the same whether or not anybody claimed.

As many statements whoever is asked for, and none that asks who has claimed, who is a patient or who was seen.
"""

from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from clinics.models import Organization
from memberships.employers import contracts
from memberships.models import SponsorContract, SponsoredPeriod

FACTS = ("member_number", "relationship", "first_name", "last_name", "birth_date", "email")
ORDER = ("person__last_name", "person__first_name", "id")


class Status(models.TextChoices):
    """Where somebody's time on the roster stands on a day."""

    ACTIVE = "active"
    UPCOMING = "upcoming"
    ENDED = "ended"


def found(
    employer: Organization, *, on: date, status: str = "", text: str = ""
) -> QuerySet[SponsoredPeriod, dict[str, Any]]:
    """Times on the roster: of those hired again each of them. `text` begins a name, the member number or the e-mail."""
    rows: QuerySet[SponsoredPeriod] = SponsoredPeriod.objects.filter(person__employer=employer)
    if status == Status.ACTIVE:
        rows = rows.filter(during__contains=on)
    elif status == Status.UPCOMING:
        rows = rows.filter(during__startswith__gt=on)
    elif status == Status.ENDED:
        rows = rows.filter(during__endswith__lte=on)
    for word in text.split()[:4]:
        rows = rows.filter(
            Q(person__last_name__istartswith=word)
            | Q(person__first_name__istartswith=word)
            | Q(person__member_number__istartswith=word)
            | Q(person__email__startswith=word.lower())
        )
    columns = ["id", "during", "person_id", *(f"person__{name}" for name in FACTS)]
    told: QuerySet[SponsoredPeriod, dict[str, Any]] = rows.values(*columns)
    return told


def shown(row: dict[str, Any], versions: list[SponsorContract], *, on: date) -> dict[str, Any]:
    """A time on the roster as JSON, with the version of the contract that holds in it, on `on` or next to it."""
    first, after = row["during"].lower, row["during"].upper
    last = after - timedelta(days=1) if after else None
    day = max(first, min(on, last) if last else on)
    contract = contracts.in_force(versions, on=day)
    return {
        "id": str(row["id"]),
        "person": str(row["person_id"]),
        **{name: row[f"person__{name}"] for name in FACTS if name != "birth_date"},
        "birth_date": row["person__birth_date"].isoformat(),
        "starts_on": first.isoformat(),
        "ends_on": last.isoformat() if last else None,
        "status": status_on(first, after, on).value,
        "contract": {"from_on": contract.from_on.isoformat(), "covers": contract.covers} if contract else None,
    }


def status_on(first: date, after: date | None, day: date) -> Status:
    if first > day:
        return Status.UPCOMING
    return Status.ENDED if after is not None and after <= day else Status.ACTIVE
