"""What became of messages that nobody recorded, and what a provider tells of others later."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from clinics.messages.answering import opt_out
from clinics.models import Message
from clinics.transports import Found, Sender, Unavailable

log = logging.getLogger(__name__)

AT_ONCE = 20
ASK_AGAIN = timedelta(minutes=1)

# A lease that is over. SMTP is given the e-mail again, with its Message-ID; a text is not, before it was looked up.
TAKE_BACK = """
UPDATE clinics_message
   SET status = CASE WHEN channel = 'sms' THEN 'unclear' WHEN withdrawn_at IS NOT NULL THEN 'withdrawn'
                     ELSE 'queued' END,
       next_at = %s, error = 'The worker that had it was not heard of again.'
 WHERE channel = %s AND status = 'sending' AND next_at <= %s
"""
ASK = """
UPDATE clinics_message SET next_at = %s
 WHERE id IN (SELECT id FROM clinics_message WHERE channel = %s AND status = 'unclear' AND next_at <= %s
               ORDER BY next_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, address, fingerprint, attempts, claimed_at
"""
# Not taken: it goes out again, unless it is not wanted any more.
NOT_TAKEN = """
UPDATE clinics_message
   SET status = CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN attempts >= %s THEN 'failed'
                     ELSE 'queued' END,
       next_at = %s, error = 'The provider did not take it.'
 WHERE id = %s AND status = 'unclear' AND attempts = %s
"""
# In whatever order a provider tells: delivered and failed are final, sent is not.
TELL = """
UPDATE clinics_message
   SET status = %s, provider_id = %s, error = %s, sent_at = coalesce(sent_at, %s)
 WHERE channel = 'sms'
   AND id IN (SELECT id FROM clinics_message WHERE channel = 'sms' AND provider_id <> '' AND provider_id = %s
               UNION ALL
              SELECT id FROM clinics_message WHERE id = %s::uuid AND attempts = %s::int AND provider_id = '')
   AND (status IN ('sending', 'unclear') OR status = 'sent' AND %s IN ('delivered', 'failed'))
"""


def take_back(channel: str, *, now: datetime) -> int:
    """Take back what workers had for longer than their lease. Returns how many messages that were."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_BACK, [now, channel, now])
        taken: int = cursor.rowcount
    if taken:
        log.warning("Took back %d messages from workers that were not heard of again", taken)
    return taken


def look_up(channel: str, sender: Sender, *, clock: Callable[[], datetime], most_attempts: int) -> None:
    """Ask the provider about messages that it may have taken. One that it did not take is queued again."""
    while True:
        now = clock()
        with connection.cursor() as cursor:
            cursor.execute(ASK, [now + ASK_AGAIN, channel, now, AT_ONCE])
            asked = cursor.fetchall()
        for pk, address, fingerprint, attempts, claimed_at in asked:
            try:
                found = sender.find(to=address, fingerprint=fingerprint, since=claimed_at)
            except Unavailable as error:
                log.warning("Unclear messages stay so: %s", error)
                return
            settle(pk, attempts, found, now=clock(), most_attempts=most_attempts)
        if len(asked) < AT_ONCE:
            return


def settle(pk: UUID, attempts: int, found: list[Found], *, now: datetime, most_attempts: int) -> None:
    """Say of an unclear message what the provider found: the first that is no other message's."""
    known = set(
        Message.objects.filter(channel="sms", provider_id__in=[one.provider_id for one in found]).values_list(
            "provider_id", flat=True
        )
    )
    ours = next((one for one in found if one.provider_id not in known), None)
    if ours is not None:
        tell(ours, message=pk, attempt=attempts, now=now)
        return
    with connection.cursor() as cursor:
        cursor.execute(NOT_TAKEN, [most_attempts, now, pk, attempts])


def tell(found: Found, *, message: UUID | None, attempt: int, now: datetime) -> bool:
    """Record what the provider says of a message, known by its id or, until we know that, by ours and the attempt.

    Told twice, late or in another order it does nothing. Returns whether it was news.
    """
    values: list[Any] = [
        found.status,
        found.provider_id,
        found.error,
        now,
        found.provider_id,
        message,
        attempt,
        found.status,
    ]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TELL, values)
            return bool(cursor.rowcount)
    except IntegrityError as error:
        if "message_provider_id_once" not in str(error):
            raise
        return False  # it is another message's


def heed_stop(phone: str, *, now: datetime) -> None:
    """Send nothing more to a number of which the provider says that it texted STOP to it."""
    opt_out(phone, now=now)
