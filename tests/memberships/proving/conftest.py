"""A verifier that says what it is told to."""

from datetime import datetime

import pytest
from django.conf import LazySettings

from memberships.proving.port import Unanswered, Verdict

said: dict[str, Verdict | None] = {}  # by reference; None: no answer
asked: list[str] = []


class Verifier:
    def normal(self, reference: str) -> str:
        return reference.strip()

    def check(self, reference: str, *, now: datetime) -> Verdict:
        asked.append(reference)
        verdict = said.get(reference, Verdict(False))
        if verdict is None:
            raise Unanswered("away")
        return verdict


@pytest.fixture
def words(settings: LazySettings) -> dict[str, Verdict | None]:
    """What it says, by reference."""
    settings.PROOF_VERIFIERS = {**settings.PROOF_VERIFIERS, "words": __name__}
    said.clear()
    asked.clear()
    return said


@pytest.fixture
def questions(words: dict[str, Verdict | None]) -> list[str]:
    """What it was asked."""
    return asked
