"""Paying back: asked for by support, above a limit decided by a second person, and sent like a charge, once.

What goes back is credited first, so that the books say why; then it is set aside, and a sweep sends it to where it came
from. Never more than was paid and has not gone back, nor what a bank has taken back already.
"""

import logging
import time
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum

from clinics.killing import point
from clinics.messages import kicking
from clinics.models import User
from clinics.refusals import NotFound, Refused
from memberships import ledger, payments
from memberships.billing import settling
from memberships.ledger import Account
from memberships.models import Charge, Dispute, Invoice, JournalEntry, Refund
from memberships.payments.port import Became, Outcome, RefundNews, RefundWanted, Unavailable
from memberships.payments.sweeping import LEASE, TURN, Clock, later

log = logging.getLogger(__name__)

Status = Refund.Status
UNCLEAR = Outcome(Became.UNCLEAR)


class RefundTooLarge(Refused):
    """More than is left of what was paid."""

    code = "refund_too_large"
    status = 400
    detail = "At most what was paid and has not gone back yet can be paid back."


class NotSettled(Refused):
    """Money of an invoice that is not paid in full."""

    code = "invoice_not_settled"
    detail = "This invoice is still open: let it cost less by a credit note, or have it paid first."


class NotPaid(Refused):
    """A charge that brought nothing."""

    code = "charge_not_paid"
    detail = "Nothing was paid by this charge."


class SamePerson(Refused):
    """A decision by whoever asked for it."""

    code = "same_person"
    status = 403
    detail = "Somebody else decides on what you asked for."


class Decided(Refused):
    """A refund that waits for nobody."""

    code = "refund_decided"
    detail = "This refund was decided already."


# Asking and deciding


def ask(*, charge_id: UUID, amount: int, reason: str, actor: User, now: datetime) -> Refund:
    """Pay back `amount` cents of a charge, for a reason: at once, or above a limit when a second person agrees.

    What somebody pays back of one charge in several steps counts together. Raises NotPaid, NotSettled, RefundTooLarge.
    """
    with transaction.atomic():
        charge, invoice = locked(charge_id)
        if not 0 < amount <= left_of(charge):
            raise RefundTooLarge(most=left_of(charge))
        if invoice.status == Invoice.Status.OPEN:
            raise NotSettled
        alone = charge.refunds.filter(asked_by=actor, decided_by__isnull=True).exclude(
            status__in=[Status.PROPOSED, Status.FAILED]
        )
        together = amount + (alone.aggregate(sum=Sum("amount"))["sum"] or 0)
        refund = Refund.objects.create(
            charge=charge, amount=amount, reason=reason, status=Status.PROPOSED, asked_by=actor, next_at=now
        )
        if together <= settings.REFUND_ALONE_UP_TO:
            begin(refund, invoice, actor=actor, now=now)
        return refund


def approve(*, refund_id: UUID, actor: User, now: datetime) -> Refund:
    """Agree, as a second person. Raises SamePerson, Decided, and what `ask` raises."""
    with transaction.atomic():
        refund, charge, invoice = proposed(refund_id, actor)
        left = left_of(charge, beside=refund)
        if refund.amount > left:
            raise RefundTooLarge(most=left)
        if invoice.status == Invoice.Status.OPEN:
            raise NotSettled
        Refund.objects.filter(pk=refund.pk).update(decided_by=actor)
        refund.decided_by = actor
        begin(refund, invoice, actor=actor, now=now)
        return refund


def reject(*, refund_id: UUID, reason: str, actor: User, now: datetime) -> Refund:
    """Say no, as a second person, for a reason. Raises SamePerson, Decided."""
    with transaction.atomic():
        refund, _, _ = proposed(refund_id, actor)
        Refund.objects.filter(pk=refund.pk).update(
            status=Status.REJECTED, decided_by=actor, decided_because=reason[:200], settled_at=now
        )
        refund.status, refund.decided_by, refund.decided_because = Status.REJECTED, actor, reason[:200]
        return refund


def paid_back_by_hand(*, refund_id: UUID, reference: str, now: datetime) -> None:
    """Somebody of us has paid back what was paid by hand: a cheque, a transfer. Raises Decided."""
    by_hand = Refund.objects.filter(pk=refund_id, status=Status.PENDING, charge__provider="manual")
    if not by_hand.exists() or not settling.refund_settled(refund_id, provider_id=reference[:80], now=now):
        raise Decided


def proposed(refund_id: UUID, actor: User) -> tuple[Refund, Charge, Invoice]:
    """A refund that `actor` may decide on, locked with its invoice. Raises NotFound, SamePerson, Decided."""
    of = Refund.objects.filter(pk=refund_id).values_list("charge", flat=True).first()
    if of is None:
        raise NotFound
    charge, invoice = locked(of)
    refund = Refund.objects.get(pk=refund_id)
    if refund.status != Status.PROPOSED:
        raise Decided
    if refund.asked_by_id == actor.pk:
        raise SamePerson
    return refund, charge, invoice


def locked(charge_id: UUID) -> tuple[Charge, Invoice]:
    """A charge that was paid, under the locks of its invoice and its payer. Raises NotFound, NotPaid."""
    of = Charge.objects.filter(pk=charge_id).values_list("invoice", flat=True).first()
    if of is None:
        raise NotFound
    _, invoice = settling.locked_invoice(of)
    # What is credited here must not be used up by an invoice that is issued meanwhile.
    User.objects.select_for_update(no_key=True).get(pk=invoice.payer_id)
    charge = Charge.objects.get(pk=charge_id)
    if charge.status != Charge.Status.SUCCEEDED:
        raise NotPaid
    return charge, invoice


def left_of(charge: Charge, *, beside: Refund | None = None) -> int:
    """What can still go back of a charge, in cents: not what has, is to, or was taken back by a bank.

    `beside`: a refund that is not counted among what is to.
    """
    others = charge.refunds.exclude(status__in=[Status.FAILED, Status.REJECTED])
    if beside is not None:
        others = others.exclude(pk=beside.pk)
    gone = others.aggregate(sum=Sum("amount"))["sum"] or 0
    taken = charge.disputes.filter(stage__in=[Dispute.Stage.OPEN, Dispute.Stage.LOST])
    return max(0, charge.amount - gone - (taken.aggregate(sum=Sum("amount"))["sum"] or 0))


def begin(refund: Refund, invoice: Invoice, *, actor: User | None, now: datetime, most: int | None = None) -> None:
    """Credit what goes back, as far as it is not credit already, and have it sent. Needs the locks.

    `most`: credit no more than that. Raises RefundTooLarge.
    """
    needed = refund.amount - credit_left(invoice)
    needed = needed if most is None else min(needed, most)
    if needed > 0:
        try:
            settling.credit(invoice.pk, amount=needed, reason=refund.reason, actor=actor, now=now, of_paid=True)
        except settling.CreditTooLarge as error:
            raise RefundTooLarge(**error.extra) from error
    Refund.objects.filter(pk=refund.pk).update(status=Status.PENDING, next_at=now)
    refund.status = Status.PENDING
    settling.refund_begun(refund, now=now)
    payments.at_once("refunds")


def credit_left(invoice: Invoice) -> int:
    """What the payer has as credit because of this invoice: overpaid, or credited after it was paid."""
    entries = JournalEntry.objects.filter(invoice=invoice).aggregate(
        made=Sum("amount", filter=Q(credit=Account.CREDIT)),
        gone=Sum("amount", filter=Q(debit=Account.CREDIT, key__startswith="refund:")),
    )
    made = (entries["made"] or 0) - (entries["gone"] or 0)
    return max(0, min(made, ledger.credit_of(invoice.payer_id)))


# Sending


def send_due(*, clock: Clock, turn: float = TURN) -> int:
    """Send or ask after refunds that are due, for at most `turn` seconds. Returns how many went out by it."""
    end = time.monotonic() + turn
    sent = 0
    while (refund := claim(now=clock())) is not None:
        point("refund_claimed")
        outcome = attempt(refund, now=clock())
        point("refund_sent")
        sent += tell(refund.pk, outcome, now=clock(), lease=refund.next_at) and outcome.became is Became.SUCCEEDED
        point("refund_recorded")
        if time.monotonic() >= end:
            kicking.kick("refunds", payments.TASK)
            break
    return sent


def claim(*, now: datetime) -> Refund | None:
    """Take the refund that is due first, for LEASE. `sent_at` of what is returned: whether it may have been sent."""
    with transaction.atomic():
        # What was paid by hand is paid back by hand.
        due = Refund.objects.filter(status=Status.PENDING, next_at__lte=now).exclude(charge__provider="manual")
        refund = (
            due.select_related("charge")
            .order_by("next_at", "pk")
            .select_for_update(skip_locked=True, no_key=True, of=("self",))
            .first()
        )
        if refund is not None:
            lease = now + LEASE
            Refund.objects.filter(pk=refund.pk).update(next_at=lease, sent_at=refund.sent_at or now)
            refund.next_at = lease
        return refund


def attempt(refund: Refund, *, now: datetime) -> Outcome:
    """Send a refund, or ask what became of it. Whatever happens, there is an Outcome; never in a transaction."""
    try:
        provider = payments.of(refund.charge.provider)
        wanted = RefundWanted(
            key=refund.pk, amount=refund.amount, charge=refund.charge.provider_id, since=refund.sent_at or now
        )
        if refund.sent_at is not None:
            found = provider.find_refund(wanted, provider_id=refund.provider_id)
            if found.became is not Became.ABSENT:
                return found
        return provider.refund(wanted)
    except Unavailable:
        return UNCLEAR
    except Exception as error:
        # Whatever is wrong with one refund, the others are sent.
        log.exception("A refund cannot be sent: %s", type(error).__name__)
        return UNCLEAR


def tell(refund_id: UUID, outcome: Outcome, *, now: datetime, lease: datetime | None = None) -> bool:
    """Record what became of a refund, as its sender (who holds the `lease`) or an event says. Returns whether it ended.

    Told twice, late, or by several at once, it ends the same.
    """
    if outcome.became is Became.SUCCEEDED:
        return settling.refund_settled(refund_id, provider_id=outcome.provider_id, now=now)
    if outcome.became is Became.FAILED:
        return settling.refund_failed(refund_id, failure=outcome.failure, now=now)
    pending = Refund.objects.filter(pk=refund_id, status=Status.PENDING)
    if outcome.provider_id:
        pending.update(provider_id=outcome.provider_id)
    if lease is not None:
        sent_at = pending.values_list("sent_at", flat=True).first()
        pending.filter(next_at=lease).update(next_at=later(sent_at, now=now))
    return False


def heed(news: RefundNews, *, provider: str, now: datetime) -> None:
    """What a provider says of a refund: one of ours, or one that somebody made at the provider itself.

    The latter is taken over: credited as far as the invoice came to, and booked.
    """
    if news.key is not None:
        if Refund.objects.filter(pk=news.key).exists():
            tell(news.key, news.outcome, now=now)
        return
    with transaction.atomic():
        paid = Charge.objects.filter(provider=provider, provider_id=news.charge, status=Charge.Status.SUCCEEDED)
        of = paid.values_list("pk", flat=True).first()
        if of is None:
            return  # not ours
        charge, invoice = locked(of)
        refund = charge.refunds.filter(provider_id=news.outcome.provider_id).first()
        if refund is None:
            if news.outcome.became is Became.FAILED:
                return
            refund = Refund.objects.create(
                charge=charge,
                amount=news.amount,
                reason="Paid back at the provider",
                status=Status.PENDING,
                provider_id=news.outcome.provider_id,
                sent_at=now,
                next_at=now,
            )
            begin(refund, invoice, actor=None, now=now, most=settling.creditable(invoice, None))
        tell(refund.pk, news.outcome, now=now)
