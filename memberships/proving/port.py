"""What is asked of a verifier: whether whoever has this reference is eligible for the discount.

Each is a module with a `Verifier`, named in settings.PROOF_VERIFIERS. It learns the reference and nothing of the
patient, and is always asked outside of a transaction.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


class Unanswered(Exception):
    """A verifier that cannot be asked now, or whose answer cannot be believed: nothing is known. Says why, for logs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`holds_until`: the first day for which the verifier does not vouch, where it says so."""

    is_eligible: bool
    holds_until: date | None = None


class Verifier(Protocol):
    def normal(self, reference: str) -> str:
        """One way to write each reference, by which it is told from others; empty for what cannot be one."""

    def check(self, reference: str, *, now: datetime) -> Verdict:
        """Whether a reference, in its normal form, proves eligibility. Raises Unanswered."""
