"""Asking an adult to be a further member of a membership that somebody else pays for."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from clinics.ids import new_id
from clinics.models import Patient, User
from clinics.models.history import tracked
from memberships.models.plans import Price
from memberships.models.subscriptions import Subscription


class MemberInvitationQuerySet(models.QuerySet["MemberInvitation"]):
    def unanswered(self) -> Self:
        """Neither accepted, declined nor taken back. Its time may be over."""
        return self.filter(accepted_at__isnull=True, declined_at__isnull=True, withdrawn_at__isnull=True)

    def open(self, *, now: datetime) -> Self:
        """Those that can still be accepted."""
        return self.unanswered().filter(expires_at__gt=now)


@tracked(exclude=("digest",))
class MemberInvitation(models.Model):
    """An adult whom the payer of a membership asks to be a further member of it, by a secret that is mailed to them.

    The payer agreed to `price`, and to at most `due` when they accept.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="invitations", db_index=False)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    email = models.EmailField()
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, which is kept nowhere.")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+", db_index=False)
    due = models.PositiveIntegerField(help_text="Cents, at most, that are billed when they accept.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Who accepted."
    )

    objects = MemberInvitationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["subscription"], name="member_invitation_subscription")]
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="member_invitation_email_lower"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, patient__isnull=True)
                | Q(accepted_at__isnull=False, patient__isnull=False),
                name="member_invitation_accepted",
            ),
            models.UniqueConstraint(
                fields=["subscription", "email"],
                condition=Q(accepted_at__isnull=True, declined_at__isnull=True, withdrawn_at__isnull=True),
                name="member_invitation_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} to {self.subscription_id}"
