"""LiveKit as its API and its clients have it (docs.livekit.io): rooms with people in them, of this process's memory.

It takes the tokens that LiveKit takes, and for the same reasons refuses others; what happens in a room it tells by
webhooks, signed as LiveKit signs them.
"""

import base64
import hashlib
import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt

from virtualcare.video import livekit

KEY, SECRET = "APItests", "a-secret-of-livekits-own-0123456789-abcdefghij"
URL = "wss://live.example.org"


class Refused(Exception):
    """A client that is not let in."""


@dataclass
class Server:
    rooms: dict[str, set[str]] = field(default_factory=dict)
    told: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    is_away: bool = False
    fails_with: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)

    # Clients

    def enter(self, token: str, *, at: datetime) -> str:
        """Join the room of a token; whom it is for. The room is made by whoever comes first, as LiveKit does."""
        claims = opened(token, at=at)
        grant = claims.get("video", {})
        if not grant.get("roomJoin") or not grant.get("room"):
            raise Refused("no right to join")
        self.rooms.setdefault(grant["room"], set()).add(claims["sub"])
        self.tell("participant_joined", grant["room"], claims["sub"], at=at)
        return str(claims["sub"])

    def leave(self, room: str, identity: str, *, at: datetime) -> None:
        self.rooms[room].discard(identity)
        self.tell("participant_left", room, identity, at=at)

    def empty(self, room: str, *, at: datetime) -> None:
        """Close a room in which nobody is."""
        del self.rooms[room]
        self.tell("room_finished", room, "", at=at)

    # Webhooks

    def tell(self, event: str, room: str, identity: str, *, at: datetime) -> None:
        said = {
            "event": event,
            "room": {"sid": "RM_1", "name": room, "emptyTimeout": 300, "creationTime": str(int(at.timestamp()))},
            "id": f"EV_{next(self.numbers)}",
            "createdAt": str(int(at.timestamp())),
        }
        if identity:
            said["participant"] = {"sid": "PA_1", "identity": identity, "state": "ACTIVE"}
        body = json.dumps(said).encode()
        self.told.append((body, signed(body, at=at)))

    # The API

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("nobody there", request=request)
        if self.fails_with:
            return httpx.Response(self.fails_with)
        if request.url != "https://live.example.org/twirp/livekit.RoomService/DeleteRoom" or request.method != "POST":
            return httpx.Response(404, text="404 page not found")
        try:
            token = request.headers["Authorization"].removeprefix("Bearer ")
            may = opened(token, at=datetime.now(UTC)).get("video", {}).get("roomCreate")
        except (KeyError, Refused):
            may = False
        if not may:
            return httpx.Response(401, json={"code": "unauthenticated", "msg": "permissions denied"})
        asked = json.loads(request.content)
        self.asked.append(asked)
        if self.rooms.pop(asked["room"], None) is None:
            return httpx.Response(404, json={"code": "not_found", "msg": "requested room does not exist"})
        return httpx.Response(200, json={})


def opened(token: str, *, at: datetime) -> dict[str, Any]:
    """What a token says at a time. Raises Refused."""
    options: Any = {"require": ["exp", "nbf", "iss"], "verify_exp": False, "verify_nbf": False}
    try:
        claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"], issuer=KEY, options=options)
    except jwt.PyJWTError as error:
        raise Refused(str(error)) from error
    if not claims["nbf"] <= at.timestamp() < claims["exp"]:
        raise Refused("not now")
    return claims


def signed(body: bytes, *, at: datetime, secret: str = SECRET, key: str = KEY) -> dict[str, str]:
    """A webhook's headers: its Authorization is a token without "Bearer", as LiveKit sends it."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    claims = {"iss": key, "nbf": at, "exp": at + timedelta(minutes=5), "sha256": digest}
    return {"Authorization": jwt.encode(claims, secret, algorithm="HS256"), "Content-Type": "application/webhook+json"}


server = Server()  # another one for each test


def answered(request: httpx.Request) -> httpx.Response:
    return server.answer(request)


def Provider() -> livekit.Provider:  # noqa: N802 - named as settings.VIDEO_ADAPTERS have it
    return livekit.Provider(httpx.Client(transport=httpx.MockTransport(answered)))
