"""Each kind of socket, at a server as it is started for real, by everybody around one consult: ready, or which code."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from clinics.models import Patient, Proxy, Registration, User
from tests import cast
from tests.calls import Caller
from tests.virtualcare import people
from tests.virtualcare.people import user_of
from tests.virtualcare.sockets.conftest import Pair
from tests.virtualcare.sockets.serving import Server, url_for
from virtualcare import queue
from virtualcare.models import Duty
from virtualcare.sockets.base import NO_TICKET, NOTHING_HERE
from virtualcare.sockets.tickets import CLINICIAN_PATH, consult_path

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
READY = "ready"
# The socket of the consult, and that of consoles.
WANTED: dict[str, tuple[Any, Any]] = {
    "owner": (READY, NOTHING_HERE),
    "parent": (READY, NOTHING_HERE),
    "limited parent": (NOTHING_HERE, NOTHING_HERE),
    "former parent": (NOTHING_HERE, NOTHING_HERE),
    "stranger": (NOTHING_HERE, NOTHING_HERE),
    "front desk": (NOTHING_HERE, NOTHING_HERE),
    "clinician of their clinic": (NOTHING_HERE, READY),
    "operator": (NOTHING_HERE, NOTHING_HERE),
    "nobody": (NO_TICKET, NO_TICKET),
    "who has it": (READY, READY),
    "who had it": (READY, READY),
    "whom it was offered": (NOTHING_HERE, READY),
    "another on duty": (NOTHING_HERE, READY),
}


@pytest.fixture
def crowd(pair: Pair) -> dict[str, User | None]:
    """A child in the care of a doctor who took them over, and everybody else."""
    now = timezone.now()
    child = pair.patient
    Patient.objects.filter(pk=child.pk).update(birth_date=now.date() - timedelta(days=10 * 366))
    parent, limited, former = (user_of(cast.make_patient(name)) for name in ("Parent", "Limited", "Former"))
    Proxy.objects.create(user=parent, patient=child)
    Proxy.objects.create(user=limited, patient=child, shrinks_at_age=9)
    Proxy.objects.create(user=former, patient=child, ended_on=now.date() - timedelta(days=1))
    place = cast.make_place()
    Registration.objects.create(patient=child, clinic=place.clinic)
    declined, has, another = (people.make_doctor(name) for name in ("Moss", "Hill", "Gray"))
    for doctor in (declined, has, another):
        people.on_call(doctor, starts=now - timedelta(hours=1), ends=now + timedelta(hours=1))
    Duty.objects.update(heard_at=now)
    by: dict[str, Any] = {"consult": pair.consult, "now": now}
    queue.transfer(**by, clinician=pair.doctor, to=None, note="A rash.", actor=pair.doctors_user)
    assert people.claimed(declined, now=now)
    queue.decline(**by, clinician=declined, actor=user_of(declined))
    assert people.taken(has, now=now) == pair.consult
    return {
        "owner": pair.patients_user,
        "parent": parent,
        "limited parent": limited,
        "former parent": former,
        "stranger": user_of(cast.make_patient("Stranger")),
        "front desk": cast.make_staff(place.clinic),
        "clinician of their clinic": user_of(
            cast.make_clinician(place.clinic, "Stone", user=cast.make_user("stone", is_staff=True))
        ),
        "operator": User.objects.create_superuser("operator@example.com", None),
        "nobody": None,
        "who has it": user_of(has),
        "who had it": pair.doctors_user,
        "whom it was offered": user_of(declined),
        "another on duty": user_of(another),
    }


def opened(server: Server, url: str) -> Any:
    """What becomes of a socket: it is ready, or the code with which it is closed."""
    with server.connect(url) as client:
        try:
            return client.hear()["type"]
        except ConnectionClosed:
            return client.code()


def address(user: User | None, path: str) -> str:
    return url_for(user, path) if user else f"ws://localhost{path}"


def test_each_is_opened_for_those_whom_it_is_for(server: Server, pair: Pair, crowd: dict[str, User | None]):
    found = {
        who: tuple(opened(server, address(user, path)) for path in (pair.path, CLINICIAN_PATH))
        for who, user in crowd.items()
    }

    assert found == WANTED


def test_the_api_gives_an_address_to_those_alone(server: Server, pair: Pair, crowd: dict[str, User | None]):
    given = {}
    for who, user in crowd.items():
        answer = Caller(user).get(f"/consults/{pair.consult.pk}")
        url = answer.json().get("socket_url")
        given[who] = opened(server, url) if url else None

    assert given == {who: READY if of_consult == READY else None for who, (of_consult, _) in WANTED.items()}


def test_a_ticket_opens_no_other_consult_of_the_same_person(server: Server, pair: Pair, crowd: dict[str, User | None]):
    doctor = crowd["who has it"]
    assert doctor
    now = timezone.now()
    people.waiting(now=now)
    other = people.taken(doctor.clinician, now=now)

    url = url_for(doctor, consult_path(other.pk))

    assert opened(server, url.replace(str(other.pk), str(pair.consult.pk))) == NO_TICKET
    assert opened(server, url) == READY
