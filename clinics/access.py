"""Fetching records that are for everybody: places, and who works there."""

import uuid
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinics.models import Clinic, Clinician, Credential, Licence
from clinics.refusals import NotFound


def clinics(*, on: date) -> QuerySet[Clinic]:
    """The clinics that are open on `on` or will be, with their health system and opening hours."""
    return (
        Clinic.objects.filter(Q(closes_on__isnull=True) | Q(closes_on__gt=on))
        .select_related("health_system")
        .prefetch_related("opening_hours")
    )


def clinic(clinic_id: uuid.UUID) -> Clinic:
    """The clinic `clinic_id`, open or not. Raises NotFound."""
    found = (
        Clinic.objects.select_related("health_system").prefetch_related("opening_hours").filter(pk=clinic_id).first()
    )
    if found is None:
        raise NotFound
    return found


def clinicians(
    *, on: date, clinic: uuid.UUID | None = None, health_system: uuid.UUID | None = None
) -> QuerySet[Clinician]:
    """The clinicians who may see patients on `on`: somewhere, at a health system, or at one clinic.

    They need a credential with the health system in force and, for a clinic, a licence in its state.
    """
    credentials = Credential.objects.filter(clinician=OuterRef("pk"), during__contains=on)
    allowed = Clinician.objects.all()
    if clinic is not None:
        at = Clinic.objects.filter(pk=clinic)
        licences = Licence.objects.filter(clinician=OuterRef("pk"), during__contains=on)
        credentials = credentials.filter(health_system__in=at.values("health_system"))
        allowed = allowed.filter(Exists(licences.filter(state__in=at.values("state"))))
    if health_system is not None:
        credentials = credentials.filter(health_system=health_system)
    return allowed.filter(Exists(credentials))
