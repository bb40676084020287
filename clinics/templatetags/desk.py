"""How the admin's pages write things."""

from django import template

register = template.Library()


@register.filter
def dollars(cents: int | None) -> str:
    """An amount of cents, as in $149.00."""
    return "" if cents is None else f"${cents / 100:,.2f}"
