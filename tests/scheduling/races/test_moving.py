"""Moving against booking, cancelling and other moves."""

import pytest
from django.db import connection

from scheduling import claims
from scheduling.booking import wanted as wanting
from scheduling.models import Appointment, Claim
from tests.cast import NOW, at
from tests.scheduling import acts, invariants
from tests.scheduling.races.together import held, interleave, is_deadlock, no_constraint, no_locks, race, rounds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


class TestLockOrder:
    @pytest.fixture
    def crossing(self, avon, hartford, office, pat, stranger):
        """Two visits, each about to move to where the other's clinic is: all calendars in opposite order."""
        there, back = acts.book(pat, avon.slot(at(10), office)), acts.book(stranger, hartford.slot(at(12), office))
        return (
            lambda: acts.move(there, hartford.slot(at(11), office)).status,
            lambda: acts.move(back, avon.slot(at(13), office)).status,
        )

    def test_it_moves_visits_between_two_clinics_both_ways_at_once(self, crossing, monkeypatch):
        outcomes = interleave(monkeypatch, (claims, "lock_calendars"), *crossing)

        assert outcomes == ("booked", "booked")
        invariants.check(NOW)

    def test_without_one_order_of_locks_that_deadlocks(self, crossing, monkeypatch):
        def lock_as_they_come(calendars):
            for calendar in calendars:
                lock_one(calendar)

        def lock_one(calendar):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM clinics_calendar WHERE id = %s FOR NO KEY UPDATE", [calendar])

        here = type("Here", (), {"lock_one": staticmethod(lock_one)})
        monkeypatch.setattr(
            claims, "lock_calendars", lambda calendars: [here.lock_one(calendar) for calendar in calendars]
        )

        outcomes = interleave(monkeypatch, (here, "lock_one"), *crossing)

        assert sorted(map(is_deadlock, outcomes)) == [False, True]
        invariants.check(NOW)

    def test_it_lets_bookings_and_moves_in_all_directions_through(self, avon, hartford, office, forty):
        for number in rounds(1, 15):
            there = [acts.book(forty[n], avon.slot(at(10, 20 * n), office)) for n in range(5)]
            back = [acts.book(forty[5 + n], hartford.slot(at(10, 20 * n), office)) for n in range(5)]

            outcomes = race(
                *(
                    lambda v=v, n=n: acts.move(v, hartford.slot(at(13, 20 * n), office)).status
                    for n, v in enumerate(there)
                ),
                *(lambda v=v, n=n: acts.move(v, avon.slot(at(13, 20 * n), office)).status for n, v in enumerate(back)),
                *(lambda n=n: acts.book(forty[10 + n], avon.slot(at(15, 20 * n), office)).status for n in range(5)),
            )

            assert outcomes == ["booked"] * 15, number
            invariants.check(NOW)
            for visit in Appointment.objects.filter(status="booked"):
                acts.cancel(visit)


class TestMoving:
    def test_it_refuses_both_who_want_each_others_time(self, avon, office, pat, stranger):
        ten, eleven = acts.book(pat, avon.slot(at(10), office)), acts.book(stranger, avon.slot(at(11), office))

        outcomes = race(
            lambda: acts.move(ten, avon.slot(at(11), office)).status,
            lambda: acts.move(eleven, avon.slot(at(10), office)).status,
        )

        assert outcomes == ["slot_taken", "slot_taken"]
        invariants.check(NOW)

    def test_it_lets_a_move_or_a_hold_have_the_time(self, avon, office, pat, stranger, monkeypatch):
        visit = acts.book(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch,
            (wanting, "require_offered"),
            lambda: acts.move(visit, avon.slot(at(11), office)).status,
            lambda: held(stranger, avon.slot(at(11), office)),
        )

        assert outcomes == ("booked", "slot_taken")
        invariants.check(NOW)

    def test_it_lets_a_hold_or_a_move_have_the_time(self, avon, office, pat, stranger, monkeypatch):
        visit = acts.book(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch,
            (wanting, "require_offered"),
            lambda: held(stranger, avon.slot(at(11), office)),
            lambda: acts.move(visit, avon.slot(at(11), office)).status,
        )

        assert outcomes == ("held", "slot_taken")
        invariants.check(NOW)

    def test_without_guards_both_have_it(self, avon, office, pat, stranger, monkeypatch):
        visit = acts.book(pat, avon.slot(at(10), office))
        no_locks(monkeypatch)
        with no_constraint():
            outcomes = interleave(
                monkeypatch,
                (wanting, "choose_room"),
                lambda: acts.move(visit, avon.slot(at(11), office)).status,
                lambda: held(stranger, avon.slot(at(11), office)),
            )

            assert outcomes == ("booked", "held")
            assert invariants.overlaps()

    def test_it_cancels_a_visit_that_is_on_its_way_to_another_clinic(self, avon, hartford, office, pat, monkeypatch):
        visit = acts.book(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch,
            (claims, "lock_calendars"),
            lambda: acts.move(visit, hartford.slot(at(11), office)).status,
            lambda: acts.cancel(visit).status,
        )

        assert outcomes == ("booked", "cancelled")
        assert not Claim.objects.exists()
        invariants.check(NOW)

    def test_it_moves_no_visit_that_is_being_cancelled(self, avon, hartford, office, pat, monkeypatch):
        visit = acts.book(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch,
            (claims, "lock_calendars"),
            lambda: acts.cancel(visit).status,
            lambda: acts.move(visit, hartford.slot(at(11), office)).status,
        )

        assert outcomes == ("cancelled", "not_movable")
        invariants.check(NOW)

    def test_it_moves_a_visit_twice_when_asked_twice(self, avon, hartford, office, pat, monkeypatch):
        visit = acts.book(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch,
            (claims, "lock_calendars"),
            lambda: acts.move(visit, hartford.slot(at(11), office)).sequence,
            lambda: acts.move(visit, avon.slot(at(12), office)).sequence,
        )

        assert outcomes == (1, 2)
        invariants.check(NOW)
