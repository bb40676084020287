"""Who saw a patient's record, in words for the patient."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, QuerySet, Subquery

from clinics import people
from clinics.models import AccessEvent, AccessRepeat, Patient, PatientSeen, StaffRole, User
from clinics.refusals import NotFound

ROLES = {
    StaffRole.Role.FRONT_DESK: "Front desk of {}",
    StaffRole.Role.MANAGER: "A manager of {}",
    StaffRole.Role.CLINICIAN: "A clinician of {}",
    StaffRole.Role.PARTNER: "Staff of {}",
    StaffRole.Role.BENEFITS: "Benefit staff of {}",
}


def record_of(user: User, patient_id: UUID | None, *, now: datetime) -> Patient:
    """Whose log `user` may read: their own, or that of a dependent whose record they read in full.

    Raises NotFound, and NoPatientRecord where it is to be their own.
    """
    own = people.own_record(user)
    if patient_id is None or (own is not None and own.pk == patient_id):
        if own is None:
            raise people.NoPatientRecord
        return own
    today = people.today_of(user, now=now)
    proxy = people.dependents(user, on=today).filter(patient=patient_id).first()
    if proxy is None or not proxy.is_full(now=now):
        raise NotFound
    return proxy.patient


def looks(patient: Patient, *, reader: User) -> QuerySet[PatientSeen]:
    """Who was shown something of `patient`, but for the reader themself. To be ordered by `-event_id`, its index."""
    again = AccessRepeat.objects.filter(event=OuterRef("event_id")).order_by("-id").values("at")[:1]
    return (
        PatientSeen.objects.filter(patient=patient)
        .exclude(event__viewer=reader)
        .select_related("event__viewer__clinician", "event__viewer__patient", "event__clinic", "event__organization")
        .annotate(last_at=Subquery(again))
    )


def teller(patient: Patient, *, reader: User) -> Callable[[Any], dict[str, Any]]:
    """A function that tells a row of `looks`: when (on the patient's clock), who, what and why."""
    is_own = patient.user_id == reader.pk
    whose, whom = ("your", "you") if is_own else (f"{patient.preferred_name or patient.given_name}'s", "them")
    zone = ZoneInfo(patient.time_zone)
    reasons = {
        AccessEvent.Basis.CARE: f"To care for {whom}.",
        AccessEvent.Basis.PROXY: f"They act for {whom}.",
        AccessEvent.Basis.BREAK_GLASS: "In an emergency, without being asked to. Each such look is reviewed.",
    }

    def tell(row: Any) -> dict[str, Any]:
        event = row.event
        did = "looked at" if event.page.startswith("GET ") or event.via != "api" else "made or changed"
        return {
            "at": event.at.astimezone(zone).isoformat(),
            "last_at": (row.last_at or event.at).astimezone(zone).isoformat(),
            "who": who(event),
            "what": f"{did} {whose} {event.get_what_display()}",
            "why": reasons[event.basis],
        }

    return tell


def who(event: AccessEvent) -> str:
    """Who looked. Clinicians and those who act for a patient by name, other staff by what they do and where.

    The clinic knows which of them it was, and tells a patient who asks.
    """
    viewer = event.viewer
    if event.basis == AccessEvent.Basis.PROXY:
        patient = getattr(viewer, "patient", None)
        return patient.name if patient else "Somebody who acts for the patient"
    clinic, organization = event.clinic, event.organization
    place = f"Sameday {clinic.name}" if clinic else organization.name if organization else ""
    clinician = getattr(viewer, "clinician", None)
    if clinician is not None:
        return f"{clinician.name}, {place}" if place else clinician.name
    return ROLES[StaffRole.Role(event.role)].format(place) if event.role and place else "Sameday's own staff"
