"""Payment providers, by the name that settings and rows have for them. Only their adapters know what is behind.

payments.current()            # the one that new cards are kept by
payments.of(charge.provider)  # the one that has this charge
"""

import importlib
from functools import partial

from django.conf import settings
from django.db import transaction

from clinics.messages import kicking
from memberships.payments.port import Provider

TASK = "memberships.tasks.send_payments"


def of(name: str) -> Provider:
    """The provider that is called `name` in settings.PAYMENT_ADAPTERS. Raises KeyError."""
    # Only here, so that what a provider's library needs is there only where it is used.
    provider: Provider = importlib.import_module(settings.PAYMENT_ADAPTERS[name]).Provider()
    return provider


def current() -> Provider:
    return of(settings.PAYMENT_PROVIDER)


def at_once(what: str) -> None:
    """Have a worker see to `what` (charges, refunds, events) as soon as this transaction is committed."""
    transaction.on_commit(partial(kicking.kick, what, TASK))
