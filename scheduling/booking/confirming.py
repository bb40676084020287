"""The patient says that they will come."""

from datetime import datetime

from django.db import transaction

from clinics.models import User
from clinics.refusals import Refused
from scheduling.booking import records
from scheduling.booking.records import Kind, Status
from scheduling.models import Appointment, AppointmentChange


class NotConfirmable(Refused):
    code = "not_confirmable"
    detail = "Only a booked visit that has not begun can be confirmed."


def confirm(
    *,
    visit: Appointment,
    actor: User | None,
    source: Appointment.Source,
    via: AppointmentChange.Via | None = None,
    sequence: int | None = None,
    now: datetime,
) -> Appointment:
    """Note that the patient will come. Confirming again changes nothing; a move asks anew.

    `actor` is None for somebody who was not signed in, and `via` says how they did it. `sequence` is that of the visit
    which they speak of: VisitMoved where it was moved since. Raises NotConfirmable, and NotFound where it was moved to
    a clinic at which the staff who confirm it do not work.
    """
    with transaction.atomic():
        was = records.locked(visit, staff=actor if source == Appointment.Source.STAFF else None)
        if was.status != Status.BOOKED or was.starts_at <= now:
            raise NotConfirmable
        records.require_unmoved(was, sequence)
        if was.confirmed_at is not None:
            return was
        records.change(was, Status.BOOKED, confirmed_at=now)
        records.record(was, Kind.CONFIRMED, Status.BOOKED, actor, now, via=via)
    return was
