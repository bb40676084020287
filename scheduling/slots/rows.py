"""Free slots as the API writes them."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from typing import Any

from clinics import places
from memberships.entitlement import Terms
from scheduling.slots.finding import Found


def price_of(terms: Terms) -> Callable[[date], int | None]:
    """What a visit costs on a local day under `terms`, in cents: 0 when covered, None where it takes a membership."""

    @cache  # a list has many starts of few days
    def price(day: date) -> int | None:
        found = terms.on(day)
        return found.price if found else None

    return price


def as_rows(
    found: Iterable[Found], *, price: Callable[[date], int | None], with_distance: bool
) -> list[dict[str, Any]]:
    """`found` as the API writes it.

    `price(day)` gives the cents on a local day, or None where a membership is needed.
    """
    named = cache(lambda key, name: {"id": str(key), "name": name})  # many starts of few clinics and clinicians

    def as_row(row: Found) -> dict[str, Any]:
        start = row.slot.start.astimezone(row.zone)
        return {
            "id": row.slot.id,
            "start": start.isoformat(),
            "end": row.end.astimezone(row.zone).isoformat(),
            "clinic": named(row.slot.clinic, row.clinic_name),
            "clinician": named(row.slot.clinician, row.clinician_name),
            "visit_type": row.visit_type,
            "distance_miles": places.miles(row.metres) if with_distance else None,
            "price": price(start.date()),
        }

    return [as_row(row) for row in found]
