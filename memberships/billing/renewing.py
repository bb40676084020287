"""The end of a period: the next one is billed, or the pause or the end that was decided begins.

A sweep: run twice it bills once, and what it missed for days it bills for the days of then, from the anchor.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from memberships import quoting, subscriptions
from memberships.billing import issuing, notices, sweeping
from memberships.models import Invoice, Plan, Price, Proof, Subscription
from memberships.transitions import MATRIX, Action

Status = Subscription.Status
# A renewal that costs more than the payer was told is not made: it is told so long before (the laws of several states
# want 15 to 45 days before an annual renewal, such as California's Bus. & Prof. Code 17602).
NOTICE = timedelta(days=15)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What the next period costs: the head's price, each further member's, and whether a lost discount is why."""

    price: Price
    family: Price | None
    is_lapsed: bool

    def amount(self, members: int) -> int:
        return self.price.amount + (self.family.amount if self.family else 0) * members


def run(*, now: datetime) -> int:
    """Renew, pause or end what has come to the end of its period. Returns how many did."""
    due = (
        Subscription.objects.filter(
            status__in=list(MATRIX[Action.RENEW]), period_end__lte=sweeping.local_date(now, "patient__time_zone")
        )
        .order_by("period_end", "pk")
        .values_list("pk", flat=True)[: sweeping.MOST]
    )
    return sweeping.each(list(due), lambda pk: renew(pk, now=now), what="renew a membership")


def renew(pk: UUID, *, now: datetime) -> bool:
    """Do what the end of the period of one membership brings, as often as periods have ended. False where none has."""
    is_news = False
    while renew_once(pk, now=now):
        is_news = True
    return is_news


def renew_once(pk: UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        subscription = subscriptions.locked(pk)
        today = subscriptions.today(subscription.patient, now=now)
        if subscription.status not in MATRIX[Action.RENEW] or subscription.period_end > today:
            return False
        if subscription.status == Status.PAUSING:
            subscriptions.change(subscription, Action.RENEW, actor=None, now=now)
        elif subscription.status == Status.CANCELLING:
            end(subscription, now=now)
        else:
            bill(subscription, now=now)
        return True


def end(subscription: Subscription, *, now: datetime) -> None:
    """End what was cancelled, with its period."""
    subscriptions.change(
        subscription,
        Action.RENEW,
        actor=None,
        now=now,
        ended_on=subscription.period_end,
        end_reason=Subscription.EndReason.CANCELLED,
    )
    notices.ended(subscription, on=subscription.period_end, now=now)


def bill(subscription: Subscription, *, now: datetime) -> None:
    """Begin the next period and bill it: on the same anchor, or with another price or after a trial on a new one."""
    first_day = subscription.period_end
    was = subscription.price
    ahead = renewal_of(subscription, on=first_day)
    number, anchor = subscription.period + 1, subscription.anchor_on
    if ahead.price.interval != was.interval:
        number, anchor = 0, first_day
    period = subscriptions.period_from(anchor, ahead.price, number)
    members = subscriptions.staying_members(subscription)
    subscriptions.change(
        subscription,
        Action.RENEW,
        actor=None,
        now=now,
        price=ahead.price,
        family_price=ahead.family if members else None,
        next_price=None,
        anchor_on=anchor,
        period=number,
        period_start=period.start,
        period_end=period.end,
        announced_on=None,
        announced_for=None,
        announced_price=None,
    )
    if ahead.price.plan_id != was.plan_id:
        subscriptions.move_grants(subscription, members=members, on=first_day)
    invoice = issuing.issue(
        payer=subscription.payer,
        kind=Invoice.Kind.PERIOD,
        lines=issuing.membership_lines(
            ahead.price, ahead.family, patient=subscription.patient, members=members, period=period
        ),
        on=subscriptions.today(subscription.patient, now=now),
        now=now,
        subscription=subscription,
        period=number,
    )
    if invoice is not None:
        notices.renewed(subscription, invoice, now=now)


def renewal_of(subscription: Subscription, *, on: date) -> Renewal:
    """What the period that begins on `on` costs: the price that was switched to, or the one in force.

    Where its discount needs a proof that holds no more, it is the list price, if the payer was told so NOTICE before;
    otherwise the discount holds once more.
    """
    price = subscription.next_price or subscription.price
    is_lapsed = price.plan.audience == Plan.Audience.DISCOUNTED and is_proof_gone(subscription, on=on)
    listed = list_price(price, on=on) if is_lapsed else None
    told = subscription.announced_price == listed and subscription.announced_for == on
    if listed is not None and told and is_in_time(subscription, on=on):
        price = listed
    return Renewal(price, family_of(subscription, price, on=on), is_lapsed and price == listed)


def is_in_time(subscription: Subscription, *, on: date) -> bool:
    return subscription.announced_on is not None and subscription.announced_on + NOTICE <= on


def is_proof_gone(subscription: Subscription, *, on: date) -> bool:
    """Whether nothing proves the discount on `on`: a verifier said so, or it was never asked to the end of its word.

    A verifier that is away is no reason (memberships.proving asks again): only what it said counts.
    """
    valid = quoting.valid_proof(subscription.patient, on=on)
    held = subscription.proof
    return valid is None and (held is None or held.status == Proof.Status.LAPSED)


def list_price(price: Price, *, on: date) -> Price | None:
    """What everybody pays on `on`: by the same interval where there is such a price, else by the year."""
    for interval in dict.fromkeys([price.interval, Price.Interval.YEAR]):
        listed = (
            Price.objects.select_related("plan")
            .filter(plan__audience=Plan.Audience.ANYONE, plan__on_sale=True, interval=interval, from_on__lte=on)
            .order_by("-from_on", "plan")
            .first()
        )
        if listed is not None:
            return listed
    return None


def family_of(subscription: Subscription, price: Price, *, on: date) -> Price | None:
    """What each further member costs beside `price`: what they cost now, unless the interval is another."""
    held = subscription.family_price
    if held is None or held.interval == price.interval:
        return held
    return subscriptions.family_price(price.interval, on=on)


# Telling before


def announce(*, now: datetime) -> int:
    """Tell of the renewals of 15 to 45 days ahead, and of those that lose a discount. Returns how many were told."""
    today = sweeping.local_date(now, "patient__time_zone")
    soon = Subscription.objects.filter(
        status__in=[Status.TRIAL, Status.ACTIVE],
        period_end__gte=today + NOTICE,
        period_end__lte=today + timedelta(days=45),
    )
    # What is news, as announce_one has it: others, more than there are turns for, would take the turns of these.
    news = (
        Q(price__interval=Price.Interval.YEAR) & ~Q(announced_for=F("period_end"))
        | Q(next_price__isnull=False)
        | Q(proof__status=Proof.Status.LAPSED)
        | Q(proof__isnull=True, price__plan__audience=Plan.Audience.DISCOUNTED)
    )
    ids = list(soon.filter(news).order_by("period_end", "pk").values_list("pk", flat=True)[: sweeping.MOST])
    return sweeping.each(ids, lambda pk: announce_one(pk, now=now), what="announce a renewal")


def announce_one(pk: UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        subscription = subscriptions.locked(pk)
        today = subscriptions.today(subscription.patient, now=now)
        on = subscription.period_end
        if subscription.status not in (Status.TRIAL, Status.ACTIVE) or on < today + NOTICE:
            return False
        price = subscription.next_price or subscription.price
        gone = price.plan.audience == Plan.Audience.DISCOUNTED and is_proof_gone(subscription, on=on)
        told = (list_price(price, on=on) if gone else None) or price
        is_new = subscription.announced_for != on or subscription.announced_price != told
        # A monthly renewal at the price of always is no news; an annual one is, and so is a dearer one.
        if not is_new or (price.interval == Price.Interval.MONTH and told == subscription.price):
            return False
        subscription.announced_on, subscription.announced_for, subscription.announced_price = today, on, told
        subscription.save(update_fields=["announced_on", "announced_for", "announced_price"])
        ahead = Renewal(told, family_of(subscription, told, on=on), gone)
        members = len(subscriptions.staying_members(subscription))
        notices.renewal_ahead(subscription, price=told, amount=ahead.amount(members), is_lapsed=gone, now=now)
        return True
