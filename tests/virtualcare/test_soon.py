"""Who waits for long is told when their turn comes near."""

from datetime import timedelta

import pytest

from clinics import messages
from clinics.models import Clinician, Patient
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.people import waiting
from virtualcare import following, queue
from virtualcare.models import Consult, Duty
from virtualcare.waits import soon

pytestmark = pytest.mark.django_db


def told(pat: Patient) -> int:
    return pat.messages.filter(template="consult_soon").count()


def test_it_tells_once_when_the_turn_of_who_waited_long_is_near(pat: Patient, reyes: Clinician):
    consult = waiting(pat)
    Consult.objects.filter(pk=consult.pk).update(promised_low=20)

    assert [soon.tell_soon(now=NOW), soon.tell_soon(now=NOW + timedelta(seconds=15))] == [1, 0]
    assert told(pat) == 1


def test_who_waits_no_more_is_not_told_of_waiting_and_is_of_all_else(pat: Patient, reyes: Clinician):
    consult = waiting(pat)
    Consult.objects.filter(pk=consult.pk).update(promised_low=20)
    soon.tell_soon(now=NOW)
    queue.nudge(now=NOW + timedelta(minutes=4))
    messages.queue(
        to=pat, template="consult_reply", about=following.about(consult), dedupe_key="reply", context={}, now=NOW
    )
    people.taken(reyes)

    statuses = set(pat.messages.values_list("template", "status"))
    assert statuses == {
        ("consult_soon", "withdrawn"),
        ("consult_come_back", "withdrawn"),
        ("consult_reply", "queued"),
    }


def test_who_leaves_is_told_of_waiting_no_more(pat: Patient, reyes: Clinician):
    consult = waiting(pat)
    queue.nudge(now=NOW + timedelta(minutes=4))

    queue.leave(consult=consult, actor=people.user_of(pat), now=NOW + timedelta(minutes=4))

    assert set(pat.messages.values_list("template", "status")) == {("consult_come_back", "withdrawn")}


def test_who_never_had_to_wait_long_is_not_told(pat: Patient, reyes: Clinician):
    consult = waiting(pat)
    Consult.objects.filter(pk=consult.pk).update(promised_low=3)

    assert soon.tell_soon(now=NOW) == 0


def test_nobody_is_told_while_nobody_is_there(pat: Patient, reyes: Clinician):
    Duty.objects.update(available=False)
    consult = waiting(pat)
    Consult.objects.filter(pk=consult.pk).update(promised_low=20)

    assert soon.tell_soon(now=NOW) == 0
