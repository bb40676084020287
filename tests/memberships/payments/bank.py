"""A payment provider's inside: it keeps cards, charges, refunds and disputes, and goes wrong when it is told to.

`fake` and `stripe_server` are two ways to reach the same one, so that one set of tests is for both.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.cast import NOW

SECRET = "whsec_of_the_tests"


class Away(Exception):
    """The call never arrives."""


class Lost(Exception):
    """The call arrives, and its answer does not."""


class No(Exception):
    """What the bank refuses, by a code."""


@dataclass
class Card:
    """`manner`: good, declines, asks (3-D Secure) or waits (the bank takes its time)."""

    id: str
    user: str
    manner: str = "good"
    gone: bool = False


@dataclass
class Charge:
    id: str
    key: str
    amount: int
    card: str
    status: str
    failure: str = ""
    at: datetime = NOW

    @property
    def secret(self) -> str:
        return f"{self.id}_secret"


@dataclass
class Refund:
    id: str
    key: str
    charge: str
    amount: int
    status: str = "succeeded"


@dataclass
class Dispute:
    id: str
    charge: str
    amount: int
    stage: str
    reason: str = "fraudulent"


@dataclass
class Told:
    """An event, as the bank keeps it."""

    id: str
    kind: str
    about: str
    object_id: str
    at: datetime


@dataclass
class Bank:
    """`faults`: what happens to the next calls, one each (Away, Lost). `during`: called before an answer leaves."""

    now: datetime = NOW
    cards: dict[str, Card] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    faults: list[type[Exception] | None] = field(default_factory=list)
    during: Callable[[], Any] | None = None
    refunds_wait: bool = False
    calls: int = 0
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    lock: Any = field(default_factory=threading.RLock)

    def call(self, work: Callable[[], Any]) -> Any:
        """Do what a call asks for, with whatever goes wrong on its way."""
        with self.lock:
            self.calls += 1
            fault = self.faults.pop(0) if self.faults else None
            if fault is Away:
                raise Away
            try:
                answer: Any = work()
            except No as error:
                answer = error
        if self.during is not None:
            during, self.during = self.during, None
            during()
        if fault is Lost:
            raise Lost
        if isinstance(answer, No):
            raise answer
        return answer

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self.numbers)}"

    def tell(self, kind: str, about: str, object_id: str) -> None:
        self.told.append(Told(self.new_id("evt"), kind, about, object_id, self.now))

    # What clients and people at the bank do

    def add_card(self, user: Any, manner: str = "good") -> Card:
        card = Card(self.new_id("pm"), str(user), manner)
        self.cards[card.id] = card
        return card

    def decide(self, charge: Charge, status: str, failure: str = "") -> None:
        """The bank, or the payer in 3-D Secure, has decided."""
        charge.status, charge.failure = status, failure
        self.tell(f"charge.{status}", "charge", charge.id)

    def dispute(self, charge: str, stage: str) -> Dispute:
        known = next((one for one in self.disputes.values() if one.charge == charge), None)
        found = known or Dispute(self.new_id("dp"), charge, self.charges[charge].amount, stage)
        found.stage = stage
        self.disputes[found.id] = found
        self.tell(f"dispute.{stage}", "dispute", found.id)
        return found

    def settle(self, refund: Refund, status: str) -> None:
        refund.status = status
        self.tell(f"refund.{status}", "refund", refund.id)

    # What is asked for

    def charge(self, *, key: str, amount: int, card: str) -> Charge:
        known = next((one for one in self.charges.values() if one.key == key), None)
        if known is not None:
            if (known.amount, known.card) != (amount, card):
                raise No("idempotency_error")
            return known
        kept = self.cards.get(card)
        if kept is None or kept.gone:
            raise No("resource_missing")
        status, failure = {
            "good": ("succeeded", ""),
            "declines": ("failed", "insufficient_funds"),
            "asks": ("asks", "authentication_required"),
            "waits": ("waits", ""),
        }[kept.manner]
        charge = Charge(self.new_id("pi"), key, amount, card, status, failure, self.now)
        self.charges[charge.id] = charge
        self.tell(f"charge.{status}", "charge", charge.id)
        return charge

    def cancel(self, charge_id: str) -> Charge:
        charge = self.charges[charge_id]
        if charge.status in ("asks", "failed"):
            self.decide(charge, "cancelled", "canceled")
        elif charge.status != "cancelled":
            raise No("payment_intent_unexpected_state")
        return charge

    def refund(self, *, key: str, charge: str, amount: int) -> Refund:
        known = next((one for one in self.refunds.values() if key and one.key == key), None)
        if known is not None:
            return known
        of = self.charges.get(charge)
        if of is None or of.status != "succeeded":
            raise No("resource_missing")
        back = sum(one.amount for one in self.refunds.values() if one.charge == charge and one.status != "failed")
        if any(one.charge == charge and one.stage in ("open", "lost") for one in self.disputes.values()):
            raise No("charge_disputed")
        if back + amount > of.amount:
            raise No("charge_already_refunded")
        refund = Refund(self.new_id("re"), key, charge, amount, "pending" if self.refunds_wait else "succeeded")
        self.refunds[refund.id] = refund
        self.tell(f"refund.{refund.status}", "refund", refund.id)
        return refund

    # What tests count

    @property
    def taken(self) -> list[int]:
        """What was taken from cards, each charge once."""
        return [charge.amount for charge in self.charges.values() if charge.status == "succeeded"]

    @property
    def given_back(self) -> list[int]:
        return [refund.amount for refund in self.refunds.values() if refund.status == "succeeded"]
