"""Learning from what waits have been: each night, and beside what people were told."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

from virtualcare.models import Modality, WaitModel
from virtualcare.waits import chart
from virtualcare.waits.estimate import DEFAULTS, Past, calibrate

HISTORY = timedelta(days=28)
# Of a modality at most so many consults are looked at, the latest.
SAMPLE = 10_000
# A conversation that somebody left open says nothing of how long one takes.
LONGEST_SERVICE = timedelta(hours=3)
# How many of a hundred waits are to lie inside the range that was told.
GOAL = (0.85, 0.95)

WAITS = """
SELECT extract(epoch FROM accepted_at - queued_at)::float8, estimated_wait, estimated_step,
       extract(epoch FROM ended_at - accepted_at)::float8
  FROM virtualcare_consult
 WHERE accepted_at >= %s AND accepted_at < %s AND modality = %s
 ORDER BY accepted_at DESC
 LIMIT %s
"""
# By the day on which they were told, in UTC; of those who were taken in the end.
PROMISES = """
SELECT (queued_at AT TIME ZONE 'UTC')::date AS "on", modality, count(*),
       avg((waited BETWEEN promised_low AND promised_high)::int)::float8,
       avg(abs((promised_low + promised_high) / 2.0 - waited))::float8, avg(waited)::float8
  FROM (SELECT queued_at, modality, promised_low, promised_high,
               extract(epoch FROM accepted_at - queued_at)::float8 / 60 AS waited
          FROM virtualcare_consult
         WHERE accepted_at >= %(first)s AND accepted_at < %(until)s
           AND queued_at >= %(first)s AND promised_high IS NOT NULL) AS told
 GROUP BY 1, 2
 ORDER BY 1, 2
"""


def recalibrate(*, now: datetime) -> list[WaitModel]:
    """Store what the HISTORY before today (in UTC) says of waits, for each modality. Run again it says the same.

    Where there is too little of it, the row is of the defaults (virtualcare.waits.estimate). Two statements a modality,
    over at most SAMPLE consults.
    """
    today = now.astimezone(UTC).date()
    until = datetime.combine(today, time(), UTC)
    kept = []
    for modality in Modality.values:
        with transaction.atomic():
            waits, services = history(modality, first=until - HISTORY, until=until)
            found = calibrate(waits=waits, services=services, default=DEFAULTS[modality])
            row, _ = WaitModel.objects.update_or_create(
                on=today,
                modality=modality,
                defaults={
                    "mean_service": found.mean_service,
                    "low": found.low,
                    "high": found.high,
                    "sample": found.sample,
                },
            )
            kept.append(row)
    return kept


def history(modality: str, *, first: datetime, until: datetime) -> tuple[list[Past], list[float]]:
    """The waits of consults accepted in [first, until), as far as an estimate is known, and how long they took."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS, [first, until, modality, SAMPLE])
        rows = cursor.fetchall()
    waits = [
        Past(waited, seconds, step) for waited, seconds, step, _ in rows if seconds is not None and step is not None
    ]
    services = [took for *_, took in rows if took is not None and 0 <= took <= LONGEST_SERVICE.total_seconds()]
    return waits, services


def kept_promises(*, first: date, until: date) -> dict[str, list[chart.Day]]:
    """What became of the ranges told on each day of [first, until), by modality: one statement."""
    asked = {"first": datetime.combine(first, time(), UTC), "until": datetime.combine(until, time(), UTC)}
    found: dict[str, list[chart.Day]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(PROMISES, asked)
        for on, modality, *facts in cursor.fetchall():
            found[modality].append(chart.Day(on, *facts))
    return found


def together(days: Iterable[chart.Day]) -> chart.Day | None:
    """Several days as one, by how many waits they had; None where there were none."""
    rows = list(days)
    waits = sum(day.waits for day in rows)
    if not waits:
        return None
    inside, error, mean = (
        sum(getattr(day, name) * day.waits for day in rows) / waits for name in ("inside", "mean_error", "mean_wait")
    )
    return chart.Day(rows[-1].on, waits, inside, error, mean)
