"""The sweep of reply clocks against itself, answers and SIGKILL: each stage is told once, and none is lost."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from bench import servers
from clinics.models import Message
from tests import cast
from tests.cast import NOW, at_the_same_time
from tests.scheduling.races.together import interleave
from tests.virtualcare import people, talking
from tests.virtualcare.talking import says
from virtualcare import following, reminding
from virtualcare.models import ReplyClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]
ROOT = Path(__file__).resolve().parent.parent.parent
HALF = NOW + timedelta(hours=2)
# It begins when it is told to, and looks again where the one before still has its locks: that dies in a moment.
SWEEP = """
import sys, time
from datetime import datetime
import django
django.setup()
from virtualcare import reminding
sys.stdin.readline()
while not reminding.tell_due(now=datetime.fromisoformat(sys.argv[1])):
    time.sleep(0.05)
"""
BEFORE_COMMIT = ["replies claimed", "replies written", "replies marked"]


@pytest.fixture
def consult(pat, reyes):
    consult = talking.completed(pat, reyes)
    says(consult, pat)
    return consult


def sweep():
    return reminding.tell_due(now=HALF)


def told():
    return Message.objects.filter(template="reply_due").count()


class TestTwoSweeps:
    def test_the_second_leaves_alone_what_the_first_has(self, consult, monkeypatch):
        assert interleave(monkeypatch, (reminding, "told_of"), sweep, sweep) == (1, 0)

        assert told() == 1

    def test_many_tell_of_each_once(self, consult, reyes):
        for number in range(9):
            other = talking.completed(cast.make_patient(f"P{number}"), reyes)
            says(other, other.patient)

        counts = at_the_same_time(lambda _: reminding.tell_due(now=HALF, most=3), range(8))

        assert sum(counts) + sweep() == 10
        assert told() == 10
        assert set(ReplyClock.objects.values_list("told", flat=True)) == {50}


def test_an_answer_waits_for_the_sweep_that_tells_of_its_clock(consult, reyes, monkeypatch):
    outcomes = interleave(monkeypatch, (reminding, "told_of"), sweep, lambda: says(consult, reyes, now=HALF).seq)

    assert outcomes == (1, 2)
    clock = ReplyClock.objects.get()
    assert (clock.told, clock.answered_at) == (50, HALF)


def test_a_sweep_leaves_alone_what_is_being_answered(consult, reyes, monkeypatch):
    outcomes = interleave(
        monkeypatch, (following, "seen_by_patient"), lambda: says(consult, reyes, now=HALF).seq, sweep
    )

    assert outcomes == (2, 0)
    assert told() == 0


def test_of_two_who_take_it_each_becomes_a_carer_once(consult, stone):
    ReplyClock.objects.update(told=80)
    doctors = [stone, stone, people.doctor_on_duty("Wood")]

    def take(doctor):
        return following.take(consult_id=consult.pk, clinician=doctor, actor=doctor.user, now=HALF).consult_id

    assert at_the_same_time(take, doctors) == [consult.pk] * 3
    assert consult.carers.count() == 3


@pytest.fixture
def doomed():
    """A process for each point, ready to sweep and to die there."""
    url = servers.named(os.environ["DATABASE_URL"], connection.settings_dict["NAME"])
    processes = {
        point: subprocess.Popen(
            [sys.executable, "-c", SWEEP, HALF.isoformat()], cwd=ROOT, stdin=subprocess.PIPE,
            env={**os.environ, "DATABASE_URL": url, "SAMEDAY_KILL_AT": point},
        )
        for point in [*BEFORE_COMMIT, "replies committed"]
    }  # fmt: skip
    yield processes
    for process in processes.values():
        process.kill()
        process.communicate()


def die(process):
    process.communicate(b"\n", timeout=120)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_it_tells_once_wherever_it_is_killed(consult, doomed):
    for point in BEFORE_COMMIT:
        die(doomed[point])
        assert (ReplyClock.objects.get().told, told()) == (0, 0)
    die(doomed["replies committed"])
    again = sweep()

    assert (ReplyClock.objects.get().told, told(), again) == (50, 1, 0)
