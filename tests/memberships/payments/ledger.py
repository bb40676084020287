"""A provider that keeps what it took in a file, for processes that are killed. It knows a key again, as Stripe does."""

import os
from pathlib import Path
from typing import Any

from memberships.payments.port import Became, ChargeWanted, Outcome, RefundWanted
from tests.memberships.payments import fake


class Provider(fake.Provider):
    name = "ledger"

    def charge(self, wanted: ChargeWanted) -> Outcome:
        return taken(wanted)

    def find_charge(self, wanted: ChargeWanted, *, provider_id: str) -> Outcome:
        return found(wanted)

    def refund(self, wanted: RefundWanted) -> Outcome:
        return taken(wanted)

    def find_refund(self, wanted: RefundWanted, *, provider_id: str) -> Outcome:
        return found(wanted)


def taken(wanted: Any) -> Outcome:
    if found(wanted).became is Became.ABSENT:
        with Path(os.environ["SAMEDAY_LEDGER"]).open("a") as file:
            file.write(f"{wanted.key}\n")
    with Path(f"{os.environ['SAMEDAY_LEDGER']}.calls").open("a") as file:
        file.write(f"{wanted.key}\n")
    return found(wanted)


def found(wanted: Any) -> Outcome:
    lines = Path(os.environ["SAMEDAY_LEDGER"]).read_text().split()
    return Outcome(Became.SUCCEEDED, f"pi_{wanted.key}") if str(wanted.key) in lines else Outcome(Became.ABSENT)
