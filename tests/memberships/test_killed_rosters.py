"""A worker of rosters that is killed at any step: the next goes on from there, and each line is taken once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from bench import servers
from memberships import rosters
from memberships.models import Roster, RosterRow, SponsoredPeriod, SponsoredPerson
from memberships.rosters import deciding, receiving, working
from tests.cast import NOW
from tests.memberships import sponsors

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).resolve().parent.parent.parent
PEOPLE = 25
# It begins when it is told to, and looks again where the one before still has its locks: that dies in a moment.
WORK = """
import sys, time
from datetime import datetime
import django
django.setup()
from memberships import rosters
from memberships.rosters import working
working.BATCH = 10
sys.stdin.readline()
while not rosters.work_off(clock=lambda: datetime.fromisoformat(sys.argv[1])):
    time.sleep(0.05)
"""
# Each is killed at its point, and the next comes when its lease is over.
POINTS = ["parsing", "parsed", "matched", "diffed", "applying"]
Doomed = dict[str, "subprocess.Popen[bytes]"]


def turn(number: int) -> datetime:
    return NOW + number * (working.LEASE + timedelta(seconds=1))


@pytest.fixture
def doomed() -> Iterator[Doomed]:
    """A process for each point, ready to work and to die there."""
    url = servers.named(os.environ["DATABASE_URL"], str(connection.settings_dict["NAME"]))
    processes = {
        point: subprocess.Popen(
            [sys.executable, "-c", WORK, turn(number).isoformat()], cwd=ROOT, stdin=subprocess.PIPE,
            env={**os.environ, "DATABASE_URL": url, "SAMEDAY_KILL_AT": point},
        )
        for number, point in enumerate(POINTS)
    }  # fmt: skip
    yield processes
    for process in processes.values():
        process.kill()
        process.communicate()


def test_it_goes_on_wherever_it_is_killed(doomed: Doomed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(receiving, "AT_ONCE", 0)
    monkeypatch.setattr(deciding, "AT_ONCE", -1)
    employer = sponsors.make_employer()
    hr = sponsors.make_benefits(employer)
    lines = [f"{number},employee,Ed{number},Example,1980-01-01,,2026-01-01," for number in range(100, 100 + PEOPLE)]
    sponsors.send(employer, lines, hr)

    def die(point: str) -> Roster:
        doomed[point].communicate(b"\n", timeout=120)
        assert doomed[point].returncode == -signal.SIGKILL
        # Until its lease is over nobody else comes, and nothing is lost by that.
        assert rosters.work_off(clock=lambda: turn(POINTS.index(point))) == 0
        return Roster.objects.get()

    first = die("parsing")
    assert (first.status, first.rows.count()) == ("received", 10)
    parsed = die("parsed")
    assert (parsed.status, parsed.rows.count()) == ("parsed", PEOPLE)
    assert die("matched").status == "matched"
    diffed = die("diffed")
    assert (diffed.status, sponsors.counts(diffed)) == ("diffed", (PEOPLE, 0, 0, 0, 0))
    rosters.approve(roster=diffed, actor=hr, now=turn(3))
    applying = die("applying")
    assert (applying.status, SponsoredPerson.objects.count()) == ("approved", 1)

    worked = rosters.work_off(clock=lambda: turn(len(POINTS)))

    assert worked == 1
    applied = Roster.objects.get()
    assert (applied.status, applied.families_applied) == ("applied", PEOPLE)
    assert SponsoredPerson.objects.values("member_number").distinct().count() == PEOPLE
    assert SponsoredPerson.objects.count() == SponsoredPeriod.objects.count() == PEOPLE
    assert not RosterRow.objects.filter(applied_at=None).exists()
