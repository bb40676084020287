"""Each provider of calls, and the devices that would use what it gives them."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

from clinics.models import User
from tests.virtualcare.video import livekit_server
from virtualcare import video
from virtualcare.models import CallParticipant, Consult
from virtualcare.video import calls, signalling
from virtualcare.video.calls import NotInCall
from virtualcare.video.port import JoinInfo, Provider

TURN_SECRET = "a-secret-shared-with-coturn-0123456789-ABCDEFGHIJKLMNOP"
TURN_URL = "turn:turn.example.org:3478?transport=udp"


@dataclass(frozen=True)
class Device:
    """Of `user`, who was told how to join a consult's call, and as whom."""

    consult: Consult
    user: User
    participant: UUID
    info: JoinInfo


class Studio(Protocol):
    """A provider, with what is behind it."""

    name: str
    has_server: bool

    @property
    def provider(self) -> Provider: ...

    def admits(self, info: JoinInfo, *, at: datetime) -> bool:
        """Whether what `info` holds lets a device in at a time."""

    def enter(self, device: Device, *, at: datetime) -> None: ...

    def leave(self, device: Device, *, at: datetime) -> None: ...

    def again(self, *, now: datetime) -> None:
        """What was told last is told once more."""

    def inside(self) -> set[UUID]:
        """The participants who are in any room."""


class Peer:
    """Devices that say by the consult's socket that they come and go, and a TURN server that knows our secret."""

    name = "peer"
    has_server = False

    def __init__(self) -> None:
        self.last: tuple[Device, str] | None = None

    @property
    def provider(self) -> Provider:
        return video.of(self.name)

    def admits(self, info: JoinInfo, *, at: datetime) -> bool:
        """As coturn decides it: draft-uberti-behave-turn-rest-00, section 2.2."""
        (server,) = info.ice_servers
        digest = hmac.new(TURN_SECRET.encode(), server.username.encode(), hashlib.sha1).digest()
        return (
            base64.b64encode(digest).decode() == server.credential
            and int(server.username.split(":")[0]) > at.timestamp()
        )

    def enter(self, device: Device, *, at: datetime) -> None:
        self.say(device, "hello", at=at)

    def leave(self, device: Device, *, at: datetime) -> None:
        self.say(device, "bye", at=at)

    def again(self, *, now: datetime) -> None:
        assert self.last
        device, kind = self.last
        self.say(device, kind, at=now)

    def say(self, device: Device, kind: str, *, at: datetime) -> None:
        self.last = device, kind
        said = signalling.checked({"kind": kind, "peer": str(uuid4()), "since": 1, "again": False})
        signalling.heard(user_id=device.user.pk, consult_id=device.consult.pk, data=said, now=at)

    def inside(self) -> set[UUID]:
        """Those whom the signalling still hears, each asked for it."""
        found = set()
        for one in CallParticipant.objects.filter(joined_at__isnull=False).select_related("call"):
            said = {"kind": "sends", "peer": "00000000"}
            try:
                heard = signalling.heard(
                    user_id=one.user_id, consult_id=one.call.consult_id, data=said, now=one.let_in_at
                )
            except NotInCall:
                continue
            found |= {one.pk} & {heard}
        return found


class LiveKit:
    """A LiveKit server that tells us by webhooks."""

    name = "livekit"
    has_server = True

    @property
    def server(self) -> livekit_server.Server:
        return livekit_server.server

    @property
    def provider(self) -> Provider:
        return video.of(self.name)

    def admits(self, info: JoinInfo, *, at: datetime) -> bool:
        try:
            return bool(livekit_server.opened(info.token, at=at)["video"]["roomJoin"])
        except livekit_server.Refused:
            return False

    def enter(self, device: Device, *, at: datetime) -> None:
        self.server.enter(device.info.token, at=at)
        self.again(now=at)

    def leave(self, device: Device, *, at: datetime) -> None:
        room = livekit_server.opened(device.info.token, at=at)["video"]["room"]
        self.server.leave(room, str(device.participant), at=at)
        self.again(now=at)

    def again(self, *, now: datetime) -> None:
        body, headers = self.server.told[-1]
        calls.heard(self.provider.event(body, headers, now=now), provider=self.name, now=now)

    def inside(self) -> set[UUID]:
        return {UUID(identity) for members in self.server.rooms.values() for identity in members}
