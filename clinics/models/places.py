"""Organizations, their clinics, and the rooms in them."""

from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from phonenumber_field.modelfields import PhoneNumberField

from clinics.ids import new_id
from clinics.models.history import tracked


def validate_time_zone(value: str) -> None:
    """Raises ValidationError unless `value` is an IANA zone name such as America/New_York."""
    if value not in available_timezones():
        raise ValidationError(f"{value!r} is not an IANA time zone, such as America/New_York.", code="time_zone")


class Calendar(models.Model):
    """Anything whose time can be taken: a clinician, an exam room or a patient, which all share its primary key."""

    class Kind(models.TextChoices):
        CLINICIAN = "clinician"
        ROOM = "room"
        PATIENT = "patient"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=9, choices=Kind)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["clinician", "room", "patient"]), name="calendar_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@tracked()
class Organization(models.Model):
    """A health system, an employer, or the company that runs clinics with health systems (FHIR Organization)."""

    class Kind(models.TextChoices):
        HEALTH_SYSTEM = "health_system"
        EMPLOYER = "employer"
        CARE_COMPANY = "care_company"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=13, choices=Kind)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["health_system", "employer", "care_company"]), name="organization_kind"
            )
        ]

    def __str__(self) -> str:
        return self.name


@tracked()
class Clinic(models.Model):
    """A place that people visit (FHIR Location), co-branded with a health system.

    `opens_on` is the first day of visits, which can be booked before it; `closes_on` is the first day without them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    health_system = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="clinics", limit_choices_to={"kind": "health_system"}
    )
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    brand = models.CharField(max_length=120, help_text="The name on the door, such as “Sameday with Example Health”.")
    street = models.CharField(max_length=120)
    city = models.CharField(max_length=60)
    state = models.CharField(max_length=2, help_text="USPS code of the state or territory, such as OH.")
    postal_code = models.CharField(max_length=10)
    latitude = models.FloatField(help_text="Degrees north, WGS 84.")
    longitude = models.FloatField(help_text="Degrees east, WGS 84: negative in the United States.")
    time_zone = models.CharField(max_length=40, validators=[validate_time_zone])
    phone = PhoneNumberField()
    opens_on = models.DateField()
    closes_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_on__isnull=True) | Q(closes_on__gt=F("opens_on")), name="clinic_closes_after_opening"
            ),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180)), name="clinic_point"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@tracked()
class OpeningHours(models.Model):
    """When a clinic's door is open, in its local time. `closes` at or before `opens` is on the next day."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.SmallIntegerField(help_text="0 is Monday, 6 is Sunday.")
    opens = models.TimeField()
    closes = models.TimeField(help_text="At or before the opening time means: on the next day.")

    class Meta:
        verbose_name_plural = "opening hours"
        ordering = ["clinic", "weekday", "opens"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__range=(0, 6)), name="opening_hours_weekday"),
            models.UniqueConstraint(fields=["clinic", "weekday", "opens"], name="opening_hours_once"),
        ]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.weekday} {self.opens}-{self.closes}"


@tracked()
class Room(models.Model):
    """A room of a clinic, of the kind that a type of visit asks for."""

    KINDS: ClassVar[list[str]] = ["exam", "procedure", "consult"]

    calendar = models.OneToOneField(Calendar, on_delete=models.PROTECT, primary_key=True, related_name="room")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="rooms")
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS], default="exam")
    name = models.CharField(max_length=40)
    in_use = models.BooleanField(
        default=True, help_text="A room out of use is not booked; visits that have it keep it."
    )

    class Meta:
        ordering = ["clinic", "name"]
        indexes = [models.Index(fields=["clinic", "kind"], name="room_clinic_kind")]
        constraints = [models.UniqueConstraint(fields=["clinic", "name"], name="room_name_once")]

    def __str__(self) -> str:
        return self.name
