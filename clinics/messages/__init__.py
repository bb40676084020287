"""Messages to people: what is sent is sent once, as far as a provider lets us tell.

    messages.queue(to=patient, template="booked", about=f"appointment:{visit.pk}", dedupe_key=f"booked:{visit.pk}:1",
                   context={"brand": clinic.brand, "starts": "…"}, now=now)
    messages.withdraw(about=f"appointment:{visit.pk}", now=now)

Both are part of the caller's transaction, and nothing here is on the network: tasks send what was queued. See
docs/decisions for how far "once" goes.
"""

from clinics.messages.answering import answer, inbound, may_answer
from clinics.messages.outbox import (
    NotToRetry,
    Stranger,
    Wanted,
    queue,
    queue_all,
    retry,
    withdraw,
    withdraw_from_others,
)
from clinics.messages.quiet import quiet_until
from clinics.messages.watching import backlog

__all__ = [
    "NotToRetry",
    "Stranger",
    "Wanted",
    "answer",
    "backlog",
    "inbound",
    "may_answer",
    "queue",
    "queue_all",
    "quiet_until",
    "retry",
    "withdraw",
    "withdraw_from_others",
]
