"""How many diverted patients nobody has called, for those who watch over the server."""

from datetime import datetime
from typing import TypedDict

from django.db import connection

# By the index of alarms by time.
DIVERSIONS = """
SELECT count(*) FILTER (WHERE alert.number = 1 AND alert.at <= %(now)s::timestamptz - interval '5 minutes'
                          AND consult.acknowledged_at IS NULL
                          AND NOT EXISTS (SELECT FROM virtualcare_nursecall WHERE consult_id = consult.id)),
       count(*) FILTER (WHERE alert.reached = 'nobody')
  FROM virtualcare_nursealert AS alert JOIN virtualcare_consult AS consult ON consult.id = alert.consult_id
 WHERE alert.at > %(now)s::timestamptz - interval '3 days'
"""


class Facts(TypedDict):
    uncalled: int
    unheard: int


def facts(*, now: datetime) -> Facts:
    """Diverted patients who neither read the advice nor were called within five minutes; alarms that reached nobody."""
    with connection.cursor() as cursor:
        cursor.execute(DIVERSIONS, {"now": now})
        uncalled, unheard = cursor.fetchone()
    return Facts(uncalled=uncalled, unheard=unheard)
