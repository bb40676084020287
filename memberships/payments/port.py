"""What is asked of a payment provider: to keep a card, to charge it, to pay back, and to tell what became of that.

A provider keeps cards and moves money; what is owed, and when, is ours (memberships.billing). Each adapter is a module
with a `Provider`, named in settings.PAYMENT_ADAPTERS. Amounts are whole cents of US dollars.

Each charge and refund is asked for under a key, the id of our row: the same key again is the same charge, however often
and by however many it is asked for. An adapter never raises for what became of one: it says so by an Outcome. It is
always called outside of a transaction.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from clinics.refusals import Refused


class Unavailable(Exception):
    """A provider that cannot be asked now."""


class Forged(Exception):
    """An event that the provider did not send, or not just now."""


class BadToken(Refused):
    """A client's token that names no card of theirs."""

    code = "bad_payment_token"
    status = 400
    detail = "This is no card that was set up for you here. Begin again with a new set-up."


class CardsNotTaken(Refused):
    """A provider without cards."""

    code = "cards_not_taken"
    detail = "Cards are not taken here: invoices say how they are paid."


class ProviderAway(Refused):
    """A provider that cannot be reached while somebody waits."""

    code = "payment_provider_away"
    status = 503
    detail = "The payment provider cannot be reached right now. Try again in a minute."


class Became(enum.Enum):
    """What became of a charge or a refund."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"  # declined or refused: nothing moves under this key any more
    PENDING = "pending"  # the provider has it, and does not know yet
    ACTION = "action"  # a charge that waits for the payer to do something (3-D Secure)
    UNCLEAR = "unclear"  # nobody knows whether the provider has it
    ABSENT = "absent"  # the provider has never heard of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """`failure` is the provider's code; `client_secret` lets the payer's client do what a charge waits for."""

    became: Became
    provider_id: str = ""
    failure: str = ""
    client_secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeWanted:
    """`since`: when it was first sent, at the earliest."""

    key: UUID
    amount: int
    token: str
    description: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWanted:
    """`charge`: the provider's id of what is paid back."""

    key: UUID
    amount: int
    charge: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Saved:
    """A card that the provider keeps: `token` is its secret name, the rest may be shown.

    `expires_on` is the first day on which it is no longer valid.
    """

    token: str
    brand: str
    last4: str
    expires_on: date | None


class About(enum.Enum):
    """What an event is about."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """That something may be new. What it is, is asked for: events come late, twice, and in another order.

    `kind` is the provider's word, `object_id` its id of what the event is about.
    """

    id: str
    kind: str
    about: About
    object_id: str


@dataclass(frozen=True, slots=True)
class ChargeNews:
    """`key`: ours, where it is one of ours."""

    key: UUID | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RefundNews:
    """`charge`: the provider's id of what was paid back. Without `key` somebody paid back at the provider itself."""

    key: UUID | None
    charge: str
    amount: int
    outcome: Outcome


class Stage(enum.Enum):
    """Where a dispute stands, as far as money goes."""

    INQUIRY = "inquiry"  # the bank asks, and has taken nothing
    OPEN = "open"  # the bank has taken it back
    WON = "won"  # and given it to us again
    LOST = "lost"
    CLOSED = "closed"  # an inquiry that came to nothing


@dataclass(frozen=True, slots=True)
class DisputeNews:
    """A payer's bank takes back what was charged. `answer_by`: until when evidence is heard."""

    provider_id: str
    charge: str
    amount: int
    reason: str
    stage: Stage
    answer_by: datetime | None


News = ChargeNews | RefundNews | DisputeNews


class Provider(Protocol):
    """`name` is what rows keep. `by_hand`: money moves outside of any program, and people say that it did.

    With `public_key` a payer's client talks to the provider itself, so that no card's number ever reaches us.
    """

    name: str
    by_hand: bool
    public_key: str

    def setup(self, *, user: UUID, known: str) -> str:
        """Begin to take in a card of `user`; `known` is the token of one they had before, or empty.

        Returns the secret with which their client goes on. Raises CardsNotTaken, Unavailable.
        """

    def save(self, token: str, *, user: UUID) -> Saved:
        """Keep the card that a client set up, and that is `user`'s. Raises BadToken, CardsNotTaken, Unavailable."""

    def forget(self, token: str) -> None:
        """Keep a card no longer; one that is gone already is no error. Raises Unavailable."""

    def charge(self, wanted: ChargeWanted) -> Outcome:
        """Charge a card while its owner is not there. Never ABSENT."""

    def find_charge(self, wanted: ChargeWanted, *, provider_id: str) -> Outcome:
        """What became of a charge that was asked for. `provider_id` may be empty. Raises Unavailable."""

    def cancel_charge(self, provider_id: str) -> Outcome:
        """See to it that a charge which waits for the payer never succeeds, unless it has. Raises Unavailable."""

    def refund(self, wanted: RefundWanted) -> Outcome:
        """Pay back a charge or a part of it, never more than is left of it. Never ABSENT."""

    def find_refund(self, wanted: RefundWanted, *, provider_id: str) -> Outcome:
        """What became of a refund that was asked for. `provider_id` may be empty. Raises Unavailable."""

    def event(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        """What a call of the provider says. Raises Forged: not signed by it, or signed longer ago than 5 minutes."""

    def events(self, *, since: datetime) -> Iterable[Event]:
        """All events from `since` on, for those that never came. Raises Unavailable."""

    def fetch(self, about: About, object_id: str) -> News | None:
        """How a charge, refund or dispute stands now. Raises Unavailable."""
