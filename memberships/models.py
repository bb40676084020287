"""What can be bought, what it costs, and who holds it."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import Organization, Patient
from clinics.models.history import tracked


@tracked()
class Plan(models.Model):
    """A way to be a member: what it entitles to, and who may hold it."""

    class Audience(models.TextChoices):
        ANYONE = "anyone"
        DISCOUNTED = "discounted", "People with a verified proof of eligibility"
        FAMILY = "family", "Family of a member"
        EMPLOYER = "employer", "Sponsored by an employer"
        COMPLIMENTARY = "complimentary", "Given by the operator"

    code = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)
    audience = models.CharField(max_length=13, choices=Audience)
    benefits = ArrayField(
        models.CharField(max_length=40), help_text="Codes of visit types, text, video; * stands for all of them."
    )
    on_sale = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


@tracked()
class Price(models.Model):
    """What a plan costs, in cents. A row is never changed: a new price is a new row with a later `from_on`."""

    class Interval(models.TextChoices):
        """How often it is paid, in Stripe's words."""

        MONTH = "month"
        YEAR = "year"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    interval = models.CharField(max_length=5, choices=Interval)
    amount = models.PositiveIntegerField(help_text="Cents of US dollars.")
    from_on = models.DateField(help_text="First day on which it can be bought.")

    class Meta:
        ordering = ["plan", "interval", "-from_on"]
        constraints = [models.UniqueConstraint(fields=["plan", "interval", "from_on"], name="price_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.amount / 100:.2f} a {self.interval}"


@tracked()
class VisitPrice(models.Model):
    """What one use of a benefit costs somebody who is not covered, in cents.

    A benefit without one is for members only.
    """

    benefit = models.CharField(max_length=40, help_text="The code of a visit type, text or video.")
    amount = models.PositiveIntegerField(help_text="Cents of US dollars.")
    during = DateRangeField(help_text="Days of the visit for which this price holds, [first, first after).")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(during__isempty=False), name="visit_price_during"),
            ExclusionConstraint(
                name="visit_price_once",
                expressions=[("benefit", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.benefit} {self.amount / 100:.2f}"


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
    during = DateRangeField(help_text="Days on which it entitles, [first, first after); no end where it renews.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["patient"], name="membership_patient")]
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
