"""Codes that prove eligibility, from lists that the operator was given. We keep their HMACs alone.

manage.py import_proof_codes codes.txt --batch "Example Stores, spring"
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Q
from django.utils.timezone import localdate

from memberships.models import ProofCode
from memberships.proving import fingerprints
from memberships.proving.port import Verdict

SHORTEST, LONGEST = 8, 60  # letters and digits: shorter ones are guessed


class Verifier:
    def normal(self, reference: str) -> str:
        return normal(reference)

    def check(self, reference: str, *, now: datetime) -> Verdict:
        valid = ProofCode.objects.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=localdate(now)))
        code = valid.filter(digest=fingerprints.of_code(reference), withdrawn_at__isnull=True).first()
        return Verdict(code is not None, code.valid_until if code else None)


def normal(code: str) -> str:
    """A code in capitals, without the blanks and dashes by which people read it; empty for what cannot be one."""
    kept = "".join(code.split()).replace("-", "").upper()
    return kept if kept.isascii() and kept.isalnum() and SHORTEST <= len(kept) <= LONGEST else ""


def take_in(codes: Iterable[str], *, batch: str, valid_until: date | None) -> tuple[int, list[int]]:
    """Keep the codes of a list, one a line. Returns how many were new, and the numbers of lines that are no code."""
    before, wrong, rows = ProofCode.objects.count(), [], []
    for number, line in enumerate(codes, start=1):
        code = normal(line)
        if code:
            rows.append(ProofCode(digest=fingerprints.of_code(code), batch=batch, valid_until=valid_until))
        elif line.strip():
            wrong.append(number)
    ProofCode.objects.bulk_create(rows, batch_size=2_000, ignore_conflicts=True)
    return ProofCode.objects.count() - before, wrong


def withdraw(*, batch: str, now: datetime) -> int:
    """Let the codes of a list prove nothing any more. Returns how many."""
    return ProofCode.objects.filter(batch=batch, withdrawn_at__isnull=True).update(withdrawn_at=now)
