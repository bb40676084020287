"""What goes wrong in the middle (promise 4), clocks that are wrong (promise 5), locks that do not come, and how many
statements it takes.
"""

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from clinics.refusals import Refused
from scheduling import booking, closures, slots, time_off
from scheduling.models import Appointment
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at
from tests.scheduling import acts, invariants

TABLES = [
    "scheduling_appointment",
    "scheduling_appointmentchange",
    "scheduling_claim",
    "scheduling_closure",
    "scheduling_reminder",
    "scheduling_shift",
    "clinics_link",
    "clinics_message",
    "clinics_registration",
]
ACTS = {
    "hold": lambda scene: acts.hold(scene.third, scene.here(13)),
    "hold over one that ran out": lambda scene: acts.hold(scene.third, scene.here(12)),
    "extend": lambda scene: acts.extend(scene.held),
    "book": lambda scene: acts.confirm(scene.held),
    "release": lambda scene: acts.release(scene.held),
    "overbook": lambda scene: acts.overbook(scene.third, scene.here(10)),
    "reschedule": lambda scene: acts.move(scene.visit, scene.here(10, 10)),
    "reschedule to another clinic": lambda scene: acts.move(scene.visit, scene.there(15)),
    "confirm": lambda scene: booking.confirm(visit=scene.visit, actor=None, source=acts.PATIENT, now=NOW),
    "cancel": lambda scene: acts.cancel(scene.visit),
    "expire holds": lambda scene: booking.expire_holds(now=NOW),
    "close": lambda scene: closures.close(
        clinic=scene.place.clinic, start=at(9), end=at(12), reason="snow", actor=None, now=NOW
    ),
    "time off": lambda scene: time_off.enter(
        of=scene.place.clinicians[0], start=at(9), end=at(12), reason="sick", now=NOW
    ),
}
# Statements of each, locks included. They do not grow with anything; where reminders are planned it is one more.
STATEMENTS = {
    "hold": 13,
    "hold over one that ran out": 13,
    "extend": 5,
    "book": 14,
    "release": 5,
    "overbook": 18,
    "reschedule": 20,
    "reschedule to another clinic": 21,  # one of them plans a reminder
    "confirm": 3,
    "cancel": 11,
    "expire holds": 7,
    "close": 4,
    "time off": 4,
}


class Scene:
    """Avon and another clinic; a visit at 10, a hold at 11, and at 12 a hold that has run out."""

    def __init__(self, place, office):
        self.place, self.office = place, office
        cast.make_room(place.clinic, "Exam 9")
        self.other = cast.make_place("Hartford")
        cast.make_shift(self.other, at(9), at(17), office)
        self.third = cast.make_patient("Third")
        self.visit = as_fetched(acts.book(cast.make_patient("First"), self.here(10)))
        self.held = as_fetched(acts.hold(cast.make_patient("Second"), self.here(11)))
        self.late = acts.hold(cast.make_patient("Late"), self.here(12))
        acts.age(self.late)

    def here(self, hour, minute=0):
        return self.place.slot(at(hour, minute), self.office)

    def there(self, hour):
        return self.other.slot(at(hour), self.office)


def as_fetched(visit):
    """As a request has it in hand, with what it shows and who asks."""
    return Appointment.objects.select_related("patient__user", "visit_type", "clinic", "clinician").get(pk=visit.pk)


@pytest.fixture
def scene(avon, office):
    return Scene(avon, office)


class Broken(Exception):
    """What the wire does between two statements."""


class Wire:
    """Counts the statements that go to the database, those that begin and end transactions aside; breaks after one."""

    def __init__(self, breaks_after=None):
        self.sent = []
        self.breaks_after = breaks_after

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if not sql.startswith(("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO", "SET ")):
            self.sent.append(sql)
            if len(self.sent) == self.breaks_after:
                raise Broken
        return result


def statements(work):
    """How many statements `work` sends, being refused included; nothing of it stays."""
    wire = Wire()
    with connection.execute_wrapper(wire), transaction.atomic():
        try:
            with transaction.atomic():
                work()
        except Refused as refused:
            refused.help()
        transaction.set_rollback(True)
    return len(wire.sent)


def everything():
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT row::text FROM {table} row ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


@pytest.mark.django_db(transaction=True)
class TestAllOrNothing:
    @pytest.mark.parametrize("act", ACTS)
    def test_it_changes_nothing_when_it_breaks_after_any_statement(self, scene, act):
        before = everything()
        number = statements(lambda: ACTS[act](scene))
        assert everything() == before

        for breaks_after in range(1, number + 1):
            with pytest.raises(Broken), connection.execute_wrapper(Wire(breaks_after)):
                ACTS[act](scene)
            assert everything() == before, f"after statement {breaks_after} of {number}"
        ACTS[act](scene)

        assert everything() != before
        invariants.check(NOW)

    def test_without_a_transaction_half_a_booking_would_stay(self, scene, monkeypatch):
        before = everything()
        monkeypatch.setattr(transaction, "atomic", lambda *args, **kwargs: transaction.mark_for_rollback_on_error())

        with pytest.raises(Broken), connection.execute_wrapper(Wire(breaks_after=12)):
            ACTS["hold"](scene)

        assert everything() != before


@pytest.mark.django_db
class TestClocks:
    """The database's clock alone decides whether a hold is over."""

    @pytest.fixture(params=[-5, 5], ids=["behind", "ahead"])
    def wrong(self, request):
        """An application whose clock is five minutes off, in all that it passes as now too."""
        off = timedelta(minutes=request.param)
        with time_machine.travel(timezone.now() + off, tick=True):
            yield NOW + off

    def test_it_books_and_extends_what_is_not_over(self, avon, office, pat, stranger, wrong):
        one, two = acts.hold(pat, avon.slot(at(10), office)), acts.hold(stranger, avon.slot(at(11), office))

        assert booking.expire_holds(now=wrong) == 0
        assert acts.extend(two, now=wrong)
        assert acts.confirm(one, now=wrong).status == "booked"

    def test_it_refuses_what_is_over_and_gives_its_time_to_others(self, avon, office, pat, stranger, wrong):
        late = acts.hold(pat, avon.slot(at(10), office), now=wrong)
        acts.age(late, by=timedelta(seconds=1))

        for act in (acts.confirm, acts.extend):
            with pytest.raises(booking.HoldExpired):
                act(late, now=wrong)
        assert at(10) in acts.starts(avon, now=wrong)
        assert acts.hold(stranger, avon.slot(at(10), office), now=wrong)
        assert booking.expire_holds(now=wrong) == 1

    def test_it_holds_for_five_minutes_of_the_databases_clock(self, avon, office, pat, wrong):
        held = acts.hold(pat, avon.slot(at(10), office), now=wrong)

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT bool_and(expires_at - clock_timestamp() BETWEEN interval '4 minutes' AND interval '5 minutes')"
                " FROM scheduling_claim WHERE appointment_id = %s",
                [held.pk],
            )
            assert cursor.fetchone() == (True,)

    def test_it_counts_no_hold_that_is_over_to_the_two_a_patient_can_have(self, avon, office, pat, wrong):
        for hour in (10, 11, 12, 13):
            acts.age(acts.hold(pat, avon.slot(at(hour), office), now=wrong))

        acts.hold(pat, avon.slot(at(14), office), now=wrong)
        acts.hold(pat, avon.slot(at(10), office), now=wrong)
        with pytest.raises(booking.TooManyHolds):
            acts.hold(pat, avon.slot(at(15), office), now=wrong)


@pytest.mark.django_db(transaction=True)
class TestLocks:
    @pytest.mark.parametrize(
        "act", ["hold", "book", "extend", "reschedule", "cancel", "release", "overbook", "time off"]
    )
    def test_it_gives_up_when_a_calendar_is_not_let_go(self, scene, act):
        before = everything()
        other = connection.copy()
        try:
            with other.cursor() as cursor, connection.cursor() as mine:
                other.set_autocommit(False)
                cursor.execute("SELECT 1 FROM clinics_calendar FOR NO KEY UPDATE")
                mine.execute("SET lock_timeout = '20ms'")

                with pytest.raises(OperationalError) as refused:
                    ACTS[act](scene)

                mine.execute("SET lock_timeout = '3s'")
        finally:
            other.rollback()
            other.close()
        assert refused.value.__cause__.sqlstate == "55P03"
        assert everything() == before

    def test_it_waits_three_seconds_and_no_longer(self, db):
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")

            assert cursor.fetchone() == ("3s",)

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}], ids=["without a key", "with a key"])
    def test_it_looks_for_other_times_when_its_locks_are_gone(self, scene, monkeypatch, headers):
        holds_locks = []

        def alternatives(*_, **__):
            holds_locks.append(connection.in_atomic_block)
            return []

        monkeypatch.setattr(slots, "alternatives", alternatives)
        with time_machine.travel(NOW, tick=False):
            answer = Caller(scene.third.user).post("/holds", {"slot": scene.here(10).id}, **headers)

        assert (answer.status_code, answer.json()["code"]) == (409, "slot_taken")
        assert holds_locks == [False]


@pytest.mark.django_db
class TestStatements:
    @pytest.fixture
    def much(self, scene):
        """The same, with twenty more of everything."""
        place, office = scene.place, scene.office
        for number in range(20):
            cast.make_room(place.clinic, f"More {number}")
            clinician = cast.make_clinician(place.clinic)
            cast.make_shift(place, at(9), at(17), office, clinician=clinician)
            place.clinicians.append(clinician)
        for number in range(1, 21):
            acts.book(cast.make_patient(f"M{number}"), place.slot(at(10, 20 * (number % 3)), office, number))
            cast.make_member(scene.third)
        for patient in (scene.third, scene.visit.patient, scene.held.patient):
            for number in range(20):
                visit = acts.book(patient, place.slot(at(9, 20 * number, days=1), office, 0))
                acts.cancel(visit)
        return scene

    def test_it_takes_as_many_with_one_of_everything_as_with_twenty(self, scene, request):
        few = {act: statements(lambda act=act: ACTS[act](scene)) for act in ACTS}
        request.getfixturevalue("much")

        many = {act: statements(lambda act=act: ACTS[act](scene)) for act in ACTS}

        assert few == STATEMENTS
        assert many == STATEMENTS

    @pytest.mark.parametrize("code", ["slot_taken", "slot_not_offered", "patient_busy", "too_many_holds"])
    def test_it_refuses_with_no_more_than_it_holds_with(self, scene, code):
        patient, slot = {
            "slot_taken": (scene.third, scene.here(10)),
            "slot_not_offered": (scene.third, scene.here(18)),
            "patient_busy": (scene.visit.patient, scene.there(10)),
            "too_many_holds": (scene.third, scene.here(16)),
        }[code]
        if code == "too_many_holds":
            acts.hold(scene.third, scene.here(14))
            acts.hold(scene.third, scene.here(15))
        with pytest.raises(Refused) as refused:
            acts.hold(patient, slot)
        assert refused.value.code == code

        refusing = statements(lambda: acts.hold(patient, slot))

        assert refusing <= STATEMENTS["hold"]
