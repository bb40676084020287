"""Patients in the middle of a consult whose clinician is gone: who is called back, and who gets the patient."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from clinics.models import Message
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.virtualcare import people, talking
from virtualcare import duty, presence, tasks, unattended
from virtualcare.models import Call, ChatMessage, Consult, ConsultChange, Duty
from virtualcare.video import calls

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def consult(pat, reyes):
    return talking.active(pat, reyes)


def sweep(minutes):
    """What the sweep does so many minutes after NOW, at which Reyes was last heard of."""
    now = NOW + minutes * MINUTE
    back = unattended.give_back(now=now)
    return unattended.call_back(now=now), back


def called_back():
    return list(Message.objects.filter(template="consult_left_alone").values_list("user__email", flat=True))


class TestCallingBack:
    def test_a_clinician_who_is_not_heard_of_is_called_back_once(self, consult, reyes):
        told = [sweep(minutes)[0] for minutes in (4, 5, 6, 9)]

        assert told == [0, 1, 0, 0]
        assert called_back() == [reyes.user.email]

    def test_it_names_nobody(self, consult, pat):
        sweep(5)

        context = Message.objects.get(template="consult_left_alone").context
        assert context.keys() == {"to_account", "consult", "minutes", "page"}
        assert pat.family_name not in str(context)

    def test_who_was_back_and_went_again_is_called_back_again(self, consult, reyes):
        sweep(5)
        presence.heard_from_clinician(reyes.pk, now=NOW + 6 * MINUTE)

        assert [sweep(minutes)[0] for minutes in (7, 11, 12)] == [0, 1, 0]

    def test_who_has_nobody_in_a_conversation_is_left_in_peace(self, consult, reyes):
        talking.complete(consult, reyes)

        assert sweep(30) == (0, 0)


class TestGivingBack:
    def test_the_patient_waits_again_at_their_place_for_whoever_is_there(self, consult, reyes, stone):
        due_at = consult.due_at
        before = [sweep(minutes)[1] for minutes in (5, 9)]
        presence.heard_from_clinician(stone.pk, now=NOW + 10 * MINUTE)
        after = sweep(10)[1]

        assert (before, after) == ([0, 0], 1)
        consult.refresh_from_db()
        assert (consult.status, consult.clinician, consult.due_at) == ("waiting", None, due_at)
        taken = people.taken(stone, now=NOW + 10 * MINUTE)
        assert taken == consult
        assert [*ConsultChange.objects.order_by("id").values_list("what", "clinician")][-3:] == [
            ("unattended", reyes.pk),
            ("offered", stone.pk),
            ("accepted", stone.pk),
        ]

    def test_the_patient_reads_it_in_the_chat_and_is_not_taken_for_gone(self, consult, reyes, stone):
        sweep(5)
        sweep(12)

        said = ChatMessage.objects.get(consult=consult)
        assert said.role == ChatMessage.Role.SYSTEM
        assert "You are back in line at the place you had" in said.body
        consult.refresh_from_db()
        assert consult.seen_at == NOW + 12 * MINUTE

    def test_who_comes_back_in_time_keeps_the_patient(self, consult, reyes):
        sweep(5)
        presence.heard_from_clinician(reyes.pk, now=NOW + 9 * MINUTE)

        assert sweep(11) == (0, 0)
        consult.refresh_from_db()
        assert (consult.status, consult.clinician) == ("active", reyes)

    def test_who_comes_back_too_late_may_take_them_again(self, consult, reyes):
        sweep(5)
        sweep(10)

        duty.say(clinician=reyes, available=True, actor=reyes.user, now=NOW + 11 * MINUTE)

        assert people.taken(reyes, now=NOW + 11 * MINUTE) == consult

    def test_after_an_outage_everybody_has_time_to_be_there_again(self, consult, reyes):
        """Nobody could be heard for an hour, and nobody could be called back."""
        first = sweep(60)
        presence.heard_from_clinician(reyes.pk, now=NOW + 61 * MINUTE)

        assert first == (1, 0)
        assert sweep(65) == (0, 0)

    def test_their_call_is_over(self, pat, reyes):
        consult = talking.active(pat, reyes, modality="video")
        calls.begun(consult, provider="peer", now=NOW)
        sweep(5)
        sweep(10)

        assert Call.objects.get(consult=consult).ended_because == Call.Ended.CONSULT

    def test_the_beat_does_it(self, consult):
        Duty.objects.update(heard_at=NOW - 30 * MINUTE)
        Consult.objects.update(called_back_at=NOW - 20 * MINUTE)

        tasks.keep_queue()

        assert ConsultChange.objects.filter(what="unattended").count() == 1

    def test_it_takes_as_many_as_it_is_told_the_longest_due_first(self, reyes):
        due = [talking.active(cast.make_patient(f"P{number}"), reyes, now=NOW) for number in range(3)]
        sweep(5)

        back = unattended.give_back(now=NOW + 10 * MINUTE, most=2)

        assert back == 2
        assert [one.pk for one in Consult.objects.filter(status="active")] == [due[2].pk]


class TestReading:
    def test_a_clinician_who_reads_their_consult_is_heard_of(self, consult, reyes, at_now):
        Duty.objects.update(heard_at=NOW - 10 * MINUTE)

        Caller(reyes.user).get(f"/consults/{consult.pk}")

        assert Duty.objects.get(pk=reyes.pk).heard_at == NOW

    @pytest.mark.parametrize("path", ["note", "colleagues", "slots?visit_type=office", "video"])
    def test_so_is_who_does_anything_else_in_it(self, pat, reyes, at_now, path):
        consult = talking.active(pat, reyes, modality="video")
        Duty.objects.update(heard_at=NOW - 10 * MINUTE)

        assert Caller(reyes.user).get(f"/consults/{consult.pk}/{path}").status_code == 200

        assert Duty.objects.get(pk=reyes.pk).heard_at == NOW

    def test_who_had_it_before_is_not(self, consult, reyes, stone, at_now):
        sweep(5)
        sweep(10)
        presence.heard_from_clinician(stone.pk, now=NOW + 10 * MINUTE)
        people.taken(stone, now=NOW + 10 * MINUTE)
        Duty.objects.update(heard_at=NOW - 10 * MINUTE)

        assert Caller(reyes.user).get(f"/consults/{consult.pk}").status_code == 200

        assert set(Duty.objects.values_list("heard_at", flat=True)) == {NOW - 10 * MINUTE}


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_has_locked_holds_up_nobody_else(consult, stone):
    other = talking.active(cast.make_patient("Kim"), stone)
    sweep(5)
    is_locked, is_over = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            duty.locked(consult.clinician_id, now=NOW)
            is_locked.set()
            is_over.wait(30)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_locked.wait(30)
    try:
        while_locked = unattended.give_back(now=NOW + 10 * MINUTE)
    finally:
        is_over.set()
        holder.join()

    assert while_locked == 1
    assert Consult.objects.get(status="waiting") == other
    assert unattended.give_back(now=NOW + 10 * MINUTE) == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_give_back_each_once(reyes):
    for number in range(3):
        talking.active(cast.make_patient(f"P{number}"), reyes)
    sweep(5)
    counts, together = [], threading.Barrier(2)

    def work():
        together.wait()
        counts.append(unattended.give_back(now=NOW + 10 * MINUTE))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 3
    assert ConsultChange.objects.filter(what="unattended").count() == 3
