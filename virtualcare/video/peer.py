"""The built-in provider: devices speak to each other (WebRTC), directly or by a TURN server such as coturn.

They find each other by our own sockets (virtualcare.video.signalling), so nothing has to be told to anybody else. A
TURN server takes credentials that we make and it checks by a shared secret, without asking us: `use-auth-secret` of
coturn (draft-uberti-behave-turn-rest-00). The user name is `<when it ends>:<participant>`.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings

from virtualcare.video.port import Event, Forged, IceServer, JoinInfo, Role

DIRECT = (
    "This call goes directly from one device to the other, without a relay: each can learn the other's network address."
)


class Provider:
    name = "peer"

    def join(self, *, room: UUID, participant: UUID, role: Role, now: datetime) -> JoinInfo:
        """With a TURN server, clinicians go by it alone: no patient learns where they are."""
        del room  # the signalling knows who is in which
        ends = now + settings.VIDEO_LETS_IN_FOR
        if not settings.TURN_URLS:
            return JoinInfo(provider=self.name, expires_at=ends, relay_only=False, direct=True, notice=DIRECT)
        username = f"{int(ends.timestamp())}:{participant}"
        server = IceServer(list(settings.TURN_URLS), username, credential(settings.TURN_SECRET, username))
        return JoinInfo(provider=self.name, expires_at=ends, relay_only=role == Role.CLINICIAN, ice_servers=[server])

    def end(self, room: UUID) -> None:
        """Nothing to tell: those in the room hear by their sockets, or when they next ask how to join."""

    def event(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        del body, headers, now
        raise Forged("Nobody tells of calls that go from device to device.")


def credential(secret: str, username: str) -> str:
    """The password of `username` at a TURN server that shares `secret`: HMAC-SHA1 in base64, as coturn wants it."""
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
