"""A worker that is killed at any point charges once and pays back once (promises 12 and 13, for money)."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from clinics.models import Patient, User
from memberships import charging, ledger, refunding
from memberships.billing import issuing
from memberships.ledger import Account
from memberships.models import Charge, PaymentMethod, Refund
from tests.cast import NOW
from tests.memberships.payments.conftest import bill

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent.parent
ADAPTERS = {"ledger": "tests.memberships.payments.ledger"}
WORKER = """
import importlib, sys
from datetime import datetime
import django
django.setup()
from django.conf import settings
settings.PAYMENT_ADAPTERS = {"ledger": "tests.memberships.payments.ledger"}
settings.DATABASES["default"]["NAME"] = sys.argv[1]
importlib.import_module(sys.argv[2]).send_due(clock=lambda: datetime.fromisoformat(sys.argv[3]))
"""
# How often the provider is asked to charge, by a worker that dies there and one that comes after its lease.
CALLS = {"charge_claimed": 1, "charge_sent": 1, "charge_recorded": 1}


def killed(module: str, book: Path, point: str) -> int:
    """What a worker ends with that dies at `point`."""
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(connection.settings_dict["NAME"]), module, NOW.isoformat()],
        cwd=ROOT,
        env={**os.environ, "SAMEDAY_KILL_AT": point, "SAMEDAY_LEDGER": str(book)},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return done.returncode


@pytest.fixture
def book(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the provider took, in a file."""
    path = tmp_path / "book"
    path.touch()
    monkeypatch.setenv("SAMEDAY_LEDGER", str(path))
    settings.PAYMENT_ADAPTERS = ADAPTERS
    return path


@pytest.mark.parametrize(("point", "calls"), CALLS.items())
def test_it_charges_once_within_three_minutes(payer: User, book: Path, point: str, calls: int):
    method = PaymentMethod.objects.create(user=payer, provider="ledger", token="t")
    charge = issuing.collect(bill(payer), method=method, now=NOW)

    assert killed("memberships.charging", book, point) == -signal.SIGKILL
    for seconds in (30, 150):
        charging.send_due(clock=lambda seconds=seconds: NOW + timedelta(seconds=seconds))

    assert book.read_text().split() == [str(charge.pk)]
    assert len(Path(f"{book}.calls").read_text().split()) == calls
    assert Charge.objects.get().status == "succeeded"
    assert ledger.balance(Account.CASH) == 9_900


@pytest.mark.parametrize("point", ["refund_claimed", "refund_sent", "refund_recorded"])
def test_it_pays_back_once_within_three_minutes(payer: User, stranger: Patient, book: Path, point: str):
    method = PaymentMethod.objects.create(user=payer, provider="ledger", token="t")
    charge = issuing.collect(bill(payer), method=method, now=NOW)
    charging.send_due(clock=lambda: NOW)
    assert stranger.user is not None
    refund = refunding.ask(charge_id=charge.pk, amount=900, reason="Moved", actor=stranger.user, now=NOW)

    assert killed("memberships.refunding", book, point) == -signal.SIGKILL
    for seconds in (30, 150):
        refunding.send_due(clock=lambda seconds=seconds: NOW + timedelta(seconds=seconds))

    assert book.read_text().split() == [str(charge.pk), str(refund.pk)]
    assert Refund.objects.get().status == "succeeded"
    assert ledger.balance(Account.CASH) == 9_000
