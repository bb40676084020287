"""Who acts, for the history of what they change (config.postgresql tells the database, in the write's transaction)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID


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
