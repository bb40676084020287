"""Anything patients, clinicians and time may do to the queue, in any order; after every step what must hold does."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from clinics.models import Clinician, Licence, Patient
from clinics.refusals import Refused
from tests import cast
from tests.cast import ALWAYS, NOW
from tests.sizes import FULL
from tests.virtualcare import people
from tests.virtualcare.people import BOTH, accepted, claimed, doctor_on_duty, user_of, waiting
from virtualcare import duty, presence, queue, unattended
from virtualcare.models import Consult, ConsultChange, Duty, OnCallShift, ReplyClock
from virtualcare.queue import offers

pytestmark = [pytest.mark.django_db, pytest.mark.proof]

STATES = ["OH", "IN"]
PATIENTS, DOCTORS = st.integers(0, 5), st.integers(0, 2)


class Scene:
    """Six patients; one clinician for Ohio, one for both states with room for one text, one for Indiana by text."""

    def __init__(self) -> None:
        self.patients = [cast.make_patient(f"P{number}") for number in range(6)]
        self.doctors = [
            doctor_on_duty("One", capacity=2),
            doctor_on_duty("Both", states=("OH", "IN"), capacity=1),
            doctor_on_duty("Text", states=("IN",), modalities=["text"], capacity=2),
        ]


class Queue(RuleBasedStateMachine):
    """What a rule refuses, it refuses; nothing else goes wrong."""

    scene: Scene

    def __init__(self) -> None:
        super().__init__()
        self.patients: list[Patient] = self.scene.patients
        self.doctors: list[Clinician] = self.scene.doctors
        self.now: datetime = NOW
        self.due: dict[Any, datetime] = {}
        self.everything = transaction.atomic()
        self.everything.__enter__()

    def teardown(self) -> None:
        try:
            self.drain()
        finally:
            transaction.set_rollback(True)
            self.everything.__exit__(None, None, None)

    def attempt(self, work: Any) -> Any:
        """A refusal leaves nothing behind but what it says."""
        try:
            with transaction.atomic():
                return work()
        except queue.NotLicensedThere:
            return None
        except Refused:
            return None

    def with_doctor(self, doctor: int, *statuses: str) -> Consult | None:
        return Consult.objects.filter(clinician=self.doctors[doctor], status__in=statuses).order_by("pk").first()

    @rule(patient=PATIENTS, modality=st.sampled_from(BOTH), state=st.sampled_from(STATES), acuity=st.integers(1, 5))
    def arrive(self, patient: int, modality: str, state: str, acuity: int) -> None:
        made = self.attempt(
            lambda: waiting(self.patients[patient], modality=modality, state=state, acuity=acuity, now=self.now)
        )
        if made is not None:
            self.due[made.pk] = made.due_at

    @rule(patient=PATIENTS)
    def come_back(self, patient: int) -> None:
        for consult in Consult.objects.filter(patient=self.patients[patient], status__in=Consult.QUEUED):
            presence.heard_from_patient(consult.pk, now=self.now)

    @rule(patient=PATIENTS)
    def leave(self, patient: int) -> None:
        for consult in Consult.objects.filter(patient=self.patients[patient]).exclude(status__in=Consult.OVER):
            queue.leave(consult=consult, actor=user_of(self.patients[patient]), now=self.now)

    @rule(doctor=DOCTORS)
    def claim(self, doctor: int) -> None:
        self.attempt(lambda: claimed(self.doctors[doctor], now=self.now))

    @rule(doctor=DOCTORS)
    def claim_and_crash(self, doctor: int) -> None:
        """The server dies before it commits: as if nothing had been."""
        with transaction.atomic():
            self.attempt(lambda: claimed(self.doctors[doctor], now=self.now))
            transaction.set_rollback(True)

    @rule(doctor=DOCTORS)
    def accept(self, doctor: int) -> None:
        consult = self.with_doctor(doctor, "offered")
        if consult is not None:
            # Not undone where it refuses: then the patient waits on.
            try:
                taken = accepted(consult, self.doctors[doctor], now=self.now)
            except Refused:
                return
            assert taken.state in duty.licensed_in(self.doctors[doctor].pk, now=self.now)
            assert duty.shift_of(self.doctors[doctor].pk, now=self.now)

    @rule(doctor=DOCTORS)
    def decline(self, doctor: int) -> None:
        consult = self.with_doctor(doctor, "offered")
        if consult is not None:
            queue.decline(
                consult=consult, clinician=self.doctors[doctor], actor=user_of(self.doctors[doctor]), now=self.now
            )

    @rule(doctor=DOCTORS, to=st.none() | DOCTORS)
    def transfer(self, doctor: int, to: int | None) -> None:
        consult = self.with_doctor(doctor, "active")
        if consult is not None:
            self.attempt(
                lambda: queue.transfer(
                    consult=consult,
                    clinician=self.doctors[doctor],
                    to=None if to is None else self.doctors[to],
                    note="Over to you.",
                    actor=user_of(self.doctors[doctor]),
                    now=self.now,
                )
            )

    @rule(doctor=DOCTORS, wholly=st.booleans())
    def finish(self, doctor: int, wholly: bool) -> None:
        consult = self.with_doctor(doctor, "active", "wrap_up")
        if consult is not None:
            end = queue.complete if wholly else queue.wrap_up
            end(consult=consult, clinician=self.doctors[doctor], actor=user_of(self.doctors[doctor]), now=self.now)

    @rule(doctor=DOCTORS)
    def close_the_laptop(self, doctor: int) -> None:
        """Without a word: an offer stands until its time is over."""
        Duty.objects.filter(pk=self.doctors[doctor].pk).update(available=False)

    @rule(doctor=DOCTORS)
    def open_the_laptop(self, doctor: int) -> None:
        self.attempt(
            lambda: duty.say(
                clinician=self.doctors[doctor], available=True, actor=user_of(self.doctors[doctor]), now=self.now
            )
        )

    @rule(doctor=DOCTORS, ends=st.booleans())
    def lose_or_hold_the_licence(self, doctor: int, ends: bool) -> None:
        until = NOW.date() - timedelta(days=3) if ends else None
        Licence.objects.filter(clinician=self.doctors[doctor]).update(during=(ALWAYS.lower, until))

    @rule()
    def half_a_minute_goes_by(self) -> None:
        self.now += timedelta(seconds=30)
        people.let_offers_pass()

    @rule(minutes=st.integers(1, 12))
    def time_goes_by(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        people.let_offers_pass()

    @rule()
    def sweep(self) -> None:
        queue.time_out_offers(now=self.now)
        queue.nudge(now=self.now)
        queue.close(now=self.now)
        unattended.give_back(now=self.now)
        unattended.call_back(now=self.now)

    @invariant()
    def nobody_is_lost(self) -> None:
        """What is written of each leads, step by step, to where they are; who waits has the place they came to."""
        steps: dict[Any, list[tuple[str, str]]] = {}
        for changed, before, after in ConsultChange.objects.order_by("id").values_list(
            "consult", "from_status", "to_status"
        ):
            steps.setdefault(changed, []).append((before, after))
        for consult in Consult.objects.all():
            told = steps[consult.pk]
            assert [before for before, _ in told[1:]] == [after for _, after in told[:-1]], told
            assert told[-1][1] == consult.status
            assert consult.due_at == self.due[consult.pk]

    @invariant()
    def what_is_over_is_written_up_or_due(self) -> None:
        to_write = set(Consult.objects.filter(status="wrap_up").values_list("pk", flat=True))
        assert set(ReplyClock.objects.filter(answered_at=None).values_list("consult", flat=True)) == to_write

    @invariant()
    def nobody_has_more_than_they_may(self) -> None:
        held = Consult.objects.filter(status__in=Consult.HELD, clinician__isnull=False)
        load = Counter(held.values_list("clinician", "modality"))
        for shift in OnCallShift.objects.all():
            assert load[shift.clinician_id, "text"] <= shift.capacity
            assert load[shift.clinician_id, "video"] <= 1
            assert "video" in shift.modalities or not load[shift.clinician_id, "video"]

    def drain(self) -> None:
        """Nobody starves: one who may treat everybody takes all who wait, in the order of their places."""
        self.now += timedelta(minutes=1)
        people.let_offers_pass()
        everybody = doctor_on_duty("Everybody", states=tuple(STATES), capacity=10)
        Consult.objects.filter(status__in=Consult.QUEUED).update(seen_at=self.now)
        wait = set(Consult.objects.filter(status__in=Consult.QUEUED).values_list("pk", flat=True))
        served = []
        while (offered := claimed(everybody, now=self.now)) is not None:
            taken = accepted(offered, everybody, now=self.now)
            served.append((taken.due_at, taken.pk))
            queue.complete(consult=taken, clinician=everybody, actor=user_of(everybody), now=self.now)
        assert {pk for _, pk in served} == wait
        assert served == sorted(served)


def run(*, examples: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    Queue.scene = Scene()
    run_state_machine_as_test(
        Queue,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50 if FULL else 25,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_it_loses_starves_and_overloads_nobody_whatever_happens():
    run(examples=200 if FULL else 12)


def test_it_would_notice_a_place_that_is_lost(monkeypatch: pytest.MonkeyPatch):
    """A control: the machine gets to where a broken promise shows."""
    kept = offers.wait_on

    def to_the_end(consult: Consult, **said: Any) -> None:
        kept(consult, **said)
        Consult.objects.filter(pk=consult.pk).update(due_at=said["now"] + timedelta(hours=1))

    monkeypatch.setattr(offers, "wait_on", to_the_end)

    with pytest.raises(AssertionError):
        run(examples=500, phases=(Phase.generate,))
