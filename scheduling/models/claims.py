"""Time that is taken."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import Calendar
from scheduling.models.appointments import Appointment
from scheduling.models.shifts import is_instants


class Claim(models.Model):
    """Time taken on a calendar. The constraint `claim_once` refuses two that overlap on one lane of one calendar.

    Lane 0 holds visits, lanes 1 to 9 a clinician's overbooked visits, lane -1 time off and blocks. The trigger
    `claim_lane` refuses lanes above 0 to rooms and patients, so that the constraint means no overlap at all for them.
    `expires_at` is the only expiry there is: a held visit is one whose claims carry it.
    """

    class Kind(models.TextChoices):
        VISIT = "visit"
        TIME_OFF = "time_off"
        BLOCK = "block"

    VISITS, AWAY = 0, -1

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="claims", db_index=False)
    lane = models.SmallIntegerField(default=VISITS)
    during = DateTimeRangeField()
    kind = models.CharField(max_length=8, choices=Kind)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="claims")
    expires_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="claim_expires_at"),
        ]
        constraints = [
            models.CheckConstraint(condition=is_instants("during"), name="claim_during"),
            models.CheckConstraint(
                condition=Q(kind="visit", lane__range=(0, 9), appointment__isnull=False)
                | Q(kind__in=["time_off", "block"], lane=-1, appointment__isnull=True, expires_at__isnull=True),
                name="claim_kind",
            ),
            # Column order matters: with `during` first a search reads three times the pages.
            ExclusionConstraint(
                name="claim_once",
                expressions=[
                    ("calendar", RangeOperators.EQUAL),
                    ("lane", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.during}"
