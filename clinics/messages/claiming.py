"""Claiming what is due: rows that nobody else has in hand, each looked at once more and written before it leaves."""

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from clinics.killing import point
from clinics.messages import rendering
from clinics.messages.quiet import quiet_until
from clinics.messages.recipients import OPTIONAL
from clinics.transports import Outgoing

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)  # longer than a batch takes, however slow a provider is
# Few, so that little is sent twice or withdrawn too late when things go wrong.
BATCHES = {"email": 20, "sms": 8}

PACE = """
INSERT INTO clinics_sendingpace AS pace (channel, free_at) VALUES (%s, %s)
ON CONFLICT (channel) DO UPDATE SET free_at = greatest(pace.free_at, excluded.free_at)
RETURNING free_at
"""
AHEAD = "UPDATE clinics_sendingpace SET free_at = free_at + %s * interval '1 second' WHERE channel = %s"
# The recipient's own record says language, zone and wishes; the patient's says the first two of who has none.
DUE = """
WITH due AS MATERIALIZED (
  SELECT * FROM clinics_message
   WHERE channel = %s AND status = 'queued' AND next_at <= %s
   ORDER BY kind, next_at LIMIT %s FOR UPDATE SKIP LOCKED
)
SELECT m.id, m.kind, m.template, m.context, m.attachments, m.attempts, m.due_at, m.expires_at, m.address,
       m.language,
       coalesce(NOT u.is_active, false) AND (m.patient_id IS NULL OR own.calendar_id IS DISTINCT FROM m.patient_id),
       coalesce(u.email, r.email, ''), coalesce(r.phone, ''), coalesce(r.language, p.language, ''),
       coalesce(r.time_zone, p.time_zone, 'America/New_York'), coalesce(c.email_reminders, true),
       (o.id IS NULL AND c.sms_opted_in_at IS NOT NULL
        AND (c.sms_opted_out_at IS NULL OR c.sms_opted_out_at < c.sms_opted_in_at)),
       m.patient_id IS NULL AND m.user_id IS NULL
  FROM due m
  LEFT JOIN clinics_user u ON u.id = m.user_id
  LEFT JOIN clinics_patient p ON p.calendar_id = m.patient_id
  LEFT JOIN clinics_patient own ON own.user_id = m.user_id
  LEFT JOIN clinics_patient r ON r.calendar_id = CASE WHEN m.user_id IS NULL THEN m.patient_id ELSE own.calendar_id END
  LEFT JOIN clinics_contactpreference c ON c.patient_id = r.calendar_id
  LEFT JOIN clinics_smsoptout o ON o.phone = r.phone AND o.ended_at IS NULL
 ORDER BY m.kind, m.next_at
"""
DECIDE = """
UPDATE clinics_message m
   SET status = d.status, next_at = d.next_at, attempts = d.attempts, address = d.address, language = d.language,
       fingerprint = d.fingerprint, error = d.error, claimed_at = %s
  FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[])
       d(id, status, next_at, attempts, address, language, fingerprint, error)
 WHERE m.id = d.id
"""


class Due(NamedTuple):
    """A row of DUE."""

    id: UUID
    kind: str
    template: str
    context: Any
    attachments: Any
    attempts: int
    due_at: datetime
    expires_at: datetime | None
    address: str
    language: str
    is_gone: bool
    email: str
    phone: str
    speaks: str
    time_zone: str
    wants_reminders: bool
    wants_sms: bool
    is_stranger: bool


@dataclass(slots=True)
class Decision:
    """What becomes of a row: a row of DECIDE."""

    id: UUID
    status: str
    next_at: datetime
    attempts: int
    address: str
    language: str
    fingerprint: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What to send now; whether more may be due; how long (seconds) to wait for the provider's pace."""

    outgoing: list[Outgoing] = field(default_factory=list)
    is_more: bool = False
    wait: float = 0.0


def claim(channel: str, *, now: datetime) -> Claimed:
    """Take a batch of what is due by `channel`, for LEASE. What is not to be sent (any more) is settled on the way."""
    rate = settings.SENDING_RATES[channel]
    size = max(1, int(min(BATCHES[channel], rate)))
    with transaction.atomic(), connection.cursor() as cursor:
        # Held until the end, so that all workers together keep the pace.
        cursor.execute(PACE, [channel, now])
        free_at: datetime = cursor.fetchone()[0]
        if free_at > now:
            return Claimed(wait=(free_at - now).total_seconds())
        cursor.execute(DUE, [channel, now, size])
        rows = [Due(*row) for row in decoded(cursor.fetchall())]
        if not rows:
            return Claimed()
        decided = [decide(row, channel, now=now) for row in rows]
        decisions = [decision for decision, _ in decided]
        columns = [[getattr(one, name) for one in decisions] for name in Decision.__slots__]
        cursor.execute(DECIDE, [now, *columns])
        outgoing = [one for _, one in decided if one is not None]
        if outgoing:
            cursor.execute(AHEAD, [len(outgoing) / rate, channel])
        point("claiming")
    return Claimed(outgoing, is_more=len(rows) == size)


def decided_unsent(row: Due, status: str, error: str, *, at: datetime) -> tuple[Decision, None]:
    return Decision(row.id, status, at, row.attempts, row.address, row.language, error=error), None


def decide(row: Due, channel: str, *, now: datetime) -> tuple[Decision, Outgoing | None]:
    """Look at a row once more, as things are now, and write what is to leave."""
    if row.expires_at is not None and row.expires_at <= now:
        return decided_unsent(row, "expired", "It would have come too late.", at=now)
    is_answer, is_optional = row.kind == "answer", row.kind in OPTIONAL
    # A stranger's address stands nowhere else.
    address = row.address if is_answer or row.is_stranger else row.email if channel == "email" else row.phone
    wants = row.wants_sms if channel == "sms" else row.wants_reminders or not is_optional
    if not is_answer and (row.is_gone or not wants):
        return decided_unsent(row, "suppressed", "They do not want it any more.", at=now)
    if not address:
        return decided_unsent(row, "suppressed", "There is no address any more.", at=now)
    quiet = quiet_until(now, ZoneInfo(row.time_zone)) if is_optional else None
    if quiet is not None:
        return decided_unsent(row, "queued", "", at=quiet)
    language = row.speaks or row.language or rendering.FALLBACK
    try:
        written = rendering.write(template=row.template, channel=channel, language=language, context=row.context)
    except Exception as error:
        # Whatever is wrong with one message, the others go out.
        log.exception("A message cannot be written: %s", row.template)
        return decided_unsent(row, "failed", f"It cannot be written: {type(error).__name__}.", at=now)
    sending = Decision(row.id, "sending", now + LEASE, row.attempts + 1, address, written.language, written.fingerprint)
    outgoing = Outgoing(
        row.id, sending.attempts, address, written.brand, written.subject, written.body, row.attachments
    )
    return sending, outgoing


def decoded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows with their JSON read: Django's connections give it as text."""
    return [(*row[:3], json.loads(row[3]), json.loads(row[4]), *row[5:]) for row in rows]
