"""Taking time: locks, and claims under them.

One lock order everywhere: idempotency key → appointment → clinics (whoever adds shifts or closes) → calendars (by id) →
shifts (by id). Each lock is a statement of its own: a statement that locks and reads at once still reads what was there
before it waited, and double-books.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import DateTimeField, Exists, Func, OuterRef, Q, QuerySet

from scheduling.models import Appointment, Claim

HOLD_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Want:
    """Time wanted on a calendar, [start, end), on a lane (0: visits; 1 to 9: a clinician's overbooked visits)."""

    calendar: uuid.UUID
    start: datetime
    end: datetime
    lane: int = 0

    @property
    def during(self) -> DateTimeTZRange:
        return DateTimeTZRange(self.start, self.end)


def lock_calendars(calendars: Iterable[uuid.UUID]) -> None:
    """Lock these calendars until the transaction ends, in the order of their ids.

    Raises OperationalError (SQLSTATE 55P03) after the connection's lock_timeout.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM clinics_calendar WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE", [sorted(set(calendars))]
        )


def lock_shift(*, clinician: uuid.UUID, clinic: uuid.UUID, start: datetime) -> None:
    """Lock the shift in which `start` lies against removal and closures. Finding none is for the check that follows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM scheduling_shift WHERE clinician_id = %s AND clinic_id = %s AND during @> %s"
            " ORDER BY id FOR SHARE",
            [clinician, clinic, start],
        )


def drop_expired(wants: Iterable[Want]) -> None:
    """Delete claims that overlap `wants` and whose time to confirm is over. Needs the calendars' locks."""
    wants = list(wants)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM scheduling_claim c
            USING unnest(%s::uuid[], %s::tstzrange[]) AS w (calendar_id, during)
            WHERE c.calendar_id = w.calendar_id AND c.during && w.during AND c.expires_at <= clock_timestamp()
            """,
            [[want.calendar for want in wants], [want.during for want in wants]],
        )


def take(*, appointment: uuid.UUID, wants: Iterable[Want], hold_for: timedelta | None) -> datetime | None:
    """Claim all of `wants` for a visit, and return when they expire (None: never). Needs the calendars' locks.

    Raises Taken, naming a calendar that was not free. The caller then rolls back.
    """
    wants = sorted(wants, key=lambda want: want.calendar)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO scheduling_claim (id, calendar_id, lane, during, kind, appointment_id, expires_at, reason)
            SELECT gen_random_uuid(), w.calendar_id, w.lane, w.during, 'visit', %s,
                   statement_timestamp() + make_interval(secs => %s), ''
            FROM unnest(%s::uuid[], %s::smallint[], %s::tstzrange[]) AS w (calendar_id, lane, during)
            ORDER BY w.calendar_id
            ON CONFLICT DO NOTHING
            RETURNING calendar_id, expires_at
            """,
            [
                appointment,
                hold_for.total_seconds() if hold_for else None,
                [want.calendar for want in wants],
                [want.lane for want in wants],
                [want.during for want in wants],
            ],
        )
        taken = dict(cursor.fetchall())
    for want in wants:
        if want.calendar not in taken:
            raise Taken(want.calendar)
    expires_at: datetime | None = min(taken.values()) if hold_for else None
    return expires_at


def move(*, appointment: uuid.UUID, moves: Iterable[tuple[uuid.UUID, Want]]) -> int:
    """Move a visit's claims in place, each from the calendar named first to the time wanted; returns how many moved.

    Needs the locks of the old and the new calendars. A conflict violates `claim_once`.
    """
    moves = list(moves)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE scheduling_claim c SET calendar_id = m.calendar_id, lane = m.lane, during = m.during
            FROM unnest(%s::uuid[], %s::uuid[], %s::smallint[], %s::tstzrange[]) AS m (was, calendar_id, lane, during)
            WHERE c.appointment_id = %s AND c.calendar_id = m.was
            """,
            [
                [was for was, _ in moves],
                [want.calendar for _, want in moves],
                [want.lane for _, want in moves],
                [want.during for _, want in moves],
                appointment,
            ],
        )
        return int(cursor.rowcount)


def confirm(*, appointment: uuid.UUID) -> int:
    """Make a hold's unexpired claims permanent; returns how many. Fewer than it has: it expired, roll back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scheduling_claim SET expires_at = NULL"
            " WHERE appointment_id = %s AND expires_at > clock_timestamp()",
            [appointment],
        )
        return int(cursor.rowcount)


def extend(*, appointment: uuid.UUID, hold_for: timedelta) -> tuple[int, datetime | None]:
    """Give a hold's unexpired claims `hold_for` from now on the database's clock, at least; returns how many, and until
    when.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE scheduling_claim
            SET expires_at = greatest(expires_at, statement_timestamp() + make_interval(secs => %s))
            WHERE appointment_id = %s AND expires_at > clock_timestamp() RETURNING expires_at
            """,
            [hold_for.total_seconds(), appointment],
        )
        rows = cursor.fetchall()
        return len(rows), rows[0][0] if rows else None


def release(*, appointment: uuid.UUID, calendar: uuid.UUID | None = None) -> None:
    """Give back all the time of a visit, or that of one calendar. Needs the calendars' locks."""
    claims = Claim.objects.filter(appointment=appointment)
    (claims.filter(calendar=calendar) if calendar else claims).delete()


def free_room(
    *, rooms: list[uuid.UUID], start: datetime, end: datetime, apart_from: uuid.UUID | None
) -> uuid.UUID | None:
    """The first of `rooms` (calendar ids, whose locks are held) that is free throughout [start, end), if any.

    `apart_from` is a visit whose own claim does not count, because it is about to move.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id FROM unnest(%s::uuid[]) WITH ORDINALITY AS r (id, place)
            WHERE NOT EXISTS (
                SELECT 1 FROM scheduling_claim c
                WHERE c.calendar_id = r.id AND c.during && %s
                  AND (c.expires_at IS NULL OR c.expires_at > clock_timestamp())
                  AND (%s::uuid IS NULL OR c.appointment_id IS DISTINCT FROM %s))
            ORDER BY r.place LIMIT 1
            """,
            [rooms, DateTimeTZRange(start, end), apart_from, apart_from],
        )
        row = cursor.fetchone()
        return row[0] if row else None


def free_lane(*, calendar: uuid.UUID, start: datetime, end: datetime, most: int) -> int | None:
    """The lowest lane from 0 to `most` on which the calendar, whose lock is held, is free throughout [start, end), if
    any.
    """
    taken = set(_live().filter(calendar=calendar, during__overlap=(start, end)).values_list("lane", flat=True))
    return next((lane for lane in range(most + 1) if lane not in taken), None)


def who_is_busy(wants: list[Want], *, rooms: list[uuid.UUID], apart_from: uuid.UUID | None) -> tuple[bool, bool, bool]:
    """Whether the patient, the clinician and every one of `rooms` has visits at that time.

    `wants` is the clinician's time, then the patient's.
    """
    clinician, patient = wants
    taken = _live().filter(
        Q(calendar=clinician.calendar, during__overlap=clinician.during)
        | Q(calendar__in=[patient.calendar, *rooms], during__overlap=patient.during),
        lane__gte=0,
    )
    if apart_from:
        taken = taken.exclude(appointment=apart_from)
    busy = set(taken.values_list("calendar", flat=True))
    return patient.calendar in busy, clinician.calendar in busy, bool(rooms) and busy.issuperset(rooms)


def is_unexpired() -> Exists:
    """The condition on an Appointment that it is a hold which can still be booked."""
    return Exists(Claim.objects.filter(appointment=OuterRef("pk"), expires_at__gt=ClockTimestamp()))


def takes_time() -> Q:
    """The condition on an Appointment that it takes time: live, and if it is a hold, one that has not run out."""
    return Q(~Q(status=Appointment.Status.HELD) | Q(is_unexpired()), status__in=Appointment.LIVE)


def purge_past(*, before: datetime, most: int = 10_000) -> int:
    """Delete claims that ended before this instant, and return how many. The visit and its changes are the history."""
    past = Claim.objects.filter(during__endswith__lt=before).values("pk")[:most]
    return Claim.objects.filter(pk__in=past).delete()[0]


def is_overlap(error: IntegrityError) -> bool:
    """Whether the database refused a claim because it overlaps another."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return diagnostics is not None and diagnostics.constraint_name == "claim_once"


def _live() -> QuerySet[Claim]:
    return Claim.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=ClockTimestamp()))


class ClockTimestamp(Func):
    """The database's clock at this instant, which alone decides on expiry."""

    function = "clock_timestamp"
    output_field = DateTimeField()


class Taken(Exception):
    """A calendar was claimed by somebody else. Not for callers outside: booking says what it means."""

    def __init__(self, calendar: uuid.UUID) -> None:
        super().__init__(str(calendar))
        self.calendar = calendar
