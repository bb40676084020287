"""How the outbox does, for those who watch over it."""

from datetime import datetime
from typing import TypedDict

from django.db import connection

LATE = "5 minutes"
# Costs by what is open or failed: both parts are read from partial indexes.
BACKLOG = """
SELECT count(*) FILTER (WHERE status = 'queued' AND next_at <= %s::timestamptz),
       count(*) FILTER (WHERE status <> 'unclear' AND due_at <= %s::timestamptz - %s::interval
                        AND next_at <= %s::timestamptz),
       coalesce(extract(epoch FROM %s::timestamptz
                - min(due_at) FILTER (WHERE status = 'queued' AND next_at <= %s::timestamptz)), 0)::float,
       (SELECT count(*) FROM clinics_message WHERE status = 'failed'),
       count(*) FILTER (WHERE status = 'unclear')
  FROM clinics_message
 WHERE status IN ('queued', 'sending', 'unclear')
"""


class Backlog(TypedDict):
    due: int
    late: int
    oldest_unsent_seconds: float
    failed: int
    unclear: int


def backlog(now: datetime) -> Backlog:
    """What is due and was not sent yet; of that what is late by five minutes; what failed, and what is unclear."""
    with connection.cursor() as cursor:
        cursor.execute(BACKLOG, [now, now, LATE, now, now, now])
        due, late, oldest, failed, unclear = cursor.fetchone()
    return Backlog(due=due, late=late, oldest_unsent_seconds=max(oldest, 0.0), failed=failed, unclear=unclear)
