"""What people are asked who pay for a membership that an employer pays for by now, too."""

from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import Patient, User
from clinics.models.history import tracked
from memberships.models.employers import BenefitGrant
from memberships.models.subscriptions import Subscription


@tracked()
class BenefitOffer(models.Model):
    """That `decider` was asked what becomes of what is paid for `patient` besides, and what they chose.

    It is made once, when an employer begins to pay; nothing is ever done by itself.
    """

    class Choice(models.TextChoices):
        KEEP = "keep", "Keep it, and go on paying"
        PAUSE = "pause", "Pause it at its renewal"
        LEAVE = "leave", "Leave the family's membership at its renewal"
        CANCEL = "cancel", "End it today, with credit for unused days"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    grant = models.ForeignKey(BenefitGrant, on_delete=models.PROTECT, related_name="offers", db_index=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="benefit_offers")
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="For whom the employer pays."
    )
    decider = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    choice = models.CharField(max_length=6, choices=Choice, blank=True)
    chosen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Its index serves looking up a grant's offers, too.
            models.UniqueConstraint(fields=["grant", "subscription"], name="benefit_offer_once"),
            models.CheckConstraint(
                condition=Q(choice="", chosen_at__isnull=True)
                | Q(choice__in=["keep", "pause", "leave", "cancel"], chosen_at__isnull=False),
                name="benefit_offer_chosen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} besides {self.grant_id}: {self.choice or 'open'}"
