"""Patients, those who act for them, and who pays besides them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import DateRangeField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from phonenumber_field.modelfields import PhoneNumberField

from clinics.ids import new_id
from clinics.models.accounts import User
from clinics.models.break_glass import BreakGlass
from clinics.models.history import tracked
from clinics.models.places import Calendar, Clinic, validate_time_zone
from clinics.models.staff import StaffRole


def years_before(day: date, years: int) -> date:
    """The same day of an earlier year; 28 February for a 29 February that did not exist."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


class Sex(models.TextChoices):
    """FHIR administrative-gender, as a health system's record has it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class PatientQuerySet(models.QuerySet["Patient"]):
    def acted_for_by(self, user: User, *, on: date) -> "PatientQuerySet":
        """Whom `user` acts for on the day `on`: themself, and those under age who have them as proxy."""
        return self.filter(Q(user=user) | Q(pk__in=Proxy.objects.active(on=on).filter(user=user).values("patient")))

    def cared_for_by(self, user: User) -> "PatientQuerySet":
        """The patients registered at a clinic at which `user` cares for patients."""
        at_work = Registration.objects.filter(clinic__in=StaffRole.objects.care_places(user).values("pk"))
        return self.filter(pk__in=at_work.values("patient"))

    def visible_to(self, user: User, *, on: date) -> "PatientQuerySet":
        """The patients whose records `user` may see on the day `on`.

        These are the ones they act for and, for staff who care for patients, those registered at a clinic of theirs,
        and those whose record they opened in an emergency (BreakGlass): to read, for changes ask the other two.
        """
        if not user.is_active:
            return self.none()
        return self.filter(
            Q(pk__in=self.model.objects.acted_for_by(user, on=on).values("pk"))
            | Q(pk__in=self.model.objects.cared_for_by(user).values("pk"))
            | Q(pk__in=BreakGlass.objects.open().filter(user=user).values("patient"))
        )


@tracked()
class Patient(models.Model):
    """Somebody who receives care (FHIR Patient). For children a proxy acts; the older ones may have an account, too."""

    calendar = models.OneToOneField(Calendar, on_delete=models.PROTECT, primary_key=True, related_name="patient")
    user = models.OneToOneField(User, on_delete=models.PROTECT, null=True, blank=True, related_name="patient")
    given_name = models.CharField(max_length=60, help_text="Legal first name.")
    family_name = models.CharField(max_length=60, help_text="Legal last name.")
    preferred_name = models.CharField(max_length=60, blank=True, help_text="What to call them, where it differs.")
    birth_date = models.DateField()
    sex = models.CharField(max_length=7, choices=Sex, default=Sex.UNKNOWN)
    phone = PhoneNumberField(blank=True)
    email = models.EmailField(blank=True)
    street = models.CharField(max_length=120, blank=True)
    city = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=2, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=40, default="America/New_York", validators=[validate_time_zone])
    language = models.CharField(max_length=12, default="en", help_text="BCP 47 code, such as en or es.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["birth_date", "family_name", "given_name"], name="patient_birth_name"),
            models.Index(fields=["phone"], condition=~Q(phone=""), name="patient_phone"),
            # For the beginnings of names, in any case, as a desk types them (istartswith).
            models.Index(OpClass(Upper("family_name"), "text_pattern_ops"), name="patient_family_name"),
            models.Index(OpClass(Upper("given_name"), "text_pattern_ops"), name="patient_given_name"),
            models.Index(OpClass(Upper("preferred_name"), "text_pattern_ops"), name="patient_preferred_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What to call them: the preferred name, else the legal first name, and the last name."""
        return f"{self.preferred_name or self.given_name} {self.family_name}"

    def today(self, *, now: datetime) -> date:
        """The date where they live."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def age_on(self, day: date) -> int:
        """Whole years on `day`. Somebody born on 29 February has their birthday on 1 March in common years."""
        return day.year - self.birth_date.year - ((day.month, day.day) < (self.birth_date.month, self.birth_date.day))


class IdentityCorrection(models.Model):
    """That staff put right who a patient is, and why. Added with every correction, never changed."""

    append_only = True

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="corrections")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    before = models.JSONField(help_text="The fields that were corrected, as they were.")
    after = models.JSONField()
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.at:%Y-%m-%d %H:%M}"


@tracked()
class Identifier(models.Model):
    """A number that another system knows a patient by (FHIR Identifier), such as a health system's MRN."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="identifiers")
    system = models.CharField(max_length=200, help_text="A URI that names the numbering, such as urn:oid:….")
    value = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "value"], name="identifier_once")]

    def __str__(self) -> str:
        return f"{self.system}|{self.value}"


@tracked()
class Coverage(models.Model):
    """An insurance that may pay for a patient's care (FHIR Coverage). Membership is not insurance."""

    class Class(models.TextChoices):
        COMMERCIAL = "commercial"
        MEDICARE = "medicare"
        MEDICAID = "medicaid"
        SELF_PAY = "self_pay"
        OTHER = "other"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="coverages")
    payer = models.CharField(max_length=120, blank=True)
    payer_class = models.CharField(max_length=10, choices=Class)
    member_id = models.CharField(max_length=40, blank=True)
    during = DateRangeField(help_text="Days on which it covers, [first, first after).")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(during__isempty=False), name="coverage_during")]

    def __str__(self) -> str:
        return f"{self.payer or self.payer_class} {self.member_id}"


class ProxyQuerySet(models.QuerySet["Proxy"]):
    def active(self, *, on: date) -> "ProxyQuerySet":
        """Those in force on `on`: not ended, and the patient has not come of age."""
        return self.filter(
            Q(ended_on__isnull=True) | Q(ended_on__gt=on), patient__birth_date__gt=years_before(on, Proxy.ENDS_AT_AGE)
        )


@tracked()
class Proxy(models.Model):
    """Somebody who acts for a patient: a parent for a child (FHIR RelatedPerson).

    From `shrinks_at_age` on they still book, see and cancel visits but no longer read why the visit was booked, nor
    change the record; at ENDS_AT_AGE the patient is of age and the proxy ends by itself.
    """

    ENDS_AT_AGE = 18
    SHRINKS_AT_AGE = 13  # where nobody set another age

    class Relationship(models.TextChoices):
        PARENT = "parent"
        GUARDIAN = "guardian"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="proxies")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="proxies")
    relationship = models.CharField(max_length=10, choices=Relationship, default=Relationship.PARENT)
    shrinks_at_age = models.PositiveSmallIntegerField(
        default=SHRINKS_AT_AGE, help_text="Age in years from which the proxy sees visits but not why they were booked."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_on = models.DateField(null=True, blank=True)

    objects = ProxyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "proxies"
        constraints = [
            models.UniqueConstraint(fields=["user", "patient"], condition=Q(ended_on__isnull=True), name="proxy_once"),
            models.CheckConstraint(condition=Q(shrinks_at_age__lte=18), name="proxy_shrinks_before_of_age"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.patient_id}"

    def is_full(self, *, now: datetime) -> bool:
        """Whether the proxy still reads everything: until the birthday begins where the patient lives.

        Needs `patient` loaded.
        """
        return self.patient.age_on(self.patient.today(now=now)) < self.shrinks_at_age


@tracked()
class Registration(models.Model):
    """A patient known to a clinic, whose staff therefore see their record. Made by their first visit booked there."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="registrations")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="registrations")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "clinic"], name="registration_once")]
        indexes = [models.Index(F("clinic"), F("patient"), name="registration_clinic_patient")]

    def __str__(self) -> str:
        return f"{self.patient_id} at {self.clinic_id}"
