"""The plans people can join, and what they cost."""

from datetime import date
from typing import Any

from django.db.models import Prefetch

from memberships.models import Plan, Price


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
