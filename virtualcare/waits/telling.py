"""What somebody who waits is told: their place, and about how long it will be."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from virtualcare import duty, queue
from virtualcare.models import Consult, Modality
from virtualcare.waits.estimate import DEFAULTS, Crew, Estimate, Factors, NobodyOnDuty, OnDuty, estimate, minutes

# A history that is older tells nothing of today.
OUTDATED = timedelta(days=60)
# At most so many who wait are looked at in one sweep; the others are told when they ask.
MOST = 20_000

# Who is there now, by modality: places, whom they have, and where they are licensed on each of the days that it is
# (duty.days). Those who are offered to somebody count as waiting, so the place that they are offered is still free.
ON_DUTY = """
SELECT one.modality, CASE one.modality WHEN 'video' THEN 1 ELSE shift.capacity END AS places,
       (SELECT count(*) FROM virtualcare_consult AS held
         WHERE held.clinician_id = shift.clinician_id AND held.status = 'active'
           AND held.modality = one.modality) AS held,
       ARRAY(SELECT state FROM clinics_licence WHERE clinician_id = shift.clinician_id AND during @> %(first_day)s::date
             INTERSECT
             SELECT state FROM clinics_licence WHERE clinician_id = shift.clinician_id AND during @> %(last_day)s::date)
  FROM virtualcare_oncallshift AS shift
  JOIN virtualcare_duty AS duty ON duty.clinician_id = shift.clinician_id
   AND duty.available AND duty.heard_at >= %(heard_after)s
 CROSS JOIN unnest(shift.modalities) AS one(modality)
 WHERE shift.during @> %(now)s::timestamptz AND one.modality = ANY(%(modalities)s::text[])
"""
# Who went away is passed over, so nobody waits for them.
AHEAD = """
SELECT state, count(*) FROM virtualcare_consult
 WHERE status IN ('waiting', 'offered') AND modality = %(modality)s
   AND (due_at, id) < (%(due_at)s, %(id)s) AND seen_at > %(heard_after)s
 GROUP BY state
"""
QUEUE = """
SELECT id, modality, state, seen_at > %(heard_after)s FROM virtualcare_consult
 WHERE status IN ('waiting', 'offered')
 ORDER BY due_at, id
 LIMIT %(most)s
"""
MODELS = """
SELECT DISTINCT ON (modality) modality, mean_service, low, high, sample FROM virtualcare_waitmodel
 WHERE "on" <= %s AND "on" > %s
 ORDER BY modality, "on" DESC
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A place in the queue, from 1, and the minutes of waiting, from and to: None while nobody on duty may take them.

    `estimate` is what the minutes were made of.
    """

    place: int
    low_minutes: int | None = None
    high_minutes: int | None = None
    estimate: Estimate | None = None


def told(consult: Consult, *, now: datetime) -> Told | None:
    """What who waits in `consult` is told now: three statements, however many wait. None for who does not wait.

    Ahead are those who are due before and may be taken by somebody on duty who may take this one, too; while there is
    nobody, those in the same state.
    """
    if consult.status not in Consult.QUEUED or consult.due_at is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            AHEAD,
            {
                "modality": consult.modality,
                "due_at": consult.due_at,
                "id": consult.pk,
                "heard_after": now - queue.PASSED_OVER_AFTER,
            },
        )
        ahead = dict(cursor.fetchall())
    crews = on_duty([consult.modality], now=now)
    return of(consult.state, ahead, crews[consult.modality], factors(now=now)[consult.modality])


def told_many(consults: Collection[uuid.UUID] | None = None, *, now: datetime) -> dict[uuid.UUID, Told]:
    """What everybody who waits is told now, or those of `consults`, by consult: three statements, however many."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUE, {"heard_after": now - queue.PASSED_OVER_AFTER, "most": MOST})
        rows = cursor.fetchall()
    crews, factored = on_duty(Modality.values, now=now), factors(now=now)
    ahead: dict[str, Counter[str]] = defaultdict(Counter)
    found = {}
    for pk, modality, state, is_there in rows:
        if consults is None or pk in consults:
            found[pk] = of(state, ahead[modality], crews[modality], factored[modality])
        if is_there:
            ahead[modality][state] += 1
    return found


def promise(consult: Consult, *, now: datetime) -> Told | None:
    """What who begins to wait is told, kept beside the consult: in the transaction that queues it.

    What becomes of it is what `calibrating` learns from.
    """
    first = told(consult, now=now)
    if first is not None and first.estimate is not None:
        kept = {
            "promised_low": first.low_minutes,
            "promised_high": first.high_minutes,
            "estimated_wait": round(first.estimate.seconds),
            "estimated_step": max(round(first.estimate.step), 1),
        }
        Consult.objects.filter(pk=consult.pk).update(**kept)
        for name, value in kept.items():
            setattr(consult, name, value)
    return first


def of(state: str, ahead: Mapping[str, int], crew: Crew, factored: Factors) -> Told:
    try:
        found = estimate(state=state, ahead=ahead, crew=crew, mean_service=factored.mean_service)
    except NobodyOnDuty:
        return Told(place=ahead.get(state, 0) + 1)
    low, high = minutes(found, factored)
    return Told(found.place, low, high, found)


def on_duty(modalities: Collection[str], *, now: datetime) -> dict[str, Crew]:
    """Those on duty now for each of `modalities`: one statement."""
    last_day, first_day = duty.days(now)
    asked: dict[str, Any] = {
        "now": now,
        "modalities": [*modalities],
        "first_day": first_day,
        "last_day": last_day,
        "heard_after": now - duty.FRESH,
    }
    there: dict[str, list[OnDuty]] = {modality: [] for modality in modalities}
    with connection.cursor() as cursor:
        cursor.execute(ON_DUTY, asked)
        for modality, places, held, states in cursor.fetchall():
            there[modality].append(OnDuty(frozenset(states), places, max(places - held, 0)))
    return {modality: Crew(clinicians) for modality, clinicians in there.items()}


def factors(*, now: datetime) -> dict[str, Factors]:
    """What waits are told by today, for each modality: the last calibration, or the defaults."""
    with connection.cursor() as cursor:
        cursor.execute(MODELS, [now.date(), (now - OUTDATED).date()])
        kept = {modality: Factors(*values) for modality, *values in cursor.fetchall()}
    return {modality: kept.get(modality, DEFAULTS[modality]) for modality in Modality.values}
