"""Holding and booking by hand: the statements that keep the same promises, in as few round trips as they allow.

A good client of its own: prepared statements, and batches (libpq's pipeline mode), four round trips for a hold and a
booking. Locks are statements of their own, as they must be. It leaves out what is not the booking's: who is signed in,
what they are entitled to, the idempotency key, rate limits.
"""

import uuid
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.types.range import Range

from bench.board import Question, Visit

HOLD_FOR = timedelta(minutes=5)
MOST_HOLDS = 2

LOCK_VISIT = "SELECT status, room_id FROM scheduling_appointment WHERE id = %(id)s FOR NO KEY UPDATE"
LOCK_CALENDARS = "SELECT 1 FROM clinics_calendar WHERE id = ANY (%(calendars)s) ORDER BY id FOR NO KEY UPDATE"
LOCK_SHIFT = """
SELECT 1 FROM scheduling_shift WHERE clinician_id = %(clinician)s AND clinic_id = %(clinic)s AND during @> %(start)s
ORDER BY id FOR SHARE
"""
OFFERED = """
SELECT EXISTS (SELECT 1 FROM free_starts(
    p_visit_type => %(visit_type)s, p_clinics => ARRAY[%(clinic)s], p_now => now(), p_asked_at => now(),
    p_from => %(start)s, p_until => %(start)s + interval '1 second', p_clinicians => ARRAY[%(clinician)s],
    p_patient => %(patient)s, p_except => %(except)s, p_limit => 1))
"""
HOLDS = """
SELECT count(*) FROM scheduling_appointment a WHERE a.patient_id = %(patient)s AND a.status = 'held' AND EXISTS (
    SELECT 1 FROM scheduling_claim c WHERE c.appointment_id = a.id AND c.expires_at > clock_timestamp())
"""
FREE_ROOM = """
SELECT r.id FROM unnest(%(rooms)s::uuid[]) WITH ORDINALITY AS r (id, place)
WHERE NOT EXISTS (SELECT 1 FROM scheduling_claim c WHERE c.calendar_id = r.id AND c.during && %(during)s
                  AND (c.expires_at IS NULL OR c.expires_at > clock_timestamp()))
ORDER BY r.place LIMIT 1
"""
DROP_EXPIRED = """
DELETE FROM scheduling_claim WHERE calendar_id = ANY (%(claimed)s) AND during && %(taken)s
    AND expires_at <= clock_timestamp()
"""
INSERT_VISIT = """
INSERT INTO scheduling_appointment (
    id, patient_id, clinic_id, clinician_id, room_id, visit_type_id, starts_at, ends_at, status, reason, source,
    created_by_id, created_at, sequence, lane, overbook_reason, price, paid_by, paid_because, is_late_cancellation,
    fee_code)
VALUES (%(id)s, %(patient)s, %(clinic)s, %(clinician)s, %(room)s, %(visit_type)s, %(start)s, %(end)s, 'held', '',
        'patient', %(user)s, now(), 0, 0, '', 0, '', '', false, '')
"""
INSERT_CLAIMS = """
INSERT INTO scheduling_claim (id, calendar_id, lane, during, kind, appointment_id, expires_at, reason)
SELECT gen_random_uuid(), w.calendar_id, 0, w.during, 'visit', %(id)s, clock_timestamp() + %(hold_for)s, ''
FROM unnest(%(claimed)s::uuid[], %(durings)s::tstzrange[]) AS w (calendar_id, during) ORDER BY w.calendar_id
"""
INSERT_CHANGE = """
INSERT INTO scheduling_appointmentchange (appointment_id, at, kind, actor_id, from_status, to_status, reason)
VALUES (%(id)s, now(), %(after)s, %(user)s, %(before)s, %(after)s, '')
"""
CONFIRM = """
UPDATE scheduling_claim SET expires_at = NULL WHERE appointment_id = %(id)s AND expires_at > clock_timestamp()
"""
UPDATE_VISIT = """
UPDATE scheduling_appointment SET status = 'booked', reason = 'Benchmark', booked_at = now(), price = 0,
    paid_by = 'self_paid', membership_id = %(membership)s, paid_because = 'Covered by a membership.'
WHERE id = %(id)s AND status = 'held'
"""
REGISTER = """
INSERT INTO clinics_registration (patient_id, clinic_id, created_at) VALUES (%(patient)s, %(clinic)s, now())
ON CONFLICT DO NOTHING
"""

Connection = psycopg.Connection[tuple[Any, ...]]


class Refused(Exception):
    """The slot or the hold could not be had."""


def connect(url: str) -> Connection:
    connection = psycopg.connect(url, autocommit=True)
    connection.prepare_threshold = 0
    return connection


def search(connection: Connection, question: Question) -> None:
    """Raises Refused where nothing is found: the question is one that has answers."""
    if not connection.execute(question.sql, question.parameters).fetchall():
        raise Refused("nothing found")


def hold(connection: Connection, visit: Visit) -> uuid.UUID:
    """Hold a slot, in two round trips; the new appointment's id. Raises Refused."""
    told = facts(visit, uuid.uuid4())
    told["calendars"] = [visit.clinician, visit.patient, *visit.rooms]
    told["except"] = None
    try:
        with connection.pipeline():
            connection.execute("BEGIN")
            connection.execute(LOCK_CALENDARS, told)
            connection.execute(LOCK_SHIFT, told)
            offered = connection.execute(OFFERED, told)
            holds = connection.execute(HOLDS, told)
            room = connection.execute(FREE_ROOM, told)
            is_offered, held, free = one(offered), one(holds), room.fetchone()
            if not is_offered or held >= MOST_HOLDS or free is None:
                raise Refused("slot_taken")
            told |= {"room": free[0], "before": "", "after": "held", "hold_for": HOLD_FOR}
            told["claimed"] = [visit.clinician, visit.patient, free[0]]
            told["durings"] = [told["taken"], told["during"], told["during"]]
            connection.execute(DROP_EXPIRED, told)
            connection.execute(INSERT_VISIT, told)
            connection.execute(INSERT_CLAIMS, told)
            connection.execute(INSERT_CHANGE, told)
            connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    appointment: uuid.UUID = told["id"]
    return appointment


def book(connection: Connection, visit: Visit, appointment: uuid.UUID) -> None:
    """Make the hold a visit, in two round trips. Raises Refused."""
    told = facts(visit, appointment) | {"except": appointment, "before": "held", "after": "booked"}
    try:
        with connection.pipeline():
            connection.execute("BEGIN")
            status, room = connection.execute(LOCK_VISIT, told).fetchone() or ("gone", None)
            if status != "held":
                raise Refused("not_held")
            told["calendars"] = [visit.clinician, visit.patient, room]
            connection.execute(LOCK_CALENDARS, told)
            connection.execute(LOCK_SHIFT, told)
            confirmed = connection.execute(CONFIRM, told)
            offered = connection.execute(OFFERED, told)
            if not one(offered) or confirmed.rowcount != len(told["calendars"]):
                raise Refused("hold_expired")
            connection.execute(UPDATE_VISIT, told)
            connection.execute(REGISTER, told)
            connection.execute(INSERT_CHANGE, told)
            connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def facts(visit: Visit, appointment: uuid.UUID) -> dict[str, Any]:
    return {
        "id": appointment,
        "user": visit.user,
        "patient": visit.patient,
        "membership": visit.membership,
        "clinician": visit.clinician,
        "clinic": visit.clinic,
        "rooms": visit.rooms,
        "visit_type": visit.visit_type,
        "start": visit.start,
        "end": visit.end,
        "during": Range(visit.start, visit.end),
        "taken": Range(visit.start, visit.taken_until),
    }


def one(cursor: psycopg.Cursor[tuple[Any, ...]]) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
