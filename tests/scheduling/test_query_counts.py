"""How many statements a request costs: the same, however much there is."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import Proxy, StaffRole
from scheduling import booking
from scheduling.models import Appointment
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at

pytestmark = pytest.mark.django_db
PATIENT = Appointment.Source.PATIENT


@pytest.fixture(autouse=True)
def before_nine():
    with time_machine.travel(NOW - timedelta(minutes=5), tick=False):
        yield


@pytest.fixture
def crowd(avon, office, pat):
    """Twenty more of everything: clinicians, rooms, clinics, past and future visits, of others and of Pat."""

    def make():
        for number in range(20):
            clinician = cast.make_clinician(avon.clinic, f"More{number}")
            cast.make_shift(avon, at(9), at(17), office, clinician=clinician)
            cast.make_room(avon.clinic, f"More {number}")
            near = cast.make_place(f"Near{number}", latitude=41.4 + number / 1000)
            cast.make_shift(near, at(9), at(17), office)
            avon.clinicians.append(clinician)
            other = cast.make_patient(f"Other{number}")
            for patient, clinician_number, start in (
                (other, number + 1, at(16)),
                (pat, number + 1, at(9 + number // 4, 10 * (number % 4), days=1)),
            ):
                visit = Appointment.objects.create(
                    patient=patient,
                    clinic=avon.clinic,
                    clinician=avon.clinicians[clinician_number],
                    visit_type=office,
                    starts_at=start - timedelta(days=40),
                    ends_at=start - timedelta(days=40) + timedelta(minutes=20),
                    status="completed",
                    source="patient",
                    price=0,
                    booked_at=NOW,
                )
                visit.changes.create(at=NOW, kind="booked", to_status="booked")

    return make


def counted(call):
    """A call's answer and the statements it took."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = call()
    return answer, len(queries)


@pytest.fixture
def child(pat):
    """A child for whom Pat acts."""
    child = cast.make_patient("Kid", born=NOW.date().replace(year=2018), user=False)
    Proxy.objects.create(user=pat.user, patient=child)
    return child


def search(caller, **query):
    """The statements of a search around Avon."""
    answer, queries = counted(
        lambda: caller.get("/slots", {"visit_type": "office", "near": "44011", "within_miles": 30, **query})
    )
    return answer.json(), queries


def finds(caller, **query):
    found, queries = search(caller, **query)
    assert found["results"]
    return queries


def journey(avon, office, pat, hour):
    """The statements of hold, extend, book, reschedule, list, read, history and cancel, in this order."""
    me = Caller(pat.user)
    slot, other = avon.slot(at(hour), office).id, avon.slot(at(hour, 30), office).id
    held, hold = counted(lambda: me.post("/holds", {"slot": slot}))
    visit = held.json()["id"]
    calls = [
        lambda: me.post(f"/holds/{visit}/extend"),
        lambda: me.get("/holds"),
        lambda: me.post("/appointments", {"hold": visit}),
        lambda: me.post(f"/appointments/{visit}/reschedule", {"slot": other}),
        lambda: me.get("/appointments"),
        lambda: me.get("/appointments", {"when": "past"}),
        lambda: me.get(f"/appointments/{visit}"),
        lambda: me.get(f"/appointments/{visit}/history"),
        lambda: me.post(f"/appointments/{visit}/cancel"),
    ]
    answers = [counted(call) for call in calls]
    assert [answer.status_code for answer, _ in answers] == [200, 200, 201, 200, 200, 200, 200, 200, 200]
    return [hold, *(queries for _, queries in answers)]


class TestSlots:
    def test_it_takes_two_statements_for_anybody_and_three_for_a_patient(self, avon, pat, crowd):
        nobody, me = Caller(), Caller(pat.user)
        alone = finds(nobody), finds(me)
        crowd()
        crowded = finds(nobody), finds(me)

        assert alone == crowded == (2, 3)

    def test_it_takes_two_more_for_a_child_and_three_more_for_staff(self, avon, pat, desk, child, crowd):
        cast.register(child, avon.clinic)
        parent, staff = Caller(pat.user), Caller(desk)

        def each():
            return finds(parent, patient=str(child.pk)), finds(staff, patient=str(child.pk)), finds(staff)

        # Two and three, of which one writes down who was shown whose times.
        alone = each()
        crowd()
        for number in range(20):
            other = cast.make_patient(f"Kid{number}", born=child.birth_date, user=False)
            Proxy.objects.create(user=pat.user, patient=other)
            cast.register(other, avon.clinic)
            StaffRole.objects.create(user=desk, role="front_desk", clinic=cast.make_place(f"Far{number}").clinic)

        assert alone == each() == (5, 6, 3)

    @pytest.mark.parametrize("has_next", [True, False], ids=["with a next start", "without"])
    def test_it_takes_no_more_where_nothing_is_free(self, avon, office, pat, crowd, has_next):
        """But for one where there is no next start either: is there such a type of visit at all?"""
        nobody, me = Caller(), Caller(pat.user)
        if has_next:
            cast.make_shift(avon, at(9, days=20), at(17, days=20), office)
        window = {"from": "2026-12-01", "to": "2026-12-05"}

        def each():
            (one, queries), (other, more) = search(nobody, **window), search(me, **window)
            assert one["results"] == other["results"] == []
            for answer in (one, other):
                starts = [row["start"] for row in answer["next_available"]]
                assert starts == (["2026-12-14T09:00:00-05:00"] if has_next else [])
            return queries, more

        alone = each()
        crowd()

        assert alone == each() == ((2, 3) if has_next else (3, 4))

    def test_it_takes_four_for_clinics_that_have_nothing_however_many(self, office):
        counts = []
        for number in (1, 20):
            clinics = [str(cast.make_place(f"Empty{number}{n}").clinic.pk) for n in range(number)]
            answer, queries = counted(
                lambda clinics=clinics: Caller().get(
                    "/slots", {"visit_type": "office", "clinic": clinics, "from": "2026-12-01", "to": "2026-12-05"}
                )
            )
            assert answer.json() == {"results": [], "next": None, "next_available": []}
            counts.append(queries)

        assert counts == [4, 4]


class TestBooking:
    def test_it_takes_as_many_statements_in_a_crowd_as_alone(self, avon, office, pat, crowd):
        alone = journey(avon, office, pat, 10)
        crowd()
        crowded = journey(avon, office, pat, 11)

        assert alone == crowded

    def test_it_costs_no_more_to_be_refused_than_to_succeed(self, avon, office, pat, stranger):
        me = Caller(pat.user)
        slot = avon.slot(at(10), office)
        other, success = counted(lambda: me.post("/holds", {"slot": avon.slot(at(12), office).id}))
        booking.hold(patient=stranger, slot=slot, actor=stranger.user, source=PATIENT, now=NOW)

        refused, conflict = counted(lambda: me.post("/holds", {"slot": slot.id}))

        assert (other.status_code, refused.status_code) == (201, 409)
        assert len(refused.json()["alternatives"]) == 3
        assert conflict <= success
