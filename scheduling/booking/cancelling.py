"""Cancelling a visit, and what it costs to do so late."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from clinics.models import User
from clinics.refusals import Refused
from memberships.models import InvoiceLine
from scheduling import claims, fees, notices, reminders
from scheduling.booking import records
from scheduling.booking.records import Kind, Status
from scheduling.models import Appointment, AppointmentChange, CancellationPolicy


class NotCancellable(Refused):
    code = "not_cancellable"
    detail = "Only a booked visit that has not begun can be cancelled. Please call the clinic."


def cancel(
    *,
    visit: Appointment,
    reason: str,
    actor: User | None,
    source: Appointment.Source,
    waive_fee: bool = False,
    via: AppointmentChange.Via | None = None,
    sequence: int | None = None,
    now: datetime,
) -> Appointment:
    """Cancel a visit and give its time back. Cancelling it again changes nothing.

    Later than its policy's hours before the start it is marked as late, with the policy's fee code; so it is where the
    patient moved it away that late before. Staff may waive that. `actor` is None for somebody who was not signed in,
    and `via` says how they did it; `sequence` is that of the visit which they speak of. Raises NotCancellable when it
    has begun (for staff: when it is over), VisitMoved, and NotFound where it was moved to a clinic at which the staff
    who cancel it do not work.
    """
    staff = source == Appointment.Source.STAFF
    with transaction.atomic():
        was = records.locked(visit, staff=actor if staff else None)
        if was.status == Status.CANCELLED:
            return was
        if was.status == Status.HELD:
            raise NotCancellable("This is a hold: release it with DELETE /api/v1/holds/{id}.")
        over = was.ends_at <= now if staff else was.status != Status.BOOKED or was.starts_at <= now
        if was.status not in Appointment.LIVE or over:
            raise NotCancellable
        records.require_unmoved(was, sequence)
        claims.lock_calendars(records.calendars_of(was))
        claims.release(appointment=was.pk)
        policy = None if staff and waive_fee else policy_for(was)
        late = policy is not None and is_late(was, policy, now=now)
        before = was.status
        records.change(
            was,
            before,
            status=Status.CANCELLED,
            sequence=was.sequence + 1,
            is_late_cancellation=late,
            fee_code=policy.fee_code if policy and late else "",
        )
        records.record(was, Kind.CANCELLED, before, actor, now, reason=reason, via=via)
        reminders.withdraw(was, now=now)
        notices.cancelled(was, now=now)
        if policy is not None and late:
            fees.bill(was, InvoiceLine.Kind.LATE_CANCEL, policy.fee_code, now=now)
    return was


def is_late(visit: Appointment, policy: CancellationPolicy, *, now: datetime) -> bool:
    """Whether cancelling `visit` at `now` is late, or the patient's side moved it late: no way around a fee."""
    free_until = timedelta(hours=policy.free_until_hours_before)
    if now > visit.starts_at - free_until:
        return True
    by_them = Q(actor=visit.patient.user_id) | Q(actor__proxies__patient=visit.patient_id)
    moves = visit.changes.filter(by_them, kind=Kind.MOVED).values_list("at", "moved_from__start")
    return any(at > datetime.fromisoformat(start) - free_until for at, start in moves)


def policy_for(visit: Appointment) -> CancellationPolicy | None:
    """The policy in force on the day the visit was booked: its health system's own, else the general one."""
    booked_on = (visit.booked_at or visit.created_at).astimezone(visit.clinic.zone).date()
    return (
        CancellationPolicy.objects.filter(
            Q(health_system=visit.clinic.health_system_id) | Q(health_system__isnull=True), during__contains=booked_on
        )
        .order_by(F("health_system").asc(nulls_last=True), "-id")
        .first()
    )
