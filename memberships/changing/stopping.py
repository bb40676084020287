"""Pausing, resuming, cancelling: one click each, and each can be taken back until it takes effect."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from clinics.models import User
from clinics.refusals import Refused
from memberships import enrolling, periods, quoting, subscriptions
from memberships.billing import issuing, notices, settling, unused
from memberships.models import Invoice, Membership, Subscription
from memberships.quoting import AmountChanged
from memberships.transitions import Action

Status = Subscription.Status


class NotPaidByOthers(Refused):
    code = "not_paid_by_others"
    detail = (
        "Only a membership that somebody else pays for by now ends at once: cancel it, and it ends with its period."
    )


def pause(*, subscription_id: UUID, actor: User, now: datetime) -> Subscription:
    """Pause at the end of the period that is paid. Pausing again changes nothing. Raises NotInThisState."""
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        was = subscription.status
        if was not in (Status.PAUSING, Status.PAUSED):
            subscriptions.change(subscription, Action.PAUSE, actor=actor, now=now, next_price=None)
            subscriptions.end_grants(subscription, on=subscription.period_end)
            notices.stops(subscription, notices.Told.PAUSED, now=now)
        return subscription


def resume(*, subscription_id: UUID, accept_due: int | None, actor: User, now: datetime) -> Subscription:
    """Take a pause or a cancellation back, or end a pause: then a new period begins today and is billed.

    Resuming what goes on changes nothing. Raises NotInThisState, ProofRequired, AmountChanged, UnpaidBefore.
    """
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        was = subscription.status
        if was in (Status.TRIAL, Status.ACTIVE):
            return subscription
        today = subscriptions.today(subscription.patient, now=now)
        if was != Status.PAUSED and today < subscription.period_end:
            subscriptions.change(subscription, Action.RESUME, actor=actor, now=now)
            subscriptions.reopen_grants(subscription, ended=subscription.period_end)
            return subscription
        begin_anew(subscription, accept_due=accept_due, actor=actor, now=now)
        return subscription


def begin_anew(subscription: Subscription, *, accept_due: int | None, actor: User, now: datetime) -> None:
    """End a pause: period 0 begins today, at the price of before. Raises UnpaidBefore."""
    today = subscriptions.today(subscription.patient, now=now)
    issuing.lock_payer(subscription.payer)
    if subscription.method is None:
        enrolling.require_paid_before(subscription.payer, now=now)
    price = subscription.price
    members = subscriptions.staying_members(subscription)
    first = periods.period(today, price.interval, 0)
    proof = quoting.proof_for(price, subscription.patient, on=today)
    lines = issuing.membership_lines(
        price, subscription.family_price, patient=subscription.patient, members=members, period=first
    )
    quoted = quoting.due(price, subscription.family_price, lines, first, payer=subscription.payer, renews_at=0)
    if accept_due is not None and accept_due != quoted.due_now:
        raise AmountChanged(due_now=quoted.due_now)
    subscriptions.change(
        subscription,
        Action.RESUME,
        actor=actor,
        now=now,
        proof=proof,
        anchor_on=today,
        period=0,
        period_start=first.start,
        period_end=first.end,
    )
    subscriptions.entitle(subscription, members=members, first=today)
    # As a change: a period 0 may have begun on this day before.
    invoice = issuing.issue(
        payer=subscription.payer, kind=Invoice.Kind.CHANGE, lines=lines, on=today, now=now, subscription=subscription
    )
    if invoice is not None and invoice.due and subscription.method is None:
        notices.payment_due(invoice, reminder=0, now=now)


def cancel(*, subscription_id: UUID, reason: str, actor: User, now: datetime) -> Subscription:
    """Cancel, from any state. What is paid for stays theirs to the end of the period; what is not, ends now.

    What is open of a membership that ends now is owed no more. Cancelling again changes nothing.
    """
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        was = subscription.status
        if was in (Status.CANCELLING, Status.ENDED):
            return subscription
        today = subscriptions.today(subscription.patient, now=now)
        if was in (Status.TRIAL, Status.ACTIVE, Status.PAUSING):
            subscriptions.change(subscription, Action.CANCEL, actor=actor, now=now, detail=reason, next_price=None)
            subscriptions.end_grants(subscription, on=subscription.period_end)
            notices.stops(subscription, notices.Told.CANCELLED, now=now)
            return subscription
        subscriptions.change(
            subscription,
            Action.CANCEL,
            actor=actor,
            now=now,
            detail=reason,
            ended_on=today,
            end_reason=Subscription.EndReason.CANCELLED,
        )
        subscriptions.end_grants(subscription, on=today)
        for invoice in settling.open_invoices(subscription):
            settling.void(invoice, now=now)
        notices.ended(subscription, on=today, now=now)
        return subscription


def stop(*, subscription_id: UUID, reason: str, actor: User, by_support: bool = False, now: datetime) -> Subscription:
    """End at once, with what is unused given back: for somebody for whom an employer, or we, pay by now.

    What was not paid yet is owed less by it; what was paid becomes credit, which can be refunded. Stopping again
    changes nothing. Raises NotPaidByOthers, unless support does it, and NotInThisState.
    """
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        if subscription.status == Status.ENDED:
            return subscription
        today = subscriptions.today(subscription.patient, now=now)
        if not by_support:
            require_paid_by_others(subscription.patient_id, on=today)
        back = [(line, unused.unused_of(line, on=today)) for line in unused.lines_of_period(subscription)]
        subscriptions.change(
            subscription,
            Action.STOP,
            actor=actor,
            now=now,
            detail=reason,
            next_price=None,
            ended_on=today,
            end_reason=Subscription.EndReason.CANCELLED,
        )
        subscriptions.end_grants(subscription, on=today)
        for line, amount in back:
            settling.credit_rest(line, most=amount, reason="Unused days", actor=actor, now=now)
        notices.ended(subscription, on=today, now=now)
        return subscription


def require_paid_by_others(patient: UUID, *, on: date) -> None:
    """Raises NotPaidByOthers unless an employer, or we, pay for `patient` on `on`."""
    others = (Membership.Source.EMPLOYER, Membership.Source.COMPLIMENTARY)
    if not Membership.objects.filter(patient=patient, source__in=others, during__contains=on).exists():
        raise NotPaidByOthers
