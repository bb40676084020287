"""What is done about invoices that are not paid: tried again, reminded of, and at last given up.

A sweep, safe to run twice and to be missed for days.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from memberships import subscriptions
from memberships.billing import issuing, notices, settling, sweeping
from memberships.models import Charge, Invoice, Subscription
from memberships.transitions import MATRIX, Action

# Of an invoice to be paid by hand: on the day it is due, and so many days later.
REMIND_AFTER = (0, 7, 14)
# A membership whose first payment did not come is given up after so long.
FIRST_PAYMENT = timedelta(days=1)


def run(*, now: datetime) -> int:
    """Try again, remind, and give up what is due for that. Returns how many invoices were touched."""
    # Where payers live it may still be the day before: each is looked at by its own date.
    tomorrow = now.date() + timedelta(days=1)
    waiting = Invoice.objects.filter(to_pursue(by=tomorrow), status=Invoice.Status.OPEN)
    ids = list(waiting.order_by("due_on", "pk").values_list("pk", flat=True)[: sweeping.MOST])
    done = sweeping.each(ids, lambda pk: pursue(pk, now=now), what="pursue an invoice")
    begun = Subscription.objects.filter(status=Subscription.Status.INCOMPLETE, created_at__lt=now - FIRST_PAYMENT)
    unbegun = list(begun.order_by("created_at").values_list("pk", flat=True)[: sweeping.MOST])
    return done + sweeping.each(unbegun, lambda pk: give_up_first(pk, now=now), what="give up a membership")


def to_pursue(*, by: date) -> Q:
    """Invoices about which something is due `by` then: those that only wait would take the turns of others."""
    by_hand = Q(subscription__method__isnull=True)
    reminders = Q()
    for number, days in enumerate(REMIND_AFTER):
        reminders |= Q(reminded__lte=number, due_on__lte=by - timedelta(days=days))
    return (
        by_hand & reminders
        | ~by_hand & Q(attempts=0, due_on__lte=by)
        | Q(next_attempt_on__lte=by)
        | Q(due_on__lte=by - notices.GRACE)
    )


def pursue(pk: UUID, *, now: datetime) -> bool:
    """Do what is due about one open invoice today. Returns whether something was."""
    with transaction.atomic():
        subscription, invoice = settling.locked_invoice(pk)
        if invoice.status != Invoice.Status.OPEN:
            return False
        if subscription is not None and subscription.status == Subscription.Status.INCOMPLETE:
            return False
        today = subscriptions.today(subscription.patient, now=now) if subscription is not None else now.date()
        if is_under_way(invoice):
            return False
        if today >= invoice.due_on + notices.GRACE:
            settling.give_up(invoice, now=now)
            if subscription is not None:
                end_unpaid(subscription, today=today, now=now)
            return True
        method = subscription.method if subscription is not None else None
        if method is not None and method.removed_at is None:
            return try_again(invoice, today=today, now=now)
        return remind(subscription, invoice, today=today, now=now)


def is_under_way(invoice: Invoice) -> bool:
    return invoice.charges.filter(status=Charge.Status.PENDING).exists()


def try_again(invoice: Invoice, *, today: date, now: datetime) -> bool:
    """Charge an invoice anew whose attempt failed, when its next day has come. Where none was made yet, today."""
    when = invoice.next_attempt_on
    if when is None and invoice.attempts == 0:
        when = invoice.due_on
    if when is None or when > today:
        return False
    Invoice.objects.filter(pk=invoice.pk).update(next_attempt_on=None)
    method = invoice.subscription.method if invoice.subscription else None
    if method is None:
        return False
    issuing.collect(invoice, method=method, now=now)
    return True


def remind(subscription: Subscription | None, invoice: Invoice, *, today: date, now: datetime) -> bool:
    """Say that an invoice is due, or overdue: one reminder, however many days were missed."""
    due = sum(today >= invoice.due_on + timedelta(days=days) for days in REMIND_AFTER)
    if due <= invoice.reminded:
        return False
    Invoice.objects.filter(pk=invoice.pk).update(reminded=due)
    if subscription is not None:
        settling.fail(subscription, today=today, now=now)
    notices.payment_due(invoice, reminder=due, now=now)
    return True


def end_unpaid(subscription: Subscription, *, today: date, now: datetime) -> None:
    """End a membership whose payment never came. What else is open of it is owed no more."""
    if subscription.status not in MATRIX[Action.GIVE_UP]:
        return
    subscriptions.change(
        subscription,
        Action.GIVE_UP,
        actor=None,
        now=now,
        next_price=None,
        ended_on=today,
        end_reason=Subscription.EndReason.UNPAID,
    )
    subscriptions.end_grants(subscription, on=today)
    for other in settling.open_invoices(subscription):
        if not is_under_way(other):
            settling.void(other, now=now)
    notices.ended(subscription, on=today, now=now)


def give_up_first(pk: UUID, *, now: datetime) -> bool:
    """End a membership that never began: its first payment did not come."""
    with transaction.atomic():
        subscription = subscriptions.locked(pk)
        if subscription.status != Subscription.Status.INCOMPLETE:
            return False
        invoices = settling.open_invoices(subscription)
        if any(is_under_way(invoice) for invoice in invoices):
            return False
        today = subscriptions.today(subscription.patient, now=now)
        subscriptions.change(
            subscription,
            Action.GIVE_UP,
            actor=None,
            now=now,
            ended_on=today,
            end_reason=Subscription.EndReason.NEVER_PAID,
        )
        for invoice in invoices:
            settling.void(invoice, now=now)
        return True
