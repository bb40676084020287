"""When clinicians see patients, and when clinics do not."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import Calendar, Clinic, Clinician, User
from clinics.models.history import tracked


def is_instants(field: str) -> Q:
    """The condition that a range of instants is not empty, has both ends, and is written [from, until)."""
    return Q(
        **{
            f"{field}__isempty": False,
            f"{field}__lower_inc": True,
            f"{field}__upper_inc": False,
            f"{field}__lower_inf": False,
            f"{field}__upper_inf": False,
        }
    )


@tracked(exclude=("expanded_until",))
class WeeklyHours(models.Model):
    """A clinician's usual block of a weekday at a clinic, in its local time. Shifts are expanded from these rows.

    `ends` at or before `starts` is on the next day. Change them through `shifts.change_weekly_hours`, which shows the
    visits affected.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="weekly_hours")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="weekly_hours")
    weekday = models.SmallIntegerField(help_text="0 is Monday, 6 is Sunday.")
    starts = models.TimeField()
    ends = models.TimeField(help_text="At or before the start means: on the next day.")
    visit_types = ArrayField(models.SmallIntegerField(), help_text="Ids of the visit types that can be booked.")
    during = DateRangeField(help_text="Days on which a block begins, [first, first after); no end where it goes on.")
    expanded_until = models.DateField(
        null=True,
        editable=False,
        help_text="The first day not yet expanded into shifts: days before it are never expanded again.",
    )
    set_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        verbose_name_plural = "weekly hours"
        ordering = ["clinician", "weekday", "starts"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__range=(0, 6)), name="weekly_hours_weekday"),
            models.CheckConstraint(condition=Q(during__isempty=False), name="weekly_hours_during"),
            models.CheckConstraint(condition=Q(visit_types__len__gt=0), name="weekly_hours_visit_types"),
        ]

    def __str__(self) -> str:
        return f"{self.clinician_id} {self.weekday} {self.starts}-{self.ends}"


@tracked(inserts=False)  # most of them are expanded from weekly hours, which are kept
class Shift(models.Model):
    """A block of time in which a clinician sees patients at a clinic. A day may hold several, never overlapping."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="shifts")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="shifts")
    on = models.DateField(help_text="The clinic's local date on which it begins.")
    during = DateTimeRangeField()
    visit_types = ArrayField(models.SmallIntegerField())

    class Meta:
        ordering = ["during"]
        indexes = [
            GistIndex(fields=["clinic", "during"], name="shift_clinic_during"),
            models.Index(fields=["clinician", "on"], name="shift_clinician_on"),
        ]
        constraints = [
            models.CheckConstraint(condition=is_instants("during"), name="shift_during"),
            models.CheckConstraint(condition=Q(visit_types__len__gt=0), name="shift_visit_types"),
            ExclusionConstraint(
                name="shift_once",
                expressions=[("clinician", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clinician_id} {self.on}"


@tracked()
class DayByHand(models.Model):
    """A clinician's day at a clinic that staff set by hand: a session more, less or at another time.

    Weekly hours and opening hours leave such a day alone, whatever they say later.
    """

    clinician = models.ForeignKey(Clinician, on_delete=models.CASCADE, related_name="days_by_hand", db_index=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="days_by_hand")
    on = models.DateField(help_text="The clinic's local date.")
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name_plural = "days by hand"
        ordering = ["on"]
        constraints = [models.UniqueConstraint(fields=["clinician", "clinic", "on"], name="day_by_hand_once")]

    def __str__(self) -> str:
        return f"{self.clinician_id} {self.on}"


class ShiftChange(models.Model):
    """What staff did by hand to one shift: added, changed or took it away. Appended each time, never changed.

    `Shift` keeps no history of being made, for most are expanded: this is the history of those that are not.
    """

    append_only = True  # clinics.rights

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="shift_changes")
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="shift_changes", db_index=False)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    before = DateTimeRangeField(null=True, help_text="Null: it was added.")
    after = DateTimeRangeField(null=True, help_text="Null: it was taken away.")
    types_before = ArrayField(models.SmallIntegerField(), default=list)
    types_after = ArrayField(models.SmallIntegerField(), default=list)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(before__isnull=False) | Q(after__isnull=False), name="shift_change_is_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clinician_id} {self.at:%Y-%m-%d %H:%M}"


class TimeOffChange(models.Model):
    """That time off of a clinician or a block of a room was entered or given back. Appended each time, never changed.

    The claim itself goes when it is given back, and when it is long past.
    """

    append_only = True  # clinics.rights

    class What(models.TextChoices):
        ENTERED = "entered"
        WITHDRAWN = "withdrawn"

    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="time_off_changes")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    what = models.CharField(max_length=9, choices=What)
    during = DateTimeRangeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.calendar_id} {self.what} {self.at:%Y-%m-%d %H:%M}"


class OpeningHoursChange(models.Model):
    """Who set a clinic's opening hours, when, from what to what. Appended with every change, never changed.

    `before` and `after` are lists of [weekday, opens, closes] in order, such as [0, "08:00", "17:00"] for Mondays.
    """

    append_only = True  # clinics.rights

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="opening_hours_changes")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.at:%Y-%m-%d %H:%M}"


@tracked()
class Closure(models.Model):
    """A time in which a clinic is closed although its hours say otherwise: a holiday, snow."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="closures")
    during = DateTimeRangeField()
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["during"]
        indexes = [GistIndex(fields=["clinic", "during"], name="closure_clinic_during")]
        constraints = [models.CheckConstraint(condition=is_instants("during"), name="closure_during")]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.reason}"
