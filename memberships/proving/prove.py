"""Taking somebody's proof that they are eligible for a discount."""

import importlib
import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from clinics import attempts
from clinics.models import Patient, User
from clinics.refusals import Refused, TooManyTries
from memberships.models import Proof
from memberships.proving import fingerprints
from memberships.proving.port import Unanswered, Verifier

log = logging.getLogger(__name__)

LONGEST = 120  # characters of a reference
TRIES, WITHIN = 10, timedelta(hours=1)  # of one account: codes are for those who have them


class UnknownVerifier(Refused):
    """A verifier that there is not."""

    code = "unknown_verifier"
    status = 400
    detail = "There is no such verifier here."


class NotEligible(Refused):
    """What proves nothing."""

    code = "not_eligible"
    status = 400
    detail = "This does not prove that you are eligible. Check how it is written, and that it is still valid."


class ProofInUse(Refused):
    """What somebody else proves with."""

    code = "proof_in_use"
    detail = "Somebody else has a discount by this already: it is for one person at a time."


class VerifierAway(Refused):
    """A verifier that cannot be asked now. Nothing is stored."""

    code = "verifier_away"
    status = 503
    detail = "This cannot be verified right now. Try again in a few minutes."


def verifier_of(name: str) -> Verifier:
    """The verifier that settings call `name`. Raises UnknownVerifier."""
    if name not in settings.PROOF_VERIFIERS:
        raise UnknownVerifier(verifiers=sorted(settings.PROOF_VERIFIERS))
    verifier: Verifier = importlib.import_module(settings.PROOF_VERIFIERS[name]).Verifier()
    return verifier


def of(patients: QuerySet[Patient]) -> QuerySet[Proof]:
    """The proofs of patients, the newest first."""
    return Proof.objects.filter(patient__in=patients.values("pk")).order_by("-created_at", "-pk")


def prove(*, patient: Patient, verifier: str, reference: str, actor: User, now: datetime) -> Proof:
    """Have `reference` verified, and keep that it proves `patient` eligible. Not in a transaction.

    The same reference of the same patient is the same proof, verified anew. Raises UnknownVerifier, TooManyTries,
    NotEligible, ProofInUse, VerifierAway.
    """
    asked = verifier_of(verifier)
    # Before anything that a refusal would take back with it.
    if attempts.count(f"proofs:{actor.pk}", within=WITHIN, now=now) > TRIES:
        raise TooManyTries
    normal = asked.normal(reference) if len(reference) <= LONGEST else ""
    if not normal:
        raise NotEligible
    try:
        verdict = asked.check(normal, now=now)
    except Unanswered as error:
        log.warning("Verifier %s: %s", verifier, error)
        raise VerifierAway from error
    if not verdict.is_eligible:
        raise NotEligible
    fingerprint = fingerprints.of_reference(verifier, normal)
    verified = {"verified_at": now, "holds_until": verdict.holds_until}
    with transaction.atomic():
        made, is_new = Proof.objects.select_for_update(no_key=True).get_or_create(
            fingerprint=fingerprint,
            status=Proof.Status.VERIFIED,
            defaults={"patient": patient, "verifier": verifier, "reference": normal, **verified},
        )
        if made.patient_id != patient.pk:
            raise ProofInUse
        if not is_new:
            Proof.objects.filter(pk=made.pk).update(**verified)
            made.verified_at, made.holds_until = now, verdict.holds_until
        return made
