"""Proof that somebody is eligible for a discount: taken when they join, and asked for again before each renewal."""

from memberships.proving.prove import NotEligible, ProofInUse, UnknownVerifier, VerifierAway, of, prove
from memberships.proving.recheck import recheck_due

__all__ = [
    "NotEligible",
    "ProofInUse",
    "UnknownVerifier",
    "VerifierAway",
    "of",
    "prove",
    "recheck_due",
]
