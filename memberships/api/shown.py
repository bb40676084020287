"""How memberships are shown."""

from datetime import date
from typing import Any
from uuid import UUID

from rest_framework import serializers

from memberships import subscriptions, transitions
from memberships.api.payments import VISA, MethodShown
from memberships.api.payments import shown as shown_method
from memberships.billing.issuing import Line
from memberships.changing import inviting
from memberships.models import InvoiceLine, Membership, Price, Subscription
from memberships.quoting import Quote

MEMBERSHIP: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000010",
    "source": "self_paid",
    "status": "active",
    "plan": {"code": "annual", "name": "Annual membership"},
    "price": {"id": 1, "amount": 19_900, "currency": "USD", "interval": "year"},
    "next_price": None,
    "patient": {"id": "0193601a-7c1e-7000-8000-000000000003", "name": "Pat Example"},
    "payer": "you",
    "payment_method": VISA,
    "members": [],
    "period": {"start": "2026-11-24", "end": "2027-11-24"},
    "renews_on": "2027-11-24",
    "ends_on": None,
    "can": ["switch", "pause", "cancel", "add_member", "remove_member", "pay_with"],
}
QUOTE: dict[str, Any] = {
    "lines": [
        {
            "kind": "membership",
            "description": "Annual membership, a year",
            "amount": 19_900,
            "patient": "0193601a-7c1e-7000-8000-000000000003",
            "start": "2026-11-24",
            "end": "2027-11-24",
        }
    ],
    "credit": 0,
    "due_now": 19_900,
    "at_once": True,
    "from_on": "2026-11-24",
    "renews_on": "2027-11-24",
    "renews_at": 19_900,
    "trial_until": None,
    "notes": [],
}


# Who pays where no sponsor does.
PAYERS = {Membership.Source.COMPLIMENTARY.value: "Sameday"}


class PlanNamed(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class PriceHeld(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Cents.")
    currency = serializers.CharField()
    interval = serializers.ChoiceField(choices=Price.Interval.choices)


class Person(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class MemberShown(serializers.Serializer[Any]):
    patient = Person()
    ends_on = serializers.DateField(allow_null=True, help_text="First day without it; null where it renews.")


class PeriodShown(serializers.Serializer[Any]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="The first day after it.")


class MembershipShown(serializers.Serializer[Any]):
    """A membership: paid for by somebody themself, by an employer, or given."""

    id = serializers.UUIDField()
    source = serializers.ChoiceField(choices=Membership.Source.choices)  # type: ignore[assignment]  # a field
    status = serializers.ChoiceField(
        choices=Subscription.Status.choices, help_text="For one that nobody's own payments pay for: active or ended."
    )
    plan = PlanNamed()
    price = PriceHeld(allow_null=True)
    next_price = PriceHeld(allow_null=True, help_text="From the next renewal on.")
    patient = Person()
    payer = serializers.CharField(help_text="you, somebody else, or the sponsor's name.")
    payment_method = MethodShown(
        allow_null=True, help_text="The card of yours that is charged; null: by invoice, or somebody else pays."
    )
    members = MemberShown(many=True, help_text="Further members.")
    period = PeriodShown(allow_null=True)
    renews_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True, help_text="First day without it, where that is known.")
    can = serializers.ListField(child=serializers.CharField(), help_text="What you can do with it now.")


class LineShown(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=InvoiceLine.Kind.choices)
    description = serializers.CharField()
    amount = serializers.IntegerField(help_text="Cents; below 0 for what is given back.")
    patient = serializers.UUIDField(allow_null=True)
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)


class QuoteShown(serializers.Serializer[Any]):
    """What joining or switching would cost."""

    lines = LineShown(many=True)
    credit = serializers.IntegerField(help_text="Cents of the lines that your credit pays.")
    due_now = serializers.IntegerField(help_text="Cents; send it as `accept_due` to agree to it.")
    at_once = serializers.BooleanField(help_text="False: it holds from `from_on`, the next renewal, on.")
    from_on = serializers.DateField()
    renews_on = serializers.DateField()
    renews_at = serializers.IntegerField(help_text="Cents.")
    trial_until = serializers.DateField(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())


def shown_price(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {"id": price.pk, "amount": price.amount, "currency": "USD", "interval": price.interval}


def person(patient: Any) -> dict[str, Any]:
    return {"id": str(patient.pk), "name": patient.name}


def shown(
    subscription: Subscription, grants: list[Membership], *, viewer: Any, invited: dict[UUID, str]
) -> dict[str, Any]:
    """A subscription as MembershipShown. `grants`: its last ones (subscriptions.last_grants).

    `invited`: the address at which further members were invited, by which alone others know them.
    """
    status = subscription.status
    pays = subscription.payer_id == viewer.pk
    renews = status in (Subscription.Status.TRIAL, Subscription.Status.ACTIVE)
    ends = status in (Subscription.Status.PAUSING, Subscription.Status.CANCELLING)
    is_period = status not in (Subscription.Status.PAUSED, Subscription.Status.ENDED)
    plan = subscription.price.plan
    return {
        "id": str(subscription.pk),
        "source": Membership.Source.SELF_PAID.value,
        "status": status,
        "plan": {"code": plan.code, "name": plan.name},
        "price": shown_price(subscription.price),
        "next_price": shown_price(subscription.next_price),
        "patient": person(subscription.patient),
        "payer": "you" if pays else "somebody else",
        "payment_method": shown_method(subscription.method) if pays and subscription.method else None,
        "members": [
            {
                "patient": {**person(grant.patient), "name": invited.get(grant.patient_id, grant.patient.name)},
                "ends_on": iso(grant.during.upper),
            }
            for grant in grants
            if grant.head_id is not None
        ],
        "period": {"start": iso(subscription.period_start), "end": iso(subscription.period_end)} if is_period else None,
        "renews_on": iso(subscription.period_end) if renews else None,
        "ends_on": iso(subscription.period_end) if ends else iso(subscription.ended_on),
        "can": transitions.possible(status) if pays else [],
    }


def shown_grant(grant: Membership, *, today: date, viewer: Any) -> dict[str, Any]:
    """A grant that no subscription of theirs pays for, as MembershipShown."""
    upper = grant.during.upper
    payer = "somebody else" if grant.subscription_id else PAYERS.get(grant.source, "you")
    may_leave = grant.subscription_id and grant.patient.user_id == viewer.pk and upper is None
    return {
        "id": str(grant.pk),
        "source": grant.source,
        "status": "ended" if upper is not None and upper <= today else "active",
        "plan": {"code": grant.plan.code, "name": grant.plan.name},
        "price": shown_price(grant.price),
        "next_price": None,
        "patient": person(grant.patient),
        "payment_method": None,
        "payer": grant.sponsor.name if grant.sponsor else payer,
        "members": [],
        "period": None,
        "renews_on": None,
        "ends_on": iso(upper),
        "can": ["remove_member"] if may_leave else [],
    }


def shown_quote(quote: Quote, *, at_once: bool, from_on: date) -> dict[str, Any]:
    """A quote as QuoteShown."""
    return {
        "lines": [shown_line(line) for line in quote.lines],
        "credit": quote.credit,
        "due_now": quote.due_now,
        "at_once": at_once,
        "from_on": iso(from_on),
        "renews_on": iso(quote.renews_on),
        "renews_at": quote.renews_at,
        "trial_until": iso(quote.period.end) if quote.trial else None,
        "notes": quote.notes,
    }


def shown_line(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind.value,
        "description": line.description,
        "amount": line.amount,
        "patient": str(line.patient) if line.patient else None,
        "start": iso(line.during.start) if line.during else None,
        "end": iso(line.during.end) if line.during else None,
    }


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def invited_to(held: dict[UUID, list[Membership]]) -> dict[UUID, dict[UUID, str]]:
    """How invited members are known, of those subscriptions that have further members: one statement, or none."""
    return inviting.known_as([pk for pk, grants in held.items() if any(grant.head_id is not None for grant in grants)])


def with_grants(subscription: Subscription, *, viewer: Any) -> tuple[dict[str, Any], list[Any]]:
    """A subscription as MembershipShown, and the patients whom that shows."""
    grants = subscriptions.last_grants(subscription)
    invited = invited_to({subscription.pk: grants}).get(subscription.pk, {})
    return shown(subscription, grants, viewer=viewer, invited=invited), [
        subscription.patient_id,
        *(grant.patient_id for grant in grants),
    ]
