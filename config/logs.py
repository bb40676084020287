"""What the log says: what was asked, what went wrong and where, and nothing of the people it was about.

One line of JSON to stderr for each event, for whatever runs the processes to keep; on a laptop the same for people to
read, in a file, so that the screen is left to what goes wrong. No values that a statement or a request carried:
PostgreSQL repeats rows in the lines after an error's first one, so the first one is all that is written; of exceptions
that quote what they were given not even that; no local variables. A request is known by its route's template, its id
and a digest of who asked (config.requests).
"""

import logging
import re
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import psycopg
import structlog
from django.core.exceptions import ValidationError
from django.db import DataError

LONGEST = 300  # characters of a message
# What our own lines say besides their event, as `extra`.
FIELDS = (
    "method", "route", "status", "ms", "user", "code", "task", "task_id", "state",
)  # fmt: skip
# Python and PostgreSQL put the value itself into what these say: a name, a date of birth, a token.
QUOTES_VALUES = (ValueError, LookupError, ValidationError, DataError, psycopg.DataError)
# What other packages' sentences could still hold: addresses of mail, query strings, paths that are keys, telephones.
SECRETS = (
    (re.compile(r"[^\s@<>\"'/=]+@[^\s@<>\"']+"), "[address]"),
    (re.compile(r"\?[^\s\"'>]*=[^\s\"'>]*"), "?[query]"),
    (re.compile(r"/(calendar|v|benefit|family)/[^\s\"'>]+"), r"/\1/[secret]"),
    (re.compile(r"\+[0-9]{8,15}\b"), "[telephone]"),
)
Event = MutableMapping[str, Any]


def said(text: str) -> str:
    """The first line of a sentence, at most LONGEST characters of it, without what people are found by."""
    first = (text.splitlines() or [""])[0][:LONGEST]
    for pattern, instead in SECRETS:
        first = pattern.sub(instead, first)
    return first


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
    first = "(what it says is not logged)" if isinstance(error, QUOTES_VALUES) else said(str(error))
    yield f"{kind.__module__}.{kind.__qualname__}: {first}"


# What every line goes through


def in_our_words(_logger: Any, _method: str, event: Event) -> Event:
    """Say what Django and Celery know of a request or a task by its names, never by its address or arguments."""
    record: logging.LogRecord = event["_record"]
    if record.name == "django.request" and hasattr(record, "request"):
        event["event"] = "A request failed"
        event["method"] = record.request.method
        event["route"] = route_of(record.request)
        event["status"] = getattr(record, "status_code", None)
    elif record.name == "celery.app.trace":
        context = getattr(record, "data", None) or {}
        event["event"] = "A task failed" if record.levelno >= logging.ERROR else "A task is to be done again"
        event["task"], event["task_id"] = context.get("name"), context.get("id")
    event["event"] = said(str(event["event"]))
    return event


def with_exception(_logger: Any, _method: str, event: Event) -> Event:
    """Tracebacks of an exception and of those that led to it, each with the first line it says."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(part for link in chain(error) for part in told(link))
    return event


def route_of(request: Any) -> str:
    """The template of a request's address, such as api/v1/holds/<uuid:hold_id>; 'none' where nothing is there."""
    match = getattr(request, "resolver_match", None)
    return match.route or "/" if match else "none"


def for_people(_logger: Any, _method: str, event: Event) -> str:
    """A line for whoever sits before it: the time, what happened, its facts, and an exception below."""
    exception, level = event.pop("exception", None), event.pop("level", "info")
    clock, logger, words = str(event.pop("at", ""))[11:19], event.pop("logger", ""), event.pop("event", "")
    if logger == "config.requests":
        words = " ".join(str(event.pop(name)) for name in ("status", "method", "route") if name in event)
    facts = " ".join(f"{name}={value}" for name, value in event.items() if name != "request_id")
    line = f"{clock} {'' if level == 'info' else level.upper() + ' ' + str(logger) + ': '}{words} {facts}".rstrip()
    return f"{line}\n{exception}" if exception else line


class Formatter(structlog.stdlib.ProcessorFormatter):
    """One event as one line of JSON, or with `plain` as text for people."""

    def __init__(self, plain: bool = False) -> None:
        # What is no JSON is named by its type alone.
        json = structlog.processors.JSONRenderer(default=lambda value: type(value).__name__)
        super().__init__(
            foreign_pre_chain=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.stdlib.add_log_level,
                logger_name,
                structlog.stdlib.ExtraAdder(allow=FIELDS),
                structlog.contextvars.merge_contextvars,
                in_our_words,
                with_exception,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, for_people if plain else json],
        )


def logger_name(_logger: Any, _method: str, event: Event) -> Event:
    event["logger"] = event["_record"].name
    return event


def to_stderr(*apps: str, plain: bool = False, everything_in: str = "") -> dict[str, Any]:
    """LOGGING for Django: warnings of everybody, and what `apps` (ours) have to say.

    With `everything_in`, a file, all of it is written there, and stderr is left to warnings and worse.
    """
    handlers: dict[str, dict[str, Any]] = {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}}
    if everything_in:
        handlers["stderr"]["level"] = "WARNING"
        handlers["file"] = {"class": "logging.FileHandler", "formatter": "lines", "filename": everything_in}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "config.logs.Formatter", "plain": plain}},
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": "WARNING"},
        "loggers": {
            # Django's own handlers are for a developer's screen, and mail to administrators.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # A caller's mistakes (4xx) are answered, and are a line of config.requests, not two.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "CRITICAL"},
            **{app: {"level": "INFO"} for app in apps},
        },
    }
