"""No provider: invoices are paid by cheque or transfer, and people say that the money came (settling.paid_by_hand).

What is paid back waits until somebody has done so and says it (refunding.paid_back_by_hand).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from memberships.payments.port import (
    About,
    Became,
    CardsNotTaken,
    ChargeWanted,
    Event,
    Forged,
    News,
    Outcome,
    RefundWanted,
    Saved,
)

NONE = Outcome(Became.FAILED, failure="cards_not_taken")
WAITS = Outcome(Became.PENDING)


class Provider:
    name = "manual"
    by_hand = True
    public_key = ""

    def setup(self, *, user: UUID, known: str) -> str:  # noqa: ARG002 - as every provider
        raise CardsNotTaken

    def save(self, token: str, *, user: UUID) -> Saved:  # noqa: ARG002
        raise CardsNotTaken

    def forget(self, token: str) -> None:
        pass

    def charge(self, wanted: ChargeWanted) -> Outcome:  # noqa: ARG002
        return NONE

    def find_charge(self, wanted: ChargeWanted, *, provider_id: str) -> Outcome:  # noqa: ARG002
        return NONE

    def cancel_charge(self, provider_id: str) -> Outcome:  # noqa: ARG002
        return NONE

    def refund(self, wanted: RefundWanted) -> Outcome:  # noqa: ARG002
        return WAITS

    def find_refund(self, wanted: RefundWanted, *, provider_id: str) -> Outcome:  # noqa: ARG002
        return WAITS

    def event(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:  # noqa: ARG002
        raise Forged

    def events(self, *, since: datetime) -> Iterable[Event]:  # noqa: ARG002
        return ()

    def fetch(self, about: About, object_id: str) -> News | None:  # noqa: ARG002
        return None
