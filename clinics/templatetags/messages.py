"""For the templates of messages: `{% load messages %}`."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import dateformat, translation

register = template.Library()

# Without letters that a text does not have.
WHEN = {"en": r"D, M j \a\t g:i A", "es": r"D j M, H:i"}


@register.filter
def when(instant: str, zone: str) -> str:
    """An instant (ISO 8601) on the clock of `zone`, short, in the language of the message: Tue, Nov 24 at 10:00 AM."""
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    form = WHEN.get((translation.get_language() or "en").partition("-")[0], WHEN["en"])
    return dateformat.format(local, form)
