"""Sending the reminders that are due: rows become messages, each once, however many sweep at once."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef

from clinics import links, messages
from clinics.killing import point
from clinics.models import Link
from scheduling import notices
from scheduling.models import Appointment, Reminder
from scheduling.reminders import times

BATCH = 500
Status = Reminder.Status
# What `fate` and `notices.reminder` look at. A visit with all there is to know of it takes three times as long to read.
READ = (
    "status", "sequence", "starts_at", "confirmed_at", "is_late_cancellation",
    *(f"patient__{name}" for name in ("given_name", "preferred_name", "birth_date", "time_zone", "user")),
    *(f"clinic__{name}" for name in ("name", "street", "city", "state", "postal_code", "phone", "time_zone")),
)  # fmt: skip


def send_due(*, now: datetime, most: int = BATCH) -> int:
    """Settle at most `most` of the reminders that are due, the longest due first; returns how many. Call it until none.

    Each is locked while it is looked at, and what another sweep has locked is left to it; its messages are written in
    the transaction that marks it. So sweeps may run twice and at once, and one that dies leaves all as it was.
    The visit is looked at once more under that lock, which a move or a cancellation waits for: see `planning.withdraw`.
    """
    with transaction.atomic():
        found = due(now=now, most=most)
        point("reminders claimed")
        visits = visits_of(found)
        fates = defaultdict(list)
        for reminder in found:
            fates[fate(reminder, visits[reminder.appointment_id], now=now)].append(reminder)
        send([(reminder, visits[reminder.appointment_id]) for reminder in fates[Status.SENT]], now=now)
        point("reminders written")
        for status in (Status.SENT, Status.WITHDRAWN, Status.DROPPED):
            if fates[status]:
                Reminder.objects.filter(pk__in=[reminder.pk for reminder in fates[status]]).update(
                    status=status, settled_at=now
                )
        wait([(reminder, visits[reminder.appointment_id]) for reminder in fates[Status.PLANNED]], now=now)
        point("reminders marked")
    point("reminders committed")
    return len(found)


def due(*, now: datetime, most: int) -> list[Reminder]:
    """Reminders that are due and no other sweep has locked. `is_outdone`: a later one of the visit is due, too."""
    planned = Reminder.objects.filter(status=Status.PLANNED, due_at__lte=now)
    later = planned.filter(appointment=OuterRef("appointment"), sequence=OuterRef("sequence"))
    return list(
        planned.select_for_update(skip_locked=True, no_key=True)
        .annotate(is_outdone=Exists(later.filter(due_at__gt=OuterRef("due_at"))))
        .order_by("due_at", "id")[:most]
    )


def visits_of(found: list[Reminder]) -> dict[UUID, Appointment]:
    """Their visits, with patient and clinic."""
    visits = Appointment.objects.select_related("patient", "clinic").only(*READ)
    return visits.in_bulk([reminder.appointment_id for reminder in found])


def fate(reminder: Reminder, visit: Appointment, *, now: datetime) -> Status:
    """What becomes of a reminder that is due: sent; withdrawn where the visit does not stand as it did; dropped when it
    comes too late; or planned still, where its patient has quiet hours by now.
    """
    if visit.status != Appointment.Status.BOOKED or visit.sequence != reminder.sequence:
        return Status.WITHDRAWN
    if now >= times.useful_until(visit.starts_at, reminder.kind) or getattr(reminder, "is_outdone", False):
        return Status.DROPPED
    if times.is_quiet(now, patient=ZoneInfo(visit.patient.time_zone)):
        return Status.PLANNED
    return Status.SENT


def wait(those: list[tuple[Reminder, Appointment]], *, now: datetime) -> None:
    """Have reminders that missed their evening wait for their patients' morning, when they are looked at again."""
    by_zone = defaultdict(list)
    for reminder, visit in those:
        by_zone[visit.patient.time_zone].append(reminder.pk)
    for zone, waiting in by_zone.items():
        if morning := messages.quiet_until(now, ZoneInfo(zone)):
            Reminder.objects.filter(pk__in=waiting).update(due_at=morning)


def send(those: list[tuple[Reminder, Appointment]], *, now: datetime) -> None:
    """Write the messages of these reminders: a few statements, however many they are."""
    made = links_of([visit for _, visit in those])
    messages.queue_all(
        [
            notices.reminder(
                visit,
                made[notices.about_this_time(visit)],
                key=reminder.dedupe_key,
                until=times.useful_until(visit.starts_at, reminder.kind),
                now=now,
            )
            for reminder, visit in those
        ],
        now=now,
    )


def links_of(visits: Iterable[Appointment]) -> dict[str, list[Link]]:
    """The links of each visit, as its confirmation had them. Visits that were entered without get new ones."""
    by_about = {notices.about_this_time(visit): visit for visit in visits}
    found = defaultdict(list)
    for link in Link.objects.filter(about__in=by_about, used_at__isnull=True).only("purpose", "about"):
        found[link.about].append(link)
    new = [link for about, visit in by_about.items() if about not in found for link in notices.planned_links(visit)]
    links.save_all(new)
    for link in new:
        found[link.about].append(link)
    return found
