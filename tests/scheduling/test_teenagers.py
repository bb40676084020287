"""A teenager with an account of their own: what they book, what a parent still sees, and who is told of it."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress

from clinics import invitation_codes, own_accounts
from clinics.models import Message, Patient, Proxy, User
from scheduling import reminders
from scheduling.models import Appointment, VisitType
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, Place, at

pytestmark = pytest.mark.django_db
MAX = "max@example.com"
WHY = "Something that he asks nobody else"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def parent() -> User:
    user = cast.make_patient("Parent").user
    assert user
    return user


@pytest.fixture
def teen(parent: User) -> Patient:
    """Fourteen, with an account of his own."""
    patient = cast.make_patient("Max", born=date(2012, 6, 1), user=False)
    Proxy.objects.create(user=parent, patient=patient)
    user = User.objects.create_user(MAX)
    EmailAddress.objects.create(user=user, email=MAX, verified=True, primary=True)
    made = own_accounts.invite_dependent(user=parent, patient=patient.pk, email=MAX, now=NOW)
    return own_accounts.accept(user=user, code=invitation_codes.of(made.pk), now=NOW)


def book(caller: Caller, avon: Place, office: VisitType, *, hour: int = 15, patient: Patient | None = None) -> Any:
    whose = {"patient": str(patient.pk)} if patient else {}
    held = caller.post("/holds", {"slot": avon.slot(at(hour, days=1), office).id, **whose})
    assert held.status_code == 201, held.json()
    return caller.post("/appointments", {"hold": held.json()["id"], "reason": WHY})


def told() -> set[tuple[str, str]]:
    return set(Message.objects.exclude(status="withdrawn").values_list("template", "address"))


def test_they_book_read_move_and_cancel_their_own_visits(avon: Place, office: VisitType, teen: Patient):
    me = Caller(teen.user)

    booked = book(me, avon, office)
    path = f"/appointments/{booked.json()['id']}"
    listed = me.get("/appointments").json()["results"]
    moved = me.post(f"{path}/reschedule", {"slot": avon.slot(at(14, days=1), office).id})
    cancelled = me.post(f"{path}/cancel", {})

    assert (booked.status_code, moved.status_code, cancelled.status_code) == (201, 200, 200)
    assert [(one["id"], one["reason"]) for one in listed] == [(booked.json()["id"], WHY)]
    assert Appointment.objects.get().source == "patient"


def test_a_parent_sees_the_visit_and_not_why(avon: Place, office: VisitType, teen: Patient, parent: User):
    visit = book(Caller(teen.user), avon, office).json()["id"]
    caller = Caller(parent)

    answers = [caller.get("/appointments"), caller.get(f"/appointments/{visit}"), caller.get("/me/dependents")]
    history = caller.get(f"/appointments/{visit}/history")

    assert [answer.status_code for answer in [*answers, history]] == [200] * 4
    assert visit in answers[0].content.decode()
    assert not [answer for answer in [*answers, history] if WHY in answer.content.decode()]


def test_the_teenager_alone_is_told_of_what_they_book(avon: Place, office: VisitType, teen: Patient):
    book(Caller(teen.user), avon, office)

    assert told() == {("visit_booked", MAX)}


def test_the_teenager_alone_is_told_of_what_a_parent_books_moves_and_cancels(
    avon: Place, office: VisitType, teen: Patient, parent: User
):
    caller = Caller(parent)
    visit = book(caller, avon, office, patient=teen).json()["id"]
    caller.post(f"/appointments/{visit}/reschedule", {"slot": avon.slot(at(14, days=1), office).id})
    caller.post(f"/appointments/{visit}/cancel", {})

    assert set(Message.objects.values_list("template", "address")) == {
        ("visit_booked", MAX),
        ("visit_moved", MAX),
        ("visit_cancelled", MAX),
    }


def test_the_teenager_alone_is_reminded(avon: Place, office: VisitType, teen: Patient, parent: User):
    book(Caller(parent), avon, office, patient=teen)

    while reminders.send_due(now=at(13, 1, days=1)):
        pass

    assert told() == {("visit_booked", MAX), ("visit_reminder", MAX)}


def test_a_younger_child_s_parent_is_told_as_ever(avon: Place, office: VisitType, parent: User):
    child = cast.make_patient("Mia", born=date(2018, 5, 4), user=False)
    Proxy.objects.create(user=parent, patient=child)

    book(Caller(parent), avon, office, patient=child)

    assert told() == {("visit_booked", parent.email)}


def test_of_age_a_parent_sees_nothing_more(avon: Place, office: VisitType, teen: Patient, parent: User):
    visit = book(Caller(teen.user), avon, office).json()["id"]
    Patient.objects.filter(pk=teen.pk).update(birth_date=NOW.date().replace(year=2008) - timedelta(days=1))

    answers = [Caller(parent).get(f"/appointments/{visit}"), Caller(teen.user).get(f"/appointments/{visit}")]

    assert [answer.status_code for answer in answers] == [404, 200]
    assert Caller(parent).get("/appointments").json()["results"] == []
