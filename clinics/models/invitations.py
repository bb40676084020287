"""Asking a second adult to act for a child."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from clinics.ids import new_id
from clinics.models.accounts import User
from clinics.models.history import tracked
from clinics.models.patients import Patient, Proxy


class ProxyInvitationQuerySet(models.QuerySet["ProxyInvitation"]):
    def open(self, *, now: datetime) -> "ProxyInvitationQuerySet":
        """Those that can still be accepted."""
        return self.filter(accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now)


@tracked(exclude=("digest",))
class ProxyInvitation(models.Model):
    """An adult with this address may become a proxy of `patient`, with a code that the one who asks them passes on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="proxy_invitations")
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField()
    relationship = models.CharField(max_length=10, choices=Proxy.Relationship)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the code, which is kept nowhere.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ProxyInvitationQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(email=Lower("email")), name="proxy_invitation_email_lower")]

    def __str__(self) -> str:
        return f"{self.pk} for {self.patient_id}"
