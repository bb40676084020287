"""How messages and pages write a visit's time and place. Times come with the clinic's offset (`notices.context`)."""

import unicodedata
from datetime import datetime
from functools import lru_cache

from django import template
from django.utils import dateformat, translation

register = template.Library()

LONG = {"en": "l, F j", "es": r"l j \d\e F"}
CLOCK = {"en": "g:i A", "es": "H:i"}
# Without the weekday in Spanish: Saturday's has a letter that halves what fits into a text message.
BRIEF = {"en": "D M j, g:i A", "es": r"j/n, H:i"}


def written(start: str | datetime, forms: dict[str, str], language: str) -> str:
    at = start if isinstance(start, datetime) else datetime.fromisoformat(start)
    return on_the_wall(at.replace(tzinfo=None), forms[language], language)


@lru_cache(maxsize=4096)  # those who are reminded at once have their visits at the same few times
def on_the_wall(at: datetime, form: str, language: str) -> str:
    with translation.override(language):
        return dateformat.format(at, form)


@register.filter
def day(start: str | datetime, language: str) -> str:
    """Tuesday, November 24."""
    return written(start, LONG, language)


@register.filter
def clock(start: str | datetime, language: str) -> str:
    """10:00 AM."""
    return written(start, CLOCK, language)


@register.filter
def brief(start: str | datetime, language: str) -> str:
    """Tue Nov 24, 10:00 AM: for a text message."""
    return written(start, BRIEF, language)


@register.filter
def short(name: str, most: int) -> str:
    """A name in at most so many letters that every phone has, for a text message."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = " ".join("".join(letter for letter in plain if letter.isalnum() or letter in " .,'&-").split())
    return plain if len(plain) <= most else f"{plain[: most - 2].rstrip()}.."
