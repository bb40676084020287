"""LiveKit (docs.livekit.io), by a server of its own, hosted or self-hosted: tokens, two calls and webhooks.

Its library is not used: it brings 14 packages, aiohttp and protobuf among them, for a token and one POST
(docs/decisions/0018-video.md). Its tokens hold for six hours unless told otherwise; ours hold for minutes, and let
their holder send and hear in one room. Recording (egress) needs rights that no token of ours has.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
from django.conf import settings

from virtualcare.video.port import Event, Forged, JoinInfo, Kind, Role, Unavailable

TIMEOUT = httpx.Timeout(10, connect=5)
ASKS_FOR = timedelta(minutes=1)  # how long a token of our own calls holds
SKEW = timedelta(seconds=30)  # between LiveKit's clock and ours
# docs.livekit.io/home/server/webhooks. All others are of tracks, or of what we never ask for.
KINDS = {
    "participant_joined": Kind.JOINED,
    "participant_left": Kind.LEFT,
    "participant_connection_aborted": Kind.LEFT,
    "room_finished": Kind.CLOSED,
}


class Provider:
    name = "livekit"

    def __init__(self, client: httpx.Client | None = None) -> None:
        self.client = client or httpx.Client(timeout=TIMEOUT, follow_redirects=False)

    def join(self, *, room: UUID, participant: UUID, role: Role, now: datetime) -> JoinInfo:
        """All media go by LiveKit's server, so no device learns another's address, whoever it is."""
        ends = now + settings.VIDEO_LETS_IN_FOR
        grant = {
            "room": str(room),
            "roomJoin": True,
            "canSubscribe": True,
            "canPublish": True,
            "canPublishSources": ["camera", "microphone"],
            "canPublishData": False,
            "canUpdateOwnMetadata": False,
        }
        # The name, which the others' browsers show, says the side and no more.
        token = signed({"sub": str(participant), "name": role.value, "video": grant}, now=now, ends=ends)
        return JoinInfo(provider=self.name, expires_at=ends, relay_only=True, url=settings.LIVEKIT["URL"], token=token)

    def end(self, room: UUID) -> None:
        """Delete the room (RoomService.DeleteRoom): all in it are disconnected."""
        now = datetime.now(UTC)
        token = signed({"video": {"roomCreate": True}}, now=now, ends=now + ASKS_FOR)
        try:
            answer = self.client.post(
                f"{api_url()}/twirp/livekit.RoomService/DeleteRoom",
                json={"room": str(room)},
                headers={"Authorization": f"Bearer {token}"},
            )
        except httpx.HTTPError as error:
            raise Unavailable(f"LiveKit did not answer: {type(error).__name__}.") from error
        if answer.is_success or is_absent(answer):
            return
        raise Unavailable(f"LiveKit answered {answer.status_code}.")

    def event(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        """Signed by a token whose claim `sha256` is the body's; it holds for five minutes, so it can come again."""
        try:
            claims = jwt.decode(
                headers.get("Authorization", "").removeprefix("Bearer "),
                settings.LIVEKIT["API_SECRET"],
                algorithms=["HS256"],
                issuer=settings.LIVEKIT["API_KEY"],
                # The clock is the caller's.
                options={"require": ["exp", "iss", "sha256"], "verify_exp": False, "verify_nbf": False},
            )
            until = datetime.fromtimestamp(claims["exp"], UTC)
            since = datetime.fromtimestamp(claims.get("nbf", claims["exp"] - 300), UTC)
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            if not hmac.compare_digest(digest, str(claims["sha256"])) or not since - SKEW <= now < until + SKEW:
                raise Forged("Not LiveKit's word, or not of now.")
        except (jwt.PyJWTError, TypeError, ValueError, OverflowError, OSError) as error:
            raise Forged(f"Not signed by LiveKit: {type(error).__name__}.") from error
        return understood(body)


def signed(claims: dict[str, Any], *, now: datetime, ends: datetime) -> str:
    """A token as LiveKit reads it (docs.livekit.io/home/get-started/authentication)."""
    times = {"nbf": int((now - SKEW).timestamp()), "exp": int(ends.timestamp())}
    return jwt.encode(
        {"iss": settings.LIVEKIT["API_KEY"], **times, **claims}, settings.LIVEKIT["API_SECRET"], algorithm="HS256"
    )


def api_url() -> str:
    """Where its API is: at the same host as what browsers connect to, unless settings say otherwise."""
    url: str = settings.LIVEKIT["API_URL"] or settings.LIVEKIT["URL"]
    return url.replace("wss://", "https://", 1).replace("ws://", "http://", 1).rstrip("/")


def is_absent(answer: httpx.Response) -> bool:
    """Whether Twirp says that there is no such room, and not that there is no such address."""
    try:
        return answer.status_code == 404 and answer.json().get("code") == "not_found"
    except (ValueError, AttributeError):
        return False


def understood(body: bytes) -> Event:
    """What a webhook says, in protobuf's JSON: 64-bit numbers are strings, and what is 0 or empty may be missing.

    Raises Forged for what is none, though it is signed.
    """
    try:
        said = json.loads(body)
        kind = KINDS.get(said.get("event", ""), Kind.OTHER)
        room = named(said.get("room"), "name")
        participant = named(said.get("participant"), "identity")
        at = datetime.fromtimestamp(int(said["createdAt"]), UTC)
        return Event(str(said["id"]), kind, room, participant, at)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise Forged(f"No event: {type(error).__name__}.") from error


def named(thing: Any, field: str) -> UUID | None:
    """The id of ours that something is named by; None for what is not ours (another program may share the server)."""
    try:
        return UUID(thing[field])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
