"""Taking one row that is due, for a while, from all those who look at once: what charges, refunds and events share.

A lease is the row's own `next_at`: whoever holds it writes what comes next only while it is still theirs. A worker that
dies leaves a row that is due again when its lease is over, with `sent_at` to say that it may have been sent.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

Clock = Callable[[], datetime]
TURN = 20.0  # seconds, after which other tasks have theirs
# Longer than one row takes, however slow a provider is: it is asked twice, each time for 15 seconds at most.
LEASE = timedelta(minutes=2)
SOONEST, LATEST = timedelta(seconds=30), timedelta(hours=1)


def later(since: datetime | None, *, now: datetime) -> datetime:
    """When to ask again: after as long as it has been unknown already, between half a minute and an hour."""
    return now + min(max(now - (since or now), SOONEST), LATEST)
