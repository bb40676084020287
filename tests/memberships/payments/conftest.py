"""Payment providers to test with, each over a bank of its own: ours that goes wrong, and Stripe's library."""

from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import transaction

from clinics.models import Patient, User
from memberships import payments
from memberships.billing import issuing
from memberships.models import Charge, Invoice, InvoiceLine, PaymentMethod
from memberships.payments.port import Provider
from tests.cast import NOW
from tests.memberships.payments import fake, stripe_server
from tests.memberships.payments.bank import SECRET, Bank, Card, Told

MODULES: dict[str, Any] = {"fake": fake, "stripe": stripe_server}


@dataclass
class Till:
    """A provider, its bank, and what clients and the provider itself would send us."""

    name: str
    module: ModuleType
    bank: Bank

    @property
    def provider(self) -> Provider:
        return payments.of(self.name)

    def client_token(self, card: Card) -> str:
        return str(self.module.client_token(card.id))

    def signed(self, event: Told, *, at: datetime | None = None, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
        made: tuple[bytes, dict[str, str]] = self.module.signed(event, at=at, secret=secret)
        return made

    def token(self, user: UUID, manner: str = "good") -> str:
        """Our token of a card that a user set up."""
        card = self.bank.add_card(user, manner)
        return self.provider.save(self.client_token(card), user=user).token

    def method(self, user: User, manner: str = "good") -> PaymentMethod:
        """A card that we keep for a user."""
        return PaymentMethod.objects.create(
            user=user, provider=self.name, token=self.token(user.pk, manner), brand="visa", last4="4242"
        )


def open_till(name: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Till:
    bank = Bank()
    settings.PAYMENT_ADAPTERS = {**settings.PAYMENT_ADAPTERS, name: MODULES[name].__name__}
    settings.PAYMENT_PROVIDER = name
    settings.STRIPE = {"SECRET_KEY": "sk_test_1", "PUBLISHABLE_KEY": "pk_test_1", "WEBHOOK_SECRET": SECRET}
    monkeypatch.setattr(MODULES[name], "bank", bank)
    monkeypatch.setattr(stripe_server, "answers", {})
    return Till(name, MODULES[name], bank)


@pytest.fixture(params=["fake", "stripe"])
def till(request: Any, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Till:
    """Each provider that takes cards, in turn."""
    return open_till(request.param, settings, monkeypatch)


@pytest.fixture
def faker(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Till:
    """Ours alone, where what is tested knows no provider."""
    return open_till("fake", settings, monkeypatch)


@pytest.fixture
def payer(pat: Patient) -> User:
    assert pat.user is not None
    return pat.user


def bill(payer: User, amount: int = 9_900, patient: Patient | None = None) -> Invoice:
    """An open invoice of one line, that is not charged yet."""
    line = issuing.Line(
        kind=InvoiceLine.Kind.MEMBERSHIP,
        description="Standard, a year",
        amount=amount,
        patient=patient.pk if patient else None,
    )
    with transaction.atomic():
        invoice = issuing.issue(payer=payer, kind=Invoice.Kind.FEE, lines=[line], on=NOW.date(), now=NOW)
    assert invoice is not None
    return invoice


def collect(till: Till, payer: User, manner: str = "good", amount: int = 9_900) -> Charge:
    """An open invoice, and its pending charge of a card that behaves as `manner` says."""
    invoice = bill(payer, amount)
    return issuing.collect(invoice, method=till.method(payer, manner), now=NOW)
