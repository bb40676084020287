"""Keeping the places of those who wait, and closing those of who went away."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from clinics import messages
from virtualcare.models import Consult
from virtualcare.queue import records
from virtualcare.queue.records import Status

# After so long without a word somebody is asked to come back; then passed over (claiming); then the consult is closed.
NUDGED_AFTER = timedelta(minutes=3)
CLOSED_AFTER = timedelta(minutes=30)


def page(consult: Consult) -> str:
    """Where the patient goes on with it."""
    return f"{settings.PUBLIC_URL}/consults/{consult.pk}"


def nudge(*, now: datetime, most: int = 500) -> int:
    """Ask those who were not heard of for NUDGED_AFTER to come back, once for each time they go; returns how many."""
    away = Consult.objects.filter(
        status__in=Consult.QUEUED, seen_at__lte=now - NUDGED_AFTER, seen_at__gt=now - CLOSED_AFTER, nudged_at=None
    )
    with transaction.atomic():
        found = list(
            away.select_for_update(of=["self"], no_key=True, skip_locked=True)
            .select_related("patient")
            .order_by("due_at", "id")[:most]
        )
        Consult.objects.filter(pk__in=[consult.pk for consult in found]).update(nudged_at=now)
        messages.queue_all(
            [
                messages.Wanted(
                    to=consult.patient,
                    template="consult_come_back",
                    about=records.about(consult),
                    dedupe_key=f"consult_come_back:{consult.pk}:{consult.seen_at.isoformat()}",
                    context={"page": page(consult)},
                    expires_at=consult.seen_at + CLOSED_AFTER,
                )
                for consult in found
            ],
            now=now,
        )
    return len(found)


def close(*, now: datetime, most: int = 500) -> int:
    """Close the consults of those who were away for CLOSED_AFTER. Nobody is charged. Returns how many."""
    gone = Consult.objects.filter(status=Status.WAITING, seen_at__lte=now - CLOSED_AFTER)
    closed = 0
    for pk in gone.order_by("seen_at").values_list("pk", flat=True)[:most]:
        with transaction.atomic():
            consult = gone.select_for_update(no_key=True, skip_locked=True).filter(pk=pk).first()
            if consult is None:
                continue
            records.change(consult, Status.ABANDONED, what="closed", actor=None, now=now, ended_at=now)
            closed += 1
    return closed
