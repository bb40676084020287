"""What virtual care does by itself. Each task may run twice and at once; what one misses the next finds."""

from celery import shared_task
from django.utils import timezone

from virtualcare import diverting, gaps, queue, reminding, unattended
from virtualcare.video import closing
from virtualcare.waits import calibrating, soon


@shared_task
def keep_queue() -> None:
    """Put back offers that are over and patients whose clinician is gone, call back who went away, close who stayed
    away, and tell whose turn is near.
    """
    now = timezone.now()
    queue.time_out_offers(now=now)
    unattended.give_back(now=now)
    while unattended.call_back(now=now):
        pass
    while queue.nudge(now=now):
        pass
    while queue.close(now=now):
        pass
    soon.tell_soon(now=now)


@shared_task
def tell_due_replies() -> None:
    """Tell of patients who wait for an answer or a summary after a consult, a batch at a time."""
    while reminding.tell_due(now=timezone.now()):
        pass


@shared_task
def tell_of_diversions() -> None:
    """Tell once more of patients sent elsewhere whom nobody has called, a batch at a time."""
    while diverting.tell_again(now=timezone.now()):
        pass


@shared_task
def tell_coverage_gaps() -> None:
    """Tell of hours to come in which nobody licensed is on call: of each once."""
    gaps.tell(now=timezone.now())


@shared_task
def recalibrate_waits() -> None:
    """Have waits told by what they have been: work to do once a night, and after a night that was missed."""
    calibrating.recalibrate(now=timezone.now())


@shared_task
def end_unlawful_calls() -> int:
    """End calls in which somebody is who may not be any more."""
    return closing.end_unlawful(now=timezone.now())


@shared_task
def close_calls() -> int:
    """Have providers throw out whoever is in a call that is over."""
    return closing.close_due(now=timezone.now())
