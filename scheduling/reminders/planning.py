"""Planning the reminders of a visit, and taking them back, in the transaction of whatever happens to it."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduling.models import Appointment, Reminder
from scheduling.reminders import times

BATCH = 2000


def plan(visit: Appointment, *, now: datetime) -> None:
    """Plan the reminders that the type of `visit` asks for. Planning the same time again changes nothing.

    Needs patient, clinic and visit type loaded, and the transaction that booked or moved it.
    """
    plan_all([(visit, now)], now=now)


def plan_all(confirmed: Iterable[tuple[Appointment, datetime]], *, now: datetime) -> None:
    """Plan the reminders of many visits, as `plan` does for each that was confirmed at the time beside it.

    What would have been sent by `now` is left out. Some thousands in a statement; none where there is nothing to plan.
    """
    planned = []
    for visit, confirmed_at in confirmed:
        due = times.due(
            visit.starts_at,
            visit.visit_type.reminders,
            clinic=visit.clinic.zone,
            patient=ZoneInfo(visit.patient.time_zone),
            confirmed_at=confirmed_at,
        )
        planned += [
            Reminder(appointment=visit, kind=kind, sequence=visit.sequence, due_at=due_at)
            for kind, due_at in due.items()
            if due_at > now
        ]
    if planned:
        Reminder.objects.bulk_create(planned, ignore_conflicts=True, batch_size=BATCH)


def withdraw(visit: Appointment, *, now: datetime) -> None:
    """Take back what is planned for `visit`.

    The sweep holds a reminder's lock from before it looks at the visit until its messages are written. So by the time
    this returns each reminder is withdrawn, or its messages can be seen and withdrawn as well: after this, not before.
    """
    Reminder.objects.filter(appointment=visit.pk, status=Reminder.Status.PLANNED).update(
        status=Reminder.Status.WITHDRAWN, settled_at=now
    )
