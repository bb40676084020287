"""Anything patients, staff and time may do, in any order; after every step what must hold does (promise 2)."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from clinics.refusals import Refused
from scheduling import booking, claims, closures, slots, time_off
from scheduling.booking import wanted as wanting
from scheduling.models import Appointment, AppointmentChange, Claim, Closure
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts, invariants
from tests.sizes import FULL

pytestmark = [pytest.mark.django_db, pytest.mark.proof]

STEP = timedelta(minutes=10)
# An hour and a half of one day, so that everything is in everything's way.
OPENS, CLOSES = at(10), at(11, 30)
STARTS = st.integers(-1, 9).map(lambda number: OPENS + number * STEP)
SPANS = st.tuples(STARTS, st.integers(1, 6)).map(lambda span: (span[0], span[0] + span[1] * STEP))
TWO = st.integers(0, 1)
THREE = st.integers(0, 2)
KINDS = st.integers(0, 4)


class Scene:
    """Two clinics, one clinician who works at both by turns, another at the first; two rooms and one; three patients;
    a short visit, one with turnover, one that needs no room, one for adults and one for new patients. The first
    patient was seen here before, the third is a child.
    """

    def __init__(self):
        short = cast.make_visit_type("short", step=10, overbook_lanes=1)
        long = cast.make_visit_type("long", duration=timedelta(minutes=30), turnover=timedelta(minutes=10))
        talk = cast.make_visit_type("talk", duration=timedelta(minutes=10), room_kind="")
        adult = cast.make_visit_type("adult", min_age=18)
        new = cast.make_visit_type("new", duration=timedelta(minutes=30), patients="new")
        self.types = [short, long, talk, adult, new]
        avon = cast.make_place("Avon", clinicians=2, rooms=2)
        other = cast.make_place("Bristol", clinicians=0, rooms=1, system=avon.clinic.health_system)
        other.clinicians = avon.clinicians
        self.places = [avon, other]
        cast.make_shift(avon, OPENS, OPENS + 4 * STEP, *self.types)
        cast.make_shift(other, OPENS + 4 * STEP, CLOSES, *self.types)
        cast.make_shift(avon, OPENS, CLOSES, *self.types, clinician=1)
        child = cast.make_patient("Three", born=NOW.date().replace(year=2016))
        self.patients = [cast.make_patient("One"), cast.make_patient("Two"), child]
        cast.make_completed(avon, short, self.patients[0], NOW - timedelta(days=300))


class Bookings(RuleBasedStateMachine):
    """What a rule refuses, it refuses; nothing else goes wrong."""

    visits = Bundle("visits")
    away = Bundle("away")

    scene: "Scene"

    def __init__(self):
        super().__init__()
        self.types, self.places, self.patients = self.scene.types, self.scene.places, self.scene.patients
        self.now = NOW
        self.everything = transaction.atomic()
        self.everything.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.everything.__exit__(None, None, None)

    def slot(self, place, kind, clinician, start):
        return self.places[place].slot(start, self.types[kind], clinician)

    def attempt(self, work):
        """What `work` gives, or None where a rule refuses it, in which case nothing has changed."""
        before = None if FULL else written()
        try:
            with transaction.atomic():
                return work()
        except Refused as refused:
            refused.help()
            assert before is None or written() == before
            return None

    @rule(target=visits, place=TWO, kind=KINDS, clinician=TWO, start=STARTS, patient=THREE)
    def hold(self, place, kind, clinician, start, patient):
        slot, patient = self.slot(place, kind, clinician, start), self.patients[patient]
        return kept(self.attempt(lambda: acts.hold(patient, slot, now=self.now)))

    @rule(target=visits, place=TWO, kind=KINDS, clinician=TWO, start=STARTS, patient=THREE)
    def overbook(self, place, kind, clinician, start, patient):
        slot, patient = self.slot(place, kind, clinician, start), self.patients[patient]
        return kept(self.attempt(lambda: acts.overbook(patient, slot, now=self.now)))

    @rule(target=visits, place=TWO, kind=KINDS, patient=THREE, which=st.integers(0, 30))
    def book_one_that_is_listed(self, place, kind, patient, which):
        listed = acts.found(self.places[place], self.types[kind].code, now=self.now, patient=self.patients[patient].pk)
        if not listed or booking.holds.holds_of(self.patients[patient]).count() >= booking.MOST_HOLDS:
            return multiple()
        # Not attempted: what is listed can be booked.
        return acts.book(self.patients[patient], listed[which % len(listed)].slot, now=self.now)

    @rule(target=visits, visit=visits, patient=THREE, staff=st.booleans(), runs_out=st.booleans())
    def want_the_same(self, visit, patient, staff, runs_out):
        """The very time that another visit has, or had: where most can go wrong."""
        if runs_out:
            self.run_out(visit)
        was, act = fresh(visit), acts.overbook if staff else acts.hold
        slot = slots.Slot(was.clinician_id, was.clinic_id, was.visit_type_id, was.starts_at)
        return kept(self.attempt(lambda: act(self.patients[patient], slot, now=self.now)))

    @rule(visit=visits)
    def book(self, visit):
        self.attempt(lambda: acts.confirm(fresh(visit), now=self.now))

    @rule(visit=visits)
    def extend(self, visit):
        self.attempt(lambda: acts.extend(fresh(visit), now=self.now))

    @rule(visit=visits)
    def release(self, visit):
        self.attempt(lambda: acts.release(fresh(visit), now=self.now))

    @rule(visit=visits, staff=st.booleans())
    def cancel(self, visit, staff):
        source = acts.STAFF if staff else acts.PATIENT
        self.attempt(lambda: acts.cancel(fresh(visit), source=source, now=self.now))

    @rule(visit=visits, place=TWO, clinician=TWO, start=STARTS)
    def move(self, visit, place, clinician, start):
        was = fresh(visit)
        slot = slots.Slot(
            self.places[place].clinicians[clinician].pk, self.places[place].clinic.pk, was.visit_type_id, start
        )
        self.attempt(lambda: acts.move(was, slot, now=self.now))

    @rule(visit=visits)
    def run_out(self, visit):
        Claim.objects.filter(appointment=visit, expires_at__isnull=False).update(
            expires_at=claims.ClockTimestamp() - timedelta(seconds=1)
        )

    @rule()
    def sweep(self):
        booking.expire_holds(now=self.now)
        assert booking.expire_holds(now=self.now) == 0

    @rule(place=TWO, span=SPANS)
    def close(self, place, span):
        clinic, (start, end) = self.places[place].clinic, span
        closed = self.attempt(
            lambda: closures.close(clinic=clinic, start=start, end=end, reason="snow", actor=None, now=self.now)
        )
        if closed:
            hit = Appointment.objects.filter(
                clinic=clinic, status="booked", starts_at__lt=end, ends_at__gt=start
            ).values_list("pk", flat=True)
            assert set(hit) <= {visit.pk for visit in closed[1]}

    @rule()
    def reopen(self):
        for closure in Closure.objects.all()[:1]:
            closures.reopen(closure=closure)

    @rule(target=away, of_room=st.booleans(), which=TWO, span=SPANS)
    def leave(self, of_room, which, span):
        avon = self.places[0]
        of = avon.rooms[which] if of_room else avon.clinicians[which]
        left = self.attempt(lambda: time_off.enter(of=of, start=span[0], end=span[1], reason="sick", now=self.now))
        return kept(left and left[0])

    @rule(claim=away)
    def withdraw(self, claim):
        time_off.withdraw(claim=claim, now=self.now)

    @rule(minutes=st.sampled_from([1, 5, 20]))
    def go_on(self, minutes):
        self.now = min(self.now + timedelta(minutes=minutes), CLOSES)

    @rule()
    def purge(self):
        claims.purge_past(before=self.now)

    @invariant()
    def holds(self):
        invariants.check(self.now)

    @invariant()
    def lists_what_can_be_had(self):
        """What is listed can be held, and nothing else, of one type, place and patient a step by turns."""
        turn = AppointmentChange.objects.count() + Claim.objects.count()
        kind, place, patient = self.types[turn % 5], self.places[turn % 2], self.patients[turn // 2 % 3]
        if booking.holds.holds_of(patient).count() >= booking.MOST_HOLDS:
            return
        listed = [row.slot for row in acts.found(place, kind.code, now=self.now, patient=patient.pk)]
        grid = [place.slot(OPENS + n * STEP, kind, clinician) for n in range(-1, 10) for clinician in (0, 1)]
        others = [slot for slot in grid if slot not in listed]
        assert set(listed) <= set(grid)
        assert all(slot.start >= self.now for slot in listed)
        for slots_, can in ((listed, True), (others, False)):
            for slot in slots_ if FULL else slots_[turn % 5 :: 11]:
                assert acts.can_be_held(patient, slot, now=self.now) == can, slot
        assert not acts.can_be_held(patient, place.slot(OPENS + STEP / 2, kind), now=self.now)


def kept(found):
    return multiple() if found is None else found


def fresh(visit):
    return Appointment.objects.select_related("patient", "visit_type", "clinic", "clinician").get(pk=visit.pk)


def written():
    """A sum over all that a refused act might have left behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM scheduling_appointmentchange),
                   (SELECT sum(hashtext(a::text)::bigint) FROM scheduling_appointment a),
                   (SELECT sum(hashtext(c::text)::bigint) FROM scheduling_claim c),
                   (SELECT count(*) FROM scheduling_closure)
            """
        )
        return cursor.fetchone()


def run(*, examples, phases=tuple(Phase)):
    Bookings.scene = Scene()
    run_state_machine_as_test(
        Bookings,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50 if FULL else 20,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_it_keeps_its_promises_whatever_happens(db):
    run(examples=200 if FULL else 10)


def test_without_checking_again_under_the_locks_it_would_break_them(db, monkeypatch):
    """A control: the machine gets to where a missing line shows."""
    monkeypatch.setattr(wanting, "require_offered", lambda *args, **kwargs: None)

    with pytest.raises(AssertionError):
        run(examples=500, phases=[Phase.generate])
