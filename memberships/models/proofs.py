"""Proof that somebody is eligible for a discount, as a verifier told it."""

from django.db import models
from django.db.models import Q

from clinics.encryption import EncryptedText
from clinics.ids import new_id
from clinics.models import Patient
from clinics.models.history import tracked


@tracked(exclude=("reference",))
class Proof(models.Model):
    """What a verifier said of a patient's claim to a discount, such as a subscription with a retailer.

    It is asked again before each renewal: `holds_until` is the first day for which it has not been confirmed.
    """

    class Status(models.TextChoices):
        VERIFIED = "verified"
        LAPSED = "lapsed", "Not eligible any more"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="proofs")
    verifier = models.CharField(max_length=20, help_text="The name of a verifier in settings.PROOF_VERIFIERS.")
    reference = EncryptedText(help_text="What the verifier knows it by: a member number, a code.")
    fingerprint = models.CharField(max_length=64, help_text="HMAC of verifier and reference, to find it by.")
    status = models.CharField(max_length=8, choices=Status)
    verified_at = models.DateTimeField(help_text="When the verifier last said so.")
    holds_until = models.DateField(null=True, blank=True, help_text="The first day on which it is not known to hold.")
    lapsed_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When they were told that the discount ends.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # A code or a retailer's member discounts one person at a time.
            models.UniqueConstraint(fields=["fingerprint"], condition=Q(status="verified"), name="proof_once"),
            models.CheckConstraint(
                condition=Q(status="lapsed", lapsed_at__isnull=False) | Q(status="verified", lapsed_at__isnull=True),
                name="proof_lapsed_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verifier} for {self.patient_id}: {self.status}"


@tracked(exclude=("digest",))
class ProofCode(models.Model):
    """A code that proves eligibility, from a list that the operator was given. Kept as an HMAC."""

    digest = models.CharField(max_length=64, unique=True)
    batch = models.CharField(max_length=60, help_text="Whose list it came with.")
    valid_until = models.DateField(null=True, blank=True, help_text="The first day on which it is worth nothing.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.batch
