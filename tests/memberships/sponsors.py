"""An employer, its contract and its rosters, for tests."""

import uuid
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from allauth.account.models import EmailAddress

from clinics.models import Organization, StaffRole, User
from memberships import rosters
from memberships.employers import contracts
from memberships.models import Plan, Price, Roster, SponsorContract
from tests import cast
from tests.cast import NOW

TODAY = date(2026, 11, 24)
HEADER = "member_number,relationship,first_name,last_name,birth_date,email,starts_on,ends_on"
LOPEZ = [
    "1001,employee,Ana,Lopez,1985-03-02,ana@works.example,2026-01-01,",
    "1001,spouse,Ben,Lopez,1984-07-12,,2026-01-01,",
    "1001,child,Cia,Lopez,2015-05-05,,2026-01-01,",
    "1001,child,Dan,Lopez,2015-05-05,,2026-01-01,",
]
IYER = ["1002,employee,Eve,Iyer,1990-01-31,eve@works.example,2026-01-01,"]


def make_employer(name: str = "Lakeshore Tools") -> Organization:
    slug = f"{name.lower().replace(' ', '-')}-{uuid.uuid4().hex[:6]}"
    return Organization.objects.create(kind=Organization.Kind.EMPLOYER, name=name, slug=slug)


def make_benefits(employer: Organization, name: str = "hr") -> User:
    user = cast.make_user(name)
    StaffRole.objects.create(user=user, role=StaffRole.Role.BENEFITS, organization=employer)
    return user


def make_contract(employer: Organization, **terms: Any) -> SponsorContract:
    plan, _ = Plan.objects.get_or_create(
        code="employer", defaults={"name": "Sponsored", "audience": "employer", "benefits": ["*"]}
    )
    wanted = {
        "from_on": date(2026, 1, 1),
        "plan": plan,
        "covers": "family",
        "amount": 15_000,
        "interval": Price.Interval.YEAR,
        "end_rule": "day",
        "actor": None,
        "today": TODAY,
        "now": NOW,
        **terms,
    }
    return contracts.agree(employer=employer, **wanted)


def verify(user: User | None, email: str = "ana@works.example", *, verified: bool = True) -> None:
    """Have an address be one of the account's: by default the one that the roster has for Ana."""
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=False)


def file(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def send(employer: Organization, content: bytes | list[str], by: User, **more: Any) -> Roster:
    """Receive a file, or its lines, at NOW."""
    content = file(*content) if isinstance(content, list) else content
    wanted = {"kind": "full", "as_of": TODAY, "now": NOW, **more}
    return rosters.receive(employer=employer, content=BytesIO(content), by=by, **wanted)


def put(employer: Organization, content: bytes | list[str], by: User, **more: Any) -> Roster:
    """Receive a file and apply it; by another of the benefit staff where it is held."""
    roster = send(employer, content, by, **more)
    actor = make_benefits(employer, "second") if roster.is_held else by
    now = more.get("now", NOW)
    return rosters.approve(roster=roster, actor=actor, now=now)


def counts(roster: Roster) -> tuple[int | None, ...]:
    """What it adds, changes, ends, leaves, and cannot read."""
    return roster.adds, roster.changes, roster.ends, roster.unchanged, roster.errors


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)
