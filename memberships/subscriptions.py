"""Fetching a subscription to change it, changing its state, and whom it entitles until when: part of a transaction."""

import uuid
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import DateRangeField
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import DateField, ExpressionWrapper, F, Func, Q, QuerySet, Value
from django.db.models.functions import Greatest

from clinics.models import Patient, User
from memberships import periods
from memberships.models import InvoiceLine, Membership, Plan, Price, Subscription, SubscriptionChange
from memberships.periods import Period
from memberships.transitions import Action, after

MOST_MEMBERS = 5  # besides the head


def locked(pk: uuid.UUID) -> Subscription:
    """The subscription, with a lock that its changes, renewals and payments take one after the other.

    The lock order is: Idempotency-Key, card, subscription, invoice, charge.
    """
    # What it shows is joined by a statement of its own: the lock may have waited for a change of it.
    Subscription.objects.select_for_update(no_key=True).get(pk=pk)
    return Subscription.objects.select_related(
        "price__plan", "next_price__plan", "family_price", "method", "patient"
    ).get(pk=pk)


def today(patient: Patient, *, now: datetime) -> date:
    """The date by which a membership begins, renews and ends: where its head lives."""
    return now.astimezone(ZoneInfo(patient.time_zone)).date()


def change(
    subscription: Subscription,
    action: Action,
    *,
    actor: User | None,
    now: datetime,
    detail: str = "",
    **fields: Any,
) -> None:
    """Do what the table of transitions says, and write it down. Needs the lock. Raises NotInThisState."""
    was = subscription.status
    to = after(action, was, is_trial=subscription.period < 0)
    fields["status"] = to
    if to != Subscription.Status.PAST_DUE:
        fields["past_due_since"] = None
    if not Subscription.objects.filter(pk=subscription.pk, status=was).update(**fields):
        raise RuntimeError("A subscription is changed under its lock alone.")
    for name, value in fields.items():
        setattr(subscription, name, value)
    SubscriptionChange.objects.create(
        subscription=subscription, at=now, action=action, actor=actor, from_status=was, to_status=to, detail=detail
    )


def period_of(subscription: Subscription) -> Period:
    return Period(subscription.period_start, subscription.period_end)


def period_from(anchor: date, price: Price, number: int = 0) -> Period:
    return periods.period(anchor, price.interval, number)


# Whom it entitles


def grants(subscription: Subscription) -> QuerySet[Membership]:
    """What it entitles, the head's and further members', now or later: what has not ended."""
    return Membership.objects.filter(subscription=subscription)


def live_grants(subscription: Subscription, *, on: date) -> list[Membership]:
    """The grants that hold on `on`, or later: the head's first, then in the order in which members were added."""
    held = grants(subscription).select_related("patient", "plan")
    live = [grant for grant in held if grant.during.upper is None or grant.during.upper > on]
    return sorted(live, key=lambda grant: (grant.head_id is not None, grant.created_at, str(grant.pk)))


def last_grants(subscription: Subscription) -> list[Membership]:
    """The newest grant of each of its people, the head's first: those of now, and while it is paused those of then."""
    return last_grants_of([subscription])[subscription.pk]


def last_grants_of(held: list[Subscription]) -> dict[uuid.UUID, list[Membership]]:
    """The same of many subscriptions, by one query."""
    rows: dict[uuid.UUID, list[Membership]] = {subscription.pk: [] for subscription in held}
    found = Membership.objects.filter(subscription__in=rows).select_related("patient", "plan")
    for grant in found.order_by("created_at", "pk"):
        if grant.subscription_id is not None:
            rows[grant.subscription_id].append(grant)
    return {pk: newest(grants) for pk, grants in rows.items()}


def newest(grants: list[Membership]) -> list[Membership]:
    """Of a subscription's grants, oldest first, the newest head's and its further members', each once."""
    head = next((grant for grant in reversed(grants) if grant.head_id is None), None)
    if head is None:
        return []
    members = {grant.patient_id: grant for grant in grants if grant.head_id == head.pk}
    return [head, *members.values()]


def staying_members(subscription: Subscription) -> list[Patient]:
    """The further members it has at its next renewal, or when it resumes."""
    return [
        grant.patient for grant in last_grants(subscription) if grant.head_id is not None and grant.removed_at is None
    ]


def entitle(subscription: Subscription, *, members: list[Patient], first: date) -> None:
    """Entitle the head and `members` from `first` on, without end: what ends it sets the end."""
    head = Membership.objects.create(
        patient_id=subscription.patient_id,
        plan=subscription.price.plan,
        price=subscription.price,
        source=Membership.Source.SELF_PAID,
        subscription=subscription,
        during=DateRange(first, None),
    )
    for member in members:
        entitle_member(subscription, member, head=head, first=first)


def open_grants(subscription: Subscription) -> None:
    """Entitle whom the first invoice was for: once it is paid, from the first day on."""
    lines = InvoiceLine.objects.filter(
        invoice__subscription=subscription, invoice__period=0, kind=InvoiceLine.Kind.FAMILY
    )
    members = list(Patient.objects.filter(pk__in=lines.values("patient")).order_by("pk"))
    entitle(subscription, members=members, first=subscription.anchor_on)


def entitle_member(subscription: Subscription, member: Patient, *, head: Membership, first: date) -> Membership:
    """Entitle a further member from `first` on. Needs a family price."""
    price = subscription.family_price
    if price is None:
        raise ValueError("Further members have a price.")
    return Membership.objects.create(
        patient=member,
        plan_id=price.plan_id,
        price=price,
        source=Membership.Source.FAMILY,
        head=head,
        subscription=subscription,
        during=DateRange(first, None),
    )


def move_grants(subscription: Subscription, *, members: list[Patient], on: date) -> None:
    """Entitle by the plan of another price from `on` on, after a switch; who leaves anyway leaves as was decided."""
    live = live_grants(subscription, on=on)
    if all(grant.during.lower == on for grant in live if grant.removed_at is None):
        reprice_grants(subscription)  # it began today: there is no day before to keep
        return
    leaving = [grant.pk for grant in live if grant.removed_at is not None]
    grants(subscription).exclude(pk__in=leaving).filter(during__upper_inf=True).update(during=until(on))
    entitle(subscription, members=members, first=on)


def reprice_grants(subscription: Subscription) -> None:
    """Have what is without end entitle by the plan of the subscription's price."""
    held = grants(subscription).filter(during__upper_inf=True)
    held.filter(head__isnull=True).update(plan=subscription.price.plan, price=subscription.price)
    if subscription.family_price is not None:
        held.filter(head__isnull=False).update(plan=subscription.family_price.plan_id, price=subscription.family_price)


def end_grant(grant: Membership, *, on: date) -> None:
    """End one member's grant before `on`, if it does not end before."""
    held = Membership.objects.filter(pk=grant.pk)
    held.filter(Q(during__endswith__gt=on) | Q(during__upper_inf=True)).update(during=until(on))


def end_grants(subscription: Subscription, *, on: date) -> None:
    """Entitle nobody from `on` on. What has ended stays; what began on `on` or later covers its first day all the same,
    since a visit may have been booked by it.
    """
    held = grants(subscription)
    held.filter(Q(during__endswith__gt=on) | Q(during__upper_inf=True)).update(during=until(on))


def reopen_grants(subscription: Subscription, *, ended: date) -> None:
    """Take back the end that was set for `ended`, but not for members who were removed: they leave all the same."""
    grants(subscription).filter(during__endswith=ended, removed_at__isnull=True).update(
        during=Func(lower(), Value(None), function="daterange", output_field=DateRangeField())
    )


def until(day: date) -> Func:
    """A grant's days, but ending before `day`, or with its first one."""
    first_after = ExpressionWrapper(lower() + Value(1), output_field=DateField())
    end = Greatest(Value(day, output_field=DateField()), first_after)
    return Func(lower(), end, function="daterange", output_field=DateRangeField())


def lower() -> Func:
    return Func(F("during"), function="lower", output_field=DateField())


def newest_price(plan: str, interval: str, *, on: date) -> Price:
    """The price of `plan` that holds on `on`. Raises Price.DoesNotExist."""
    return Price.objects.select_related("plan").filter(plan=plan, interval=interval, from_on__lte=on).latest("from_on")


def family_price(interval: str, *, on: date) -> Price:
    """What each further member costs on `on`. Raises Price.DoesNotExist."""
    sold = Price.objects.filter(plan__audience=Plan.Audience.FAMILY, interval=interval, from_on__lte=on)
    return sold.select_related("plan").latest("from_on")
