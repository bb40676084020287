"""Every operation of the API below employers/, by who calls it: the employer's own benefit staff, and nobody else."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import transaction

import config.urls
from clinics.models import User
from memberships.models import SponsoredPerson
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.memberships import sponsors
from tests.memberships.sponsors import IYER, LOPEZ, file

pytestmark = pytest.mark.django_db
ROLES = ["benefits", "benefits elsewhere", "was benefits", "on the roster", "desk", "clinician", "operator", "nobody"]
# Stands in everything of the roster.
CANARY = "Canaria"
ROSTER = "employers/<uuid:employer_id>/rosters/<uuid:roster_id>"


class Sponsor:
    """An employer with a roster that was applied, one that waits, and those around it."""

    def __init__(self) -> None:
        self.employer = sponsors.make_employer()
        benefits = sponsors.make_benefits(self.employer)
        sponsors.make_contract(self.employer)
        self.applied = sponsors.put(self.employer, [line.replace("Lopez", CANARY) for line in LOPEZ], benefits)
        self.waiting = sponsors.send(self.employer, [CANARY, *IYER], benefits, kind="changes")
        self.person = SponsoredPerson.objects.earliest("pk")
        was = sponsors.make_benefits(self.employer, "was")
        was.staff_roles.all().delete()
        place = cast.make_place()
        self.callers: dict[str, User | None] = {
            "benefits": benefits,
            "benefits elsewhere": sponsors.make_benefits(sponsors.make_employer("Elsewhere")),
            "was benefits": was,
            "on the roster": cast.make_patient("Ana").user,
            "desk": cast.make_staff(place.clinic),
            "clinician": cast.make_staff(place.clinic, "Clinician", "clinician"),  # type: ignore[arg-type]
            "operator": User.objects.create_superuser("operator@example.com", None),
            "nobody": None,
        }


def path(sponsor: Sponsor, rest: str = "") -> str:
    return f"/employers/{sponsor.employer.pk}{rest}"


def of(sponsor: Sponsor, rest: str = "", which: str = "waiting") -> str:
    return path(sponsor, f"/rosters/{getattr(sponsor, which).pk}{rest}")


# What their benefit staff get: + where it shows something of the roster.
MATRIX: dict[str, tuple[Callable[[Caller, Sponsor], Any], str]] = {
    "GET employers/<uuid:employer_id>/enrollment": (lambda c, s: c.get(path(s, "/enrollment")), "200+"),
    "POST employers/<uuid:employer_id>/invitations": (lambda c, s: c.post(path(s, "/invitations")), "202"),
    "GET employers/<uuid:employer_id>/roster-mapping": (lambda c, s: c.get(path(s, "/roster-mapping")), "200"),
    "PUT employers/<uuid:employer_id>/roster-mapping": (
        lambda c, s: c.put(path(s, "/roster-mapping"), {"columns": {"email": "mail"}}),
        "200",
    ),
    "GET employers/<uuid:employer_id>/rosters": (lambda c, s: c.get(path(s, "/rosters")), "200"),
    "POST employers/<uuid:employer_id>/rosters": (
        lambda c, s: c.upload(path(s, "/rosters"), file(*LOPEZ), {"kind": "full"}),
        "409",
    ),
    "GET employers/<uuid:employer_id>/usage": (lambda c, s: c.get(path(s, "/usage"), {"period": "2026-10"}), "200"),
    f"GET {ROSTER}": (lambda c, s: c.get(of(s)), "200"),
    f"GET {ROSTER}/rows": (lambda c, s: c.get(of(s, "/rows", "applied")), "200+"),
    f"GET {ROSTER}/errors.csv": (lambda c, s: c.get(of(s, "/errors.csv")), "200+"),
    f"POST {ROSTER}/approve": (lambda c, s: c.post(of(s, "/approve")), "200"),
    f"POST {ROSTER}/reject": (lambda c, s: c.post(of(s, "/reject")), "200"),
    f"POST {ROSTER}/undo": (lambda c, s: c.post(of(s, "/undo", "applied")), "409"),
}


@pytest.fixture
def sponsor(db: None) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield Sponsor()


def test_it_has_a_row_for_every_operation_below_employers():
    routes = [route for route in config.urls.api if str(route.pattern).startswith("employers/")]
    methods = ("get", "post", "put", "patch", "delete")

    assert {
        f"{method.upper()} {route.pattern}"
        for route in routes
        for method in methods
        if hasattr(route.callback.view_class, method)  # type: ignore[union-attr]
    } == set(MATRIX)


@pytest.mark.parametrize("operation", MATRIX)
def test_it_is_for_the_employers_own_benefit_staff_alone(operation: str, sponsor: Sponsor):
    call, wanted = MATRIX[operation]

    got = {}
    for role, user in sponsor.callers.items():
        with transaction.atomic():
            answer = call(Caller(user), sponsor)
            shows = "+" if CANARY.encode() in answer.content else ""
            got[role] = f"{answer.status_code}{shows}"
            transaction.set_rollback(True)

    assert got == dict.fromkeys(ROLES, "404") | {"benefits": wanted, "nobody": "401"}


def test_a_roster_is_found_below_its_own_employer_alone(sponsor: Sponsor):
    theirs = sponsor.callers["benefits"]
    assert theirs is not None
    other = sponsors.make_employer("Other")
    theirs.staff_roles.create(role="benefits", organization=other)
    me = Caller(theirs)

    for rest in ("", "/rows", "/errors.csv"):
        assert me.get(f"/employers/{other.pk}/rosters/{sponsor.waiting.pk}{rest}").status_code == 404
    for rest in ("/approve", "/reject", "/undo"):
        assert me.post(f"/employers/{other.pk}/rosters/{sponsor.waiting.pk}{rest}").status_code == 404


def test_a_role_at_an_organization_of_another_kind_serves_no_employer(sponsor: Sponsor):
    user = cast.make_user("odd")
    user.staff_roles.create(role="benefits", organization=cast.make_system())
    user.staff_roles.create(role="manager", organization=sponsor.employer)

    assert Caller(user).get(path(sponsor, "/enrollment")).status_code == 404
