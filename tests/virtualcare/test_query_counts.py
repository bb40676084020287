"""What a request costs in statements: as many for twenty as for one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import Clinician, Patient
from tests.calls import Caller
from tests.virtualcare import people
from tests.virtualcare.people import user_of
from virtualcare.models import Consult

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def cost(caller: Caller, method: str, path: str, *answers: int) -> int:
    """The statements of a request that is answered by one of `answers`."""
    with CaptureQueriesContext(connection) as queries:
        answer: Any = getattr(caller, method)(path)
    assert answer.status_code in answers, answer.content
    return len(queries)


def over(consults: list[Consult]) -> None:
    Consult.objects.filter(pk__in=[consult.pk for consult in consults]).update(status="cancelled")


def test_a_list_of_twenty_consults_costs_as_much_as_one(pat: Patient, reyes: Clinician):
    caller = Caller(user_of(pat))
    over([people.waiting(pat)])
    at_one = cost(caller, "get", "/consults", 200)

    for _ in range(19):
        over([people.waiting(pat)])

    assert len(caller.get("/consults", {"limit": 50}).json()["results"]) == 20
    assert cost(caller, "get", "/consults", 200) == at_one


def test_a_consult_costs_as_much_in_a_crowd_as_alone(pat: Patient, reyes: Clinician):
    caller = Caller(user_of(pat))
    consult = people.waiting(pat)
    alone = cost(caller, "get", f"/consults/{consult.pk}", 200)

    for _ in range(19):
        people.waiting()

    assert cost(caller, "get", f"/consults/{consult.pk}", 200) == alone


def test_a_clinicians_work_costs_as_much_for_many_patients_as_for_one(db: None):
    doctor = people.doctor_on_duty(capacity=10)
    caller = Caller(user_of(doctor))
    people.waiting()
    people.taken(doctor)
    at_one = cost(caller, "get", "/clinician/queue", 200)

    for _ in range(9):
        people.waiting()
        people.taken(doctor)
    for _ in range(20):
        people.waiting()

    assert len(caller.get("/clinician/queue").json()["in_hand"]) == 10
    assert cost(caller, "get", "/clinician/queue", 200) == at_one


def test_taking_a_patient_costs_as_much_from_a_crowd_as_from_one(db: None):
    doctor, other = people.doctor_on_duty("Reyes"), people.doctor_on_duty("Stone")
    people.waiting()
    at_one = cost(Caller(user_of(doctor)), "post", "/clinician/claims", 200)

    for _ in range(20):
        people.waiting()

    assert cost(Caller(user_of(other)), "post", "/clinician/claims", 200) == at_one


def test_whom_to_hand_over_to_costs_as_much_among_twenty_as_with_one(db: None):
    doctor = people.doctor_on_duty("Reyes")
    people.waiting()
    path = f"/consults/{people.taken(doctor).pk}/colleagues"
    caller = Caller(user_of(doctor))
    people.doctor_on_duty("Stone")
    at_one = cost(caller, "get", path, 200)

    for number in range(19):
        people.doctor_on_duty(f"Colleague{number}")

    assert len(caller.get(path).json()["results"]) == 20
    assert cost(caller, "get", path, 200) == at_one
