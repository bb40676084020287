"""Promise 33: every answer that shows somebody's record to another person leaves one event, or is not given."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

import config.urls
from clinics import audit
from clinics.edge import Endpoint
from clinics.models import AccessEvent, AccessRepeat, PatientSeen, Registration
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.test_access_matrix import MATRIX, snapshot
from tests.world import CANARY, World

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "one"}


def events(patient: UUID) -> list[AccessEvent]:
    return list(AccessEvent.objects.filter(patients__patient=patient).order_by("id"))


def test_every_view_says_what_it_shows_of_patients():
    views: list[Any] = [route.callback.view_class for route in config.urls.api]  # type: ignore[union-attr]

    assert [view.__name__ for view in views if not hasattr(view, "shown_as")] == []


@pytest.mark.parametrize("operation", MATRIX)
def test_it_writes_one_event_for_each_answer_that_shows_the_patient_to_another(operation: str, world: World):
    call, _ = MATRIX[operation]

    wrong: list[Any] = []
    for role, user in world.callers.items():
        with transaction.atomic():
            answer = call(Caller(user), world)
            found = events(world.patient.pk)
            is_shown = CANARY.encode() in answer.content
            if len(found) not in ([0] if role == "owner" or answer.status_code >= 300 else [1] if is_shown else [0, 1]):
                wrong.append((role, answer.status_code, len(found)))
            if found and (found[0].viewer != user or str(world.patient.pk) in found[0].page):
                wrong.append((role, found[0].page, found[0].viewer_id))
            transaction.set_rollback(True)

    assert wrong == []


class TestWhatIsWritten:
    def test_it_says_who_looked_at_what_where_and_why(self, world: World):
        Caller(world.callers["staff here"]).get(f"/appointments/{world.visit.pk}")

        [event] = events(world.patient.pk)
        assert (event.page, event.via, event.basis, event.what) == ("GET appointments/{id}", "api", "care", "visit")
        assert (event.viewer, event.role, event.clinic) == (
            world.callers["staff here"],
            "front_desk",
            world.avon.clinic,
        )
        assert event.at == NOW

    def test_it_says_that_somebody_looked_as_a_proxy(self, world: World):
        Caller(world.callers["parent"]).get("/me")

        [event] = events(world.patient.pk)
        assert (event.basis, event.what, event.role, event.clinic) == ("proxy", "record", "", None)

    def test_it_writes_one_event_for_many_patients(self, world: World):
        parent = world.callers["parent"]
        assert parent is not None
        twin = cast.make_patient("Twin", born=NOW.date().replace(year=2016), user=False)
        parent.proxies.create(patient=twin)

        Caller(parent).get("/me/dependents")

        assert events(twin.pk) == events(world.patient.pk)
        assert AccessEvent.objects.count() == 1

    def test_it_takes_the_role_at_the_clinic_that_knows_the_patient(self, world: World):
        staff = world.callers["staff elsewhere"]
        assert staff is not None
        staff.staff_roles.create(role="manager", clinic=world.avon.clinic)

        Caller(staff).get(f"/appointments/{world.visit.pk}")

        [event] = events(world.patient.pk)
        assert (event.role, event.clinic) == ("manager", world.avon.clinic)

    def test_it_writes_for_an_answer_given_again(self, world: World):
        desk = Caller(world.callers["staff here"])
        for _ in range(2):
            desk.post(f"/appointments/{world.visit.pk}/cancel", {}, **KEY)

        assert len(events(world.patient.pk)) == 1
        assert AccessRepeat.objects.count() == 1

    def test_it_costs_one_statement_and_none_for_ones_own(self, world: World):
        staff, owner = world.callers["staff here"], world.callers["owner"]
        assert staff is not None
        assert owner is not None
        several = [cast.make_patient(f"P{number}", member=False).pk for number in range(20)]

        def cost(viewer: Any, patients: list[UUID]) -> int:
            with CaptureQueriesContext(connection) as queries:
                look(viewer, patients)
            return len(queries)

        assert hasattr(staff, "patient") is False
        assert cost(staff, [world.patient.pk]) == cost(staff, several) == 1
        assert cost(owner, [owner.patient.pk]) == cost(staff, []) == 0


def look(viewer: Any, patients: list[UUID], now: Any = NOW, page: str = "GET me") -> None:
    audit.shown(viewer=viewer, patients=patients, page=page, now=now, via=AccessEvent.Via.API)


class TestLookingAgain:
    @pytest.mark.parametrize(("minutes", "fresh"), [(1, 1), (14, 1), (15, 2)])
    def test_it_extends_an_event_for_a_quarter_of_an_hour(self, world: World, minutes: int, fresh: int):
        staff = world.callers["staff here"]

        look(staff, [world.patient.pk])
        look(staff, [world.patient.pk], NOW + timedelta(minutes=minutes))

        assert len(events(world.patient.pk)) == fresh
        assert AccessRepeat.objects.count() == 2 - fresh

    def test_it_begins_another_for_another_viewer_page_or_patient(self, world: World):
        staff, other = world.callers["staff here"], world.callers["clinician here"]
        twin = cast.make_patient("Twin", member=False)

        look(staff, [world.patient.pk])
        look(other, [world.patient.pk])
        look(staff, [world.patient.pk], page="GET appointments/{id}")
        look(staff, [world.patient.pk, twin.pk])

        assert len(events(world.patient.pk)) == 4
        assert AccessRepeat.objects.count() == 0


def quiet(user: Any) -> Caller:
    """A caller who gets the answer to an error, as a client does."""
    caller = Caller(user)
    caller.client.raise_request_exception = False
    return caller


class TestWhereItCannotBeWritten:
    @pytest.fixture
    def unwritable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(audit, "WRITE", audit.WRITE.replace("clinics_patientseen", "no_such_table"))

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("unwritable")
    def test_it_shows_nothing(self, world: World):
        answer = quiet(world.callers["staff here"]).get(f"/appointments/{world.visit.pk}")

        assert answer.status_code == 500
        assert CANARY.encode() not in answer.content

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("unwritable")
    @pytest.mark.parametrize("headers", [{}, KEY], ids=["without a key", "with a key"])
    def test_it_leaves_no_booking(self, world: World, headers: dict[str, str]):
        before = snapshot()

        answer = quiet(world.callers["staff here"]).post("/appointments", {"hold": str(world.held.pk)}, **headers)

        assert answer.status_code == 500
        assert snapshot() == before

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("unwritable")
    def test_it_would_leave_one_if_work_and_event_were_not_one_transaction(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(Endpoint, "with_record", Endpoint.on_record)

        answer = quiet(world.callers["staff here"]).post("/appointments", {"hold": str(world.held.pk)})
        world.held.refresh_from_db()

        assert answer.status_code == 500
        assert world.held.status == "booked"

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("unwritable")
    @pytest.mark.parametrize("role", ["parent", "staff here"])
    def test_it_undoes_every_change_that_it_cannot_answer(self, world: World, role: str):
        changes = [operation for operation in MATRIX if not operation.startswith("GET ")]
        caller, before, undone, left = quiet(world.callers[role]), snapshot(), [], []
        for operation in changes:
            answer = MATRIX[operation][0](caller, world)
            if answer.status_code == 500:
                undone.append(operation)
                left += [operation] if snapshot() != before else []
            before = snapshot()

        # The first asks another server, which no transaction waits for: see AsksOthers. The rows of the others make
        # what they ask about: a card, a patient who was sent elsewhere, and forms.
        assert set(left) <= {
            "POST me/proofs",
            "POST memberships/<uuid:membership_id>/payment-method",
            "POST consults",
            "POST consults of the patient",
            "POST consults/<uuid:consult_id>/acknowledge",
        }
        assert {"POST holds", "POST appointments/<uuid:visit_id>/cancel"} <= set(undone)

    def test_it_shows_nothing_where_a_view_forgot_to_say_whom(self, world: World, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("clinics.edge.Endpoint.shows", lambda *_: None)

        answer = quiet(world.callers["staff here"]).get(f"/appointments/{world.visit.pk}")

        assert answer.status_code == 500

    @pytest.mark.django_db(transaction=True)
    def test_it_reads_and_writes_in_one_transaction(self, world: World, monkeypatch: pytest.MonkeyPatch):
        within = []

        def digest(_: Any) -> UUID:
            within.append(connection.in_atomic_block)
            return UUID(int=0)

        monkeypatch.setattr(audit, "digest", digest)

        Caller(world.callers["staff here"]).get(f"/appointments/{world.visit.pk}")

        assert within == [True]


def test_it_finds_the_events_of_one_patient_without_reading_those_of_others(world: World):
    """A page is read off the primary key, from its end: the same work whatever happened to others."""
    staff = world.callers["staff here"]
    for number in range(50):
        with time_machine.travel(NOW + timedelta(hours=number)):
            look(staff, [world.patient.pk], NOW + timedelta(hours=number))
    page = PatientSeen.objects.filter(patient=world.patient.pk).order_by("-event_id")[:20]

    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")  # better for as few rows as these
        plan = page.explain()

    assert "Index" in plan
    assert "Sort" not in plan
    assert Registration.objects.filter(patient=world.patient.pk).exists()
