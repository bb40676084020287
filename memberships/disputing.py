"""Disputes: a payer's bank takes back what was charged, and somebody of us answers it at the provider.

What it has taken stands in an account of its own until it is won, and comes back, or lost, and is a bad debt. Nobody's
membership ends by a dispute alone: whether it should is for a person, who is told by metrics and sees it in the admin.
"""

import logging
from datetime import datetime

from django.db import transaction

from memberships import ledger
from memberships.billing import settling
from memberships.ledger import Account
from memberships.models import Charge, Dispute, JournalEntry
from memberships.payments.port import DisputeNews

log = logging.getLogger(__name__)

# Where the money is, by where a dispute stands.
MONEY = {
    Dispute.Stage.INQUIRY: Account.CASH,
    Dispute.Stage.OPEN: Account.DISPUTED,
    Dispute.Stage.WON: Account.CASH,
    Dispute.Stage.LOST: Account.BAD_DEBT,
    Dispute.Stage.CLOSED: Account.CASH,
}


def heed(news: DisputeNews, *, provider: str, now: datetime) -> None:
    """Record how a dispute of one of our charges stands, and book what was taken, or came back."""
    with transaction.atomic():
        of = Charge.objects.filter(provider=provider, provider_id=news.charge).exclude(provider_id="").first()
        if of is None:
            return  # not ours
        _, invoice = settling.locked_invoice(of.invoice_id)
        dispute = Dispute.objects.filter(provider_id=news.provider_id).first()
        was = Dispute.Stage(dispute.stage) if dispute else Dispute.Stage.INQUIRY
        stage = Dispute.Stage(news.stage.value)
        said = {"stage": stage, "reason": news.reason[:60], "answer_by": news.answer_by}
        if dispute is None:
            dispute = Dispute.objects.create(charge=of, provider_id=news.provider_id, amount=news.amount, **said)
            log.warning("A payment is disputed: answer it at the payment provider.")
        elif was != stage or dispute.answer_by != news.answer_by:
            Dispute.objects.filter(pk=dispute.pk).update(**said)
        if MONEY[was] != MONEY[stage]:
            # It may be lost, appealed against and won: each step is booked.
            step = JournalEntry.objects.filter(key__startswith=f"dispute:{dispute.pk}:").count()
            ledger.post(
                invoice,
                key=f"dispute:{dispute.pk}:{step}",
                debit=MONEY[stage],
                credit=MONEY[was],
                amount=dispute.amount,
                memo=f"Dispute: {stage}",
                now=now,
            )
