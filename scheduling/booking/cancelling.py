"""Cancelling a visit, and what it costs to do so late."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from clinics.models import User
from clinics.refusals import Refused
from scheduling import claims
from scheduling.booking import records
from scheduling.booking.records import Kind, Status
from scheduling.models import Appointment, CancellationPolicy


class NotCancellable(Refused):
    code = "not_cancellable"
    detail = "Only a booked visit that has not begun can be cancelled. Please call the clinic."


def cancel(
    *, visit: Appointment, reason: str, actor: User, source: Appointment.Source, waive_fee: bool = False, now: datetime
) -> Appointment:
    """Cancel a visit and give its time back. Cancelling it again changes nothing.

    Later than its policy's hours before the start it is marked as late, with the policy's fee code; staff may waive
    that. Raises NotCancellable when it has begun (for staff: when it is over).
    """
    staff = source == Appointment.Source.STAFF
    with transaction.atomic():
        was = records.locked(visit)
        if was.status == Status.CANCELLED:
            return was
        if was.status == Status.HELD:
            raise NotCancellable("This is a hold: release it with DELETE /api/v1/holds/{id}.")
        if was.status not in Appointment.LIVE or (not staff and (was.status != Status.BOOKED or was.starts_at <= now)):
            raise NotCancellable
        claims.lock_calendars(records.calendars_of(was))
        claims.release(appointment=was.pk)
        policy = None if staff and waive_fee else policy_for(was)
        late = policy is not None and now > was.starts_at - timedelta(hours=policy.free_until_hours_before)
        before = was.status
        records.change(
            was,
            before,
            status=Status.CANCELLED,
            sequence=was.sequence + 1,
            is_late_cancellation=late,
            fee_code=policy.fee_code if policy and late else "",
        )
        records.record(was, Kind.CANCELLED, before, actor, now, reason=reason)
    return was


def policy_for(visit: Appointment) -> CancellationPolicy | None:
    """The cancellation policy of a visit:

    in force where it is on the day it was booked, the health system's own first.
    """
    booked_on = (visit.booked_at or visit.created_at).astimezone(visit.clinic.zone).date()
    return (
        CancellationPolicy.objects.filter(
            Q(health_system=visit.clinic.health_system_id) | Q(health_system__isnull=True), during__contains=booked_on
        )
        .order_by(F("health_system").asc(nulls_last=True), "-id")
        .first()
    )
