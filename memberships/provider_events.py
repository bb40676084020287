"""What payment providers tell us by themselves: taken in at once, and looked into by a sweep.

An event only says that something may be new. So it does not matter in which order events come, how often, or that one
never does: what it is about is asked for anew, outside of any transaction, and what that means is done in the
transaction that marks the event as handled.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction

from clinics.killing import point
from clinics.messages import kicking
from memberships import charging, disputing, payments, refunding
from memberships.models import Charge, ProviderEvent
from memberships.payments.port import About, ChargeNews, Event, News, Provider, RefundNews, Unavailable
from memberships.payments.sweeping import LEASE, TURN, Clock, later

log = logging.getLogger(__name__)

MISSED = timedelta(days=3)  # for which is looked for events that never came


def receive(*, provider: str, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
    """Take in an event that a provider calls us with. Takes one statement. Raises Forged."""
    keep([payments.of(provider).event(body, headers, now=now)], provider=provider, now=now)


def keep(events: Iterable[Event], *, provider: str, now: datetime) -> None:
    """Take in events, those that are there already once more for nothing."""
    ProviderEvent.objects.bulk_create(
        [
            ProviderEvent(
                provider=provider,
                event_id=event.id,
                kind=event.kind[:60],
                about=event.about.value,
                object_id=event.object_id,
                received_at=now,
                next_at=now,
                handled_at=now if event.about is About.OTHER else None,
            )
            for event in events
            if len(event.id) <= 80 and len(event.object_id) <= 80
        ],
        ignore_conflicts=True,
    )
    payments.at_once("events")


def catch_up(*, now: datetime) -> None:
    """Take in what never came: all events of the last days are asked for. Raises Unavailable."""
    provider = payments.current()
    keep(provider.events(since=now - MISSED), provider=provider.name, now=now)


def take_in_due(*, clock: Clock, turn: float = TURN) -> int:
    """Look into events that are new, for at most `turn` seconds. Returns how many were handled."""
    end = time.monotonic() + turn
    handled = 0
    while (event := claim(now=clock())) is not None:
        point("event_claimed")
        handled += take_in(event, now=clock())
        point("event_recorded")
        if time.monotonic() >= end:
            kicking.kick("events", payments.TASK)
            break
    return handled


def claim(*, now: datetime) -> ProviderEvent | None:
    """Take the event that is due first, for LEASE."""
    with transaction.atomic():
        due = ProviderEvent.objects.filter(handled_at__isnull=True, next_at__lte=now).order_by("next_at", "pk")
        event = due.select_for_update(skip_locked=True, no_key=True).first()
        if event is not None:
            event.next_at = now + LEASE
            ProviderEvent.objects.filter(pk=event.pk).update(next_at=event.next_at)
        return event


def take_in(event: ProviderEvent, *, now: datetime) -> bool:
    """Ask how what an event is about stands now, and do what that means. Returns whether that was done."""
    try:
        provider = payments.of(event.provider)
        news = asked(provider, event, now=now)
        with transaction.atomic():
            ours = ProviderEvent.objects.filter(pk=event.pk, handled_at__isnull=True, next_at=event.next_at)
            if not ours.update(handled_at=now):
                return False  # another worker was faster
            heed(news, provider=event.provider, now=now)
            point("event_taken_in")
            return True
    except Unavailable:
        pass
    except Exception as error:
        # Whatever is wrong with one event, the others are heard.
        log.exception("An event cannot be taken in: %s", type(error).__name__)
    waits = ProviderEvent.objects.filter(pk=event.pk, handled_at__isnull=True, next_at=event.next_at)
    waits.update(next_at=later(event.received_at, now=now))
    return False


def asked(provider: Provider, event: ProviderEvent, *, now: datetime) -> News | None:
    """What is new. Raises Unavailable."""
    news = provider.fetch(About(event.about), event.object_id)
    if isinstance(news, ChargeNews) and news.key is not None:
        charge = Charge.objects.filter(pk=news.key).first()
        if charge is not None:
            return ChargeNews(news.key, charging.ended(provider, charge, news.outcome, now=now))
    return news


def heed(news: News | None, *, provider: str, now: datetime) -> None:
    """Do what news mean. What is not of our making, or of another system of the same account, means nothing."""
    if isinstance(news, ChargeNews):
        if news.key is not None and Charge.objects.filter(pk=news.key).exists():
            charging.tell(news.key, news.outcome, now=now)
    elif isinstance(news, RefundNews):
        refunding.heed(news, provider=provider, now=now)
    elif news is not None:
        disputing.heed(news, provider=provider, now=now)
