"""A worker that is killed at any point loses nothing, and nothing is taken twice that can be told apart (promises 12
and 13). Real processes, killed by SIGKILL, and a provider that keeps what it took in a file.
"""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from clinics.messages import sending
from clinics.models import Message, Patient
from tests import owner
from tests.cast import NOW
from tests.clinics.messages.conftest import queue, text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent.parent
WORKER = """
import sys
from datetime import datetime
import django
django.setup()
from django.conf import settings
settings.TRANSPORTS = dict.fromkeys(["email", "sms"], "tests.clinics.messages.ledger")
from clinics.messages import sending
print(sending.send_due(sys.argv[1], clock=lambda: datetime.fromisoformat(sys.argv[2])))
"""
# How often the provider is given the message by a worker that dies there, and one that comes after its lease.
GIVEN = {
    "email": {"claiming": 1, "claimed": 1, "sent": 2, "recorded": 1},
    "sms": {"claiming": 1, "claimed": 1, "sent": 1, "recorded": 1},
}


def killed(channel: str, ledger: Path, point: str) -> int:
    """What a worker ends with that dies at `point`."""
    done = subprocess.run(
        [sys.executable, "-c", WORKER, channel, NOW.isoformat()],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": owner.applications_address(),
            "SAMEDAY_KILL_AT": point,
            "SAMEDAY_LEDGER": str(ledger),
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    return done.returncode


@pytest.mark.parametrize(
    ("channel", "point", "given"),
    [(channel, point, given) for channel, points in GIVEN.items() for point, given in points.items()],
)
def test_it_goes_out_within_three_minutes(
    pat: Patient,
    tmp_path: Path,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    channel: str,
    point: str,
    given: int,
):
    ledger = tmp_path / "ledger"
    ledger.touch()
    monkeypatch.setenv("SAMEDAY_LEDGER", str(ledger))
    settings.TRANSPORTS = dict.fromkeys(["email", "sms"], "tests.clinics.messages.ledger")
    text(pat)
    queue(pat, template="visit_cancelled", context={"start": NOW.isoformat()}, channels=[channel])

    assert killed(channel, ledger, point) == -signal.SIGKILL
    for seconds in (30, 90):
        sending.send_due(channel, clock=lambda seconds=seconds: NOW + timedelta(seconds=seconds))

    taken = ledger.read_text().split()
    assert Message.objects.get().status == "sent"
    assert len(taken) == given
    assert len(set(taken)) == 1  # an e-mail that is given twice has one Message-ID
