"""Who acts, for the history of what they change (config.postgresql tells the database, in the write's transaction)."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import LazyObject


class Account(Protocol):
    """Of a user, what is written down."""

    @property
    def pk(self) -> Any: ...


class Actor(Protocol):
    """Somebody or something that changes rows."""

    def told(self) -> dict[str, str]:
        """What history keeps of it: `user` (an id), `via`, `page`. Never anything of a patient."""


class ByName:
    """An actor who is known."""

    def __init__(self, user: UUID | None, via: str = "", page: str = "") -> None:
        self.facts = {"user": str(user) if user else "", "via": via, "page": page}

    def told(self) -> dict[str, str]:
        return {name: fact for name, fact in self.facts.items() if fact}


class ByRequest:
    """Whoever has signed in by the time that something is changed: some requests sign somebody in."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def told(self) -> dict[str, str]:
        facts = {"via": "web", "page": page_of(self.request)}
        # Django finds out who it is when it is first asked, by a query: here it is not asked.
        user = self.request.__dict__.get("user")
        user = getattr(self.request, "_cached_user", None) if isinstance(user, LazyObject) else user
        return {**facts, "user": str(user.pk)} if user is not None and user.pk else facts


class OfRequest:
    """Middleware: what a request changes was changed by who sent it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting_as(ByRequest(request)):
            return self.get_response(request)


def page_of(request: HttpRequest) -> str:
    """The route that a request took, without what it named: `GET appointments/{id}`."""
    match = request.resolver_match
    route = re.sub(r"<[^>]+>", "{id}", match.route if match else "")
    return f"{'GET' if request.method == 'HEAD' else request.method} {route.removeprefix('api/v1/')}"


current: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting(user: Account | None, *, via: str = "", page: str = "") -> Iterator[None]:
    """What the block changes was changed by `user`, or by the system itself where there is none."""
    with acting_as(ByName(user.pk if user else None, via, page)):
        yield


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    token = current.set(actor)
    try:
        yield
    finally:
        current.reset(token)


def told() -> str:
    """The current actor as JSON; an empty text where nobody is known to act."""
    actor = current.get()
    facts = actor.told() if actor else {}
    return json.dumps(facts, sort_keys=True) if facts else ""
