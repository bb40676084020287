"""Who is on duty for virtual care, and who really is there."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import Clinician, User
from clinics.models.history import tracked
from scheduling.models.shifts import is_instants


class Modality(models.TextChoices):
    """How a consult is held."""

    TEXT = "text"
    VIDEO = "video"


@tracked()
class OnCallShift(models.Model):
    """A time in which a clinician takes consults from the queue. A clinician's shifts never overlap.

    `capacity` is how many text consults they hold at once; a call is one at a time, whatever it says.
    """

    CAPACITY = 3

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="on_call_shifts", db_index=False)
    during = DateTimeRangeField()
    modalities = ArrayField(models.CharField(max_length=5, choices=Modality))
    capacity = models.PositiveSmallIntegerField(default=CAPACITY)

    class Meta:
        ordering = ["during"]
        indexes = [GistIndex(fields=["during"], name="on_call_during")]
        constraints = [
            models.CheckConstraint(condition=is_instants("during"), name="on_call_is_instants"),
            models.CheckConstraint(
                condition=Q(modalities__len__gt=0, modalities__contained_by=["text", "video"]),
                name="on_call_modalities",
            ),
            models.CheckConstraint(condition=Q(capacity__range=(1, 10)), name="on_call_capacity"),
            ExclusionConstraint(
                name="on_call_once",
                expressions=[("clinician", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clinician_id} on call"


@tracked()
class NurseShift(models.Model):
    """A time in which a nurse is told of every patient whom red flags turned away."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    nurse = models.ForeignKey(User, on_delete=models.PROTECT, related_name="nurse_shifts", db_index=False)
    during = DateTimeRangeField()

    class Meta:
        ordering = ["during"]
        indexes = [GistIndex(fields=["during"], name="nurse_shift_during")]
        constraints = [
            models.CheckConstraint(condition=is_instants("during"), name="nurse_shift_is_instants"),
            ExclusionConstraint(
                name="nurse_shift_once",
                expressions=[("nurse", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nurse_id} on call"


class Duty(models.Model):
    """What a clinician said of themselves, and when their console was last heard of. Its row is locked by who claims.

    On duty is who has an on-call shift now, said that they are available, and was heard of within FRESH.
    """

    clinician = models.OneToOneField(Clinician, on_delete=models.CASCADE, primary_key=True, related_name="duty")
    available = models.BooleanField(default=False)
    changed_at = models.DateTimeField(help_text="When they last said so.")
    heard_at = models.DateTimeField(help_text="When their console was last heard of.")

    class Meta:
        verbose_name_plural = "duties"
        indexes = [models.Index(fields=["heard_at"], condition=Q(available=True), name="duty_available")]

    def __str__(self) -> str:
        return f"{self.clinician_id} {'available' if self.available else 'away'}"


class CoverageAlert(models.Model):
    """That an hour without a clinician was told of: once, before it begins."""

    state = models.CharField(max_length=2)
    modality = models.CharField(max_length=5, choices=Modality)
    hour = models.DateTimeField(help_text="When the hour begins.")
    alerted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["state", "modality", "hour"], name="coverage_alert_once")]

    def __str__(self) -> str:
        return f"{self.state} {self.modality} {self.hour:%Y-%m-%d %H:%M}"
