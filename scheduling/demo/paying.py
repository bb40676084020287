"""What members with logins pay themselves: a subscription for each, with the invoice of its period, paid."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from uuid import UUID

from clinics import people
from clinics.models import User
from memberships import periods
from memberships.billing import issuing, settling
from memberships.models import Invoice, Membership, Subscription, SubscriptionChange
from memberships.periods import Period
from memberships.transitions import Action
from scheduling.demo.chance import key
from scheduling.demo.patients import MEMBER_LOGINS

PAYERS = ["patient@example.com", "parent@example.com", *MEMBER_LOGINS]
# A renewal is announced for so many days; one that is nearer when the demo is made counts as announced.
ANNOUNCED = timedelta(days=45)


def plant(*, now: datetime) -> None:
    """Make the subscriptions that are missing, of those whose membership no subscription pays for."""
    heads = Membership.objects.filter(
        patient__user__email__in=PAYERS, source=Membership.Source.SELF_PAID, subscription__isnull=True
    )
    held = list(heads.select_related("patient__user", "price__plan").order_by("pk"))
    further: dict[UUID, list[Membership]] = defaultdict(list)
    for member in Membership.objects.filter(head__in=held).select_related("patient", "price__plan").order_by("pk"):
        if member.head_id is not None:
            further[member.head_id].append(member)
    operator = User.objects.get(pk=key("user", "admin@example.com"))
    today = people.today_at_home(now)
    for head in held:
        subscribe(head, further[head.pk], operator=operator, today=today, now=now)


def subscribe(head: Membership, further: list[Membership], *, operator: User, today: date, now: datetime) -> None:
    payer, price = head.patient.user, head.price
    if payer is None or price is None:
        raise ValueError("Who pays themself has an account and a price.")
    number, period = period_on(head.during.lower, price.interval, today)
    is_soon = period.end - today <= ANNOUNCED
    subscription = Subscription.objects.create(
        pk=key("subscription", head.patient_id),
        patient=head.patient,
        payer=payer,
        price=price,
        family_price=further[0].price if further else None,
        status=Subscription.Status.ACTIVE,
        anchor_on=head.during.lower,
        period=number,
        period_start=period.start,
        period_end=period.end,
        announced_on=period.end - ANNOUNCED if is_soon else None,
        announced_for=period.end if is_soon else None,
        announced_price=price if is_soon else None,
    )
    SubscriptionChange.objects.create(
        subscription=subscription, at=now, action=Action.JOIN, actor=payer, to_status=subscription.status
    )
    Membership.objects.filter(pk__in=[head.pk, *(one.pk for one in further)]).update(subscription=subscription)
    lines = issuing.membership_lines(
        price,
        subscription.family_price,
        patient=head.patient,
        members=[one.patient for one in further],
        period=period,
    )
    invoice = issuing.issue(
        payer=payer,
        kind=Invoice.Kind.PERIOD,
        lines=lines,
        on=period.start,
        now=now,
        subscription=subscription,
        period=number,
    )
    if invoice is not None:
        settling.paid_by_hand(invoice.pk, amount=invoice.due, reference="demo", actor=operator, now=now)


def period_on(anchor: date, interval: str, day: date) -> tuple[int, Period]:
    """Which period `day` lies in: its number and its days."""
    number = 0
    while (found := periods.period(anchor, interval, number)).end <= day:
        number += 1
    return number, found
