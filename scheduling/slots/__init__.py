"""Finding free slots."""

from scheduling.slots.finding import LIMIT, Found, NextStart, alternatives, is_offered, next_available, search
from scheduling.slots.ids import BadSlot, Slot
from scheduling.slots.rows import as_rows, price_of
from scheduling.slots.wanted import DAYS, MOST_CLINICS, MOST_DAYS, Nowhere, Place, Search, WindowTooLong

__all__ = [
    "DAYS",
    "LIMIT",
    "MOST_CLINICS",
    "MOST_DAYS",
    "BadSlot",
    "Found",
    "NextStart",
    "Nowhere",
    "Place",
    "Search",
    "Slot",
    "WindowTooLong",
    "alternatives",
    "as_rows",
    "is_offered",
    "next_available",
    "price_of",
    "search",
]
