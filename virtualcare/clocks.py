"""Clocks of what a patient was promised after a consult (settings.REPLY_WITHIN): an answer, a summary.

One runs at a time: a summary is due before it is released, and an answer after that.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from virtualcare import news
from virtualcare.models import Consult, ReplyClock


def running(consult: Consult) -> QuerySet[ReplyClock]:
    """The consult's clock that runs, if any."""
    return ReplyClock.objects.filter(consult=consult, answered_at__isnull=True)


def start(consult: Consult, kind: ReplyClock.Kind, *, now: datetime) -> None:
    """A clock of `kind` runs from `now` on. Part of the caller's transaction, which has the consult locked."""
    within = settings.REPLY_WITHIN[kind.value]
    ReplyClock.objects.create(consult=consult, kind=kind, started_at=now, due_at=now + within)
    news.tell_clinicians()


def stop(consult: Consult, *, now: datetime) -> bool:
    """The clock that runs stops; returns whether there was one. As `start`."""
    stopped = bool(running(consult).update(answered_at=now))
    if stopped:
        news.tell_clinicians()
    return stopped
