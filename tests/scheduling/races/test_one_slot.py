"""One slot, or slots in each other's way, and more who want them than can have them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from itertools import cycle

import pytest
from django.db import OperationalError, connection, transaction

from clinics.models import Room
from scheduling import claims
from scheduling.booking import wanted as wanting
from scheduling.models import Appointment
from tests import cast, owner
from tests.cast import NOW, at
from tests.scheduling import acts, invariants
from tests.scheduling.races.together import (
    held,
    interleave,
    is_deadlock,
    no_constraint,
    no_locks,
    race,
    rounds,
    wait_until,
    waiting,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


class TestOneSlot:
    def test_it_lets_exactly_one_of_forty_patients_win(self, avon, office, forty):
        for number in rounds(2, 25):
            slot = avon.slot(at(9, 20 * number) if number < 24 else at(9, days=1), office)

            outcomes = cast.at_the_same_time(lambda patient, slot=slot: held(patient, slot), forty)

            assert sorted(outcomes) == ["held"] + ["slot_taken"] * 39
            invariants.check(NOW)
            acts.release(Appointment.objects.get(status="held"))

    @pytest.mark.parametrize("left", ["the locks", "the constraint"])
    def test_it_does_so_with_either_guard_alone(self, avon, office, forty, left, monkeypatch):
        slot, five = avon.slot(at(10), office), forty[:5]
        if left == "the constraint":
            no_locks(monkeypatch)
            all_have_checked(monkeypatch, 5)

            outcomes = cast.at_the_same_time(lambda patient: held(patient, slot), five)
        else:
            with no_constraint():
                outcomes = cast.at_the_same_time(lambda patient: held(patient, slot), five)
                invariants.check(NOW)

        assert sorted(outcomes) == ["held"] + ["slot_taken"] * 4

    def test_without_locks_and_constraint_all_of_them_get_it(self, avon, office, forty, monkeypatch):
        slot, five = avon.slot(at(10), office), forty[:5]
        no_locks(monkeypatch)
        all_have_checked(monkeypatch, 5)

        with no_constraint():
            outcomes = cast.at_the_same_time(lambda patient: held(patient, slot), five)

            assert outcomes == ["held"] * 5
            assert invariants.overlaps()

    def test_it_refuses_the_losers_without_a_deadlock_when_only_the_insert_decides(self, avon, office, forty):
        for number in rounds(3, 25):
            outcomes = insert_at_once(forty[:16], avon, office, at(9, 20 * number))

            assert sorted(map(str, outcomes)) == ["Taken"] * 15 + ["taken"]

    @pytest.mark.parametrize(
        ("clause", "lost"),
        [("ON CONFLICT DO NOTHING", "Taken"), pytest.param("", "deadlock", id="without on conflict do nothing")],
    )
    def test_two_who_wait_for_one_that_gives_up_do_not_deadlock(self, avon, office, forty, clause, lost):
        def inserting(execute, sql, params, many, context):
            return execute(sql.replace("ON CONFLICT DO NOTHING", clause), params, many, context)

        first, *two = wanted_by(forty[:3], avon, office, at(9))
        with owner.deadlocks_found_at_once(), ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                assert insert(first) == "taken"
                both = pool.submit(cast.at_the_same_time, lambda one: insert(one, inserting), two)
                wait_until(lambda: waiting() == 2)
                transaction.set_rollback(True)
            outcomes = both.result(60)

        assert sorted("deadlock" if is_deadlock(found) else found for found in outcomes) == sorted([lost, "taken"])

    @pytest.mark.parametrize(
        ("order", "lost"), [("", "Taken"), pytest.param(" DESC", "deadlock", id="without the order of calendars")]
    )
    def test_it_inserts_in_the_order_of_calendars(self, avon, office, pat, stranger, order, lost):
        """In this order the clinician is first and the room before the patient. The other comes to the room in the
        middle of the first one's second, whichever way it goes.
        """
        begin = threading.Barrier(2, timeout=60)

        def slowly(seconds, order):
            def execute_slowly(execute, sql, params, many, context):
                if "INTO scheduling_claim" in sql:
                    begin.wait()
                sql = sql.replace("gen_random_uuid()", f"(pg_sleep({seconds})::text || gen_random_uuid())::uuid")
                return execute(sql.replace("BY w.calendar_id", f"BY w.calendar_id{order}"), params, many, context)

            return execute_slowly

        told: list[str] = []
        # The control's second is chance where the machine is busy. What must never fail is tried once.
        for hour in range(9, 14) if lost == "deadlock" else [9]:
            outcomes = insert_at_once([pat, stranger], avon, office, at(hour), slowly(1, ""), slowly(0.6, order))
            told = sorted("deadlock" if is_deadlock(found) else found for found in outcomes)
            if lost in told:
                break

        assert told == sorted([lost, "taken"])

    def test_it_lets_one_visit_win_where_lengths_overlap(self, avon, office, forty):
        long = cast.make_visit_type("long", duration=timedelta(minutes=60), turnover=timedelta(minutes=10))
        avon.clinicians[0].shifts.update(visit_types=[office.pk, long.pk])
        for number in rounds(1, 10):
            hour = 9 + number % 8
            wanted = [avon.slot(at(hour, 10 * (n % 5)), long if n % 2 and hour < 15 else office) for n in range(20)]

            outcomes = race(*(lambda p=p, s=s: held(p, s) for p, s in zip(forty, wanted, strict=False)))

            assert set(outcomes) == {"held", "slot_taken"}
            invariants.check(NOW)
            for visit in Appointment.objects.filter(status="held"):
                acts.release(visit)

    def test_without_guards_visits_of_different_length_overlap(self, avon, office, pat, stranger, monkeypatch):
        long = cast.make_visit_type("long", duration=timedelta(minutes=60))
        avon.clinicians[0].shifts.update(visit_types=[office.pk, long.pk])
        no_locks(monkeypatch)

        with no_constraint():
            outcomes = interleave(
                monkeypatch,
                (wanting, "choose_room"),
                lambda: held(pat, avon.slot(at(10), long)),
                lambda: held(stranger, avon.slot(at(10, 40), office)),
            )

            assert outcomes == ("held", "held")
            assert invariants.overlaps()

    def test_the_database_lets_no_other_writer_overlap(self, avon, office, pat, stranger, monkeypatch):
        no_locks(monkeypatch)

        outcomes = interleave(
            monkeypatch,
            (claims, "take"),
            lambda: held(pat, avon.slot(at(10), office)),
            lambda: held(stranger, avon.slot(at(10, 10), office)),
        )

        assert outcomes == ("held", "slot_taken")
        invariants.check(NOW)


class TestDifferentSlots:
    def test_it_books_all_twenty_four_at_the_first_try(self, avon, office, forty):
        wanted = [avon.slot(at(9, 20 * number, days=1), office) for number in range(24)]
        for _ in rounds(1, 10):
            outcomes = race(*(lambda p=p, s=s: acts.book(p, s).status for p, s in zip(forty, wanted, strict=False)))

            assert outcomes == ["booked"] * 24
            invariants.check(NOW)
            for visit in Appointment.objects.filter(status="booked"):
                acts.cancel(visit)

    def test_without_waiting_for_each_other_valid_bookings_are_refused(self, avon, office, pat, stranger, monkeypatch):
        def serializable(patient, slot):
            with connection.cursor() as cursor:
                cursor.execute("SET default_transaction_isolation = 'serializable'")
            return held(patient, slot)

        outcomes = interleave(
            monkeypatch,
            (wanting, "require_offered"),
            lambda: serializable(pat, avon.slot(at(10), office)),
            lambda: serializable(stranger, avon.slot(at(11), office)),
        )

        failed = [found for found in outcomes if isinstance(found, OperationalError)]
        assert [error.__cause__.sqlstate for error in failed] == ["40001"]


def all_have_checked(monkeypatch, number):
    """Nobody takes time before all `number` of them have checked, and chosen a room."""
    real, barrier = claims.take, threading.Barrier(number, timeout=60)

    def take(*args, **kwargs):
        barrier.wait()
        return real(*args, **kwargs)

    monkeypatch.setattr(claims, "take", take)


def insert_at_once(patients, place, office, start, *wrappers):
    """Claims for one slot and many patients inserted at once, without the locks in front of them.

    `wrappers` stand around the statements, of one patient after another in turn.
    """
    wanted = wanted_by(patients, place, office, start)
    with owner.deadlocks_found_at_once():
        return cast.at_the_same_time(lambda given: insert(*given), zip(wanted, cycle(wrappers or [None]), strict=False))


def wanted_by(patients, place, office, start):
    return [wanting.wanted_slot(place.slot(start, office), patient, staff=False, now=NOW) for patient in patients]


def insert(one, wrapper=None):
    """A visit and its claims; "Taken" where somebody else has the time. `wrapper` stands around the statements."""
    try:
        with connection.execute_wrapper(wrapper) if wrapper else nullcontext(), transaction.atomic():
            visit = Appointment.objects.create(
                patient=one.patient,
                clinic=one.clinic,
                clinician=one.clinician,
                visit_type=one.visit_type,
                starts_at=one.slot.start,
                ends_at=one.end,
                status="held",
                source="patient",
            )
            claims.take(appointment=visit.pk, wants=one.wants(Room.objects.get(clinic=one.clinic).pk), hold_for=None)
        return "taken"
    except claims.Taken:
        return "Taken"
