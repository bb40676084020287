"""Planning the reminders of a visit, and taking them back, in the transaction of whatever happens to it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from scheduling.models import Appointment, Reminder
from scheduling.reminders import times


def plan(visit: Appointment, *, now: datetime) -> None:
    """Plan the reminders that the type of `visit` asks for. Planning the same time again changes nothing.

    Needs patient, clinic and visit type loaded, and the transaction that booked or moved it.
    """
    due = times.due(
        visit.starts_at,
        visit.visit_type.reminders,
        clinic=visit.clinic.zone,
        patient=ZoneInfo(visit.patient.time_zone),
        confirmed_at=now,
    )
    if due:
        Reminder.objects.bulk_create(
            [
                Reminder(appointment=visit, kind=kind, sequence=visit.sequence, due_at=due_at)
                for kind, due_at in due.items()
            ],
            ignore_conflicts=True,
        )


def withdraw(visit: Appointment, *, now: datetime) -> None:
    """Take back what is planned for `visit`.

    The sweep holds a reminder's lock from before it looks at the visit until its messages are written. So by the time
    this returns each reminder is withdrawn, or its messages can be seen and withdrawn as well: after this, not before.
    """
    Reminder.objects.filter(appointment=visit.pk, status=Reminder.Status.PLANNED).update(
        status=Reminder.Status.WITHDRAWN, settled_at=now
    )
