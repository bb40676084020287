"""The plans people can join, and what they cost."""

from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Prefetch, Q, QuerySet

from clinics.refusals import Refused
from memberships.models import Fee, Plan, Price, VisitPrice


class PricePlanned(Refused):
    code = "price_planned"
    status = 409
    detail = "A price from this day on, or a later one, is planned already."


def on_sale(*, on: date) -> list[Plan]:
    """The plans on sale, each with `current_prices`: per interval the newest price that holds on the day `on`."""
    current = (
        Price.objects.filter(from_on__lte=on)
        .order_by("plan_id", "interval", "-from_on")
        .distinct("plan_id", "interval")
    )
    return list(Plan.objects.filter(on_sale=True).prefetch_related(Prefetch("prices", current, "current_prices")))


def on_sale_summary(*, on: date) -> list[dict[str, Any]]:
    """`on_sale` as the API shows it: code, name, audience, benefits and prices (amount in cents of US dollars)."""
    return [
        {
            "code": plan.code,
            "name": plan.name,
            "audience": plan.audience,
            "benefits": plan.benefits,
            "prices": [shown_price(price, plan) for price in plan.current_prices],  # type: ignore[attr-defined]
        }
        for plan in on_sale(on=on)
    ]


def shown_price(price: Price, plan: Plan) -> dict[str, Any]:
    return {
        "id": price.pk,
        "amount": price.amount,
        "currency": "USD",
        "interval": price.interval,
        "audience": plan.audience,
        "requires_proof": plan.audience == Plan.Audience.DISCOUNTED,
        "trial_days": price.trial_days,
    }


def price_visits(*, benefit: str, amount: int, from_on: date) -> VisitPrice:
    """Let a visit without membership cost `amount` cents from `from_on` on; the price until then ends on that day.

    Visits that are booked keep theirs. Raises PricePlanned.
    """
    with transaction.atomic():
        lock()
        end_before(VisitPrice.objects.filter(benefit=benefit), from_on)
        return VisitPrice.objects.create(benefit=benefit, amount=amount, during=DateRange(from_on, None))


def set_fee(*, code: str, name: str, amount: int, from_on: date) -> Fee:
    """Let the fee `code` cost `amount` cents from `from_on` on; what it cost until then ends on that day.

    What was billed stays. Raises PricePlanned.
    """
    with transaction.atomic():
        lock()
        end_before(Fee.objects.filter(code=code), from_on)
        return Fee.objects.create(code=code, name=name, amount=amount, during=DateRange(from_on, None))


def lock() -> None:
    """Wait, to the end of the transaction, until nobody else sets what something costs: what they planned is seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('sameday.prices', 0))")


def end_before(prices: QuerySet[Any], day: date) -> None:
    """End what holds on `day` before it. Raises PricePlanned where something begins on it, or later."""
    if prices.select_for_update().filter(during__startswith__gte=day).exists():
        raise PricePlanned
    for old in prices.filter(Q(during__upper_inf=True) | Q(during__endswith__gt=day)):
        prices.filter(pk=old.pk).update(during=DateRange(old.during.lower, day))
