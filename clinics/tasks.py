"""What happens by itself: see CELERY_BEAT_SCHEDULE. Each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from clinics import attempts, idempotency, sessions


@shared_task
def purge_idempotency_keys() -> int:
    return idempotency.purge(now=timezone.now())


@shared_task
def purge_sessions() -> int:
    now = timezone.now()
    return sessions.purge(now=now) + attempts.purge(now=now)
