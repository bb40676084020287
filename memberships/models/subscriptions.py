"""Who pays for a membership themself: what they bought, until when it is paid, and what happens next."""

from django.db import models
from django.db.models import F, Q

from clinics.ids import new_id
from clinics.models import Patient, User
from clinics.models.history import tracked
from memberships.models.plans import Price
from memberships.models.proofs import Proof


@tracked()
class Subscription(models.Model):
    """A membership that somebody pays for, renewed until it is cancelled (Stripe's word).

    It says what is owed and when. Whom it entitles, and until when, is said by the `Membership` rows that belong to
    it. The period in force is number `period` from `anchor_on`: [period_start, period_end). Period n is always computed
    from the anchor, never from the period before.
    """

    class Status(models.TextChoices):
        INCOMPLETE = "incomplete", "Waiting for the first payment"
        TRIAL = "trial"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        PAUSING = "pausing", "Pausing at the end of the period"
        PAUSED = "paused"
        CANCELLING = "cancelling", "Ending at the end of the period"
        ENDED = "ended"

    class EndReason(models.TextChoices):
        CANCELLED = "cancelled"
        UNPAID = "unpaid"
        NEVER_PAID = "never_paid", "The first payment never came"

    # Those who are members, as far as their own payments go.
    LIVE = (Status.TRIAL, Status.ACTIVE, Status.PAST_DUE, Status.PAUSING, Status.CANCELLING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="subscriptions", help_text="The head.")
    payer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="subscriptions", db_index=False)
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+", db_index=False)
    family_price = models.ForeignKey(
        Price,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="For each further member.",
    )
    next_price = models.ForeignKey(
        Price,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="From the next renewal on.",
    )
    proof = models.ForeignKey(Proof, on_delete=models.PROTECT, null=True, blank=True, related_name="subscriptions")
    method = models.ForeignKey(
        "memberships.PaymentMethod",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="subscriptions",
        db_index=False,
        help_text="What is charged; without one invoices are paid by hand.",
    )
    status = models.CharField(max_length=10, choices=Status)
    anchor_on = models.DateField(help_text="The first day of period 0: after a trial, its end.")
    period = models.IntegerField(default=0, help_text="Number of the period in force, from 0; -1 in a trial.")
    period_start = models.DateField()
    period_end = models.DateField(help_text="The first day after the period: when it renews, pauses or ends.")
    past_due_since = models.DateField(null=True, blank=True)
    announced_on = models.DateField(
        null=True, blank=True, help_text="When the next renewal was announced to the payer."
    )
    announced_for = models.DateField(null=True, blank=True, help_text="The day of the renewal that was announced.")
    announced_price = models.ForeignKey(
        Price,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="What it was announced to renew at.",
    )
    ended_on = models.DateField(null=True, blank=True, help_text="The first day without it.")
    end_reason = models.CharField(max_length=10, choices=EndReason, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["payer"], name="subscription_payer"),
            models.Index(
                fields=["period_end"],
                condition=Q(status__in=["trial", "active", "pausing", "cancelling"]),
                name="subscription_renews",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["patient"], condition=~Q(status="ended"), name="subscription_one_alive"),
            models.CheckConstraint(
                condition=Q(status__in=[
                    "incomplete", "trial", "active", "past_due", "pausing", "paused", "cancelling", "ended",
                ]),
                name="subscription_status",
            ),
            models.CheckConstraint(condition=Q(period_start__lt=F("period_end")), name="subscription_period"),
            models.CheckConstraint(
                condition=Q(status="ended", ended_on__isnull=False) & ~Q(end_reason="")
                | ~Q(status="ended") & Q(ended_on__isnull=True, end_reason=""),
                name="subscription_ended_on",
            ),
            models.CheckConstraint(
                condition=Q(status="past_due", past_due_since__isnull=False)
                | ~Q(status="past_due") & Q(past_due_since__isnull=True),
                name="subscription_past_due_since",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.price_id} of {self.patient_id}: {self.status}"


class SubscriptionChange(models.Model):
    """One thing that happened to a subscription. Appended with every change, never changed."""

    append_only = True  # clinics.rights

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="changes")
    at = models.DateTimeField()
    action = models.CharField(max_length=16, help_text="memberships.transitions.Action")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.action}: {self.from_status} → {self.to_status}"
