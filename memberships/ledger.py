"""The books. Each entry moves an amount from one account to another, so that debits and credits are always equal.

Everything here is part of the caller's transaction. An entry is named by what it books, and booked once.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from clinics.models import User
from memberships.models import Invoice, JournalEntry

Account = JournalEntry.Account


def post(
    invoice: Invoice,
    *,
    key: str,
    debit: JournalEntry.Account,
    credit: JournalEntry.Account,
    amount: int,
    memo: str,
    now: datetime,
) -> None:
    """Book `amount` cents (at least 0; nothing is booked for 0), of the payer of `invoice`.

    Raises IntegrityError for a `key` that is booked.
    """
    if amount:
        JournalEntry.objects.create(
            key=key,
            debit=debit,
            credit=credit,
            amount=amount,
            payer_id=invoice.payer_id,
            invoice=invoice,
            memo=memo,
            at=now,
        )


def balance(account: JournalEntry.Account, *, payer: User | UUID | None = None) -> int:
    """Debits less credits of an account, of one payer or of all."""
    entries = JournalEntry.objects.filter(Q(debit=account) | Q(credit=account))
    if payer is not None:
        entries = entries.filter(payer=payer)
    sums = entries.aggregate(
        debits=Coalesce(Sum("amount", filter=Q(debit=account)), 0),
        credits=Coalesce(Sum("amount", filter=Q(credit=account)), 0),
    )
    return int(sums["debits"] - sums["credits"])


def credit_of(payer: User | UUID) -> int:
    """What we owe a payer, in cents: their next invoices use it up."""
    return -balance(Account.CREDIT, payer=payer)
