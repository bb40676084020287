"""What is sold in the tests of memberships, and what must always hold of the books. All of it is invented."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db.models import Sum

from memberships import enrolling, ledger
from memberships.billing import dunning, renewing
from memberships.ledger import Account
from memberships.models import (
    Charge,
    Invoice,
    JournalEntry,
    Membership,
    PaymentMethod,
    Plan,
    Price,
    Proof,
    Refund,
    Subscription,
)

SINCE = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class Offer:
    """The prices that people can choose, and what a further member costs."""

    year: Price
    discounted_year: Price
    discounted_month: Price
    family_year: Price
    family_month: Price


def make_offer() -> Offer:
    def price(code: str, audience: str, interval: str, amount: int) -> Price:
        plan, _ = Plan.objects.get_or_create(
            code=code, defaults={"name": code.title(), "audience": audience, "benefits": ["*"]}
        )
        return Price.objects.create(plan=plan, interval=interval, amount=amount, from_on=SINCE)

    return Offer(
        year=price("annual", "anyone", "year", 19_900),
        discounted_year=price("discounted", "discounted", "year", 9_900),
        discounted_month=price("discounted", "discounted", "month", 900),
        family_year=price("family", "family", "year", 6_600),
        family_month=price("family", "family", "month", 600),
    )


def noon(day: date) -> datetime:
    """Noon of a day in New York, or an hour before."""
    return datetime(day.year, day.month, day.day, 16, tzinfo=UTC)


def make_card(user) -> PaymentMethod:
    return PaymentMethod.objects.create(user=user, provider="fake", token="card", brand="visa", last4="4242")


def prove(patient, *, on: date, until: date | None = None) -> Proof:
    return Proof.objects.create(
        patient=patient,
        verifier="codes",
        reference="CODE-1",
        fingerprint=uuid.uuid4().hex,
        status="verified",
        verified_at=noon(on),
        holds_until=until,
    )


def join(patient, price, *, on: date, members=(), method=None, accept_due=None) -> Subscription:
    return enrolling.join(
        patient=patient,
        payer=patient.user,
        price=price,
        members=list(members),
        method=method,
        accept_due=accept_due,
        actor=patient.user,
        now=noon(on),
    )


def sweep(day: date) -> None:
    """What a day's tasks do about memberships."""
    renewing.announce(now=noon(day))
    renewing.run(now=noon(day))
    dunning.run(now=noon(day))


def is_covered(patient, day: date) -> bool:
    return Membership.objects.filter(patient=patient, during__contains=day).exists()


def check_books() -> None:
    """What holds of the books after each transaction, whatever was done."""
    assert sum(ledger.balance(account) for account in Account) == 0
    for invoice in Invoice.objects.prefetch_related("lines", "entries"):
        assert sum(line.amount for line in invoice.lines.all()) == invoice.total, invoice
        owed = sum(
            entry.amount * ((entry.debit == Account.RECEIVABLE) - (entry.credit == Account.RECEIVABLE))
            for entry in invoice.entries.all()
        )
        assert owed == invoice.due, invoice
    for payer in set(JournalEntry.objects.values_list("payer", flat=True)):
        assert ledger.credit_of(payer) >= 0
    taken = Charge.objects.filter(status="succeeded").aggregate(sum=Sum("amount"))["sum"] or 0
    by_hand = JournalEntry.objects.filter(debit="cash", key__startswith="hand:").aggregate(sum=Sum("amount"))["sum"]
    returned = Refund.objects.filter(status="succeeded").aggregate(sum=Sum("amount"))["sum"] or 0
    assert ledger.balance(Account.CASH) == taken + (by_hand or 0) - returned
