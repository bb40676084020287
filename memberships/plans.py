"""The plans people can join, and what they cost."""

from datetime import date
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Prefetch, Q

from clinics.refusals import Refused
from memberships.models import Plan, Price, VisitPrice


class PricePlanned(Refused):
    code = "price_planned"
    status = 409
    detail = "A price of this benefit from this day on, or a later one, is planned already."


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
            "prices": [{"amount": price.amount, "interval": price.interval} for price in plan.current_prices],  # type: ignore[attr-defined]
        }
        for plan in on_sale(on=on)
    ]


def price_visits(*, benefit: str, amount: int, from_on: date) -> VisitPrice:
    """Let a visit without membership cost `amount` cents from `from_on` on; the price until then ends on that day.

    Visits that are booked keep theirs. Raises PricePlanned.
    """
    with transaction.atomic():
        prices = VisitPrice.objects.select_for_update().filter(benefit=benefit)
        if prices.filter(during__startswith__gte=from_on).exists():
            raise PricePlanned
        for old in prices.filter(Q(during__upper_inf=True) | Q(during__endswith__gt=from_on)):
            VisitPrice.objects.filter(pk=old.pk).update(during=DateRange(old.during.lower, from_on))
        return VisitPrice.objects.create(benefit=benefit, amount=amount, during=DateRange(from_on, None))
