"""What the log says: what went wrong and where, and nothing of the people it went wrong for.

Plain text to stderr, for whatever runs the processes to keep. The values that a statement or a request carried are no
part of it: PostgreSQL repeats rows in the lines after an error's first one, so the first one is all that is written.
"""

import logging
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

LONGEST = 300  # characters of an exception's message
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Formatter(logging.Formatter):
    """Text, with the traceback of an exception and of those that led to it, each with the first line it says."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - an override
        return "\n".join(part for error in chain(ei[1]) for part in told(error))


def chain(error: BaseException | None) -> list[BaseException]:
    """`error` behind what led to it, as Python prints them."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found[::-1]


def told(error: BaseException) -> Iterator[str]:
    """An exception in text: where it was raised, its type, and the first line of its message."""
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    kind = type(error)
    first = (str(error).splitlines() or [""])[0][:LONGEST]
    yield f"{kind.__module__}.{kind.__qualname__}: {first}"


def to_stderr(*apps: str) -> dict[str, Any]:
    """LOGGING for Django: warnings of everybody, and what `apps` (ours) have to say."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": "config.logs.Formatter", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "text"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            # Django's own handlers are for a developer's screen, and mail to administrators.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # A caller's mistakes (4xx) are answered, not logged: strangers would fill the log.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "CRITICAL"},
            **{app: {"level": "INFO"} for app in apps},
        },
    }
