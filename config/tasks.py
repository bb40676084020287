"""What the house itself does: see CELERY_BEAT_SCHEDULE."""

from celery import shared_task
from django.utils import timezone

from config import metrics


@shared_task
def note_beat() -> None:
    metrics.note_beat(now=timezone.now())
