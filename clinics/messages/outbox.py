"""The outbox: what is to be sent is written in the transaction of what causes it, and taken back in that of its end."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from clinics.ids import new_id
from clinics.messages import kicking, recipients
from clinics.models import Message, Patient, User
from clinics.refusals import Refused

COLUMNS = {
    "id": "uuid", "patient_id": "uuid", "user_id": "uuid", "channel": "text", "kind": "text", "template": "text",
    "context": "jsonb", "attachments": "jsonb", "about": "text", "dedupe_key": "text", "status": "text",
    "due_at": "timestamptz", "expires_at": "timestamptz", "next_at": "timestamptz", "attempts": "smallint",
    "address": "text", "language": "text", "fingerprint": "text", "provider_id": "text", "error": "text",
}  # fmt: skip
# A message that is there already, by its key, is left as it is.
INSERT = f"""
INSERT INTO clinics_message ({", ".join(COLUMNS)})
SELECT * FROM json_to_recordset(%s::json) new({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
ON CONFLICT ON CONSTRAINT message_once DO NOTHING
RETURNING dedupe_key, created_at
"""  # noqa: S608 - made of its own constants alone
WITHDRAW = """
UPDATE clinics_message
   SET status = CASE WHEN status = 'queued' THEN 'withdrawn' ELSE status END, withdrawn_at = %s
 WHERE about = %s AND status IN ('queued', 'sending', 'unclear', 'failed') AND withdrawn_at IS NULL
RETURNING status
"""
WITHDRAW_FROM_OTHERS = """
UPDATE clinics_message
   SET status = CASE WHEN status = 'queued' THEN 'withdrawn' ELSE status END, withdrawn_at = %s
 WHERE patient_id = %s AND user_id <> ALL(%s::uuid[])
   AND status IN ('queued', 'sending', 'unclear', 'failed') AND withdrawn_at IS NULL
RETURNING status
"""
AT_ONCE = (Message.Kind.NOTICE, Message.Kind.ANSWER)


class NotToRetry(Refused):
    """A message that cannot be sent again."""

    code = "message_not_to_retry"
    status = 409
    detail = "Only a message that failed, and is still right, can be sent again."


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody of whom nothing is known but an e-mail address: an employer's list has it, for example."""

    email: str
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Something to tell somebody: the arguments of `queue`."""

    to: Patient | User | Stranger
    template: str
    about: str
    dedupe_key: str
    context: dict[str, Any]
    due_at: datetime | None = None
    expires_at: datetime | None = None
    kind: Message.Kind = Message.Kind.NOTICE
    attachments: Sequence[dict[str, str]] = field(default_factory=list)
    channels: Sequence[str] = ("email", "sms")


def queue(
    *,
    to: Patient | User | Stranger,
    template: str,
    about: str,
    dedupe_key: str,
    context: dict[str, Any],
    now: datetime,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    kind: Message.Kind = Message.Kind.NOTICE,
    attachments: Sequence[dict[str, str]] = (),
    channels: Sequence[str] = ("email", "sms"),
) -> list[Message]:
    """Queue a message to a patient, or for a child to those who act for them; to staff and strangers by e-mail.

    One row for each recipient and channel that they agreed to, in the caller's transaction: two statements, and none
    on the network. `dedupe_key` names what is told (`booked:<visit>:<version>`): queued again it does nothing, even
    after a withdrawal. `context` is JSON for the template, without anything of somebody's health; its `links` are ids
    by purpose, which become addresses when the message is written: {"confirm": str(link.pk)}, `{{ links.confirm }}`.
    Before `due_at` (now) nothing is sent, nor from `expires_at` on. `attachments`, to e-mail alone:
    [{"name": "visit.ics", "type": "text/calendar; method=PUBLISH", "content": "…"}].

    Returns the rows that are new.
    """
    wanted = Wanted(
        to=to,
        template=template,
        about=about,
        dedupe_key=dedupe_key,
        context=context,
        due_at=due_at,
        expires_at=expires_at,
        kind=kind,
        attachments=attachments,
        channels=channels,
    )
    return queue_all([wanted], now=now)


def queue_all(wanted: Iterable[Wanted], *, now: datetime) -> list[Message]:
    """Queue many messages, as `queue` does each: two statements, however many they are."""
    wanted = list(wanted)
    patients = {one.to.pk for one in wanted if isinstance(one.to, Patient)}
    told = recipients.of(patients, now=now) if patients else {}
    rows: list[Message] = []
    for one in wanted:
        if isinstance(one.to, User):
            if one.to.is_active:
                rows.append(row(one, channel="email", address=one.to.email, user_id=one.to.pk, now=now))
            continue
        if isinstance(one.to, Stranger):
            rows.append(row(one, channel="email", address=one.to.email, language=one.to.language, now=now))
            continue
        reached = set()
        for person in told.get(one.to.pk, []):
            for channel, address in person.addresses(one.kind).items():
                if channel in one.channels and (channel, address) not in reached:
                    reached.add((channel, address))
                    ids = {"patient_id": person.patient_id, "user_id": person.user_id}
                    rows.append(row(one, channel=channel, address=address, now=now, **ids))
    return insert(rows, now=now)


def row(wanted: Wanted, *, channel: str, address: str, now: datetime, **ids: Any) -> Message:
    """A message of `wanted` to one recipient by one channel, not stored yet."""
    due_at = wanted.due_at or now
    to = ids.get("user_id") or ids.get("patient_id") or address
    return Message(
        **ids,
        id=new_id(),
        channel=channel,
        address=address,
        kind=wanted.kind,
        template=wanted.template,
        context=wanted.context,
        attachments=list(wanted.attachments) if channel == Message.Channel.EMAIL else [],
        about=wanted.about,
        dedupe_key=f"{wanted.dedupe_key}:{channel}:{to}",
        status=Message.Status.QUEUED,
        due_at=due_at,
        expires_at=wanted.expires_at,
        next_at=due_at,
    )


def insert(rows: list[Message], *, now: datetime) -> list[Message]:
    """Store what is not there yet, and tell the senders once it is committed. Returns what is new."""
    if not rows:
        return []
    with connection.cursor() as cursor:
        # As one document: written and sent as arrays of each column, many rows cost twice as much.
        document = [{name: adapted(getattr(message, name)) for name in COLUMNS} for message in rows]
        cursor.execute(INSERT, [json.dumps(document)])
        new = dict(cursor.fetchall())
    fresh = []
    for message in rows:
        if message.dedupe_key in new:
            message.created_at = new[message.dedupe_key]
            message._state.adding = False  # noqa: SLF001 - as a row that the database gave back
            fresh.append(message)
    for channel in {message.channel for message in fresh if message.kind in AT_ONCE and message.due_at <= now}:
        transaction.on_commit(partial(kicking.kick, channel))
    return fresh


def adapted(value: Any) -> Any:
    return str(value) if isinstance(value, datetime | UUID) else value


def withdraw(*, about: str, now: datetime) -> int:
    """Take back what is queued about something that is not so any more, in the caller's transaction: one statement.

    Returns how many were taken back. One that is being sent stays; should it come back unsent, it is not sent again.
    """
    with connection.cursor() as cursor:
        cursor.execute(WITHDRAW, [now, about])
        return taken_back(cursor)


def withdraw_from_others(*, patient: UUID, now: datetime) -> int:
    """Take back what is queued about `patient` to whom it would not go now, in the caller's transaction.

    Returns how many were taken back. One that is being sent stays; should it come back unsent, it is not sent again.
    """
    told = [one.user_id for one in recipients.of([patient], now=now).get(patient, []) if one.user_id]
    with connection.cursor() as cursor:
        cursor.execute(WITHDRAW_FROM_OTHERS, [now, patient, told])
        return taken_back(cursor)


def taken_back(cursor: CursorWrapper) -> int:
    return sum(status == Message.Status.WITHDRAWN for (status,) in cursor.fetchall())


def retry(message: Message, actor: User, now: datetime) -> None:
    """Have a failed message sent again. Raises NotToRetry when it did not fail, was withdrawn, or is of no use now.

    `actor` is who asks for it; that they may see the message is for the caller to know.
    """
    if not actor.is_active:
        raise NotToRetry
    asked = Message.objects.filter(pk=message.pk, status="failed", withdrawn_at__isnull=True, cleared_at__isnull=True)
    if not asked.exclude(expires_at__lte=now).update(
        status=Message.Status.QUEUED, next_at=now, attempts=0, provider_id="", error=""
    ):
        raise NotToRetry
    transaction.on_commit(partial(kicking.kick, message.channel))
