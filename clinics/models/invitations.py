"""Asking a second adult to act for a child, and a teenager to have an account of their own."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from clinics.ids import new_id
from clinics.models.accounts import User
from clinics.models.history import tracked
from clinics.models.patients import Patient, Proxy


class InvitationQuerySet(models.QuerySet[Any]):
    def open(self, *, now: datetime) -> Self:
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

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(email=Lower("email")), name="proxy_invitation_email_lower")]

    def __str__(self) -> str:
        return f"{self.pk} for {self.patient_id}"


@tracked(exclude=("digest",))
class AccountInvitation(models.Model):
    """`patient`, who is a teenager, may have an account of this address for their own record, by a code."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="account_invitations")
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField()
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the code, which is kept nowhere.")
    account = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="account_invitations",
        help_text="The account that was signed up with the code, which is somebody's under age.",
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="account_invitation_email_lower"),
            models.UniqueConstraint(
                fields=["patient", "invited_by"],
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="account_invitation_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} for {self.patient_id}"
