"""How the offer of visits and their reminders do, for those who watch over it."""

from datetime import datetime
from typing import TypedDict

from django.db import connection

# Read from what is open, by its index, or from the weekly hours, of which each clinician has some.
HOLDS = "SELECT count(DISTINCT appointment_id) FROM scheduling_claim WHERE expires_at > clock_timestamp()"
HORIZON = """
SELECT count(*), min(until - %s::date) FROM (
  SELECT max(coalesce(expanded_until, %s::date)) AS until
    FROM scheduling_weeklyhours WHERE during @> %s::date GROUP BY clinician_id) AS each
"""
REMINDERS = """
SELECT count(*), count(*) FILTER (WHERE due_at <= %s::timestamptz - interval '5 minutes')
  FROM scheduling_reminder WHERE status = 'planned'
"""


class Facts(TypedDict):
    holds: int
    clinicians: int
    horizon_days: int | None
    reminders_planned: int
    reminders_late: int


def facts(*, now: datetime) -> Facts:
    """Visits held now; for how many days ahead shifts are made, of the clinician with the fewest; reminders to come.

    `horizon_days` is None where no clinician has weekly hours.
    """
    today = now.date()
    with connection.cursor() as cursor:
        cursor.execute(HOLDS)
        (holds,) = cursor.fetchone()
        cursor.execute(HORIZON, [today, today, today])
        clinicians, horizon = cursor.fetchone()
        cursor.execute(REMINDERS, [now])
        planned, late = cursor.fetchone()
    return Facts(
        holds=holds, clinicians=clinicians, horizon_days=horizon, reminders_planned=planned, reminders_late=late
    )
