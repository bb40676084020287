"""Who is entitled to what, on which days, and who pays for it."""

from typing import ClassVar

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import Organization, Patient
from clinics.models.history import tracked
from memberships.models.plans import Plan, Price
from memberships.models.subscriptions import Subscription


@tracked()
class Membership(models.Model):
    """A grant: `patient` is entitled to the benefits of `plan` on the days of `during`, and who pays for it."""

    class Source(models.TextChoices):
        SELF_PAID = "self_paid"
        FAMILY = "family"
        EMPLOYER = "employer"
        COMPLIMENTARY = "complimentary"

    # Which grant pays where several are live: the one that costs the patient least comes first.
    PRECEDENCE: ClassVar[list[str]] = [Source.EMPLOYER, Source.COMPLIMENTARY, Source.FAMILY, Source.SELF_PAID]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="memberships")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="memberships")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships")
    source = models.CharField(max_length=13, choices=Source)
    sponsor = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, help_text="The employer that pays."
    )
    head = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="The membership this family member is added to.",
    )
    subscription = models.ForeignKey(
        Subscription,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="memberships",
        db_index=False,  # by the one below, made while people work
        help_text="What pays for it, where that is somebody's own payments.",
    )
    during = DateRangeField(help_text="Days on which it entitles, [first, first after); no end where it renews.")
    removed_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was decided that this family member leaves, at the end of `during`."
    )
    reason = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why it is given, where nobody pays."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient"], name="membership_patient"),
            models.Index(
                fields=["subscription"], condition=Q(subscription__isnull=False), name="membership_subscription"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(during__isempty=False), name="membership_during"),
            models.CheckConstraint(
                condition=Q(source="employer", sponsor__isnull=False)
                | (~Q(source="employer") & Q(sponsor__isnull=True)),
                name="membership_sponsor_is_an_employer",
            ),
            models.CheckConstraint(
                condition=Q(source="family", head__isnull=False) | (~Q(source="family") & Q(head__isnull=True)),
                name="membership_family_has_a_head",
            ),
            models.CheckConstraint(
                condition=~Q(source__in=["self_paid", "family"]) | Q(price__isnull=False),
                name="membership_paid_has_a_price",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} of {self.patient_id}"
