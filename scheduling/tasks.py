"""What scheduling does by itself. Each task may run twice and at once; what one misses the next finds."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from scheduling import booking, claims, ended_benefits, reminders, shifts


@shared_task
def expire_holds() -> None:
    """Close holds whose time is over.

    Their time is free for others from the second it is over, with or without this.
    """
    booking.expire_holds(now=timezone.now())


@shared_task
def send_reminders() -> None:
    """Hand over the reminders that are due, a batch at a time: sending them is another task."""
    while reminders.send_due(now=timezone.now()):
        pass


@shared_task
def purge_past_claims() -> None:
    """Delete the claims of days gone by, a batch at a time."""
    while claims.purge_past(before=timezone.now() - timedelta(days=1)):
        pass


@shared_task
def extend_shifts() -> None:
    """Keep shifts 90 days ahead: work to do once a night in each zone, and after a night that was missed."""
    shifts.extend(now=timezone.now())


@shared_task
def tell_endings() -> None:
    """Tell people whom an employer stops paying for, and which of their visits stay."""
    ended_benefits.tell(now=timezone.now())
