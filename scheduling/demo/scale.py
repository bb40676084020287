# ruff: noqa: S608 - statements are put together from this module's own constants
"""A network of the size to grow into, beside the demo: 500 clinics in twenty cities, a million patients and their past.

The database makes patients and visits itself, a chunk at a time. A run that was cut short goes on where it stopped.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from clinics.models import Organization, Patient
from memberships.models import VisitPrice
from scheduling import reminders, shifts
from scheduling.demo import names
from scheduling.demo.bookings import BOOKED
from scheduling.demo.scale_network import (
    AHEAD,
    CLINIC,
    CLINICIAN,
    ENDING,
    PAST,
    PATIENT,
    ROOM,
    SYSTEM,
    Size,
    key,
    numbered,
    plant,
)
from scheduling.models import Appointment, VisitType

CHUNK = 50_000
TOGETHER = 100  # clinicians between two steps of the bar
# So many of the visits ahead, the next ones, have reminders: enough to watch, not a mailbox to drown in.
REMINDED = 5_000

Tell = Callable[[str, float], None]  # what is being made, and which part of the whole is done, from 0 to 1

PATIENTS = [
    f"""
    INSERT INTO clinics_calendar (id, kind)
    SELECT {numbered(PATIENT, "n")}, 'patient' FROM generate_series(%(first)s::bigint, %(last)s) n
    """,
    f"""
    INSERT INTO clinics_patient (
        calendar_id, given_name, family_name, preferred_name, birth_date, sex, phone, email, street, city, state,
        postal_code, time_zone, language, created_at)
    SELECT {numbered(PATIENT, "n")}, (%(given)s::text[])[1 + n %% cardinality(%(given)s::text[])],
        (%(family)s::text[])[1 + n / 7 %% cardinality(%(family)s::text[])], '',
        date '1940-01-01' + (n * 7919 %% 29000)::int, CASE n %% 2 WHEN 0 THEN 'female' ELSE 'male' END,
        '+120255501' || lpad((n %% 100)::text, 2, '0'), 'p' || n || '@example.com', n %% 9999 + 1 || ' Example Street',
        c.city, c.state, c.postal_code, c.time_zone, 'en', %(now)s
    FROM generate_series(%(first)s::bigint, %(last)s) n
    JOIN clinics_clinic c ON c.id = {numbered(CLINIC, "n %% %(clinics)s")}
    """,
    f"""
    INSERT INTO clinics_registration (patient_id, clinic_id, created_at)
    SELECT {numbered(PATIENT, "n")}, {numbered(CLINIC, "n %% %(clinics)s")}, %(now)s
    FROM generate_series(%(first)s::bigint, %(last)s) n
    """,
]

# A clinician's visits are spread over the year behind us: one each morning, then a second one half an hour later …
PAST_VISITS = [
    f"""
    INSERT INTO scheduling_appointment (
        id, patient_id, clinic_id, clinician_id, room_id, visit_type_id, starts_at, ends_at, status, reason, source,
        created_at, booked_at, sequence, lane, overbook_reason, price, paid_by, paid_because, is_late_cancellation,
        fee_code)
    SELECT {numbered(PAST, "n")}, {numbered(PATIENT, "patient")}, c.id, {numbered(CLINICIAN, "clinician")},
        {numbered(ROOM, "clinician")}, %(office)s, start, start + interval '20 minutes',
        CASE WHEN n %% 25 = 0 THEN 'no_show' ELSE 'completed' END, '', 'patient', start - interval '1 day',
        start - interval '1 day', 0, 0, '', %(price)s, 'per_visit', '', false, ''
    FROM generate_series(%(first)s::bigint, %(last)s) n
    CROSS JOIN LATERAL (SELECT n %% %(patients)s AS patient) p
    CROSS JOIN LATERAL (
        SELECT patient %% %(clinics)s + %(clinics)s * (n / %(clinics)s %% (%(clinicians)s / %(clinics)s)) AS clinician
    ) d
    JOIN clinics_clinic c ON c.id = {numbered(CLINIC, "patient %% %(clinics)s")}
    CROSS JOIN LATERAL (
        SELECT ((%(now)s AT TIME ZONE c.time_zone)::date - 1 - (n / %(clinicians)s %% 360)::int
            + time '09:00' + n / %(clinicians)s / 360 * interval '30 minutes') AT TIME ZONE c.time_zone AS start
    ) s
    """,
    f"""
    INSERT INTO scheduling_appointmentchange (appointment_id, at, kind, from_status, to_status, reason)
    SELECT id, ends_at, 'status', 'booked', status, '' FROM generate_series(%(first)s::bigint, %(last)s) n
    JOIN scheduling_appointment ON id = {numbered(PAST, "n")}
    """,
]

# A share of each clinician's half hours, the nearer the more; each with a patient of the clinic who has no other.
VISITS_AHEAD = [
    f"""
    INSERT INTO scheduling_appointment (
        id, patient_id, clinic_id, clinician_id, room_id, visit_type_id, starts_at, ends_at, status, reason, source,
        created_at, booked_at, sequence, lane, overbook_reason, price, paid_by, paid_because, is_late_cancellation,
        fee_code)
    SELECT {numbered(AHEAD, "row_number() OVER (ORDER BY start, clinic, clinician) - 1")},
        {numbered(PATIENT, "clinic + %(clinics)s * (place - 1)")}, {numbered(CLINIC, "clinic")},
        {numbered(CLINICIAN, "clinician")}, {numbered(ROOM, "clinician")}, %(office)s, start,
        start + interval '20 minutes', 'booked', '', 'patient', %(now)s, %(now)s, 0, 0, '', %(price)s, 'per_visit', '',
        false, ''
    FROM (
        SELECT clinician, clinician %% %(clinics)s AS clinic, start,
            row_number() OVER (PARTITION BY clinician %% %(clinics)s ORDER BY start, clinician) AS place
        FROM generate_series(0, %(clinicians)s - 1) clinician
        JOIN scheduling_shift s ON s.clinician_id = {numbered(CLINICIAN, "clinician")}
        JOIN clinics_clinic c ON c.id = s.clinic_id
        CROSS JOIN LATERAL generate_series(
            lower(s.during), upper(s.during) - interval '30 minutes', interval '30 minutes') start
        CROSS JOIN LATERAL (SELECT s."on" - (%(now)s AT TIME ZONE c.time_zone)::date AS away) d
        WHERE start > %(now)s
          AND (hashtextextended(clinician || ' ' || start::date || ' ' || start::time, 0) & 1023) / 1024.0
              < coalesce((%(booked)s::float8[])[away + 1], 0)
    ) wishes
    WHERE place <= %(patients)s / %(clinics)s
    """,
    f"""
    INSERT INTO scheduling_claim (id, calendar_id, lane, during, kind, appointment_id, reason)
    SELECT gen_random_uuid(), calendar, 0, tstzrange(starts_at, upto), 'visit', id, ''
    FROM scheduling_appointment
    CROSS JOIN LATERAL (VALUES
        (clinician_id, ends_at + %(turnover)s), (patient_id, ends_at), (room_id, ends_at)) taken (calendar, upto)
    WHERE id >= {numbered(AHEAD, "0")} AND id::text LIKE '{AHEAD:x}%%{ENDING}'
    ORDER BY calendar, starts_at
    """,
    f"""
    INSERT INTO scheduling_appointmentchange (appointment_id, at, kind, from_status, to_status, reason)
    SELECT id, booked_at, 'booked', '', status, '' FROM scheduling_appointment
    WHERE id >= {numbered(AHEAD, "0")} AND id::text LIKE '{AHEAD:x}%%{ENDING}'
    """,
]


def seed(*, now: datetime, size: Size | None = None, tell: Tell = lambda _what, _part: None) -> None:
    """Make what is missing of it. Nothing where all is there, except shifts up to today's horizon.

    Needs the demo's visit types and prices. Claims of past visits are purged in real life, so there are none.
    """
    size = size or Size()
    office = VisitType.objects.get(code="office")
    known = {
        "now": now,
        "office": office.pk,
        "turnover": office.turnover,
        "price": VisitPrice.objects.filter(benefit=office.code).latest("during").amount,
        "given": [*names.FEMALE, *names.MALE],
        "family": names.FAMILY,
        "booked": BOOKED,
        "clinics": size.clinics,
        "clinicians": size.clinicians,
        "patients": size.patients,
    }
    tell("clinics and clinicians", 0.0)
    with transaction.atomic():
        if not Organization.objects.filter(pk=key(SYSTEM, 0)).exists():
            plant(size)
    for first in range(0, size.clinicians, TOGETHER):
        tell("shifts", 0.03 + 0.15 * first / size.clinicians)
        some = range(first, min(first + TOGETHER, size.clinicians))
        shifts.extend(now=now, clinicians=[key(CLINICIAN, number) for number in some])
    for first in range(0, size.patients, CHUNK):
        tell("patients", 0.18 + 0.32 * first / size.patients)
        last = min(first + CHUNK, size.patients) - 1
        if not Patient.objects.filter(pk=key(PATIENT, last)).exists():
            run(PATIENTS, known | {"first": first, "last": last})
    for first in range(0, size.visits, CHUNK):
        tell("past visits", 0.5 + 0.42 * first / size.visits)
        last = min(first + CHUNK, size.visits) - 1
        if not Appointment.objects.filter(pk=key(PAST, last)).exists():
            run(PAST_VISITS, known | {"first": first, "last": last})
    tell("visits to come", 0.92)
    if not Appointment.objects.filter(pk=key(AHEAD, 0)).exists():
        with transaction.atomic():
            run(VISITS_AHEAD, known)
            plan_reminders(now=now)
    tell("done", 1.0)


def plan_reminders(*, now: datetime) -> None:
    """Plan the reminders of the next visits: they are numbered by when they begin."""
    some = Appointment.objects.filter(pk__in=[key(AHEAD, number) for number in range(REMINDED)])
    visits = some.select_related("patient", "clinic", "visit_type").order_by("pk")
    reminders.plan_all([(visit, now) for visit in visits], now=now)


def run(statements: list[str], parameters: dict[str, Any]) -> None:
    """Run these statements in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, parameters)
