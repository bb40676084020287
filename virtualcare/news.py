"""Telling open sockets that there is news, and never what: who hears of it asks the API, and sees what they may see.

After commit a thread of its own publishes in Valkey, so that a Valkey that is away, or hangs, costs a clinical write
nothing. It may say once for many, and what it could not say is forgotten: rows are the truth, and clients look again
by themselves every now and then (docs/decisions/0017-sockets.md).
"""

import json
import logging
import re
import threading
import uuid
from functools import cache

import redis
from django.conf import settings
from django.db import transaction

from clinics.messages import kicking

log = logging.getLogger(__name__)

CHANNEL = "sameday:news"  # of Valkey: every socket server hears all of it
CLINICIANS = "clinicians"
TIMEOUT = 1.0  # seconds
WORD = re.compile(r"[a-z][a-z_]{0,19}")

pending: dict[tuple[str, str], dict[str, int]] = {}  # by whom and what: the facts
lock = threading.Lock()


def tell(consult: uuid.UUID, what: str, **facts: int) -> None:
    """Tell the sockets of `consult`, after commit, that there is news of `what`: chat, status, place, call.

    `facts` are numbers alone, such as the `seq` of a message. Returns at once and never fails for want of Valkey.
    Raises ValueError for what is no word or no number: words of people must not come this way.
    """
    if not WORD.fullmatch(what) or not all(type(fact) is int for fact in facts.values()):
        raise ValueError("News is a word and numbers, never content.")
    transaction.on_commit(lambda: hand_over(str(consult), what, facts))


def tell_clinicians() -> None:
    """Tell every clinician's console, after commit, that the queue is not what it was. As `tell`."""
    transaction.on_commit(lambda: hand_over(CLINICIANS, "queue", {}))


def hand_over(group: str, what: str, facts: dict[str, int]) -> None:
    """Leave news to the thread. Of the same kind of news the last counts, and the highest `seq`."""
    with lock:
        earlier = pending.get((group, what), {})
        pending[group, what] = facts | ({"seq": max(earlier["seq"], facts.get("seq", 0))} if "seq" in earlier else {})
    kicker.kick()


def publish() -> None:
    """Publish all that is pending in one exchange; where Valkey does not take it, it is forgotten."""
    with lock:
        told, untold = list(pending.items()), len(pending)
        pending.clear()
    try:
        with valkey(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
            for (group, what), facts in told:
                pipeline.publish(CHANNEL, written(group, {"type": "news", "what": what, **facts}))
            pipeline.execute()
    except redis.RedisError as error:
        log.warning("Valkey took no news (%s): %d forgotten, clients look by themselves", type(error).__name__, untold)


def written(group: str, said: dict[str, object], **more: str) -> str:
    """What goes over Valkey: `said` to the sockets of a group; `role` keeps it to those of one side."""
    return json.dumps({"to": group, "say": said, **more}, separators=(",", ":"))


@cache
def valkey(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=None)


kicker = kicking.Kicker(publish)
