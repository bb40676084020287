"""Writing down what happens to a visit: its row, its claims and its changes."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from clinics.models import Registration, StaffRole, User
from clinics.refusals import NotFound, Refused
from memberships.entitlement import Entitlement
from scheduling import claims
from scheduling.booking import wanted as wanting
from scheduling.booking.wanted import Wanted
from scheduling.claims import Want
from scheduling.models import Appointment, AppointmentChange
from scheduling.models.appointments import AppointmentQuerySet

Status = Appointment.Status
Kind = AppointmentChange.Kind


class VisitMoved(Refused):
    code = "visit_moved"
    detail = "This visit was moved to another time meanwhile. Look at it again."


def create(
    wanted: Wanted,
    status: Appointment.Status,
    actor: User,
    source: Appointment.Source,
    *,
    hold_for: timedelta | None = None,
    lane: int = 0,
    **fields: Any,
) -> tuple[Appointment, datetime | None]:
    room = wanting.choose_room(wanted)
    wants = wanted.wants(room, lane=lane)
    claims.drop_expired(wants)
    visit = Appointment.objects.create(
        patient=wanted.patient,
        clinic=wanted.clinic,
        clinician=wanted.clinician,
        room_id=room,
        visit_type=wanted.visit_type,
        starts_at=wanted.slot.start,
        ends_at=wanted.end,
        status=status,
        source=source,
        created_by=actor,
        lane=lane,
        **fields,
    )
    expires_at = claims.take(appointment=visit.pk, wants=wants, hold_for=hold_for)
    record(visit, Kind.HELD if status == Status.HELD else Kind.BOOKED, "", actor, wanted.now)
    return visit, expires_at


def move_claims(visit: Appointment, wants: list[Want]) -> None:
    clinician, patient, *rooms = wants
    moves = [(visit.clinician_id, clinician), (visit.patient_id, patient)]
    if visit.room_id and rooms:
        moves.append((visit.room_id, rooms[0]))
    if claims.move(appointment=visit.pk, moves=moves) != len(moves):
        raise RuntimeError(f"Appointment {visit.pk} is booked without its claims.")
    # The type of visit may have come to need a room, or no longer need one, since it was booked.
    if rooms and not visit.room_id:
        claims.take(appointment=visit.pk, wants=rooms, hold_for=None)
    elif visit.room_id and not rooms:
        claims.release(appointment=visit.pk, calendar=visit.room_id)


def locked(visit: Appointment, *, staff: User | None = None) -> Appointment:
    """The visit as it is now, locked, with what it shows loaded. Another's change under way is waited for.

    Raises NotFound where that moved it to a clinic at which `staff`, who acts on it as such, does not work.

    It is locked by itself: a statement that locks and joins finds nothing when the change it waited for moved the visit
    to another clinic, because it has the old clinic's row in hand. What it shows is asked for again where it changed.
    """
    now = Appointment.objects.select_for_update(no_key=True).get(pk=visit.pk)
    if not takes_over(now, visit):
        now = Appointment.objects.with_what_it_shows().get(pk=visit.pk)
    has_moved = now.clinic_id != visit.clinic_id
    if staff and has_moved and not StaffRole.objects.works_at(staff, now.clinic_id):
        raise NotFound
    return now


def takes_over(visit: Appointment, was: Appointment) -> bool:
    """Whether `visit` shows the same as it `was`, which has it loaded; then `visit` has it, too."""
    for name in AppointmentQuerySet.SHOWN:
        field: Any = Appointment._meta.get_field(name)  # noqa: SLF001 - Django documents it
        if getattr(visit, field.attname) != getattr(was, field.attname) or not field.is_cached(was):
            return False
        setattr(visit, name, getattr(was, name))
    return True


def require_unmoved(visit: Appointment, sequence: int | None) -> None:
    """Raises VisitMoved where `visit`, which is locked, is not any more what somebody saw as `sequence`, if any."""
    if sequence is not None and visit.sequence != sequence:
        raise VisitMoved


def change(visit: Appointment, expected: str, **fields: Any) -> None:
    """Change a visit that is locked and whose status is `expected`, in the row and in `visit`."""
    if Appointment.objects.filter(pk=visit.pk, status=expected).update(**fields) != 1:
        raise RuntimeError(f"Appointment {visit.pk} is not {expected} although it is locked.")
    for name, value in fields.items():
        setattr(visit, name, value)


def record(
    visit: Appointment,
    kind: AppointmentChange.Kind,
    before: str,
    actor: User | None,
    now: datetime,
    *,
    reason: str = "",
    moved_from: dict[str, str] | None = None,
    via: AppointmentChange.Via | None = None,
) -> None:
    AppointmentChange.objects.create(
        appointment=visit,
        at=now,
        kind=kind,
        actor=actor,
        from_status=before,
        to_status=visit.status,
        via=via or "",
        reason=reason,
        moved_from=moved_from,
    )


def register(visit: Appointment) -> None:
    """From the first visit booked at a clinic on, its staff know the patient."""
    Registration.objects.bulk_create(
        [Registration(patient_id=visit.patient_id, clinic_id=visit.clinic_id)], ignore_conflicts=True
    )


def payment(paid: Entitlement) -> dict[str, Any]:
    return {
        "price": paid.price,
        "paid_by": paid.paid_by,
        "paid_because": paid.because,
        "membership_id": paid.membership_id,
    }


def calendars_of(visit: Appointment) -> list[uuid.UUID]:
    return [calendar for calendar in (visit.clinician_id, visit.patient_id, visit.room_id) if calendar]


def claims_of(visit: Appointment) -> int:
    """How many claims a visit has: clinician, patient, and a room where its type needs one."""
    return len(calendars_of(visit))
