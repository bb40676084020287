"""What can be bought, and what it costs."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q

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
    trial_days = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Days before the first payment, for who was never a member."
    )

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
class Fee(models.Model):
    """What a fee costs that a rule of visits names by its code, such as for cancelling late, in cents.

    A code without one costs nothing.
    """

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=80, help_text="As the invoice has it.")
    amount = models.PositiveIntegerField(help_text="Cents of US dollars.")
    during = DateRangeField(help_text="Days on which it may fall due, [first, first after).")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(during__isempty=False), name="fee_during"),
            ExclusionConstraint(
                name="fee_once",
                expressions=[("code", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.amount / 100:.2f}"
