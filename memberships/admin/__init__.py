"""Plans, prices, employers and people's memberships in the admin."""

from memberships.admin import (  # noqa: F401 - they register
    disputes,
    employers,
    intake,
    invoices,
    plans,
    refunds,
    support,
)
