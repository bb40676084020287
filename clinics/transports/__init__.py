"""How messages leave: one module for each provider, with a `Sender` that is opened for a while.

    with smtp.Sender() as sender:
        for outgoing, outcome in sender.send(batch):
            ...

A Sender never raises for what a provider or the network does: it says what became of each message.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID


class Became(enum.Enum):
    """What became of a message that was to be sent."""

    SENT = "sent"  # the provider took it
    REFUSED = "refused"  # the provider will never take it
    STOPPED = "stopped"  # it will not, for whoever has this number texted STOP
    LATER = "later"  # it may take it another time
    UNCLEAR = "unclear"  # it may have taken it
    UNTRIED = "untried"  # nothing got through to the provider, and nothing will right now


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it leaves. `attempt` counts from 1."""

    id: UUID
    attempt: int
    to: str
    brand: str
    subject: str
    body: str
    attachments: Sequence[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    became: Became
    provider_id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a provider says it took: `status` is one of sent, delivered and failed."""

    provider_id: str
    status: str
    error: str = ""


class Unavailable(Exception):
    """A provider that cannot be asked now."""


class Sender(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def send(self, batch: Sequence[Outgoing]) -> Iterator[tuple[Outgoing, Outcome]]:
        """Send messages, saying what became of each as soon as that is known."""

    def find(self, *, to: str, fingerprint: str, since: datetime) -> list[Found]:
        """What the provider took for `to` with a text of this fingerprint from `since` on. Raises Unavailable."""
