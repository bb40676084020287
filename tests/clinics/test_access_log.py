"""Promise 36: patients can list who saw their record."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from clinics import audit
from clinics.models import AccessEvent, Clinician
from tests.calls import Caller
from tests.canaries import FAMILY_NAME
from tests.cast import NOW
from tests.world import CANARY, World

pytestmark = pytest.mark.django_db


def log(world: World, role: str = "owner", **query: Any) -> Any:
    return Caller(world.callers[role]).get("/me/access-log", query).json()


def test_it_tells_who_looked_at_what_when_and_why(world: World):
    desk = Caller(world.callers["staff here"])
    desk.get(f"/appointments/{world.visit.pk}")
    with time_machine.travel(NOW + timedelta(minutes=4), tick=False):
        desk.get(f"/appointments/{world.visit.pk}")

    assert log(world) == {
        "results": [
            {
                "at": "2026-11-24T09:00:00-05:00",
                "last_at": "2026-11-24T09:04:00-05:00",
                "who": "Front desk of Sameday Avon",
                "what": "looked at your appointment",
                "why": "To care for you.",
            }
        ],
        "next": None,
    }


def test_it_names_clinicians_and_those_who_act_for_the_patient_and_no_other_staff(world: World):
    clinician = world.callers["clinician here"]
    Clinician.objects.filter(pk=world.avon.clinicians[0].pk).update(user=clinician)
    for role in ("clinician here", "parent", "staff here"):
        Caller(world.callers[role]).post(f"/holds/{world.held.pk}/extend")
        Caller(world.callers[role]).get(f"/appointments/{world.visit.pk}")

    told = [(look["who"], look["what"]) for look in log(world)["results"]]
    assert told == [
        ("Front desk of Sameday Avon", "looked at your appointment"),
        (f"Parent {FAMILY_NAME}", "looked at your appointment"),
        ("Ana Avon0, MD, Sameday Avon", "looked at your appointment"),
        ("Ana Avon0, MD, Sameday Avon", "made or changed your time on hold"),
    ]


def test_it_tells_a_parent_of_everybody_but_themself(world: World):
    for role in ("parent", "limited parent", "staff here"):
        Caller(world.callers[role]).get(f"/appointments/{world.visit.pk}")

    told = log(world, "parent", patient=str(world.patient.pk))["results"]

    assert [look["who"] for look in told] == ["Front desk of Sameday Avon", f"Limited {FAMILY_NAME}"]
    assert told[0]["what"] == f"looked at {CANARY}'s appointment"
    assert log(world, "parent")["results"] == []


def test_it_does_not_tell_of_ones_own_looks(world: World):
    Caller(world.callers["owner"]).get("/me")

    assert log(world)["results"] == []


def test_it_says_where_the_glass_was_broken(world: World):
    audit.shown(
        viewer=world.callers["staff elsewhere"],  # type: ignore[arg-type]
        patients=[world.patient.pk],
        page="GET appointments/{id}",
        now=NOW,
        via=AccessEvent.Via.API,
        basis=AccessEvent.Basis.BREAK_GLASS,
    )

    assert "emergency" in log(world)["results"][0]["why"]


def test_it_comes_in_pages(world: World):
    desk = Caller(world.callers["staff here"])
    for hours in range(5):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            desk = Caller(world.callers["staff here"])
            desk.get(f"/appointments/{world.visit.pk}")
    owner = Caller(world.callers["owner"])

    first = owner.get("/me/access-log", {"limit": 3}).json()
    second = owner.client.get(first["next"], headers=owner.headers).json()

    times = [look["at"] for look in first["results"] + second["results"]]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)
    assert second["next"] is None
