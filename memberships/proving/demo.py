"""The demo's verifier, for a laptop with invented people: whatever begins with DEMO- is eligible.

DEMO-NO… is not, and DEMO-AWAY… cannot be asked. Production refuses to start with it.
"""

from datetime import datetime

from memberships.proving.port import Unanswered, Verdict


class Verifier:
    def normal(self, reference: str) -> str:
        return reference.strip().upper()

    def check(self, reference: str, *, now: datetime) -> Verdict:  # noqa: ARG002 - as every verifier
        if reference.startswith("DEMO-AWAY"):
            raise Unanswered("The demo's verifier is away, as it was asked to be.")
        return Verdict(reference.startswith("DEMO-") and not reference.startswith("DEMO-NO"))
