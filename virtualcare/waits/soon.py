"""Telling who waits, and may be elsewhere, that it is their turn soon."""

from datetime import datetime

from django.db import transaction

from clinics import messages
from virtualcare import queue
from virtualcare.models import Consult
from virtualcare.waits import telling

# Told once, when it may be this near. Who was told so little from the beginning is still on the page.
NEAR = 5  # minutes
MOST = 500


def tell_soon(*, now: datetime, most: int = MOST) -> int:
    """Tell those whose turn has come near, by e-mail and SMS, once each; returns how many. Safe to run twice."""
    waits = telling.told_many(now=now)
    near = [pk for pk, told in waits.items() if told.low_minutes is not None and told.low_minutes <= NEAR]
    untold = Consult.objects.filter(
        pk__in=near, status=Consult.Status.WAITING, told_soon_at__isnull=True, promised_low__gt=NEAR
    )
    with transaction.atomic():
        found = list(
            untold.select_for_update(of=["self"], no_key=True, skip_locked=True)
            .select_related("patient")
            .order_by("due_at", "id")[:most]
        )
        Consult.objects.filter(pk__in=[consult.pk for consult in found]).update(told_soon_at=now)
        messages.queue_all(
            [
                messages.Wanted(
                    to=consult.patient,
                    template="consult_soon",
                    about=queue.about(consult),
                    dedupe_key=f"consult_soon:{consult.pk}",
                    context={"page": queue.page(consult)},
                    expires_at=now + queue.CLOSED_AFTER,
                )
                for consult in found
            ],
            now=now,
        )
    return len(found)
