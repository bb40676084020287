"""What happens by itself: see CELERY_BEAT_SCHEDULE. Each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from clinics import attempts, idempotency, links, sessions
from clinics.messages import purging, sending


@shared_task
def purge_idempotency_keys() -> int:
    return idempotency.purge(now=timezone.now())


@shared_task
def purge_sessions() -> int:
    now = timezone.now()
    return sessions.purge(now=now) + attempts.purge(now=now)


@shared_task
def send_messages(channel: str) -> int:
    return sending.send_due(channel, clock=timezone.now)


@shared_task
def purge_messages() -> int:
    return purging.purge(now=timezone.now()) + links.purge(now=timezone.now())
