"""Switching to another price: now where it is for longer, otherwise at the next renewal."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from clinics.models import Patient, User
from clinics.refusals import Refused
from memberships import enrolling, periods, quoting, subscriptions
from memberships.billing import issuing, notices, unused
from memberships.models import Invoice, Price, Subscription
from memberships.periods import MONTHS
from memberships.quoting import AmountChanged, Quote
from memberships.transitions import Action, after

Status = Subscription.Status


class OtherSwitch(Refused):
    code = "same_price"
    detail = "The membership is at this price already, and stays at it."


@dataclass(frozen=True, slots=True)
class SwitchQuote:
    """What a switch would do: `at_once`, or from `from_on`, the next renewal, on."""

    quote: Quote
    at_once: bool
    from_on: date


def quote_switch(subscription: Subscription, price: Price, *, today: date) -> SwitchQuote:
    """What switching to `price` would do and cost. Changes nothing.

    A price for a longer interval is switched to now: its first period begins today, and the unused days of the one in
    force are given back. Every other price holds from the next renewal on. In a trial and while it is paused nothing is
    billed yet. Raises NotInThisState, ProofRequired, NoFamilyPrice, OtherSwitch.
    """
    after(Action.SWITCH, subscription.status)
    if price == subscription.price and subscription.next_price is None:
        raise OtherSwitch
    quoting.proof_for(price, subscription.patient, on=today)
    members = subscriptions.staying_members(subscription)
    family = family_price(price, members, on=today)
    full = price.amount + (family.amount if family else 0) * len(members)
    if is_at_once(subscription, price):
        first = periods.period(today, price.interval, 0)
        lines = issuing.membership_lines(
            price, family, patient=subscription.patient, members=members, period=first
        ) + unused.unused_lines(subscription, on=today)
        quote = quoting.due(price, family, lines, first, payer=subscription.payer, renews_at=full)
        return SwitchQuote(quote, at_once=True, from_on=today)
    waits = subscription.status in (Status.TRIAL, Status.ACTIVE)
    from_on = subscription.period_end if waits else today
    later = Quote(price, family, [], subscriptions.period_of(subscription), from_on, full, 0, 0)
    return SwitchQuote(later, at_once=not waits, from_on=from_on)


def is_at_once(subscription: Subscription, price: Price) -> bool:
    """Whether a switch is billed now: from a running period to one for longer."""
    longer = MONTHS[price.interval] > MONTHS[subscription.price.interval]
    return subscription.status == Status.ACTIVE and longer


def switch(*, subscription_id: UUID, price: Price, accept_due: int | None, actor: User, now: datetime) -> Subscription:
    """Switch to `price`: see quote_switch. Switching back to the price in force takes a planned switch back.

    Raises what quote_switch does, and AmountChanged.
    """
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        today = subscriptions.today(subscription.patient, now=now)
        if subscription.next_price == price:
            return subscription
        issuing.lock_payer(subscription.payer)
        quoted = quote_switch(subscription, price, today=today)
        if accept_due is not None and accept_due != quoted.quote.due_now:
            raise AmountChanged(due_now=quoted.quote.due_now)
        if is_at_once(subscription, price):
            switch_now(subscription, quoted.quote, today=today, actor=actor, now=now)
        else:
            plan(subscription, quoted.quote, actor=actor, now=now)
        notices.changed(subscription, price=price, amount=quoted.quote.renews_at, from_on=quoted.from_on, now=now)
        return subscription


def switch_now(subscription: Subscription, quote: Quote, *, today: date, actor: User, now: datetime) -> None:
    """Begin a new period today, at another price, on another anchor."""
    if subscription.method is None and quote.due_now:
        enrolling.require_paid_before(subscription.payer, now=now)
    members = subscriptions.staying_members(subscription)
    entitle_anew(subscription, quote, members, today=today, actor=actor, now=now)
    invoice = issuing.issue(
        payer=subscription.payer,
        kind=Invoice.Kind.CHANGE,
        lines=quote.lines,
        on=today,
        now=now,
        subscription=subscription,
    )
    if invoice is not None and invoice.due and subscription.method is None:
        notices.payment_due(invoice, reminder=0, now=now)


def entitle_anew(
    subscription: Subscription, quote: Quote, members: list[Patient], *, today: date, actor: User, now: datetime
) -> None:
    was = subscription.price
    subscriptions.change(
        subscription,
        Action.SWITCH,
        actor=actor,
        now=now,
        detail=f"{was} → {quote.price}",
        price=quote.price,
        family_price=quote.family,
        proof=quoting.proof_for(quote.price, subscription.patient, on=today),
        next_price=None,
        anchor_on=quote.period.start,
        period=0,
        period_start=quote.period.start,
        period_end=quote.period.end,
    )
    subscriptions.move_grants(subscription, members=members, on=today)


def plan(subscription: Subscription, quote: Quote, *, actor: User, now: datetime) -> None:
    """Note the price for the next renewal; of what is not billed yet (a trial, a pause) it is the price at once."""
    price = quote.price
    back = price == subscription.price
    proof = subscription.proof if back else quoting.proof_for(price, subscription.patient, on=quote.period.start)
    fields = {"next_price": None if back else price, "proof": proof or subscription.proof}
    if subscription.status != Status.ACTIVE and not back:
        fields = {"price": price, "family_price": quote.family, "next_price": None, "proof": proof}
    subscriptions.change(subscription, Action.SWITCH, actor=actor, now=now, detail=f"to {price}", **fields)
    if "price" in fields:
        subscriptions.reprice_grants(subscription)


def family_price(price: Price, members: list[Patient], *, on: date) -> Price | None:
    """What each of `members` costs beside `price`. Raises NoFamilyPrice."""
    if not members:
        return None
    try:
        return subscriptions.family_price(price.interval, on=on)
    except Price.DoesNotExist:
        raise quoting.NoFamilyPrice from None
