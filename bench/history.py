"""Visits of the past, in databases that are made for it: none, or a million."""

import psycopg

from bench.board import Question

# One visit after the other, half an hour apart, back from the day before yesterday; each of another patient.
PAST_VISITS = """
WITH patient AS MATERIALIZED (
    SELECT row_number() OVER () - 1 AS place, count(*) OVER () AS every, calendar_id FROM clinics_patient
), clinician AS MATERIALIZED (
    SELECT row_number() OVER () - 1 AS place, count(*) OVER () AS every, clinician_id, clinic_id
    FROM (SELECT DISTINCT ON (clinician_id) clinician_id, clinic_id FROM scheduling_shift ORDER BY 1, 2) one
), visit AS (
    SELECT c.clinician_id, c.clinic_id, c.place + n * c.every AS number,
           date_trunc('day', now()) - interval '2 days' - n * interval '30 minutes' AS start
    FROM clinician c CROSS JOIN LATERAL generate_series(0, (%(count)s - c.place - 1) / c.every) AS n
)
INSERT INTO scheduling_appointment (
    id, patient_id, clinic_id, clinician_id, visit_type_id, starts_at, ends_at, status, reason, source, created_at,
    booked_at, sequence, lane, overbook_reason, price, paid_by, paid_because, is_late_cancellation, fee_code)
SELECT gen_random_uuid(), p.calendar_id, v.clinic_id, v.clinician_id, kind.id, v.start, v.start + kind.duration,
       'completed', '', 'patient', v.start, v.start, 0, 0, '', 0, 'self_paid', '', false, ''
FROM visit v
JOIN patient p ON p.place = v.number %% (SELECT every FROM patient LIMIT 1)
CROSS JOIN (SELECT id, duration FROM scheduling_visittype WHERE code = 'office') kind
"""


def add_history(url: str, count: int) -> None:
    """So many visits of the past in a database of ours: their claims are purged, as every night."""
    with psycopg.connect(url, autocommit=True) as connection:
        # Foreign keys hold by how the rows are made; checking each took most of the time.
        connection.execute("SET session_replication_role = replica")
        connection.execute(PAST_VISITS, {"count": count})
        connection.execute("RESET session_replication_role")
        connection.execute("VACUUM (ANALYZE) scheduling_appointment")


def delete_history(url: str) -> None:
    """A database of ours without visits of the past."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        past = "IN (SELECT id FROM scheduling_appointment WHERE ends_at < now())"
        connection.execute(f"DELETE FROM scheduling_appointmentchange WHERE appointment_id {past}")
        connection.execute(f"DELETE FROM scheduling_claim WHERE appointment_id {past}")
        connection.execute("DELETE FROM scheduling_appointment WHERE ends_at < now()")
        connection.execute("VACUUM (ANALYZE)")


def past_visits(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM scheduling_appointment WHERE ends_at < now()").fetchone()
    return int(row[0]) if row else 0


def pages_read(url: str, question: Question) -> int:
    """The pages that PostgreSQL reads for a search, from its cache or not, planning left out."""
    with psycopg.connect(url) as connection:
        connection.prepare_threshold = None
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {question.sql}"
        connection.execute(explain, question.parameters)  # the first call of a connection plans the function
        row = connection.execute(explain, question.parameters).fetchone()
    assert row
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
