"""Whom the signals of a call reach: the sockets of its other side, while it is one, and nobody else's.

What signals are is tried in tests/virtualcare/video.
"""

from typing import Any

import pytest
from django.utils import timezone

from clinics.models import User
from tests.virtualcare import people
from tests.virtualcare.sockets.acts import finish, hand_to_another
from tests.virtualcare.sockets.conftest import Pair
from tests.virtualcare.sockets.serving import PATIENCE, Client, Server, session_of, url_for
from virtualcare.models import Call, CallParticipant, Consult
from virtualcare.video import calls

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("listening")]
HERE, THERE = "page-here", "page-there"
HELLO = {"kind": "hello", "peer": HERE, "since": 1, "again": False}
STATUS = {"type": "news", "what": "status"}


@pytest.fixture
def call(call: Pair) -> Pair:
    """A consult by video whose two sides were let into its call."""
    let_in(call.consult, call.patients_user)
    let_in(call.consult, call.doctors_user)
    return call


def let_in(consult: Consult, user: User) -> None:
    calls.join(consult=consult, user=user, session=session_of(user).id, now=timezone.now())


def hello(speaker: Client, *hearers: Client) -> None:
    """A page says that it is there, which those on the other side hear."""
    speaker.say(type="signal", data=HELLO)
    assert all(hearer.hear()["data"] == HELLO for hearer in hearers)


def candidate(number: int) -> dict[str, Any]:
    return {"kind": "candidate", "peer": HERE, "to": THERE, "candidate": {"candidate": str(number)}}


def test_one_side_reaches_all_sockets_of_the_other(server: Server, call: Pair):
    with call.patients(server) as patients, call.doctors(server) as one, call.doctors(server) as two:
        patients.say(type="signal", data=HELLO, by="clinician")

        told = one.hear()
        assert (told["type"], told["by"], told["data"]) == ("signal", "patient", HELLO)
        assert two.hear() == told
        assert patients.hears_nothing(0.2)

        two.say(type="signal", data=HELLO)
        assert patients.hear()["by"] == "clinician"
        assert one.hears_nothing(0.2)


def test_they_come_in_their_order(server: Server, call: Pair):
    with call.patients(server) as patients, call.doctors(server) as doctors:
        hello(patients, doctors)
        for number in range(100):
            patients.say(type="signal", data=candidate(number))

        assert [doctors.hear()["data"] for _ in range(100)] == [candidate(number) for number in range(100)]


def test_there_are_none_in_a_text_consult(server: Server, pair: Pair):
    with pair.patients(server) as patients, pair.doctors(server) as doctors:
        patients.say(type="signal", data=HELLO)

        assert doctors.hears_nothing()


def test_there_are_none_once_the_call_is_over(server: Server, call: Pair):
    with call.patients(server) as patients, call.doctors(server) as doctors:
        hello(patients, doctors)
        finish(call)
        assert STATUS in (heard := told_until_status(doctors)), heard
        patients.say(type="signal", data=candidate(1))

        assert doctors.hears_nothing()


def test_who_handed_the_call_over_neither_hears_nor_speaks(server: Server, call: Pair):
    with call.patients(server) as patients, call.doctors(server) as before:
        hello(patients, before)
        hello(before, patients)
        after = hand_to_another(call)
        assert STATUS in told_until_status(before)
        assert STATUS in told_until_status(patients)
        with server.connect(url_for(people.user_of(after), call.path)).ready() as doctors:
            before.say(type="signal", data=candidate(1))
            patients.say(type="signal", data=candidate(2))

            assert doctors.hear()["data"] == candidate(2)
            assert before.hears_nothing()
            assert patients.hears_nothing(0.1)


def test_one_that_looks_like_news_is_none(server: Server, call: Pair):
    with call.patients(server) as patients, call.doctors(server) as doctors:
        patients.say(type="signal", data=HELLO, what=["status"], role="patient", say={}, to="clinicians")

        assert doctors.hear().keys() == {"type", "from", "by", "data"}


def told_until_status(client: Client) -> list[Any]:
    """What a client hears until it has heard that something changed, and nothing more is said for half a second."""
    heard = []
    try:
        while True:
            heard.append(client.hear(0.5 if STATUS in heard else PATIENCE))
    except TimeoutError:
        return heard


def test_nobody_speaks_as_somebody_else(server: Server, call: Pair):
    with call.patients(server) as patients, call.doctors(server) as doctors:
        doctors.say(type="signal", data=HELLO)
        doctor = patients.hear()["from"]
        patients.say(type="signal", data={**HELLO, "from": doctor}, by="clinician", **{"from": doctor})

        told = doctors.hear()
        patient = CallParticipant.objects.get(role="patient")
        assert (told["from"], told["by"], told["data"]) == (str(patient.pk), "patient", HELLO)


def test_there_are_none_of_who_has_not_said_hello(server: Server, call: Pair):
    with call.patients(server) as patients, call.doctors(server) as doctors:
        patients.say(type="signal", data=candidate(1))

        assert doctors.hears_nothing()


def test_there_are_none_of_who_was_let_into_an_earlier_call_alone(server: Server, call: Pair):
    with call.patients(server) as patients, call.doctors(server) as doctors:
        hello(patients, doctors)
        Call.objects.update(ended_at=timezone.now(), ended_because=Call.Ended.REVOKED)
        patients.say(type="signal", data=HELLO)
        patients.say(type="signal", data=candidate(1))

        assert doctors.hears_nothing()
