"""Clinicians, and what allows them to see patients somewhere."""

from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import Q

from clinics import npi
from clinics.models.accounts import User
from clinics.models.history import tracked
from clinics.models.places import Calendar, Organization


@tracked()
class Clinician(models.Model):
    """Somebody who sees patients (FHIR Practitioner). One calendar, however many partners they work for."""

    class Gender(models.TextChoices):
        """FHIR administrative-gender."""

        FEMALE = "female"
        MALE = "male"
        OTHER = "other"
        UNKNOWN = "unknown"

    calendar = models.OneToOneField(Calendar, on_delete=models.PROTECT, primary_key=True, related_name="clinician")
    user = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="clinician")
    given_name = models.CharField(max_length=60)
    family_name = models.CharField(max_length=60)
    credentials = models.CharField(max_length=30, blank=True, help_text="As written behind the name: MD, DO, FNP-C.")
    npi = models.CharField("NPI", max_length=10, unique=True, validators=[npi.validate])
    languages = ArrayField(models.CharField(max_length=12), help_text="BCP 47 codes, such as en or es.")
    gender = models.CharField(max_length=7, choices=Gender, default=Gender.UNKNOWN)

    class Meta:
        ordering = ["family_name", "given_name"]
        constraints = [models.CheckConstraint(condition=Q(npi__regex=r"^[12]\d{9}$"), name="clinician_npi")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """As patients read it: `Ana Reyes, MD`."""
        return ", ".join(part for part in (f"{self.given_name} {self.family_name}", self.credentials) if part)


@tracked()
class Licence(models.Model):
    """A state's permission to practise, a row per period: a renewal is a new row."""

    clinician = models.ForeignKey(Clinician, on_delete=models.CASCADE, related_name="licences")
    state = models.CharField(max_length=2)
    number = models.CharField(max_length=30)
    during = DateRangeField(help_text="Days on which the licence holds, [first, first after).")

    class Meta:
        indexes = [models.Index(fields=["clinician", "state"], name="licence_clinician_state")]
        constraints = [models.CheckConstraint(condition=Q(during__isempty=False), name="licence_during")]

    def __str__(self) -> str:
        return f"{self.state} {self.number}"


@tracked()
class Credential(models.Model):
    """A health system's permission to see patients at its clinics, a row per period."""

    clinician = models.ForeignKey(Clinician, on_delete=models.CASCADE, related_name="health_system_credentials")
    health_system = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="credentials")
    during = DateRangeField(help_text="Days on which the credential holds, [first, first after).")

    class Meta:
        indexes = [models.Index(fields=["clinician", "health_system"], name="credential_clinician_system")]
        constraints = [models.CheckConstraint(condition=Q(during__isempty=False), name="credential_during")]

    def __str__(self) -> str:
        return f"{self.clinician_id} at {self.health_system_id}"
