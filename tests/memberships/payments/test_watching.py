"""What those who watch over payments are told."""

from datetime import timedelta

import pytest

from clinics.models import User
from memberships import charging, refunding, watching
from memberships.models import Dispute, ProviderEvent
from tests.cast import NOW, make_user
from tests.memberships.payments.bank import Away
from tests.memberships.payments.conftest import Till, collect

pytestmark = pytest.mark.django_db


def test_it_tells_what_is_unclear_and_disputed(faker: Till, payer: User):
    collect(faker, payer)
    faker.bank.faults = [Away]
    charging.send_due(clock=lambda: NOW)
    collect(faker, payer, "asks")
    paid = collect(faker, payer)
    charging.send_due(clock=lambda: NOW)
    refunding.ask(charge_id=paid.pk, amount=5, reason="x", actor=make_user("one"), now=NOW)
    faker.bank.faults = [Away]
    refunding.send_due(clock=lambda: NOW)
    ProviderEvent.objects.create(provider="fake", event_id="1", kind="x", received_at=NOW, next_at=NOW)
    for number, stage in enumerate(["inquiry", "open", "won", "lost"]):
        Dispute.objects.create(charge=paid, provider_id=str(number), amount=1, stage=stage)

    young = watching.facts(now=NOW + timedelta(minutes=59))
    old = watching.facts(now=NOW + timedelta(hours=1))

    assert young == {"charges_unclear": 0, "refunds_unclear": 0, "events_late": 0, "disputes_open": 2}
    assert old == {"charges_unclear": 1, "refunds_unclear": 1, "events_late": 1, "disputes_open": 2}
