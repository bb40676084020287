"""The SQL of a search: one statement each, around the function free_starts (scheduling/sql)."""

from datetime import datetime
from typing import Any

from scheduling.slots.wanted import MOST_CLINICS, WEEKS_AHEAD, Search


def parameters(wanted: Search, now: datetime) -> dict[str, Any]:
    near = wanted.near
    return {
        "visit_type": wanted.visit_type,
        "staff": wanted.staff,
        "now": now,
        "asked_at": wanted.asked_at,
        "first_day": wanted.first_day,
        "days": wanted.days,
        "from": wanted.from_at or "-infinity",
        "until": wanted.until_at or "infinity",
        "latitude": near.latitude if near else None,
        "longitude": near.longitude if near else None,
        "within": wanted.within,
        "clinics": list(wanted.clinics),
        "clinicians": list(wanted.clinicians) or None,
        "language": wanted.language,
        "gender": wanted.gender,
        "time_from": wanted.part_of_day[0],
        "time_until": wanted.part_of_day[1],
        "patient": wanted.patient,
        "per_clinic": wanted.per_clinic,
        "most_clinics": MOST_CLINICS,
        "weeks_ahead": WEEKS_AHEAD,
    }


def chosen(wanted: Search) -> str:
    """The FROM and WHERE of the clinics searched: only the conditions asked for, so that each finds its index."""
    conditions = ["(c.closes_on IS NULL OR c.closes_on > (%(asked_at)s::timestamptz AT TIME ZONE c.time_zone)::date)"]
    if wanted.clinics:
        conditions.append("c.id = ANY (%(clinics)s)")
    elif not wanted.near:
        conditions.append(
            "c.id IN (SELECT s.clinic_id FROM scheduling_shift s WHERE s.clinician_id = ANY (%(clinicians)s)"
            " AND upper(s.during) > %(now)s)"
        )
    if wanted.near and wanted.within is not None:
        conditions.append("metres_between(%(latitude)s, %(longitude)s, c.latitude, c.longitude) <= %(within)s")
    return f"FROM clinics_clinic c WHERE {' AND '.join(conditions)}"


KIND = """
    SELECT v.id, v.code, v.duration FROM scheduling_visittype v
    WHERE v.code = %(visit_type)s AND v.is_offered AND (v.booked_by = 'anyone' OR %(staff)s)
"""
NEAREST = """
    SELECT c.id, c.name, c.time_zone,
           coalesce(metres_between(%(latitude)s, %(longitude)s, c.latitude, c.longitude), 0) AS metres
    {chosen} ORDER BY metres, c.id LIMIT %(most_clinics)s
"""
# The search that list and next start share; {{}} is filled in below.
CALL = """free_starts(
    p_visit_type => kind.id, p_clinics => {clinics}, p_now => %(now)s, p_asked_at => %(asked_at)s,
    p_first_day => {first_day}, p_days => {days}, p_from => {from_at}, p_until => {until_at},
    p_latitude => %(latitude)s, p_longitude => %(longitude)s, p_clinicians => %(clinicians)s,
    p_language => %(language)s, p_gender => %(gender)s, p_time_from => %(time_from)s, p_time_until => %(time_until)s,
    p_patient => %(patient)s, p_any_notice => %(staff)s, {more})"""


def one_clinic(*, from_at: str, until_at: str, limit: str) -> str:
    """A call about `place` alone, between two instants."""
    window = {"first_day": "NULL::date", "days": "NULL::int", "from_at": from_at, "until_at": until_at}
    return CALL.format(clinics="ARRAY[place.id]", more=f"p_limit => {limit}", **window)


WINDOW = {
    "first_day": "%(first_day)s::date",
    "days": "%(days)s::int",
    "from_at": "%(from)s::timestamptz",
    "until_at": "%(until)s::timestamptz",
}
AFTER = (
    "p_after => %(after)s, p_after_metres => %(after_metres)s,"
    " p_after_clinic => %(after_clinic)s, p_after_clinician => %(after_clinician)s, p_limit => %(limit)s"
)
ALL_CLINICS = "CROSS JOIN LATERAL " + CALL.format(clinics="ARRAY(SELECT id FROM place)", more=AFTER, **WINDOW)
EACH_CLINIC = "CROSS JOIN place CROSS JOIN LATERAL " + CALL.format(
    clinics="ARRAY[place.id]", more="p_limit => %(per_clinic)s", **WINDOW
)
SHOWN = """SELECT f.start, f.metres, f.clinic_id, f.clinician_id, kind.duration, kind.id, kind.code,
       p.time_zone, p.name, d.given_name, d.family_name, d.credentials"""
SEARCH = f"""
WITH kind AS MATERIALIZED ({KIND}), place AS MATERIALIZED ({NEAREST})
{SHOWN}
FROM kind {{source}} f
JOIN place p ON p.id = f.clinic_id JOIN clinics_clinician d ON d.calendar_id = f.clinician_id
WHERE (f.start, f.metres, f.clinic_id, f.clinician_id)
    > (%(after)s::timestamptz, %(after_metres)s, %(after_clinic)s::uuid, %(after_clinician)s::uuid)
ORDER BY 1, 2, 3, 4 LIMIT %(limit)s
"""
WEEK = one_clinic(
    from_at="behind.begin + week * interval '7 days'",
    until_at="behind.begin + (week + 1) * interval '7 days'",
    limit="1",
)
# A nested loop over the weeks in their order, cut short by LIMIT 1.
NEXT = f"""
WITH kind AS MATERIALIZED ({KIND}), place AS MATERIALIZED ({NEAREST})
SELECT place.id, place.name, place.time_zone, hit.start
FROM kind CROSS JOIN place
CROSS JOIN LATERAL (
    SELECT coalesce(
        (coalesce(%(first_day)s::date, (%(asked_at)s::timestamptz AT TIME ZONE place.time_zone)::date) +
        %(days)s::int)::timestamp
            AT TIME ZONE place.time_zone,
        %(until)s::timestamptz) AS begin) behind
CROSS JOIN LATERAL (
    SELECT f.start FROM generate_series(0, %(weeks_ahead)s - 1) AS week
    CROSS JOIN LATERAL {WEEK} f LIMIT 1) hit
ORDER BY place.metres, place.id
"""


def onwards(since: str) -> str:
    """The first free starts from an instant on: two days at a time, until there are enough."""
    call = one_clinic(
        from_at=f"{since} + day * interval '1 day'",
        until_at=f"{since} + (day + 2) * interval '1 day'",
        limit="%(most)s",
    )
    days = "generate_series(0, %(weeks_ahead)s * 7 - 1, 2) AS day"
    return f"({FREE} kind CROSS JOIN place CROSS JOIN {days} CROSS JOIN LATERAL {call} f LIMIT %(most)s)"


FREE = "SELECT f.start, f.metres, f.clinic_id, f.clinician_id FROM"
BEFORE = one_clinic(
    from_at="%(wanted)s::timestamptz - %(before)s::interval", until_at="%(wanted)s::timestamptz", limit="1000"
)
# All of a short window before the start that was wanted, and what is free from it on and from now on.
AROUND = f"""
WITH kind AS MATERIALIZED ({KIND}), place AS MATERIALIZED ({NEAREST}), free AS (
    {FREE} kind CROSS JOIN place CROSS JOIN LATERAL {BEFORE} f
    UNION {onwards("%(wanted)s::timestamptz")}
    UNION {onwards("%(now)s::timestamptz")}
)
{SHOWN}
FROM kind CROSS JOIN free f
JOIN place p ON p.id = f.clinic_id JOIN clinics_clinician d ON d.calendar_id = f.clinician_id
ORDER BY greatest(f.start - %(wanted)s::timestamptz, %(wanted)s::timestamptz - f.start), 1, 4 LIMIT %(most)s
"""
