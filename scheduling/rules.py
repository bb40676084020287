"""Who may have which visit: what to tell those who may not."""

from datetime import datetime, timedelta
from typing import Any

from clinics.models import Clinic, Patient
from clinics.models.patients import years_before
from clinics.refusals import Refused
from scheduling import intervals
from scheduling.models import Appointment, VisitType

# A patient is established who was seen by the group within three years (AMA, CPT Evaluation and Management guidelines).
ESTABLISHED_FOR_YEARS = 3


class NotOffered(Refused):
    code = "visit_type_not_offered"
    status = 409
    detail = "This type of visit is not offered at present."


class StaffOnly(Refused):
    code = "staff_only"
    status = 403
    detail = "This type of visit is booked by the clinic's staff: please call the clinic."


class AgeNotAllowed(Refused):
    code = "age_not_allowed"
    status = 409
    detail = "The patient's age on the day of the visit is outside what this type of visit is for."


class NewPatientsOnly(Refused):
    code = "new_patients_only"
    status = 409
    detail = "This type of visit is for patients who were not seen here in the last three years. Choose another type."


class EstablishedPatientsOnly(Refused):
    code = "established_patients_only"
    status = 409
    detail = (
        "This type of visit is for patients who were seen here in the last three years. Choose one for new patients."
    )


def is_established(patient: Patient, *, clinic: Clinic, at: datetime) -> bool:
    """Whether the clinic's health system completed a visit of `patient` in the ESTABLISHED_FOR_YEARS before `at`."""
    since = years_before(at.astimezone(clinic.zone).date(), ESTABLISHED_FOR_YEARS) + timedelta(days=1)
    return Appointment.objects.filter(
        patient=patient,
        clinic__health_system=clinic.health_system_id,
        status=Appointment.Status.COMPLETED,
        ends_at__gte=intervals.midnight(since, clinic.zone),
        ends_at__lte=at,
    ).exists()


def require_fit(patient: Patient, *, visit_type: VisitType, clinic: Clinic, at: datetime, staff: bool) -> None:
    """Raises the refusal of the rule that keeps `patient` from a visit of this type at `clinic`, beginning at `at`.

    `free_starts` doesn't list such a visit, nor is one booked that gets past here: this says which rule it is.
    """
    if not visit_type.is_offered:
        raise NotOffered
    if visit_type.booked_by == VisitType.BookedBy.STAFF and not staff:
        raise StaffOnly
    age = patient.age_on(at.astimezone(clinic.zone).date())
    if age < visit_type.min_age or (visit_type.max_age is not None and age > visit_type.max_age):
        ages: dict[str, Any] = {"min_age": visit_type.min_age, "max_age": visit_type.max_age}
        raise AgeNotAllowed(**ages)
    if visit_type.patients != VisitType.Patients.ANYONE:
        established = is_established(patient, clinic=clinic, at=at)
        if visit_type.patients == VisitType.Patients.NEW and established:
            raise NewPatientsOnly
        if visit_type.patients == VisitType.Patients.ESTABLISHED and not established:
            raise EstablishedPatientsOnly
