"""What is asked of whoever carries calls: how to join a room, to throw everybody out, and what happened in it.

A room is a call (models.calls.Call), a participant somebody who was let into it: both are known outside by their ids
alone. What lets somebody in holds for minutes, for one room. No provider records anything, and none is asked to.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from virtualcare.models import CallParticipant

Role = CallParticipant.Role


class Unavailable(Exception):
    """A provider that cannot be asked now."""


class Forged(Exception):
    """An event that the provider did not send, or not just now."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """As RTCPeerConnection takes it (W3C WebRTC, RTCIceServer)."""

    urls: list[str]
    username: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinInfo:
    """How one participant joins one room, until `expires_at`; who is in a call then stays in it.

    `direct`: the devices may speak to each other without a relay, and so learn each other's network address; `notice`
    is what they are told of it. `relay_only`: this participant's device goes through the relay alone. Providers with
    servers of their own have `url` and `token` in place of `ice_servers`.
    """

    provider: str
    expires_at: datetime
    relay_only: bool
    direct: bool = False
    notice: str = ""
    ice_servers: list[IceServer] = field(default_factory=list)
    url: str = ""
    token: str = ""


class Kind(enum.Enum):
    """What happened in a room."""

    JOINED = "joined"
    LEFT = "left"
    CLOSED = "closed"  # the provider closed it
    OTHER = "other"  # nothing that is kept


@dataclass(frozen=True, slots=True)
class Event:
    """`id` is the provider's: the same event told again has the same. `at` is when it happened."""

    id: str
    kind: Kind
    room: UUID | None
    participant: UUID | None
    at: datetime


class Provider(Protocol):
    """`name` is what rows keep, and what a browser chooses its way by."""

    name: str

    def join(self, *, room: UUID, participant: UUID, role: Role, now: datetime) -> JoinInfo:
        """How `participant` joins `room`. Asks nobody."""

    def end(self, room: UUID) -> None:
        """Throw everybody out of `room`; one that is not there (any more) is no error. Raises Unavailable."""

    def event(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        """What a call of the provider says. Raises Forged: not signed by it, or longer ago than it may be."""
