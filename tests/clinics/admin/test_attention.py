"""What asks for somebody on the admin's first page: messages that failed or are late."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import Message, Patient, StaffRole, User
from tests import cast
from tests.calls import browser
from tests.cast import NOW
from tests.world import World

pytestmark = pytest.mark.django_db
FAILED = "failed in the last seven days"
LATE = "late, and not sent yet"


@pytest.fixture(autouse=True)
def _none(world: World) -> None:
    Message.objects.all().delete()


def make(patient: Patient | None, count: int = 1, *, days: float = 0.1, status: str = "failed") -> None:
    for number in range(count):
        due = NOW - timedelta(days=days)
        Message.objects.create(
            patient=patient, channel="email", template="visit_booked", about="a", due_at=due, next_at=due,
            status=status, dedupe_key=f"{patient}{number}{days}{status}",
        )  # fmt: skip


def counts(user: User | None) -> dict[str, int]:
    """What stands in the panel: how many of what."""
    page = browser(user).get("/admin/").content.decode()
    found = re.findall(r"<strong>(\d+)</strong> messages? ([a-z, ]+)</a>", page)
    return {said: int(count) for count, said in found}


def listed(user: User | None, words: str) -> int:
    """How many rows the list has that the panel leads to."""
    client = browser(user)
    page = client.get("/admin/").content.decode()
    [address] = re.findall(rf'<a href="([^"]+)"><strong>\d+</strong> messages? {words}', page)
    return len(client.get(address.replace("&amp;", "&")).context["cl"].result_list)


def test_it_counts_those_of_ones_own_clinics_and_leads_to_just_these(world: World):
    make(world.patient, 3)
    make(world.patient, 2, status="queued")
    make(world.patient, days=0.001, status="queued")  # a minute and a half: on its way
    make(world.patient, days=8)
    make(world.patient, days=1, status="suppressed")
    other = cast.make_patient("Other", user=False)
    cast.register(other, world.elsewhere.clinic)
    make(other, 1)
    make(None, 1)

    assert counts(world.callers["staff here"]) == {FAILED: 3, LATE: 2}
    assert counts(world.callers["staff elsewhere"]) == {FAILED: 1}
    assert listed(world.callers["staff here"], FAILED) == 3
    assert listed(world.callers["staff here"], LATE) == 2


def test_those_who_run_the_server_count_all(world: World):
    make(world.patient, 2)
    make(None, 1, status="sending")
    operator = User.objects.create_superuser("operator@example.com", None)

    assert counts(operator) == {FAILED: 2, LATE: 1}
    assert listed(operator, FAILED) == 2


def test_it_says_nothing_where_nothing_is_wrong(world: World):
    make(world.patient, status="withdrawn")

    assert "Look at these" not in browser(world.callers["staff here"]).get("/admin/").content.decode()


def test_it_takes_as_many_statements_for_many_as_for_one(world: World):
    manager = cast.make_staff(world.avon.clinic, "Manager", StaffRole.Role.MANAGER)
    client = browser(manager)
    make(world.patient)
    client.get("/admin/")
    with CaptureQueriesContext(connection) as one:
        client.get("/admin/")
    make(world.patient, 20, days=2)
    with CaptureQueriesContext(connection) as many:
        client.get("/admin/")

    assert len(many) == len(one)
