"""Collecting: pending charges are sent one by one, each under its own key, and recorded by `settling`.

A charge that may have been sent (its `sent_at` is set) is asked after before it is sent again, under the same key. So
whatever is lost on the way, by the network or with a worker, nothing is charged twice.
"""

import logging
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from clinics import people
from clinics.killing import point
from clinics.messages import kicking
from memberships import payments, subscriptions
from memberships.billing import settling
from memberships.models import Charge, Invoice
from memberships.payments.port import Became, ChargeWanted, Outcome, Provider, Unavailable
from memberships.payments.sweeping import LEASE, TURN, Clock, later

log = logging.getLogger(__name__)

ACTION_FOR = timedelta(days=1)  # a payer's time to do what their bank asks of them
UNCLEAR = Outcome(Became.UNCLEAR)


def send_due(*, clock: Clock, turn: float = TURN) -> int:
    """Send or ask after what is due, for at most `turn` seconds. Returns how many charges were paid by it.

    Any number of workers may do so at once.
    """
    end = time.monotonic() + turn
    paid = 0
    while (charge := claim(now=clock())) is not None:
        point("charge_claimed")
        outcome = attempt(charge, now=clock())
        point("charge_sent")
        paid += tell(charge.pk, outcome, now=clock(), lease=charge.next_at) and outcome.became is Became.SUCCEEDED
        point("charge_recorded")
        if time.monotonic() >= end:
            kicking.kick("charges", payments.TASK)
            break
    return paid


def claim(*, now: datetime) -> Charge | None:
    """Take the charge that is due first, for LEASE. `sent_at` of what is returned: whether it may have been sent."""
    with transaction.atomic():
        due = Charge.objects.filter(status=Charge.Status.PENDING, next_at__lte=now).order_by("next_at", "pk")
        charge = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if charge is None:
            return None
        invoice = Invoice.objects.only("due", "status").get(pk=charge.invoice_id)
        if charge.sent_at is None and invoice.status == Invoice.Status.OPEN:
            # A credit note may have come in between. Once it was sent, its key stands for its amount.
            charge.amount = min(charge.amount, invoice.due)
        lease = now + LEASE
        Charge.objects.filter(pk=charge.pk).update(amount=charge.amount, next_at=lease, sent_at=charge.sent_at or now)
        charge.next_at = lease
        return charge


def attempt(charge: Charge, *, now: datetime) -> Outcome:
    """Send a charge, or ask what became of it. Whatever happens, there is an Outcome; never in a transaction."""
    try:
        provider = payments.of(charge.provider)
        wanted = wanted_of(charge, now=now)
        if charge.sent_at is not None:
            found = provider.find_charge(wanted, provider_id=charge.provider_id)
            if found.became is not Became.ABSENT:
                return ended(provider, charge, found, now=now)
        why_not = unfit(charge)
        return Outcome(Became.FAILED, failure=why_not) if why_not else provider.charge(wanted)
    except Unavailable:
        return UNCLEAR
    except Exception as error:
        # Whatever is wrong with one charge, the others are sent.
        log.exception("A charge cannot be sent: %s", type(error).__name__)
        return UNCLEAR


def wanted_of(charge: Charge, *, now: datetime) -> ChargeWanted:
    invoice = Invoice.objects.get(pk=charge.invoice_id)
    return ChargeWanted(
        key=charge.pk,
        amount=charge.amount,
        token=charge.method.token if charge.method is not None else "",
        # What an operator reads at the provider. It says nothing of anybody.
        description=f"Invoice {invoice}",
        since=charge.sent_at or now,
    )


def unfit(charge: Charge) -> str:
    """Why a charge that was not sent should not be any more, as a code; empty where it should."""
    if Invoice.objects.values_list("status", flat=True).get(pk=charge.invoice_id) != Invoice.Status.OPEN:
        return "not_needed"
    if charge.method is None or charge.method.removed_at is not None:
        return "method_removed"
    return ""


def ended(provider: Provider, charge: Charge, outcome: Outcome, *, now: datetime) -> Outcome:
    """`outcome`, but a charge that its payer was to act on is closed at the provider before it counts as failed.

    So is one that they left alone for ACTION_FOR. Raises Unavailable.
    """
    is_over = charge.sent_at is not None and charge.sent_at + ACTION_FOR <= now
    is_left = outcome.became is Became.ACTION and is_over
    is_failed = outcome.became is Became.FAILED and charge.status == Charge.Status.PENDING and charge.client_secret
    if not (is_left or is_failed):
        return outcome
    closed = provider.cancel_charge(outcome.provider_id or charge.provider_id)
    if closed.became is not Became.FAILED:
        return closed
    return replace(closed, failure=outcome.failure or "authentication_timed_out")


def tell(charge_id: UUID, outcome: Outcome, *, now: datetime, lease: datetime | None = None) -> bool:
    """Record what became of a charge, as its sender (who holds the `lease`) or an event says. Returns whether it ended.

    Told twice, late, or by several at once, it ends the same: `settling` sees to that.
    """
    if outcome.became is Became.SUCCEEDED:
        return settling.charge_succeeded(charge_id, provider_id=outcome.provider_id, now=now)
    if outcome.became is Became.FAILED:
        today = today_of(
            Invoice.objects.select_related("payer__patient", "subscription__patient").get(charges=charge_id), now=now
        )
        return settling.charge_failed(charge_id, failure=outcome.failure, today=today, now=now)
    wait(charge_id, outcome, now=now, lease=lease)
    return False


def wait(charge_id: UUID, outcome: Outcome, *, now: datetime, lease: datetime | None) -> None:
    """Keep a charge pending, with what is known of it. When it is looked at again is for whoever holds the lease."""
    pending = Charge.objects.filter(pk=charge_id, status=Charge.Status.PENDING)
    if outcome.provider_id:
        pending.update(provider_id=outcome.provider_id, client_secret=outcome.client_secret)
    if lease is not None:
        sent_at = pending.values_list("sent_at", flat=True).first()
        pending.filter(next_at=lease).update(next_at=later(sent_at, now=now))


def today_of(invoice: Invoice, *, now: datetime) -> date:
    """The date by which an invoice is overdue. Needs the payer's patient, and the subscription's, loaded."""
    if invoice.subscription is not None:
        return subscriptions.today(invoice.subscription.patient, now=now)
    return people.today_for(invoice.payer, now=now)
