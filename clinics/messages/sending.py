"""Sending what is due: claimed in one transaction, sent outside of any, recorded in another.

A claim is a lease. A worker that dies between claim and record leaves rows that the next sweep takes back when the
lease is over: an e-mail is sent again with the Message-ID it had, a text is looked up at the provider first.
"""

import importlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from clinics.killing import point
from clinics.messages import claiming, kicking, reconciling
from clinics.transports import Became, Outcome, Outgoing, Sender

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
TURN = 20.0  # seconds, after which other tasks have theirs
# After each failure that may pass.
BACKOFF = [timedelta(seconds=seconds) for seconds in (30, 60, 300, 900, 1800, 3600, 7200)]
MOST_ATTEMPTS = len(BACKOFF) + 1
# A provider that cannot be reached is tried again by each sweep: that is nobody's failure.
REST = timedelta(seconds=25)
UNCLEAR_FOR = timedelta(seconds=60)  # before the provider is asked: whatever was on its way has arrived

RECORD = """
UPDATE clinics_message m
   SET status = CASE WHEN o.status = 'queued' AND m.withdrawn_at IS NOT NULL THEN 'withdrawn' ELSE o.status END,
       attempts = o.attempts, next_at = o.next_at, provider_id = o.provider_id, error = o.error, sent_at = o.sent_at
  FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::int[], %s::timestamptz[], %s::text[], %s::text[],
              %s::timestamptz[]) o(id, attempt, status, attempts, next_at, provider_id, error, sent_at)
 WHERE m.id = o.id AND m.status = 'sending' AND m.attempts = o.attempt
"""


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be written of a message that was tried: the columns of RECORD."""

    id: Any
    attempt: int
    status: str
    attempts: int
    next_at: datetime
    provider_id: str
    error: str
    sent_at: datetime | None


def send_due(channel: str, *, clock: Clock, turn: float = TURN) -> int:
    """Send what is due by `channel`, notices before reminders, for at most `turn` seconds. Returns how many went out.

    Any number of workers may do so at once. Where something is left another turn is asked for.
    """
    end = time.monotonic() + turn
    sent = 0
    with sender_of(channel) as sender:
        reconciling.take_back(channel, now=clock())
        reconciling.look_up(channel, sender, clock=clock, most_attempts=MOST_ATTEMPTS)
        while True:
            claimed = claiming.claim(channel, now=clock())
            point("claimed")
            tried = send(claimed.outgoing, sender, clock=clock)
            sent += tried.count(Became.SENT)
            if Became.UNTRIED in tried or not (claimed.is_more or claimed.wait):
                return sent
            if time.monotonic() + claimed.wait >= end:
                kicking.kick(channel)
                return sent
            time.sleep(claimed.wait)


def sender_of(channel: str) -> Sender:
    sender: Sender = importlib.import_module(settings.TRANSPORTS[channel]).Sender()
    return sender


def send(batch: list[Outgoing], sender: Sender, *, clock: Clock) -> list[Became]:
    """Send what was claimed, and record what became of it."""
    if not batch:
        return []
    outcomes = list(sender.send(batch))
    point("sent")
    now = clock()
    record([recorded(outgoing, outcome, now=now) for outgoing, outcome in outcomes])
    point("recorded")
    for outgoing, outcome in outcomes:
        if outcome.became is Became.STOPPED:
            reconciling.heed_stop(outgoing.to, now=now)
    kinds = [outcome.became for _, outcome in outcomes]
    if Became.UNTRIED in kinds:
        log.warning("Messages wait: %s", next(o.error for _, o in outcomes if o.became is Became.UNTRIED))
    return kinds


def recorded(outgoing: Outgoing, outcome: Outcome, *, now: datetime) -> Record:
    """What to write of a message, by what became of it."""
    status, next_at, attempts = "failed", now, outgoing.attempt
    if outcome.became is Became.SENT:
        status = "sent"
    elif outcome.became is Became.STOPPED:
        status = "suppressed"
    elif outcome.became is Became.UNCLEAR:
        status, next_at = "unclear", now + UNCLEAR_FOR
    elif outcome.became is Became.UNTRIED:
        status, next_at, attempts = "queued", now + REST, outgoing.attempt - 1
    elif outcome.became is Became.LATER and outgoing.attempt < MOST_ATTEMPTS:
        status, next_at = "queued", now + BACKOFF[outgoing.attempt - 1]
    return Record(
        outgoing.id,
        outgoing.attempt,
        status,
        attempts,
        next_at,
        outcome.provider_id,
        outcome.error,
        now if status == "sent" else None,
    )


def record(records: list[Record]) -> None:
    """Write what became of messages. What was sent is known here alone, so a database that restarts is waited for."""
    columns = [[getattr(one, name) for one in records] for name in Record.__slots__]
    for attempt in range(10):
        try:
            with connection.cursor() as cursor:
                cursor.execute(RECORD, columns)
            return
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or attempt == 9:
                raise
            log.warning("Could not record what was sent (%s), attempt %d", type(error).__name__, attempt + 1)
            connection.close()
            time.sleep(1)
