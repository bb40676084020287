"""Deleting what was said, and later that it was: nothing of this grows without bound."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

BATCH = 2_000
CLEAR = """
UPDATE clinics_message
   SET context = '{}', attachments = '[]', address = '', fingerprint = '', cleared_at = %s
 WHERE id IN (SELECT id FROM clinics_message
               WHERE cleared_at IS NULL AND created_at < %s AND status NOT IN ('queued', 'sending', 'unclear')
               ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""
# Their ids ascend in time, so that no other index is needed.
DELETE = """
DELETE FROM clinics_message
 WHERE id IN (SELECT id FROM clinics_message WHERE id < %s AND cleared_at IS NOT NULL ORDER BY id LIMIT %s)
"""
# The provider's id stays: a text that it told of, signed, and that somebody sends once more is known by nothing else.
CLEAR_INBOUND = """
UPDATE clinics_inboundsms SET phone = '', body = ''
 WHERE id IN (SELECT id FROM clinics_inboundsms WHERE received_at < %s AND phone <> '' ORDER BY received_at LIMIT %s)
"""
DELETE_INBOUND = """
DELETE FROM clinics_inboundsms
 WHERE id IN (SELECT id FROM clinics_inboundsms WHERE received_at < %s ORDER BY received_at LIMIT %s)
"""


def purge(*, now: datetime) -> int:
    """Delete texts after MESSAGE_TEXTS_KEPT and rows after MESSAGES_KEPT, in batches. Returns how many rows that were.

    What is still to be sent stays.
    """
    said, kept = now - settings.MESSAGE_TEXTS_KEPT, now - settings.MESSAGES_KEPT
    return (
        batches(CLEAR, [now, said])
        + batches(CLEAR_INBOUND, [said])
        + batches(DELETE, [first_id(kept)])
        + batches(DELETE_INBOUND, [kept])
    )


def batches(statement: str, values: list[Any]) -> int:
    done: int = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, [*values, BATCH])
            done += int(cursor.rowcount)
            if cursor.rowcount < BATCH:
                return done


def first_id(at: datetime) -> UUID:
    """The first UUIDv7 of an instant (RFC 9562, section 5.7: 48 bits of milliseconds lead)."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))
