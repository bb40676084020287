"""Messages to people: what is sent is sent once, as far as a provider lets us tell.

    messages.queue(to=patient, template="booked", about=f"appointment:{visit.pk}", dedupe_key=f"booked:{visit.pk}:1",
                   context={"brand": clinic.brand, "starts": "…"}, now=now)
    messages.withdraw(about=f"appointment:{visit.pk}", now=now)

Both are part of the caller's transaction, and nothing here is on the network: tasks send what was queued. See
docs/decisions for how far "once" goes.
"""

from clinics.messages.answering import answer, inbound
from clinics.messages.outbox import NotToRetry, Wanted, queue, queue_all, retry, withdraw
from clinics.messages.quiet import quiet_until
from clinics.messages.watching import backlog

__all__ = [
    "NotToRetry",
    "Wanted",
    "answer",
    "backlog",
    "inbound",
    "queue",
    "queue_all",
    "quiet_until",
    "retry",
    "withdraw",
]
