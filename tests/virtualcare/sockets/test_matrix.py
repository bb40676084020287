"""Every socket, by who opens it: those around a patient, and clinicians. An address without a row here fails."""

import uuid
from typing import Any

import pytest

from clinics.models import Session, User
from clinics.refusals import Refused
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.sockets.serving import session_of
from tests.world import ROLES, World
from virtualcare.models import Consult
from virtualcare.sockets.routes import router
from virtualcare.sockets.standing import SessionOver
from virtualcare.sockets.tickets import Ticket

pytestmark = pytest.mark.django_db

CLINICIANS = ["who has it", "who had it", "whom it was offered", "another"]
PATIENT, CLINICIAN, READER, NOTHING, NOBODY = "patient", "clinician", "reader", "nothing here", "nobody"
MATRIX: dict[str, dict[str, str]] = {
    "ws/consults/<uuid:consult_id>": dict(
        zip(
            [*ROLES, *CLINICIANS],
            [PATIENT, PATIENT, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOBODY,
             CLINICIAN, READER, NOTHING, NOTHING],
            strict=True,
        )
    ),
    "ws/clinician": dict(
        zip(
            [*ROLES, *CLINICIANS],
            [NOTHING] * 8 + [NOBODY] + ["console"] * 4,
            strict=True,
        )
    ),
}  # fmt: skip


@pytest.fixture
def openers(world: World) -> dict[str, User | None]:
    """Everybody around the patient, who is in a consult that one clinician had and another one has now."""
    first, second, declined, another = (people.doctor_on_duty(name) for name in ("Reyes", "Stone", "Moss", "Hill"))
    consult = people.waiting(world.patient)
    assert people.claimed(declined) is not None
    people.queue.decline(consult=consult, clinician=declined, actor=people.user_of(declined), now=NOW)
    people.taken(first)
    consult.carers.create(clinician=second, since=NOW)
    Consult.objects.filter(pk=consult.pk).update(clinician=second)
    doctors = dict(zip(CLINICIANS, (second, first, declined, another), strict=True))
    return {**world.callers, **{name: people.user_of(doctor) for name, doctor in doctors.items()}}


def opened(route: Any, user: User | None) -> str:
    """As what `user` opens the socket of `route`, with a ticket that is good in every other way."""
    session = session_of(user).id if user else uuid.uuid4()
    socket = route.callback.consumer_class()
    socket.scope = {"url_route": {"kwargs": {"consult_id": Consult.objects.get(status="active").pk}}}
    socket.at()
    socket.ticket = Ticket(user.pk if user else uuid.uuid4(), session, "digest")
    try:
        standing = socket.look(now=NOW)
    except SessionOver:
        return NOBODY
    except Refused:
        return NOTHING
    return str(getattr(standing, "role", "console"))


def test_each_socket_is_opened_by_whom_it_is_for(openers: dict[str, User | None]):
    found = {
        str(route.pattern): {role: opened(route, openers[role]) for role in [*ROLES, *CLINICIANS]}
        for route in router.routes
        if str(route.pattern)  # all other addresses: `nowhere`
    }

    assert found == MATRIX


def test_nobody_opens_one_by_the_session_of_somebody_else(openers: dict[str, User | None]):
    theirs, mine = openers["owner"], openers["stranger"]
    assert theirs
    assert mine
    (route, *_) = router.routes
    socket = route.callback.consumer_class()
    socket.scope = {"url_route": {"kwargs": {"consult_id": Consult.objects.get(status="active").pk}}}
    socket.at()
    socket.ticket = Ticket(theirs.pk, session_of(mine).id, "digest")

    with pytest.raises(SessionOver):
        socket.look(now=NOW)
    assert Session.objects.filter(user=mine)
