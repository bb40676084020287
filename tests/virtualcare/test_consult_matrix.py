"""Every operation on one consult, by what becomes of it and who calls: those around its patient, and clinicians.

An operation of virtual care without a row fails. In which states what may be done is tested beside each rule; here it
is who reaches a consult at all. What is the same for every consult is in tests/test_access_matrix.py, sockets are in
tests/virtualcare/sockets/test_matrix.py.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from clinics.models import AccessEvent, Clinician, IdempotencyKey, User
from tests.calls import Caller
from tests.canaries import FAMILY_NAME
from tests.cast import NOW
from tests.test_access_matrix import operations, snapshot
from tests.virtualcare import people, talking
from tests.virtualcare.people import user_of
from tests.world import CANARY, ROLES, WHY, World
from virtualcare import following, queue, summaries
from virtualcare.models import Advice, Consult, ReplyClock
from virtualcare.video import calls

pytestmark = pytest.mark.django_db

HAS, HAD, DECLINED, ANOTHER = CLINICIANS = ["who has it", "who had it", "whom it was offered", "another"]
SUMMARY = {"reason": WHY, "assessment": WHY, "plan": WHY}


@dataclass
class Scene:
    """A consult of the world's patient, everybody around it, and four clinicians who are on duty."""

    world: World
    consult: Consult
    callers: dict[str, User | None]

    def path(self, rest: str = "", below: str = "consults") -> str:
        return f"/{below}/{self.consult.pk}{rest}"


def come_to(state: str, world: World) -> Scene:
    """A consult that one clinician declined and another one had, on its way until `state`."""
    has, had, declined, another = (people.doctor_on_duty(name) for name in ("Reyes", "Stone", "Moss", "Hill"))
    consult = people.waiting(world.patient)
    doctors = dict(zip(CLINICIANS, (has, had, declined, another), strict=True))
    scene = Scene(world, consult, {**world.callers, **{name: user_of(doctor) for name, doctor in doctors.items()}})
    assert people.claimed(declined)
    queue.decline(consult=consult, clinician=declined, actor=user_of(declined), now=NOW)
    assert people.taken(had) == consult
    talking.says(consult, user_of(had), CANARY)
    to = None if state == "waiting" else has
    queue.transfer(consult=consult, clinician=had, to=to, note=WHY, actor=user_of(had), now=NOW)
    if state not in ("waiting", "offered"):
        people.accepted(consult, has)
        go_on(state, consult, has)
    scene.consult = Consult.objects.select_related("patient").get(pk=consult.pk)
    return scene


def go_on(state: str, consult: Consult, doctor: Clinician) -> None:
    by: dict[str, Any] = {"consult": consult, "clinician": doctor, "actor": user_of(doctor), "now": NOW}
    summaries.save_note(**by, version=0, fields={"private": WHY})
    match state:
        case "call":
            calls.to_video(consult=Consult.objects.get(pk=consult.pk), actor=user_of(doctor), now=NOW)
        case "escalated":
            queue.escalate(**by, advice=Advice.CALL_911, note=WHY)
        case "completed":
            done = talking.complete(consult, doctor)
            summaries.release(**{**by, "consult": done}, fields=SUMMARY)
            talking.says(done, done.patient, WHY)
            ReplyClock.objects.update(told=following.OPEN_TO_OTHERS)


Call = Callable[[Caller, Scene], Any]
PATIENTS = {"owner": "200+", "parent": "200+"}
# A parent whose child has come to the age for it knows of the consult, and of nothing in it.
FAMILY = {**PATIENTS, "limited parent": "200+"}
HANDS = {HAS: "200+", HAD: "409"}
CARERS = {HAS: "200+", HAD: "200+"}
ALL = "consults/<uuid:consult_id>"
# What callers get who are not named: 404, and below clinician/ 403 for who is no clinician.
MATRIX: dict[tuple[str, str], tuple[Call, dict[str, str]]] = {
    (f"GET {ALL}", "waiting"): (lambda c, s: c.get(s.path()), {**FAMILY, HAD: "200+"}),
    (f"GET {ALL}", "offered"): (lambda c, s: c.get(s.path()), {**FAMILY, **CARERS}),
    (f"GET {ALL}", "active"): (lambda c, s: c.get(s.path()), {**FAMILY, **CARERS}),
    (f"GET {ALL}", "completed"): (lambda c, s: c.get(s.path()), {**FAMILY, **CARERS}),
    (f"POST {ALL}/leave", "active"): (lambda c, s: c.post(s.path("/leave")), PATIENTS),
    (f"POST {ALL}/acknowledge", "escalated"): (
        lambda c, s: c.post(s.path("/acknowledge")),
        {"owner": "200", "parent": "200"},
    ),
    (f"GET {ALL}/messages", "active"): (lambda c, s: c.get(s.path("/messages")), {**PATIENTS, **CARERS}),
    # To whom it is offered it says what it is about, and nothing that was said.
    (f"GET {ALL}/messages", "offered"): (lambda c, s: c.get(s.path("/messages")), {**PATIENTS, HAD: "200+"}),
    (f"POST {ALL}/messages", "active"): (
        lambda c, s: c.post(s.path("/messages"), {"client_id": str(s.world.visit.pk), "body": CANARY}),
        {"owner": "201+", "parent": "201+", HAS: "201+", HAD: "409"},
    ),
    (f"POST {ALL}/read", "active"): (
        lambda c, s: c.post(s.path("/read"), {"seq": 1}),
        {"owner": "200", "parent": "200", HAS: "200", HAD: "200"},
    ),
    (f"GET {ALL}/note", "active"): (lambda c, s: c.get(s.path("/note")), HANDS),
    (f"GET {ALL}/note", "offered"): (lambda c, s: c.get(s.path("/note")), {HAD: "409"}),
    (f"PUT {ALL}/note", "active"): (
        lambda c, s: c.put(s.path("/note"), {"version": 1, "fields": {"private": CANARY}}),
        HANDS,
    ),
    (f"GET {ALL}/summary", "completed"): (lambda c, s: c.get(s.path("/summary")), {**PATIENTS, **CARERS}),
    (f"POST {ALL}/summary", "completed"): (
        lambda c, s: c.post(s.path("/summary"), {"version": 1, **SUMMARY}),
        {HAS: "201+", HAD: "409"},
    ),
    (f"GET {ALL}/slots", "active"): (
        lambda c, s: c.get(s.path("/slots"), {"visit_type": "office"}),
        {HAS: "200", HAD: "409"},
    ),
    (f"POST {ALL}/book", "active"): (
        lambda c, s: c.post(s.path("/book"), {"slot": s.world.slot()}),
        {HAS: "201", HAD: "409"},
    ),
    (f"GET {ALL}/video", "call"): (
        lambda c, s: c.get(s.path("/video")),
        {"owner": "200", "parent": "200", HAS: "200", HAD: "409"},
    ),
    (f"POST {ALL}/video", "active"): (
        lambda c, s: c.post(s.path("/video")),
        {"owner": "403", "parent": "403", HAS: "200", HAD: "403"},
    ),
    (f"POST {ALL}/video", "call"): (
        lambda c, s: c.post(s.path("/video")),
        {"owner": "200", "parent": "200", HAS: "200", HAD: "403"},
    ),
    (f"GET {ALL}/colleagues", "active"): (
        lambda c, s: c.get(s.path("/colleagues")),
        {HAS: "200", HAD: "409"},
    ),
    (f"POST {ALL}/transfer", "active"): (lambda c, s: c.post(s.path("/transfer"), {"note": CANARY}), HANDS),
    (f"POST {ALL}/escalate", "active"): (
        lambda c, s: c.post(s.path("/escalate"), {"advice": "911", "note": CANARY}),
        HANDS,
    ),
    (f"POST {ALL}/complete", "active"): (lambda c, s: c.post(s.path("/complete"), {"summary": SUMMARY}), HANDS),
    ("GET clinician/status", "active"): (lambda c, s: c.get("/clinician/status"), dict.fromkeys(CLINICIANS, "200")),
    ("PUT clinician/status", "active"): (
        lambda c, s: c.put("/clinician/status", {"available": False}),
        dict.fromkeys(CLINICIANS, "200"),
    ),
    ("GET clinician/queue", "active"): (
        lambda c, s: c.get("/clinician/queue"),
        {**dict.fromkeys(CLINICIANS, "200"), HAS: "200+"},
    ),
    ("GET clinician/queue", "waiting"): (lambda c, s: c.get("/clinician/queue"), dict.fromkeys(CLINICIANS, "200")),
    # Whoever let it go is not offered it for a while.
    ("POST clinician/claims", "waiting"): (
        lambda c, s: c.post("/clinician/claims"),
        {HAS: "200+", ANOTHER: "200+", HAD: "204", DECLINED: "204"},
    ),
    ("POST clinician/claims/<uuid:consult_id>/accept", "offered"): (
        lambda c, s: c.post(s.path("/accept", "clinician/claims")),
        {**HANDS, DECLINED: "409"},
    ),
    ("POST clinician/claims/<uuid:consult_id>/decline", "offered"): (
        lambda c, s: c.post(s.path("/decline", "clinician/claims")),
        {HAS: "204", HAD: "204", DECLINED: "204"},
    ),
    # Whoever may take it learns that somebody waits, and not who.
    ("GET clinician/follow-ups", "completed"): (
        lambda c, s: c.get("/clinician/follow-ups"),
        {**CARERS, DECLINED: "200", ANOTHER: "200"},
    ),
    ("POST clinician/follow-ups/<uuid:consult_id>/take", "completed"): (
        lambda c, s: c.post(s.path("/take", "clinician/follow-ups")),
        dict.fromkeys(CLINICIANS, "200+"),
    ),
}
STATES = ["waiting", "offered", "active", "call", "completed", "escalated"]
# Who reaches nothing of a consult, whatever becomes of it.
OUTSIDERS = ["stranger", "staff here", "clinician here", "staff elsewhere", "partner", "nobody", DECLINED, ANOTHER]
# What lets those in who were not: clinicians who are on duty take whom they may.
LETS_IN = {"POST clinician/claims", "POST clinician/follow-ups/<uuid:consult_id>/take"}


def test_it_has_a_row_for_every_operation_on_a_consult():
    of_one = {name for name in operations() if ALL in name or " clinician/" in name}

    assert {name for name, _ in MATRIX} == of_one


def everybody_else(operation: str, role: str) -> str:
    if role == "nobody":
        return "401"
    needs_a_clinician = " clinician/" in operation or operation.endswith(("/transfer", "/escalate", "/complete"))
    return "403" if needs_a_clinician and role not in CLINICIANS else "404"


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize(("operation", "state"), MATRIX)
def test_it_answers_each_caller_as_expected(operation: str, state: str, world: World):
    call, named = MATRIX[operation, state]
    scene = come_to(state, world)

    got, told = {}, {}
    for role, user in scene.callers.items():
        with undone():
            answer = call(Caller(user), scene)
            got[role] = f"{answer.status_code}{'+' if CANARY.encode() in answer.content else ''}"
            events = AccessEvent.objects.filter(patients__patient=world.patient)
            told[role] = [event.viewer_id for event in events]

    assert got == {role: named.get(role) or everybody_else(operation, role) for role in [*ROLES, *CLINICIANS]}
    # Each that showed somebody else's record left one event, and no other may have left more than that (promise 33).
    assert {
        role
        for role, seen in told.items()
        if len(seen) > 1 or {*seen} - {scene.callers[role] and scene.callers[role].pk}
    } == set()
    assert {role for role, answer in got.items() if "+" in answer and role != "owner" and not told[role]} == set()
    assert told["owner"] == []


@pytest.mark.parametrize(("operation", "state"), [row for row in MATRIX if row[0].startswith("POST ")])
def test_it_answers_the_same_key_again_and_keeps_no_address_of_a_socket_and_no_name(
    operation: str, state: str, world: World
):
    call, named = MATRIX[operation, state]
    scene = come_to(state, world)

    wrong: list[tuple[Any, ...]] = []
    for role in [role for role, answer in named.items() if answer.startswith("2")]:
        with undone():
            caller = Caller(scene.callers[role])
            caller.headers["Idempotency-Key"] = "one"
            first, again = call(caller, scene), call(caller, scene)
            [kept] = IdempotencyKey.objects.all()
            if (first.status_code, "true") != (again.status_code, again.headers.get("Idempotent-Replayed")):
                wrong.append((role, first.status_code, again.status_code))
            if "ticket=" in str(kept.body) or FAMILY_NAME in str(kept.body):
                wrong.append((role, kept.body))

    assert wrong == []


@pytest.mark.parametrize("state", STATES)
def test_nobody_else_reaches_anything_of_it_in_any_state(state: str, world: World):
    scene = come_to(state, world)
    before = snapshot()

    reached = []
    for (operation, _), (call, _) in MATRIX.items():
        for role in OUTSIDERS:
            if operation in LETS_IN and role in CLINICIANS:
                continue
            with undone():
                answer = call(Caller(scene.callers[role]), scene)
                is_found = ALL in operation and answer.status_code not in (401, 403, 404)
                if is_found or CANARY.encode() in answer.content or answer.status_code >= 500:
                    reached.append((operation, role, answer.status_code))

    assert reached == []
    assert snapshot() == before
