"""Why a child comes is told to a parent until the child is of an age, set for each, to keep it to themself."""

import pytest
from django.db import transaction

from scheduling.models import Appointment, AppointmentChange
from tests.calls import Caller
from tests.test_access_matrix import MATRIX
from tests.world import WHY, World

pytestmark = pytest.mark.django_db

WRITTEN = "Sore throat and a question"


@pytest.fixture
def limited(world: World) -> Caller:
    return Caller(world.callers["limited parent"])


def reads(caller: Caller, visit: object) -> list:
    """Everything that can be read about a visit."""
    return [
        caller.get("/appointments"),
        caller.get("/appointments", {"when": "past"}),
        caller.get(f"/appointments/{visit}"),
        caller.get(f"/appointments/{visit}/history"),
        caller.get("/holds"),
        caller.get("/me"),
        caller.get("/me/dependents"),
    ]


@pytest.mark.parametrize("operation", MATRIX)
def test_no_operation_tells_a_limited_parent_why(operation: str, world: World, limited: Caller):
    with transaction.atomic():
        answer = MATRIX[operation][0](limited, world)
        transaction.set_rollback(True)

    assert WHY not in answer.content.decode()


@pytest.mark.parametrize("role", ["owner", "parent", "staff here", "clinician here"])
def test_the_others_are_told(role: str, world: World):
    answer = Caller(world.callers[role]).get(f"/appointments/{world.visit.pk}")

    assert answer.json()["reason"] == WHY


class TestWhatALimitedParentBooks:
    """Also where the reason was in their own words: an answer is read over a shoulder, and its replay by others."""

    def test_it_shows_no_reason_on_the_whole_way(self, world: World, limited: Caller):
        visit = str(world.held.pk)
        key = {"Idempotency-Key": "one"}
        body = {"hold": visit, "reason": WRITTEN}
        booked, replayed = (limited.post("/appointments", body, **key) for _ in range(2))
        read = reads(limited, visit)
        moved = limited.post(f"/appointments/{visit}/reschedule", {"slot": world.slot(14)})
        cancelled = limited.post(f"/appointments/{visit}/cancel", {"reason": WRITTEN})
        read += reads(limited, visit)

        shown = [booked, replayed, moved, cancelled]
        assert [answer.status_code for answer in shown] == [201, 201, 200, 200]
        assert replayed["Idempotent-Replayed"] == "true"
        assert [answer.json()["reason"] for answer in shown] == [None] * 4
        assert {answer.status_code for answer in read} == {200}
        assert not [answer for answer in [*shown, *read] if WRITTEN in answer.content.decode()]
        assert Appointment.objects.get(pk=visit).reason == WRITTEN
        assert AppointmentChange.objects.filter(appointment=visit, reason=WRITTEN).exists()

    def test_it_shows_no_reason_where_it_is_refused(self, world: World, limited: Caller):
        visit = world.visit.pk
        answers = [
            limited.post("/appointments", {"hold": str(visit), "reason": WRITTEN}),
            limited.post(f"/appointments/{visit}/reschedule", {"slot": world.slot(18)}),
            limited.post("/holds", {"slot": world.slot(10), "patient": str(world.patient.pk)}),
        ]

        assert [answer.status_code for answer in answers] == [409, 409, 409]
        assert not [answer for answer in answers if WHY in answer.content.decode()]

    def test_a_parent_who_reads_everything_reads_it_too(self, world: World, limited: Caller):
        limited.post("/appointments", {"hold": str(world.held.pk), "reason": WRITTEN})

        read = reads(Caller(world.callers["parent"]), world.held.pk)

        assert WRITTEN in read[0].content.decode()
