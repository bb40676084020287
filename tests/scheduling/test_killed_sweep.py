"""A sweep of reminders whose process is killed at any step: no reminder is lost, none doubled (promises 12 and 14)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from bench import servers
from clinics.models import Message
from scheduling import reminders
from scheduling.models import Reminder
from tests.cast import at
from tests.scheduling import acts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).resolve().parent.parent.parent
DUE = at(15)
# It begins when it is told to, and looks again where the one before still has its locks: that dies in a moment.
SWEEP = """
import sys, time
from datetime import datetime
import django
django.setup()
from scheduling import reminders
sys.stdin.readline()
while not reminders.send_due(now=datetime.fromisoformat(sys.argv[1])):
    time.sleep(0.05)
"""
BEFORE_COMMIT = ["reminders claimed", "reminders written", "reminders marked"]


@pytest.fixture
def doomed():
    """A process for each point, ready to sweep and to die there."""
    url = servers.named(os.environ["DATABASE_URL"], connection.settings_dict["NAME"])
    processes = {
        point: subprocess.Popen(
            [sys.executable, "-c", SWEEP, DUE.isoformat()], cwd=ROOT, stdin=subprocess.PIPE,
            env={**os.environ, "DATABASE_URL": url, "SAMEDAY_KILL_AT": point},
        )
        for point in [*BEFORE_COMMIT, "reminders committed"]
    }  # fmt: skip
    yield processes
    for process in processes.values():
        process.kill()
        process.communicate()


def die(process):
    process.communicate(b"\n", timeout=120)
    assert process.returncode == -signal.SIGKILL


def templates():
    return sorted(Message.objects.values_list("template", flat=True))


def test_it_reminds_once_wherever_it_is_killed(avon, office, pat, doomed):
    visit = acts.book(pat, avon.slot(at(15, days=1), office))
    reminder = Reminder.objects.filter(appointment=visit, kind="P1D")

    for point in BEFORE_COMMIT:
        die(doomed[point])
        assert reminder.get().status == "planned"
        assert templates() == ["visit_booked"]
    die(doomed["reminders committed"])
    again = reminders.send_due(now=DUE)

    assert reminder.get().status == "sent"
    assert again == 0
    assert templates() == ["visit_booked", "visit_reminder"]
