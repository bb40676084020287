"""Forty clinicians claim from a thousand who wait (promises of the queue), and what happens without the guards."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from clinics import counters
from clinics.ids import new_id
from clinics.models import Calendar, Clinician, Patient
from tests import cast, owner
from tests.calls import Caller
from tests.cast import NOW
from tests.scheduling.races.together import interleave
from tests.sizes import FULL
from tests.virtualcare import people, talking
from tests.virtualcare.people import accepted, claimed, doctor_on_duty, user_of
from virtualcare import duty
from virtualcare.models import Consult, ConsultChange, Duty, PassedOn
from virtualcare.queue import claiming

pytestmark = pytest.mark.django_db(transaction=True)
CLAIMERS, WAITING = 40, 10_000 if FULL else 1_000
STATES = ["OH", "IN", "KY", "HI"]  # nobody is licensed in HI


def crowd(number: int) -> None:
    """As many who wait, in four states, by text and video, due in the order in which they are made."""
    chance = random.Random(5)
    user, form = cast.make_user("crowd"), people.form()
    calendars = [Calendar(id=new_id(), kind="patient") for _ in range(number)]
    Calendar.objects.bulk_create(calendars)
    patients = [
        Patient(calendar=one, given_name="P", family_name="P", birth_date=NOW.date().replace(year=1990))
        for one in calendars
    ]
    Patient.objects.bulk_create(patients)
    Consult.objects.bulk_create(
        Consult(
            patient=patient,
            requested_by=user,
            modality=chance.choice(["text", "text", "video"]),
            status="waiting",
            created_at=NOW,
            seen_at=NOW,
            queued_at=NOW,
            due_at=NOW + timedelta(seconds=place),
            state=chance.choice(STATES),
            street="1 Example Street",
            city="Avon",
            postal_code="44011",
            form=form,
            acuity=3,
            price=0,
        )
        for place, patient in enumerate(patients)
    )


def crew(number: int) -> list[Clinician]:
    """Clinicians on duty with licences in one, two or three states."""
    return [
        doctor_on_duty(f"D{n}", states=tuple(STATES[:3][n % 3 : n % 3 + 1 + n % 2]), capacity=10) for n in range(number)
    ]


def work(doctor: Clinician) -> list[Any]:
    """Claim until nobody is left; every tenth is accepted and seen, the others go as soon as they are offered."""
    seen: list[Any] = []
    while True:
        offered = claimed(doctor)
        if offered is None:
            return seen
        seen.append(offered.pk)
        if len(seen) % 10 == 0:
            accepted(offered, doctor)
        with transaction.atomic():
            Consult.objects.filter(pk=offered.pk, clinician=doctor).update(status="cancelled", offer_expires_at=None)


def test_forty_claim_a_thousand_once_each_in_order_and_only_where_they_may():
    crowd(WAITING)
    doctors = crew(CLAIMERS)
    licensed = {doctor.pk: {licence.state for licence in doctor.licences.all()} for doctor in doctors}

    outcomes = cast.at_the_same_time(work, doctors)

    assert all(isinstance(outcome, list) for outcome in outcomes), outcomes
    offered = [pk for outcome in outcomes for pk in outcome]
    assert len(offered) == len(set(offered)) > WAITING / 2
    assert set(offered) == set(Consult.objects.exclude(state="HI").values_list("pk", flat=True))
    assert set(Consult.objects.filter(state="HI").values_list("status", flat=True)) == {"waiting"}
    state = dict(Consult.objects.values_list("pk", "state"))
    for doctor, outcome in zip(doctors, outcomes, strict=True):
        assert {state[pk] for pk in outcome} <= licensed[doctor.pk]
    # Each took the first that nobody had in hand: by as many as claim at once somebody may go before another.
    due: dict[Any, Any] = dict(Consult.objects.values_list("pk", "due_at"))
    for where in ("OH", "IN", "KY"):
        told = ConsultChange.objects.filter(what="offered", consult__state=where).order_by("id")
        order = [due[pk] for pk in told.values_list("consult", flat=True)]
        ranks = {at: rank for rank, at in enumerate(sorted(order))}
        assert max(abs(rank - ranks[at]) for rank, at in enumerate(order)) <= 2 * CLAIMERS


def test_one_claims_strictly_in_order():
    crowd(60)
    doctor = doctor_on_duty(capacity=10)

    order: list[Any] = [Consult.objects.get(pk=pk).due_at for pk in work(doctor)]

    assert len(order) > 5
    assert order == sorted(order)


def test_without_the_lock_several_claim_the_same(monkeypatch: pytest.MonkeyPatch):
    """The negative control: the statement finds, and then takes, without holding what it found."""
    crowd(100)
    doctors = [doctor_on_duty(f"D{n}", states=("OH", "IN", "KY"), capacity=10) for n in range(8)]
    lock = "FOR UPDATE OF waiting SKIP LOCKED"
    assert lock in claiming.CLAIM
    # As read-then-write does it: with time between the two.
    slow = claiming.CLAIM.replace(lock, "").replace("FROM picked\n", "FROM picked, pg_sleep(0.01) AS slept\n")
    monkeypatch.setattr(claiming, "CLAIM", slow)

    outcomes = cast.at_the_same_time(claimed, doctors)

    taken = Counter(outcome.pk for outcome in outcomes if isinstance(outcome, Consult))
    assert max(taken.values()) > 1


def test_one_clinician_in_many_windows_has_one_offer_and_no_more_than_the_shift_allows():
    crowd(60)
    doctor = doctor_on_duty(states=("OH", "IN", "KY"), capacity=2)

    for _ in range(4):
        outcomes = cast.at_the_same_time(lambda _: claimed(doctor), range(8))

        offered = [outcome for outcome in outcomes if isinstance(outcome, Consult)]
        assert len(offered) <= 1
        assert {outcome for outcome in outcomes if not isinstance(outcome, Consult)} <= {"offer_open", None}
        for consult in offered:
            accepted(consult, doctor)

    held = Counter(Consult.objects.filter(clinician=doctor, status="active").values_list("modality", flat=True))
    assert held == {"text": 2, "video": 1}


def test_the_database_keeps_a_clinician_to_one_call():
    doctor = doctor_on_duty()
    for _ in range(2):
        people.waiting(modality="video")
    first, second = Consult.objects.order_by("due_at")
    active = {"status": "active", "clinician": doctor, "accepted_at": NOW}
    Consult.objects.filter(pk=first.pk).update(**active)

    with pytest.raises(Exception, match="consult_one_call"), transaction.atomic():
        Consult.objects.filter(pk=second.pk).update(**active)


@pytest.mark.parametrize("last", ["accept", "leave"])
def test_who_accepts_and_who_leaves_do_not_both_win(last: str):
    doctor = doctor_on_duty()
    for _ in range(5):
        consult = people.waiting()
        offered = claimed(doctor)
        assert offered == consult
        acts = [
            lambda: accepted(consult, doctor),  # noqa: B023 - called before the next
            lambda: people.queue.leave(consult=consult, actor=user_of(consult.patient), now=NOW),  # noqa: B023
        ]

        outcomes = cast.at_the_same_time(lambda act: act(), acts if last == "leave" else acts[::-1])

        told = list(ConsultChange.objects.filter(consult=consult).values_list("from_status", "to_status"))[2:]
        assert told in (
            [("waiting", "offered"), ("offered", "active"), ("active", "wrap_up")],
            [("waiting", "offered"), ("offered", "cancelled")],
        ), outcomes
        Consult.objects.filter(pk=consult.pk).update(status="cancelled", clinician=None)


def test_it_reads_the_same_pages_however_long_the_history_is():
    doctor = doctor_on_duty(capacity=10)
    crowd(200)
    assert PassedOn.objects.count() == 0
    before = pages(doctor)
    Consult.objects.update(status="cancelled", clinician=None)
    for _ in range(3):
        crowd(200)
        Consult.objects.filter(status="waiting").update(status="cancelled")
    crowd(200)

    assert pages(doctor) < 2 * before


def pages(doctor: Clinician) -> int:
    """What one claim reads, in pages of the database, which autovacuum has been through."""
    with owner.acting(), connection.cursor() as cursor:
        cast.wait_for_locks()
        cursor.execute("VACUUM ANALYZE virtualcare_consult, virtualcare_passedon, virtualcare_duty")
    with transaction.atomic(), connection.cursor() as cursor:
        asked: dict[str, Any] = claiming.asked(doctor, now=NOW)
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {claiming.CLAIM}", asked)
        ((plan,),) = cursor.fetchone()
        transaction.set_rollback(True)
        return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])


@pytest.mark.usefixtures("at_now")
def test_two_who_hand_over_to_each_other_lock_in_one_order(reyes: Clinician, stone: Clinician, monkeypatch: Any):
    """Each is heard of by handing over, which takes a lock on their own row."""
    consults = [talking.active(cast.make_patient(f"P{number}"), one) for number, one in enumerate([reyes, stone])]
    Duty.objects.update(heard_at=NOW - timedelta(seconds=30))
    callers = [Caller(user_of(one)) for one in (reyes, stone)]
    retries = counters.DEADLOCK_RETRIES._value.get()

    def hand_over(number: int, to: Clinician) -> Any:
        asked = {"note": "Hm.", "to": str(to.pk)}
        return callers[number].post(f"/consults/{consults[number].pk}/transfer", asked).status_code

    outcomes = interleave(
        monkeypatch, (duty, "locked"), lambda: hand_over(0, stone), lambda: hand_over(1, reyes), before=True
    )

    assert outcomes == (200, 200)
    assert counters.DEADLOCK_RETRIES._value.get() == retries
    assert set(Duty.objects.values_list("heard_at", flat=True)) == {NOW}
