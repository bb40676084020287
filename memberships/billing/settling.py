"""What becomes of invoices and memberships when money comes, fails to come, or goes back.

Each takes the locks itself: subscription, invoice, charge. Each is safe to be told twice, late, and in another order:
a row's status changes by a conditional UPDATE, and what is booked is named by what it books.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from clinics.models import User
from clinics.refusals import Refused
from memberships import ledger, subscriptions
from memberships.billing import notices
from memberships.ledger import Account
from memberships.models import Charge, CreditNote, Invoice, InvoiceLine, Refund, Subscription
from memberships.transitions import MATRIX, Action

# After the first attempt, these many days later; what is unpaid for notices.GRACE ends the membership.
RETRY_AFTER = (3, 7, 14)


class NotOpen(Refused):
    """An invoice that is paid or void."""

    code = "invoice_not_open"
    detail = "This invoice is not open: nothing is left to pay."


class CreditTooLarge(Refused):
    """More than the invoice or the line came to."""

    code = "credit_too_large"
    status = 400
    detail = "A credit note is for at most what was billed and not credited yet."


def locked_invoice(pk: UUID) -> tuple[Subscription | None, Invoice]:
    """The invoice and its subscription, locked in their order."""
    of = Invoice.objects.only("subscription").get(pk=pk).subscription_id
    subscription = subscriptions.locked(of) if of is not None else None
    invoice = Invoice.objects.select_for_update(no_key=True, of=("self",)).select_related("payer").get(pk=pk)
    return subscription, invoice


def open_invoices(subscription: Subscription) -> list[Invoice]:
    """Its open invoices, oldest first, locked. Needs the subscription's lock."""
    held = Invoice.objects.select_for_update(no_key=True, of=("self",)).select_related("payer")
    return list(held.filter(subscription=subscription, status=Invoice.Status.OPEN).order_by("number"))


def charge_succeeded(charge_id: UUID, *, provider_id: str, now: datetime) -> bool:
    """A charge was paid. What the invoice no longer needs becomes credit. Returns whether that is news."""
    with transaction.atomic():
        subscription, invoice = locked_invoice(Charge.objects.values_list("invoice", flat=True).get(pk=charge_id))
        # One that failed and is paid after all counts: the provider knows best.
        unpaid = Charge.objects.filter(pk=charge_id).exclude(status=Charge.Status.SUCCEEDED)
        paid = {"status": Charge.Status.SUCCEEDED, "provider_id": provider_id, "failure": "", "client_secret": ""}
        if not unpaid.update(**paid, settled_at=now):
            return False
        charge = Charge.objects.get(pk=charge_id)
        receive(subscription, invoice, amount=charge.amount, key=f"charge:{charge.pk}", memo="Paid by card", now=now)
        return True


def paid_by_hand(invoice_id: UUID, *, amount: int, reference: str, actor: User, now: datetime) -> Charge:
    """Somebody of us saw `amount` cents come in for an open invoice: a cheque, a transfer. Raises NotOpen.

    It is kept as a charge, so that it is shown, and can go back, like any other.
    """
    with transaction.atomic():
        subscription, invoice = locked_invoice(invoice_id)
        if invoice.status != Invoice.Status.OPEN:
            raise NotOpen
        charge = Charge.objects.create(
            invoice=invoice,
            provider="manual",
            amount=amount,
            status=Charge.Status.SUCCEEDED,
            provider_id=reference[:80],
            next_at=now,
            settled_at=now,
        )
        memo = f"Paid by hand, seen by {actor.pk}: {reference}"[:120]
        receive(subscription, invoice, amount=amount, key=f"charge:{charge.pk}", memo=memo, now=now)
        return charge


def receive(
    subscription: Subscription | None, invoice: Invoice, *, amount: int, key: str, memo: str, now: datetime
) -> None:
    """Book money that came for an invoice, whose lock is held."""
    needed = min(amount, invoice.due)
    ledger.post(invoice, key=key, debit=Account.CASH, credit=Account.RECEIVABLE, amount=needed, memo=memo, now=now)
    over = amount - needed
    ledger.post(invoice, key=f"{key}:over", debit=Account.CASH, credit=Account.CREDIT, amount=over, memo=memo, now=now)
    if over:
        notices.credited(invoice, amount=over, key=key, now=now)
    lessen(subscription, invoice, by=needed, now=now)


def lessen(subscription: Subscription | None, invoice: Invoice, *, by: int, now: datetime) -> None:
    """So much less is due. An invoice that is settled makes its membership good."""
    due = invoice.due - by
    status = invoice.status if due or invoice.status != Invoice.Status.OPEN else Invoice.Status.PAID
    settled_at = now if not due and invoice.settled_at is None else invoice.settled_at
    Invoice.objects.filter(pk=invoice.pk).update(
        due=due, status=status, settled_at=settled_at, next_attempt_on=invoice.next_attempt_on if due else None
    )
    invoice.due, invoice.status, invoice.settled_at = due, status, settled_at
    if subscription is not None and not due:
        make_good(subscription, now=now)


def make_good(subscription: Subscription, *, now: datetime) -> None:
    """Nothing is open any more: a membership that waited for it begins, one that was past due goes on."""
    if subscription.status not in MATRIX[Action.PAID]:
        return
    if subscription.invoices.filter(status=Invoice.Status.OPEN).exists():
        return
    waited = subscription.status == Subscription.Status.INCOMPLETE
    subscriptions.change(subscription, Action.PAID, actor=None, now=now)
    if waited:
        subscriptions.open_grants(subscription)
        notices.joined(subscription, members=len(subscriptions.staying_members(subscription)), now=now)


def charge_failed(charge_id: UUID, *, failure: str, today: date, now: datetime) -> bool:
    """A charge was declined, for good as far as this attempt goes. Returns whether that is news."""
    with transaction.atomic():
        subscription, invoice = locked_invoice(Charge.objects.values_list("invoice", flat=True).get(pk=charge_id))
        pending = Charge.objects.filter(pk=charge_id, status=Charge.Status.PENDING)
        failed = {"status": Charge.Status.FAILED, "failure": failure[:60], "client_secret": ""}
        if not pending.update(**failed, settled_at=now):
            return False
        is_first = subscription is not None and subscription.status == Subscription.Status.INCOMPLETE
        if invoice.status != Invoice.Status.OPEN or is_first:
            return True  # who joins is asked for another card while they are there
        days = RETRY_AFTER[invoice.attempts] if invoice.attempts < len(RETRY_AFTER) else None
        retry_on = invoice.due_on + timedelta(days=days) if days is not None else None
        if retry_on is not None and retry_on <= today:  # the sweep was late: not twice on one day
            retry_on = today + timedelta(days=1)
        Invoice.objects.filter(pk=invoice.pk).update(attempts=F("attempts") + 1, next_attempt_on=retry_on)
        if subscription is not None:
            fail(subscription, today=today, now=now)
        notices.payment_failed(invoice, retry_on=retry_on, now=now)
        return True


def fail(subscription: Subscription, *, today: date, now: datetime) -> None:
    """A payment did not come when it was due: the membership is past due, if it was active. It still entitles."""
    if subscription.status in MATRIX[Action.FAIL]:
        subscriptions.change(subscription, Action.FAIL, actor=None, now=now, past_due_since=today)


# Taking back


def credit(
    invoice_id: UUID,
    *,
    amount: int,
    reason: str,
    actor: User | None,
    now: datetime,
    line: InvoiceLine | None = None,
    of_paid: bool = False,
) -> CreditNote:
    """Let an invoice cost `amount` cents less, for a reason. What was paid of it already becomes the payer's credit.

    What is due is lessened first, and then what was given up: nobody paid it. `of_paid`: neither, since what was paid
    goes back. Raises CreditTooLarge.
    """
    with transaction.atomic():
        subscription, invoice = locked_invoice(invoice_id)
        left = creditable(invoice, line)
        if not 0 < amount <= left:
            raise CreditTooLarge(most=left)
        note = CreditNote.objects.create(invoice=invoice, line=line, amount=amount, reason=reason, actor=actor, at=now)
        unpaid = 0 if of_paid else min(amount, invoice.due)
        lost = 0 if of_paid else min(amount - unpaid, given_up(invoice))
        for step, account, part in (
            ("", Account.RECEIVABLE, unpaid),
            (":lost", Account.BAD_DEBT, lost),
            (":paid", Account.CREDIT, amount - unpaid - lost),
        ):
            ledger.post(
                invoice,
                key=f"note:{note.pk}{step}",
                debit=Account.REVENUE,
                credit=account,
                amount=part,
                memo="Credit note",
                now=now,
            )
        lessen(subscription, invoice, by=unpaid, now=now)
        return note


def credit_rest(
    line: InvoiceLine, *, reason: str, actor: User | None, now: datetime, most: int | None = None
) -> CreditNote | None:
    """Credit what can still be credited of a line, and at most `most` cents: None where that is nothing."""
    with transaction.atomic():
        _, invoice = locked_invoice(line.invoice_id)
        left = creditable(invoice, line)
        amount = left if most is None else min(left, most)
        if amount <= 0:
            return None
        return credit(invoice.pk, amount=amount, line=line, reason=reason, actor=actor, now=now)


def creditable(invoice: Invoice, line: InvoiceLine | None) -> int:
    """What can still be credited of an invoice, or of one of its lines: not what was taken back when it was voided.

    A line may be credited in full though others of its invoice give back what an earlier invoice was paid for.
    """
    if line is None:
        return max(0, invoice.total - taken_back(invoice))
    of_line = sum(note.amount for note in invoice.credit_notes.all() if note.line_id == line.pk)
    return max(0, min(charged(invoice) - taken_back(invoice), line.amount - of_line))


def charged(invoice: Invoice) -> int:
    """What its lines charge, without those that give back."""
    return sum(line.amount for line in invoice.lines.all() if line.amount > 0)


def taken_back(invoice: Invoice) -> int:
    """What of an invoice was credited, or was due and void."""
    void = invoice.entries.filter(key=closing(Invoice.Status.VOID, invoice)).values_list("amount", flat=True).first()
    return sum(note.amount for note in invoice.credit_notes.all()) + (void or 0)


def given_up(invoice: Invoice) -> int:
    """What of an invoice is lost: billed, never paid, and not credited since."""
    entries = invoice.entries.filter(key=closing(Invoice.Status.UNCOLLECTIBLE, invoice)) | invoice.entries.filter(
        key__endswith=":lost"
    )
    return sum(entry.amount * (1 if entry.debit == Account.BAD_DEBT else -1) for entry in entries)


def give_up(invoice: Invoice, *, now: datetime) -> None:
    """An open invoice that will not be paid: what is due is written off. Needs its lock."""
    close(invoice, Invoice.Status.UNCOLLECTIBLE, Account.BAD_DEBT, now=now)


def void(invoice: Invoice, *, now: datetime) -> None:
    """An open invoice that is owed no more: what is due is taken back. Needs its lock."""
    close(invoice, Invoice.Status.VOID, Account.REVENUE, now=now)


def close(invoice: Invoice, status: Invoice.Status, debit: Account, *, now: datetime) -> None:
    """End an open invoice unpaid. A charge that is under way and succeeds all the same becomes credit."""
    key = closing(status, invoice)
    ledger.post(
        invoice, key=key, debit=debit, credit=Account.RECEIVABLE, amount=invoice.due, memo=status.label, now=now
    )
    Invoice.objects.filter(pk=invoice.pk).update(status=status, due=0, settled_at=now, next_attempt_on=None)
    invoice.status, invoice.due = status, 0


def closing(status: Invoice.Status, invoice: Invoice) -> str:
    """By what name it is booked that an invoice was closed unpaid."""
    return f"{status}:{invoice.pk}"


# Refunds: what was credited of a paid invoice goes back to where it came from


def refund_begun(refund: Refund, *, now: datetime) -> None:
    """Set aside what is to go back, so that no invoice uses it up. Part of the caller's transaction."""
    move(refund, "begun", Account.CREDIT, Account.REFUNDING, memo="Refund under way", now=now)


def refund_settled(refund_id: UUID, *, provider_id: str, now: datetime) -> bool:
    """A refund went out. Returns whether that is news."""
    with transaction.atomic():
        pending = Refund.objects.filter(pk=refund_id, status=Refund.Status.PENDING)
        if not pending.update(status=Refund.Status.SUCCEEDED, provider_id=provider_id, failure="", settled_at=now):
            return False
        refund = Refund.objects.select_related("charge__invoice__payer").get(pk=refund_id)
        move(refund, "out", Account.REFUNDING, Account.CASH, memo="Refunded", now=now)
        notices.refunded(refund, now=now)
        return True


def refund_failed(refund_id: UUID, *, failure: str, now: datetime) -> bool:
    """A refund did not go out, or came back after it had: it is the payer's credit again. Returns whether that is news.

    A bank may say so days later, of an account that is closed for example.
    """
    with transaction.atomic():
        refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
        if refund.status not in (Refund.Status.PENDING, Refund.Status.SUCCEEDED):
            return False
        held = Account.REFUNDING if refund.status == Refund.Status.PENDING else Account.CASH
        Refund.objects.filter(pk=refund_id).update(status=Refund.Status.FAILED, failure=failure[:60], settled_at=now)
        refund = Refund.objects.select_related("charge__invoice").get(pk=refund_id)
        move(refund, "failed", held, Account.CREDIT, memo="Refund failed", now=now)
        return True


def move(refund: Refund, step: str, debit: Account, credit: Account, *, memo: str, now: datetime) -> None:
    invoice = refund.charge.invoice
    key = f"refund:{refund.pk}:{step}"
    ledger.post(invoice, key=key, debit=debit, credit=credit, amount=refund.amount, memo=memo, now=now)
