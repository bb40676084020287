"""Patients whom red flags turned away: who was told of it, and who called them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from clinics.models import User
from virtualcare.models.consults import Consult


class NurseAlert(models.Model):
    """That somebody was told of a diverted patient. `number` counts from 1: it is told again until somebody acts."""

    class Reached(models.TextChoices):
        NURSE = "nurse", "Nurse on call"
        MANAGER = "manager", "Manager, as no nurse was on call"
        OPERATOR = "operator", "Who runs the server, as there was neither nurse nor manager"
        NOBODY = "nobody", "Nobody"

    append_only = True

    consult = models.ForeignKey(Consult, on_delete=models.PROTECT, related_name="nurse_alerts", db_index=False)
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    reached = models.CharField(max_length=8, choices=Reached)
    told = ArrayField(models.UUIDField(), help_text="The accounts that were told: they may see whom it is about.")

    class Meta:
        verbose_name_plural = "patients sent elsewhere"
        ordering = ["consult", "number"]
        indexes = [models.Index(fields=["at"], name="nurse_alert_at")]
        constraints = [models.UniqueConstraint(fields=["consult", "number"], name="nurse_alert_once")]

    def __str__(self) -> str:
        return f"{self.number} of {self.consult_id}"


class NurseCall(models.Model):
    """That somebody called a diverted patient, and what came of it."""

    append_only = True

    consult = models.ForeignKey(Consult, on_delete=models.PROTECT, related_name="nurse_calls")
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    note = models.CharField(max_length=1000, help_text="What came of it: reached, on the way, nobody answered.")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"Call about {self.consult_id}"
