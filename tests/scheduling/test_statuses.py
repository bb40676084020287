"""`POST appointments/{id}/status` and its undoing: what the clinic's staff say of a visit on its day."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from clinics.models import AccessEvent, Proxy, StaffRole
from scheduling.models import AppointmentChange
from tests import cast
from tests.calls import Caller
from tests.cast import at
from tests.world import CANARY, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(world: World) -> Iterator[Any]:
    """A few minutes after the visit has begun."""
    with time_machine.travel(at(10, 5), tick=False) as traveller:
        yield traveller


@pytest.fixture
def desk(world: World, clock: Any) -> Caller:
    return Caller(world.callers["staff here"])


def say(caller: Caller, world: World, to: str, **headers: str) -> Any:
    return caller.post(f"/appointments/{world.visit.pk}/status", {"to": to}, **headers)


def take_back(caller: Caller, world: World, said: str, **headers: str) -> Any:
    return caller.post(f"/appointments/{world.visit.pk}/status/undo", {"said": said}, **headers)


def steps(world: World) -> list[tuple[str, str]]:
    return list(
        AppointmentChange.objects.filter(appointment=world.visit, kind="status").values_list("from_status", "to_status")
    )


def test_it_takes_a_visit_through_its_day(desk: Caller, world: World):
    answers = [say(desk, world, to) for to in ("arrived", "checked_in", "roomed", "completed")]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.json()["fhir_status"] for answer in answers] == ["arrived", "checked-in", "checked-in", "fulfilled"]
    assert steps(world)[-1] == ("roomed", "completed")
    assert set(AppointmentChange.objects.filter(kind="status").values_list("actor", flat=True)) == {
        world.callers["staff here"].pk
    }


def test_it_does_the_work_of_a_key_once(desk: Caller, world: World):
    key = {"Idempotency-Key": "one"}

    first, again = say(desk, world, "arrived", **key), say(desk, world, "arrived", **key)
    say(desk, world, "roomed")
    later = say(desk, world, "arrived", **key)
    other = say(desk, world, "no_show", **key)

    assert (first.status_code, again.json(), later.json()) == (200, first.json(), first.json())
    assert again["Idempotent-Replayed"] == later["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert steps(world) == [("booked", "arrived"), ("arrived", "roomed")]


def test_it_goes_no_way_back_and_says_what_the_visit_is_now(desk: Caller, world: World):
    say(desk, world, "roomed")

    answer = say(desk, world, "arrived")

    assert (answer.status_code, answer.json()["code"], answer.json()["status_now"]) == (409, "other_status", "roomed")


def test_it_refuses_what_is_said_on_another_day_or_too_early(desk: Caller, world: World, clock: Any):
    clock.move_to(at(10, days=-1))
    early = say(Caller(world.callers["staff here"]), world, "arrived")
    clock.move_to(at(9, 59))
    before = say(Caller(world.callers["staff here"]), world, "no_show")

    assert [(answer.status_code, answer.json()["code"]) for answer in (early, before)] == [
        (409, "not_today"),
        (409, "not_begun"),
    ]
    assert steps(world) == []


@pytest.mark.parametrize("to", ["booked", "cancelled", "expired", "held", "", "seen"])
def test_it_takes_no_status_that_is_not_a_desks_to_say(desk: Caller, world: World, to: str):
    answer = say(desk, world, to)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["to"])
    assert steps(world) == []


def test_it_undoes_what_was_said_last_and_that_alone(desk: Caller, world: World):
    say(desk, world, "arrived")
    say(desk, world, "roomed")

    stale = take_back(desk, world, "arrived")
    undone = take_back(desk, world, "roomed")
    again = take_back(desk, world, "roomed")

    assert (stale.status_code, stale.json()["code"]) == (409, "other_status")
    assert [(answer.status_code, answer.json()["status"]) for answer in (undone, again)] == [(200, "arrived")] * 2
    assert steps(world) == [("booked", "arrived"), ("arrived", "roomed"), ("roomed", "arrived")]


def test_a_no_show_gets_the_time_again_unless_it_is_taken(desk: Caller, world: World, stranger: Any):
    say(desk, world, "no_show")
    back = take_back(desk, world, "no_show")
    say(desk, world, "no_show")
    cast.register(stranger, world.avon.clinic)
    slot = world.avon.slot(at(10), world.office).id
    over = {"slot": slot, "patient": str(stranger.pk), "overbook_reason": "Urgent"}
    with time_machine.travel(at(9, 30), tick=False):
        taken = Caller(world.callers["staff here"]).post("/appointments/overbook", over)

    answer = take_back(desk, world, "no_show")

    assert (back.status_code, back.json()["status"]) == (200, "booked")
    assert taken.status_code == 201, taken.content
    assert (answer.status_code, answer.json()["code"]) == (409, "slot_taken")


def test_it_is_too_late_to_undo_after_half_a_day(desk: Caller, world: World, clock: Any):
    say(desk, world, "completed")
    clock.move_to(at(23))

    answer = take_back(Caller(world.callers["staff here"]), world, "completed")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_late_to_undo")


class TestWho:
    def test_nobody_says_it_of_their_own_visit_or_their_familys(self, world: World, clock: Any):
        parent = world.callers["parent"]
        StaffRole.objects.create(user=parent, role="manager", clinic=world.avon.clinic)

        answers = [say(Caller(user), world, "completed") for user in (parent, world.callers["owner"])]
        undone = take_back(Caller(parent), world, "completed")

        assert [(answer.status_code, answer.json()["code"]) for answer in (*answers, undone)] == [
            (403, "own_record")
        ] * 3
        assert steps(world) == []
        Proxy.objects.filter(user=parent).delete()
        assert say(Caller(parent), world, "completed").status_code == 200

    def test_others_find_no_visit(self, world: World, clock: Any):
        for who in ("stranger", "staff elsewhere", "partner"):
            for answer in (say(Caller(world.callers[who]), world, "arrived"),
                           take_back(Caller(world.callers[who]), world, "arrived")):  # fmt: skip
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), who
                assert CANARY not in answer.content.decode()
        assert steps(world) == []

    def test_an_operator_finds_none_either(self, world: World, clock: Any):
        operator = cast.make_user("operator", is_staff=True, is_superuser=True)

        assert say(Caller(operator), world, "arrived").status_code == 404

    def test_the_look_is_on_record(self, desk: Caller, world: World):
        say(desk, world, "arrived")
        take_back(desk, world, "arrived")

        looks = AccessEvent.objects.filter(patients__patient=world.patient.pk).order_by("id")
        assert [(look.page, look.what, look.viewer) for look in looks] == [
            ("POST appointments/{id}/status", "visit", world.callers["staff here"]),
            ("POST appointments/{id}/status/undo", "visit", world.callers["staff here"]),
        ]
