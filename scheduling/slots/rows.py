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
    return [as_row(row, price=price, with_distance=with_distance) for row in found]


def as_row(found: Found, *, price: Callable[[date], int | None], with_distance: bool) -> dict[str, Any]:
    start = found.slot.start.astimezone(found.zone)
    return {
        "id": found.slot.id,
        "start": start.isoformat(),
        "end": found.end.astimezone(found.zone).isoformat(),
        "clinic": {"id": str(found.slot.clinic), "name": found.clinic_name},
        "clinician": {"id": str(found.slot.clinician), "name": found.clinician_name},
        "visit_type": found.visit_type,
        "distance_miles": places.miles(found.metres) if with_distance else None,
        "price": price(start.date()),
    }
