"""What the devices in a call say to each other to find a way: carried by the consult's sockets, kept nowhere.

A socket's frame `{"type": "signal", "data": …}` reaches the other side's sockets as `{"type": "signal", "from": …,
"by": …, "data": …}`. `from` is a participant of the call and `by` their side, both said by us: nobody speaks as
somebody else. `data` is one of:

    {"kind": "hello", "peer": P, "since": ms, "again": bool, "to"?: Q}   I am here (again): whoever hears it calls me
    {"kind": "description", "peer": P, "to": Q, "description": {"type": "offer" | "answer", "sdp": …}}
    {"kind": "candidate", "peer": P, "to": Q, "candidate": {…} | null}
    {"kind": "sends", "peer": P, "audio": bool, "video": bool}           what I send, for what the others show
    {"kind": "elsewhere", "peer": P, "to": Q}                            another page of yours has the call now
    {"kind": "bye", "peer": P}                                           I hang up

`peer` names the sender's page, `to` another's: a frame with `to` is for that page alone. A page begins with hello, for
which it has been let in (GET consults/{id}/video).
"""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from clinics.models import User
from clinics.refusals import Refused
from virtualcare import access
from virtualcare.models import CallParticipant, Consult, Modality
from virtualcare.video import calls, closing
from virtualcare.video.calls import NotInCall

PEER = re.compile(r"[A-Za-z0-9-]{8,36}")
LONGEST_SDP = 32_000  # characters; those of two tracks and many candidates have 6,000 to 8,000
LONGEST_CANDIDATE = 500
CANDIDATE = {"candidate", "sdpMid", "sdpMLineIndex", "usernameFragment"}
# Who says hello more often is noted once; of whoever comes and goes without end, no more is noted.
SELDOM, MOST = timedelta(seconds=5), 200


class BadSignal(Refused):
    code = "bad_signal"
    status = 400
    detail = "This is nothing that devices in a call say to each other."


def heard(*, user_id: UUID, consult_id: UUID, data: dict[str, Any], now: datetime) -> UUID:
    """The participant as whom a user says `data`; that somebody came or went is noted.

    Raises NotFound, and NotInCall for who may not be in the call, or was not let in.
    """
    user = User.objects.select_related("patient").get(pk=user_id)
    consult = access.taken_part(user, consult_id, now=now)
    participant = CallParticipant.objects.filter(call__consult=consult, call__ended_at=None, user=user).first()
    is_on = consult.status == Consult.Status.ACTIVE and consult.modality == Modality.VIDEO
    if participant is None or not is_on or closing.role_of(user, consult, now=now) != participant.role:
        raise NotInCall
    if participant.reconnects < MOST:
        there_since = participant.came_at if participant.left_at is None else None
        if data["kind"] == "hello" and (there_since is None or there_since <= now - SELDOM):
            calls.came(participant, at=now)
        elif data["kind"] == "bye" and there_since is not None:
            calls.went(participant, at=now)
    return participant.pk


def checked(data: Any) -> dict[str, Any]:
    """`data` as far as it is known to us. Raises BadSignal."""
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS or not is_peer(data.get("peer")):
        raise BadSignal
    fields, is_addressed = KINDS[kind]
    if not (is_peer(data["to"]) if "to" in data else not is_addressed):
        raise BadSignal
    for name, is_right in fields.items():
        if not is_right(data.get(name)):
            raise BadSignal
    return {name: data[name] for name in ("kind", "peer", "to", *fields) if name in data}


# What is asked of the rows, and noted there; the rest goes by what was answered then.
NOTED = {"hello", "bye"}


def is_peer(value: Any) -> bool:
    return isinstance(value, str) and PEER.fullmatch(value) is not None


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_description(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"type", "sdp"}
        and value["type"] in ("offer", "answer")
        and isinstance(value["sdp"], str)
        and len(value["sdp"]) <= LONGEST_SDP
    )


def is_candidate(value: Any) -> bool:
    """An RTCIceCandidateInit, or None where there are no more."""
    return value is None or (
        isinstance(value, dict)
        and value.keys() <= CANDIDATE
        and all(isinstance(one, str | int | None) and len(str(one)) <= LONGEST_CANDIDATE for one in value.values())
    )


def is_time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


# What each kind says, and whether it is for one page alone.
KINDS: dict[str, tuple[dict[str, Any], bool]] = {
    "hello": ({"since": is_time, "again": is_flag}, False),
    "description": ({"description": is_description}, True),
    "candidate": ({"candidate": is_candidate}, True),
    "sends": ({"audio": is_flag, "video": is_flag}, False),
    "elsewhere": ({}, True),
    "bye": ({}, False),
}
