"""Visits, what became of them, and what cancelling them late costs."""

import uuid
from datetime import date, datetime
from typing import ClassVar

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Q
from django.db.models.lookups import LessThanOrEqual

from clinics.ids import new_id
from clinics.models import BreakGlass, Clinic, Clinician, Organization, Patient, Room, StaffRole, User
from clinics.models.history import tracked
from memberships.models import Membership
from scheduling.models.visit_types import LONGEST_VISIT, VisitType


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    SHOWN: ClassVar[tuple[str, ...]] = ("patient", "clinic", "clinician", "visit_type")

    def changeable_by(self, user: User, *, on: date) -> "AppointmentQuerySet":
        """What `user` may change on the day `on`: visits of those they act for, and at clinics they work at."""
        return self.filter(self.theirs(user, on=on)) if user.is_active else self.none()

    def visible_to(self, user: User, *, on: date) -> "AppointmentQuerySet":
        """What `user` may see on the day `on`: what they may change, and whom they opened in an emergency."""
        opened = BreakGlass.objects.open().filter(user=user).values("patient")
        return self.filter(self.theirs(user, on=on) | Q(patient__in=opened)) if user.is_active else self.none()

    def theirs(self, user: User, *, on: date) -> Q:
        own = Patient.objects.acted_for_by(user, on=on)
        return Q(patient__in=own.values("pk")) | Q(clinic__in=StaffRole.objects.care_places(user).values("pk"))

    def meeting(self, start: datetime, end: datetime) -> "AppointmentQuerySet":
        """The visits of which some time lies in [start, end), found without reading all those before."""
        return self.filter(starts_at__lt=end, ends_at__gt=start, starts_at__gt=start - LONGEST_VISIT)

    def of(self, patients: list[uuid.UUID]) -> "AppointmentQuerySet":
        """The visits of these patients that were booked: not their holds."""
        return self.filter(patient__in=patients, booked_at__isnull=False)

    def with_what_it_shows(self) -> "AppointmentQuerySet":
        """With patient, clinic, clinician and type of visit loaded."""
        return self.select_related(*self.SHOWN)

    def upcoming(self, *, now: datetime) -> "AppointmentQuerySet":
        """Visits that are still to happen, or happening."""
        return self.filter(status__in=Appointment.LIVE, ends_at__gt=now)

    def past(self, *, now: datetime) -> "AppointmentQuerySet":
        """Visits that are over or will not happen."""
        return self.exclude(status__in=Appointment.LIVE, ends_at__gt=now)


@tracked()
class Appointment(models.Model):
    """A visit (FHIR Appointment), from the moment it is held."""

    class Status(models.TextChoices):
        HELD = "held"
        BOOKED = "booked"
        ARRIVED = "arrived"
        CHECKED_IN = "checked_in"
        ROOMED = "roomed"
        COMPLETED = "completed"
        NO_SHOW = "no_show"
        CANCELLED = "cancelled"
        EXPIRED = "expired"

    FHIR_STATUS: ClassVar[dict[str, str]] = {
        Status.HELD: "pending",
        Status.BOOKED: "booked",
        Status.ARRIVED: "arrived",
        Status.CHECKED_IN: "checked-in",
        Status.ROOMED: "checked-in",
        Status.COMPLETED: "fulfilled",
        Status.NO_SHOW: "noshow",
        Status.CANCELLED: "cancelled",
        Status.EXPIRED: "cancelled",
    }
    # Statuses in which a visit takes time, and so has its claims. A completed one keeps those until they are purged.
    LIVE: ClassVar[list[str]] = [Status.HELD, Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.ROOMED]

    class Source(models.TextChoices):
        PATIENT = "patient"
        PROXY = "proxy"
        STAFF = "staff"
        CONSULT = "consult"  # the clinician of a text or video consult: what the patient could book, and no more

    class PaidBy(models.TextChoices):
        """What pays for the visit: a kind of membership, or the price of this one visit."""

        SELF_PAID = "self_paid"
        FAMILY = "family"
        EMPLOYER = "employer"
        COMPLIMENTARY = "complimentary"
        PER_VISIT = "per_visit"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="appointments", db_index=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="appointments", db_index=False)
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="appointments", db_index=False)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    visit_type = models.ForeignKey(VisitType, on_delete=models.PROTECT, related_name="+", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Without the turnover behind it, which is not the patient's.")
    status = models.CharField(max_length=10, choices=Status)
    reason = models.CharField(max_length=500, blank=True, help_text="Why the patient comes, in their words.")
    source = models.CharField(max_length=7, choices=Source)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)
    booked_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the patient said that they will come, at this time."
    )
    extended_at = models.DateTimeField(null=True, blank=True, help_text="When its hold was extended, which it is once.")
    sequence = models.PositiveIntegerField(default=0, help_text="Grows with every move (RFC 5545 SEQUENCE).")
    lane = models.SmallIntegerField(default=0, help_text="0, or the clinician's lane it was overbooked on.")
    overbook_reason = models.CharField(max_length=200, blank=True)
    price = models.PositiveIntegerField(
        null=True, help_text="Cents that the patient pays for this visit; 0 when covered."
    )
    paid_by = models.CharField(max_length=13, choices=PaidBy, blank=True)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    paid_because = models.CharField(max_length=200, blank=True, help_text="Why it pays, in a sentence.")
    is_late_cancellation = models.BooleanField(default=False)
    fee_code = models.CharField(
        max_length=40, blank=True, help_text="The fee that its policy names for cancelling late."
    )

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [
            models.Index(fields=["patient", "starts_at", "id"], name="appointment_patient_starts_at"),
            models.Index(fields=["clinic", "starts_at", "id"], name="appointment_clinic_starts_at"),
            models.Index(fields=["clinician", "starts_at"], name="appointment_clinician_starts"),
            models.Index(fields=["starts_at"], condition=Q(status="held"), name="appointment_held"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="appointment_ends_after_start"),
            models.CheckConstraint(
                condition=LessThanOrEqual(models.F("ends_at") - models.F("starts_at"), models.Value(LONGEST_VISIT)),
                name="appointment_within_a_day",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "held",
                        "booked",
                        "arrived",
                        "checked_in",
                        "roomed",
                        "completed",
                        "no_show",
                        "cancelled",
                        "expired",
                    ]
                ),
                name="appointment_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["held", "expired", "cancelled"])
                | Q(price__isnull=False, booked_at__isnull=False),
                name="appointment_booked_is_paid_for",
            ),
            models.CheckConstraint(
                condition=Q(lane=0) | ~Q(overbook_reason=""), name="appointment_overbook_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.starts_at:%Y-%m-%d %H:%M}"

    @property
    def local_start(self) -> datetime:
        """The start on the clinic's clock. Needs `clinic` loaded."""
        return self.starts_at.astimezone(self.clinic.zone)


class AppointmentChange(models.Model):
    """One thing that happened to a visit. Appended with every change, never changed."""

    append_only = True  # clinics.rights

    class Kind(models.TextChoices):
        HELD = "held"
        EXTENDED = "extended"
        BOOKED = "booked"
        MOVED = "moved"
        STATUS = "status"
        CANCELLED = "cancelled"
        EXPIRED = "expired"
        CONFIRMED = "confirmed"

    class Via(models.TextChoices):
        """How somebody did it who was not signed in: whoever has the link, or the phone."""

        LINK = "link", "A link in a message"
        SMS = "sms", "A text message"

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="changes")
    at = models.DateTimeField()
    kind = models.CharField(max_length=9, choices=Kind)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10)
    via = models.CharField(max_length=4, choices=Via, blank=True, default="", db_default="")
    reason = models.CharField(max_length=500, blank=True)
    moved_from = models.JSONField(null=True, help_text="For a move: start, clinic and clinician before it.")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"


@tracked()
class CancellationPolicy(models.Model):
    """Until when cancelling is free. The policy in force on the day a visit was booked applies to it.

    A health system's own row goes before the general one; a row is never changed, a new rule is a new row.
    """

    health_system = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    free_until_hours_before = models.PositiveSmallIntegerField()
    fee_code = models.CharField(max_length=40, help_text="What billing knows the late-cancellation fee by.")
    no_show_fee_code = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="That of a visit that nobody came to, if any."
    )
    during = DateRangeField(help_text="Days of booking for which it holds, [first, first after).")

    class Meta:
        verbose_name_plural = "cancellation policies"
        constraints = [models.CheckConstraint(condition=Q(during__isempty=False), name="cancellation_policy_during")]

    def __str__(self) -> str:
        return f"free until {self.free_until_hours_before} h before"
