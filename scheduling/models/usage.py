"""What an employer was told of how much its people use what it pays for."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from clinics.models import Organization, User


class UsageReport(models.Model):
    """Numbers of some months, as they were told once and for ever. No two of an employer's have a day in common.

    A number that is too small to be told is 0, and nobody knows from it which.
    """

    append_only = True  # clinics.rights

    employer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    during = DateRangeField(help_text="[first day, first day after), whole months.")
    visits = models.PositiveIntegerField(help_text="That took place and that it paid for.")
    people = models.PositiveIntegerField(help_text="Who had them.")
    published_at = models.DateTimeField()
    published_to = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(during__isempty=False), name="usage_report_during"),
            models.CheckConstraint(
                condition=(Q(visits=0) | Q(visits__gte=11)) & (Q(people=0) | Q(people__gte=11)),
                name="usage_report_no_small_number",
            ),
            # Its index serves looking up an employer's reports, too.
            ExclusionConstraint(
                name="usage_report_once",
                expressions=[("employer", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employer_id} {self.during}"
