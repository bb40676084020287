"""Pushing places: who waits with an open socket hears of their place and range within seconds of its change.

A process looks for its own sockets, all of them with a few statements, and tells those to whom something else is true
now. Nothing has to be published when the queue moves, and nobody's place is worked out whom nobody would tell.
"""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from django.db import DatabaseError
from django.utils import timezone

from virtualcare import news
from virtualcare.sockets.asking import asked
from virtualcare.waits import telling

log = logging.getLogger(__name__)

EVERY = 3.0  # seconds


class Sockets(Protocol):
    """The hub, as this knows it."""

    @property
    def groups(self) -> Mapping[str, Any]: ...

    def deliver(self, message: dict[str, Any]) -> None: ...


async def watch(hub: Sockets) -> None:
    """Tell of places, for as long as the process runs. A database that is away is asked again."""
    last: dict[str, dict[str, int]] = {}
    while True:
        await asyncio.sleep(EVERY)
        try:
            last = await tell(hub, last)
        except DatabaseError as error:
            log.warning("No places told (%s): tried again", type(error).__name__)


async def tell(hub: Sockets, last: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Tell those whose place or range is not what it was at the `last` time; returns what they all are now."""
    open_now = {uuid.UUID(group) for group in list(hub.groups) if group != news.CLINICIANS}
    if not open_now:
        return {}
    told = await asked(telling.told_many, open_now, now=timezone.now())
    places = {str(pk): facts(found) for pk, found in told.items()}
    for group, place in places.items():
        if last.get(group) != place:
            hub.deliver({"to": group, "say": {"type": "news", "what": "place", **place}})
    return places


def facts(told: telling.Told) -> dict[str, int]:
    """A place and, where somebody is on duty, the range in minutes."""
    numbers = {"place": told.place, "low_minutes": told.low_minutes, "high_minutes": told.high_minutes}
    return {name: number for name, number in numbers.items() if number is not None}
