"""Bookings at the same time: real threads, real transactions (promise 1).

Beside each race stands a control, `test_without_…`, that takes a guard away and shows what the guard is there for. In
`interleave` the one that goes first stops at a named call, the other goes on until it is done or PostgreSQL says that
it waits for a lock, and then both go on to their ends: no luck, no clock.
"""

import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import time as clock
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from clinics.models import Room
from clinics.refusals import Refused
from scheduling import booking, claims, closures, shifts
from scheduling.booking import holds, records, visits
from scheduling.booking import wanted as wanting
from scheduling.models import Appointment, Claim, WeeklyHours
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts, invariants

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]

FULL = bool(os.environ.get("SAMEDAY_PROOF"))


def rounds(small, full):
    return range(full if FULL else small)


def race(*works):
    """All of `works` at the same time, each in a thread and transaction of its own; what they return, or the code."""
    return cast.at_the_same_time(patiently, works)


def patiently(work):
    """Forty threads share two cores here: how long somebody waits for a lock is not the question."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '60s'")
    return work()


def interleave(monkeypatch, stop, first, second, *, before=False):
    """Run `first` until it has called `stop`, (module, name), or is about to; then `second` as far as it gets; then
    both to their ends. Returns what each returns, a refusal's code, or an exception.
    """
    module, name = stop
    real = getattr(module, name)
    reached, go, started = threading.Event(), threading.Event(), threading.Event()
    threads, backends = {}, {}

    def wait_here():
        if threading.get_ident() == threads["first"] and not reached.is_set():
            reached.set()
            assert go.wait(60)

    def stopping(*args, **kwargs):
        if before:
            wait_here()
        result = real(*args, **kwargs)
        if not before:
            wait_here()
        return result

    def run(who, work):
        try:
            threads[who] = threading.get_ident()
            with connection.cursor() as cursor:
                cursor.execute("SET deadlock_timeout = '20ms'")
                cursor.execute("SELECT pg_backend_pid()")
                backends[who] = cursor.fetchone()[0]
            if who == "second":
                started.set()
            return patiently(work)
        except Refused as refusal:
            return refusal.code
        except Exception as error:
            return error
        finally:
            (reached if who == "first" else started).set()
            connection.close()

    with monkeypatch.context() as patched, ThreadPoolExecutor(2) as pool:
        patched.setattr(module, name, stopping)
        try:
            one = pool.submit(run, "first", first)
            assert reached.wait(60)
            two = pool.submit(run, "second", second)
            assert started.wait(60)
            wait_until(lambda: two.done() or is_waiting(backends["second"]))
        finally:
            go.set()
        return outcome(one), outcome(two)


def outcome(future: Future):
    return future.result(60)


def wait_until(condition):
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "nothing happens"
        time.sleep(0.005)


def is_waiting(backend):
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [backend])
        return cursor.fetchone()[0]


@contextmanager
def no_constraint():
    """The table without `claim_once`. Its claims are gone afterwards."""
    once = next(found for found in Claim._meta.constraints if found.name == "claim_once")
    with connection.schema_editor() as editor:
        editor.remove_constraint(Claim, once)
    try:
        yield
    finally:
        Claim.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Claim, once)


def no_locks(monkeypatch):
    monkeypatch.setattr(claims, "lock_calendars", lambda calendars: None)


def is_deadlock(error):
    return isinstance(error, OperationalError) and error.__cause__.sqlstate == "40P01"


@pytest.fixture
def forty(db):
    return [cast.make_patient(f"P{number}") for number in range(40)]


@pytest.fixture
def hartford(office):
    place = cast.make_place("Hartford")
    cast.make_shift(place, at(9), at(17), office)
    return place


class TestOneSlot:
    def test_it_lets_exactly_one_of_forty_patients_win(self, avon, office, forty):
        for number in rounds(2, 25):
            slot = avon.slot(at(9, 20 * number) if number < 24 else at(9, days=1), office)

            outcomes = cast.at_the_same_time(lambda patient, slot=slot: patiently(lambda: held(patient, slot)), forty)

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

    def test_without_on_conflict_do_nothing_the_insert_deadlocks(self, avon, office, forty):
        def plain(execute, sql, params, many, context):
            return execute(sql.replace("ON CONFLICT DO NOTHING", ""), params, many, context)

        for number in range(40):
            outcomes = insert_at_once(forty[:16], avon, office, at(9, 10 * number), plain)
            if any(is_deadlock(found) for found in outcomes):
                return
        pytest.fail("no deadlock in 640 attempts")

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


class TestRooms:
    @pytest.fixture
    def two(self, avon, office):
        """Avon with a second clinician and a second room."""
        avon.clinicians.append(cast.make_clinician(avon.clinic))
        avon.rooms.append(cast.make_room(avon.clinic, "Exam 1"))
        cast.make_shift(avon, at(9), at(17), office, clinician=1)
        return avon

    def test_it_gives_two_visits_at_one_time_the_two_free_rooms(self, two, office, forty):
        for number in rounds(3, 40):
            start = at(9, 20 * (number % 24))

            outcomes = race(*(lambda n=n, at=start: held(forty[n], two.slot(at, office, n)) for n in (0, 1)))

            assert outcomes == ["held", "held"]
            invariants.check(NOW)
            for visit in Appointment.objects.filter(status="held"):
                acts.release(visit)

    def test_it_lets_the_second_choose_when_the_first_has_chosen(self, two, office, pat, stranger, monkeypatch):
        outcomes = interleave(
            monkeypatch,
            (wanting, "choose_room"),
            lambda: held(pat, two.slot(at(10), office, 0)),
            lambda: held(stranger, two.slot(at(10), office, 1)),
        )

        assert outcomes == ("held", "held")
        assert Appointment.objects.values("room").distinct().count() == 2

    def test_without_the_rooms_locks_they_fight_over_one(self, two, office, pat, stranger, monkeypatch):
        real, rooms = claims.lock_calendars, {room.pk for room in two.rooms}
        monkeypatch.setattr(claims, "lock_calendars", lambda wanted: real(set(wanted) - rooms))

        outcomes = interleave(
            monkeypatch,
            (wanting, "choose_room"),
            lambda: held(pat, two.slot(at(10), office, 0)),
            lambda: held(stranger, two.slot(at(10), office, 1)),
        )

        assert outcomes == ("slot_taken", "held")

    def test_it_lets_three_visits_have_no_more_than_two_rooms(self, two, office, forty):
        two.clinicians.append(cast.make_clinician(two.clinic))
        cast.make_shift(two, at(9), at(17), office, clinician=2)

        outcomes = race(*(lambda n=n: held(forty[n], two.slot(at(10), office, n)) for n in (0, 1, 2)))

        assert sorted(outcomes) == ["held", "held", "slot_taken"]
        invariants.check(NOW)


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


class TestOnePatient:
    def test_it_keeps_a_patient_from_two_visits_at_one_time(self, avon, hartford, office, pat):
        for number in rounds(3, 40):
            start = at(9, 20 * (number % 24))

            wanted = [place.slot(start, office) for place in (avon, hartford)]
            outcomes = race(*(lambda slot=slot: held(pat, slot) for slot in wanted))

            assert sorted(outcomes) == ["held", "patient_busy"]
            invariants.check(NOW)
            acts.release(Appointment.objects.get(status="held"))

    def test_without_guards_a_patient_is_in_two_places(self, avon, hartford, office, pat, monkeypatch):
        no_locks(monkeypatch)
        with no_constraint():
            outcomes = interleave(
                monkeypatch,
                (wanting, "require_offered"),
                lambda: held(pat, avon.slot(at(10), office)),
                lambda: held(pat, hartford.slot(at(10), office)),
            )

            assert outcomes == ("held", "held")
            assert invariants.overlaps()

    def test_it_lets_a_patient_hold_two_times_and_no_third(self, avon, office, pat):
        outcomes = race(*(lambda n=n: held(pat, avon.slot(at(9 + n), office)) for n in range(4)))

        assert sorted(outcomes) == ["held", "held", "too_many_holds", "too_many_holds"]

    def test_without_locks_a_patient_holds_a_third(self, avon, office, pat, monkeypatch):
        acts.hold(pat, avon.slot(at(9), office))
        no_locks(monkeypatch)

        outcomes = interleave(
            monkeypatch,
            (wanting, "require_offered"),
            lambda: held(pat, avon.slot(at(10), office)),
            lambda: held(pat, avon.slot(at(11), office)),
        )

        assert outcomes == ("held", "held")
        assert holds.holds_of(pat).count() == 3


class TestExpiry:
    """Confirming and extending against somebody who takes over time whose hold has run out."""

    @pytest.fixture
    def act(self, request):
        return {"book": lambda held: acts.confirm(held).status, "extend": lambda held: acts.extend(held) and "held"}

    @pytest.mark.parametrize("name", ["book", "extend"])
    def test_it_refuses_who_comes_too_late(self, avon, office, pat, stranger, act, name, monkeypatch):
        late = acts.hold(pat, avon.slot(at(10), office))

        def take_over():
            acts.age(late)
            return held(stranger, avon.slot(at(10), office))

        outcomes = interleave(monkeypatch, (claims, "lock_calendars"), lambda: act[name](late), take_over, before=True)

        assert outcomes == ("hold_expired", "held")
        invariants.check(NOW)

    def test_without_counting_its_claims_a_purged_hold_is_booked(self, avon, office, pat, stranger, monkeypatch):
        late = acts.hold(pat, avon.slot(at(10), office))
        monkeypatch.setattr(claims, "confirm", lambda appointment: 3)
        monkeypatch.setattr(visits.slots, "is_offered", lambda *args, **kwargs: True)
        monkeypatch.setattr(wanting, "keeps_room", lambda visit: True)

        def take_over():
            acts.age(late)
            return acts.confirm(acts.hold(stranger, avon.slot(at(10), office))).status

        outcomes = interleave(
            monkeypatch, (claims, "lock_calendars"), lambda: acts.confirm(late).status, take_over, before=True
        )

        assert outcomes == ("booked", "booked")
        assert Appointment.objects.filter(status="booked", starts_at=at(10)).count() == 2

    @pytest.mark.parametrize("name", ["book", "extend"])
    def test_it_lets_one_of_them_have_the_time_whenever_it_runs_out(self, avon, office, forty, act, name):
        for number in rounds(6, 60):
            slot = avon.slot(at(9, 20 * (number % 24)), office)
            late = acts.hold(forty[number % 20], slot)
            acts.age(late, by=-timedelta(milliseconds=2 * (number % 12)))

            outcomes = race(
                lambda late=late: act[name](late), lambda n=number, slot=slot: held(forty[20 + n % 20], slot)
            )

            assert outcomes.count("slot_taken") + outcomes.count("hold_expired") in {1, 2}, outcomes
            invariants.check(NOW)
            clear()

    def test_it_leaves_a_hold_to_the_sweep_or_to_its_patient(self, avon, office, pat, monkeypatch):
        late = acts.hold(pat, avon.slot(at(10), office))
        acts.age(late, by=-timedelta(milliseconds=300))

        def sweep():
            wait_until(lambda: is_over(late))
            return booking.expire_holds(now=NOW)

        outcomes = interleave(monkeypatch, (claims, "confirm"), lambda: acts.confirm(late).status, sweep)

        assert outcomes in {("booked", 0), ("hold_expired", 0)}
        invariants.check(NOW)

    def test_it_closes_each_hold_once_when_two_sweeps_run_at_once(self, avon, office, forty):
        for number, patient in enumerate(forty[:8]):
            acts.age(acts.hold(patient, avon.slot(at(9, 20 * number), office)))

        closed = race(*[lambda: booking.expire_holds(now=NOW)] * 2)

        assert sum(closed) == 8
        invariants.check(NOW)

    def test_it_sweeps_while_others_take_the_time_over(self, avon, office, forty):
        for number, patient in enumerate(forty[:8]):
            acts.age(acts.hold(patient, avon.slot(at(9, 20 * number), office)))

        outcomes = race(
            lambda: booking.expire_holds(now=NOW) and "held",
            *(lambda n=n: held(forty[20 + n], avon.slot(at(9, 20 * n), office)) for n in range(8)),
        )

        assert outcomes == ["held"] * 9
        assert booking.expire_holds(now=NOW) == 0 or Appointment.objects.filter(status="expired").count() == 8
        invariants.check(NOW)


class TestClosure:
    def close(self, place):
        _, found = closures.close(clinic=place.clinic, start=at(9), end=at(12), reason="snow", actor=None, now=NOW)
        return {visit.pk for visit in found}

    @pytest.mark.parametrize("act", ["book", "overbook", "reschedule"])
    def test_it_lists_every_visit_it_hits_that_was_on_its_way(self, avon, office, pat, act, monkeypatch):
        outcomes = interleave(monkeypatch, *self.coming(act, avon, office, pat), lambda: self.close(avon))

        visit = Appointment.objects.get()
        assert outcomes == ("booked", {visit.pk})
        invariants.check(NOW)

    @pytest.mark.parametrize("act", ["overbook", "reschedule"])
    def test_without_the_shifts_lock_a_visit_stays_that_nobody_was_told_of(self, avon, office, pat, act, monkeypatch):
        monkeypatch.setattr(claims, "lock_shift", lambda **slot: None)

        outcomes = interleave(monkeypatch, *self.coming(act, avon, office, pat), lambda: self.close(avon))

        assert outcomes == ("booked", set())
        assert Appointment.objects.get(status="booked").starts_at == at(10)

    def coming(self, act, place, office, pat):
        """A visit in the closure's time that has been checked and not yet been written."""
        if act == "book":
            held = acts.hold(pat, place.slot(at(10), office))
            return (visits.slots, "is_offered"), lambda: acts.confirm(held).status
        if act == "overbook":
            return (wanting, "require_offered"), lambda: acts.overbook(pat, place.slot(at(10), office)).status
        visit = acts.book(pat, place.slot(at(14), office))
        return (wanting, "require_offered"), lambda: acts.move(visit, place.slot(at(10), office)).status

    def test_it_refuses_or_lists_each_of_many(self, avon, office, forty):
        for _ in rounds(2, 20):
            wanted = [avon.slot(at(9, 20 * number), office) for number in range(9)]

            *outcomes, listed = race(
                *(lambda p=p, s=s: acts.book(p, s).status for p, s in zip(forty, wanted, strict=False)),
                lambda: self.close(avon),
            )

            assert set(outcomes) <= {"booked", "slot_not_offered"}
            hit = set(Appointment.objects.filter(status="booked").values_list("pk", flat=True))
            assert hit <= listed
            invariants.check(NOW)
            for closure in avon.clinic.closures.all():
                closures.reopen(closure=closure)
            clear()

    def test_it_waits_for_nobody_to_add_a_shift_under_it(self, office, pat, monkeypatch):
        place = cast.make_place("Shaker Heights")
        WeeklyHours.objects.create(
            clinician=place.clinicians[0],
            clinic=place.clinic,
            weekday=1,
            starts=clock(9),
            ends=clock(17),
            visit_types=[office.pk],
            during=cast.ALWAYS,
        )

        def add_and_book():
            shifts.extend(now=NOW)
            return acts.book(pat, place.slot(at(10), office)).status

        outcomes = interleave(
            monkeypatch, (closures, "visits_during"), lambda: self.close(place), add_and_book, before=True
        )

        assert outcomes == (set(), "slot_not_offered")


class TestOverbooking:
    def test_it_waits_for_a_patients_hold_and_goes_beside_it(self, avon, office, pat, stranger, monkeypatch):
        cast.make_room(avon.clinic, "Exam 9")

        outcomes = interleave(
            monkeypatch,
            (wanting, "require_offered"),
            lambda: held(pat, avon.slot(at(10), office)),
            lambda: acts.overbook(stranger, avon.slot(at(10), office)).lane,
        )

        assert outcomes == ("held", 1)
        invariants.check(NOW)

    def test_it_keeps_patients_off_a_lane_that_is_being_taken(self, avon, office, pat, stranger, monkeypatch):
        assert self.cancel_and_hold_under_an_overbooking(avon, office, pat, stranger, monkeypatch) == (1, "slot_taken")
        invariants.check(NOW)

    def test_without_locks_a_patient_gets_time_that_is_being_overbooked(self, avon, office, pat, stranger, monkeypatch):
        no_locks(monkeypatch)

        assert self.cancel_and_hold_under_an_overbooking(avon, office, pat, stranger, monkeypatch) == (1, "held")

    def cancel_and_hold_under_an_overbooking(self, avon, office, pat, stranger, monkeypatch):
        cast.make_room(avon.clinic, "Exam 9")
        first = acts.book(pat, avon.slot(at(10), office))
        third = cast.make_patient("Third")

        def cancel_and_hold():
            acts.cancel(first)
            return held(third, avon.slot(at(10), office))

        return interleave(
            monkeypatch,
            (claims, "free_lane"),
            lambda: acts.overbook(stranger, avon.slot(at(10), office)).lane,
            cancel_and_hold,
        )

    def test_it_gives_each_of_many_a_lane_of_its_own(self, avon, office, forty):
        for number in range(5):
            cast.make_room(avon.clinic, f"Exam 1{number}")

        outcomes = race(*(lambda p=p: acts.overbook(p, avon.slot(at(10), office)).lane for p in forty[:5]))

        assert sorted(map(str, outcomes)) == ["0", "1", "2", "slot_taken", "slot_taken"]
        invariants.check(NOW)


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


class TestOneHold:
    def test_it_books_a_hold_once(self, avon, office, pat, monkeypatch):
        asked = acts.hold(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch,
            (claims, "confirm"),
            lambda: acts.confirm(asked).status,
            lambda: acts.confirm(asked).status,
        )

        assert outcomes == ("booked", "not_held")
        invariants.check(NOW)

    def test_without_the_visits_lock_the_second_is_told_a_lie(self, avon, office, pat, monkeypatch):
        asked = acts.hold(pat, avon.slot(at(10), office))
        monkeypatch.setattr(
            records, "locked", lambda visit: Appointment.objects.select_related("patient", "clinic").get(pk=visit.pk)
        )

        outcomes = interleave(
            monkeypatch,
            (claims, "confirm"),
            lambda: acts.confirm(asked).status,
            lambda: acts.confirm(asked).status,
        )

        assert outcomes == ("booked", "hold_expired")

    def test_it_books_or_releases_a_hold(self, avon, office, pat, monkeypatch):
        asked = acts.hold(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch, (claims, "confirm"), lambda: acts.confirm(asked).status, lambda: acts.release(asked)
        )

        assert outcomes == ("booked", "not_held")
        invariants.check(NOW)

    def test_it_extends_a_hold_once(self, avon, office, pat):
        asked = acts.hold(pat, avon.slot(at(10), office))

        outcomes = race(*[lambda: acts.extend(asked) and "extended"] * 3)

        assert sorted(outcomes) == ["extended", "hold_already_extended", "hold_already_extended"]
        invariants.check(NOW)


def held(patient, slot):
    return acts.hold(patient, slot).status


def clear():
    """End every visit, to begin the next round with free calendars."""
    booking.expire_holds(now=NOW)
    for visit in Appointment.objects.filter(status="held"):
        acts.release(visit)
    for visit in Appointment.objects.filter(status="booked"):
        acts.cancel(visit)


def is_over(visit):
    return not Appointment.objects.filter(claims.is_unexpired(), pk=visit.pk).exists()


def all_have_checked(monkeypatch, number):
    """Nobody writes before all `number` of them have checked."""
    real, barrier = wanting.require_offered, threading.Barrier(number, timeout=60)

    def check(*args, **kwargs):
        real(*args, **kwargs)
        barrier.wait()

    monkeypatch.setattr(wanting, "require_offered", check)


def insert_at_once(patients, place, office, start, wrapper=None):
    """Claims for one slot and many patients inserted at once, without the locks in front of them."""
    wanted = [wanting.wanted_slot(place.slot(start, office), patient, staff=False, now=NOW) for patient in patients]

    def insert(one):
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '20ms'")
        try:
            with connection.execute_wrapper(wrapper) if wrapper else nullcontext(), transaction.atomic():
                visit = Appointment.objects.create(
                    patient=one.patient,
                    clinic=one.clinic,
                    clinician=one.clinician,
                    visit_type=office,
                    starts_at=start,
                    ends_at=one.end,
                    status="held",
                    source="patient",
                )
                claims.take(
                    appointment=visit.pk, wants=one.wants(Room.objects.get(clinic=one.clinic).pk), hold_for=None
                )
            return "taken"
        except claims.Taken:
            return "Taken"

    return cast.at_the_same_time(insert, wanted)
