"""What can be booked."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from clinics.models import Room
from clinics.models.history import tracked

# No visit is longer, so that those that meet a time begin in it or within this before it.
LONGEST_VISIT = timedelta(hours=24)
DIVISORS_OF_60 = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]


class RemindBefore(models.TextChoices):
    """How long before a visit to remind of it, as RFC 5545 §3.3.6 writes durations.

    A day is nominal: the same time on the clinic's clock, also across a change of it. An hour is exact.
    """

    WEEK = "P7D", "a week before"
    TWO_DAYS = "P2D", "two days before"
    DAY = "P1D", "the day before"
    FOUR_HOURS = "PT4H", "four hours before"
    TWO_HOURS = "PT2H", "two hours before"
    HOUR = "PT1H", "an hour before"


def usual_reminders() -> list[str]:
    return [RemindBefore.DAY.value, RemindBefore.TWO_HOURS.value]


@tracked()
class VisitType(models.Model):
    """A kind of visit, such as an office visit: how long it takes and who may have it.

    `code` is also the benefit that a membership or a per-visit price answers for.
    """

    class Patients(models.TextChoices):
        ANYONE = "anyone"
        NEW = "new", "New patients of the health system"
        ESTABLISHED = "established", "Established patients of the health system"

    class BookedBy(models.TextChoices):
        ANYONE = "anyone"
        STAFF = "staff"

    id = models.SmallAutoField(primary_key=True)
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    duration = models.DurationField(help_text="What the patient sees.")
    turnover = models.DurationField(
        default=timedelta(), help_text="The clinician's time behind the visit. It may overhang the end of the shift."
    )
    step = models.SmallIntegerField(
        help_text="Minutes between starts; divides 60, so that they stay on the local clock when its offset changes."
    )
    room_kind = models.CharField(
        max_length=10, blank=True, choices=[(kind, kind) for kind in Room.KINDS], help_text="Empty: needs no room."
    )
    min_age = models.PositiveSmallIntegerField(default=0, help_text="Whole years on the day of the visit, at least.")
    max_age = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Whole years, at most.")
    patients = models.CharField(max_length=11, choices=Patients, default=Patients.ANYONE)
    booked_by = models.CharField(max_length=6, choices=BookedBy, default=BookedBy.ANYONE)
    earliest_notice = models.DurationField(default=timedelta(days=90), help_text="How long ahead it can be booked.")
    latest_notice = models.DurationField(default=timedelta(), help_text="How long before the start at the latest.")
    overbook_lanes = models.PositiveSmallIntegerField(
        default=0, help_text="How many visits staff may book over another one of the same clinician."
    )
    is_offered = models.BooleanField(default=True)
    reminders = ArrayField(
        models.CharField(max_length=4, choices=RemindBefore),
        default=usual_reminders,
        db_default=usual_reminders(),
        blank=True,
        help_text="How long before the visit patients are reminded of it; none, where empty.",
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(duration__gt=timedelta(), duration__lte=LONGEST_VISIT), name="visit_type_duration"
            ),
            models.CheckConstraint(condition=Q(turnover__gte=timedelta()), name="visit_type_turnover"),
            models.CheckConstraint(condition=Q(step__in=DIVISORS_OF_60), name="visit_type_step_divides_60"),
            models.CheckConstraint(
                condition=Q(latest_notice__gte=timedelta(), earliest_notice__gt=F("latest_notice")),
                name="visit_type_notice",
            ),
            models.CheckConstraint(
                condition=Q(max_age__isnull=True) | Q(max_age__gte=F("min_age")), name="visit_type_ages"
            ),
            models.CheckConstraint(condition=Q(overbook_lanes__lte=9), name="visit_type_overbook_lanes"),
            models.CheckConstraint(
                condition=Q(reminders__contained_by=["P7D", "P2D", "P1D", "PT4H", "PT2H", "PT1H"]),
                name="visit_type_reminders",
            ),
        ]

    def __str__(self) -> str:
        return self.name
