"""Dates and amounts in messages about memberships, whose context is JSON."""

from datetime import date

from django import template
from django.utils.formats import date_format
from django.utils.translation import get_language

from memberships import money

register = template.Library()
FORMATS = {"es": r"j \d\e F \d\e Y"}
FORMAT = "F j, Y"


@register.filter
def day(value: str) -> str:
    """A date as ISO 8601 has it, as people read it in the message's language. Nothing where there is none."""
    if not value:
        return ""
    language = (get_language() or "en").partition("-")[0]
    return date_format(date.fromisoformat(value), FORMATS.get(language, FORMAT))


@register.filter
def dollars(cents: int | None) -> str:
    """Cents of US dollars, as people read them. Nothing where there is no amount."""
    return money.dollars(cents) if isinstance(cents, int) else ""
