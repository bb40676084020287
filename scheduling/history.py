"""What happened to a visit, told to those who may see it."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from clinics.models import Proxy
from scheduling.models import Appointment, AppointmentChange


def changes(visit: Appointment) -> QuerySet[AppointmentChange]:
    """All that happened to `visit`, the first thing first."""
    return AppointmentChange.objects.filter(appointment=visit)


def teller(visit: Appointment, *, reads_reason: bool) -> Callable[[AppointmentChange], dict[str, Any]]:
    """A function that tells one change, and in which role somebody made it, not who: by a link or a text message where
    they were not signed in.

    Needs the visit's patient and clinic loaded.
    """
    proxies = set(Proxy.objects.filter(patient=visit.patient_id).values_list("user", flat=True))

    def by(change: AppointmentChange) -> str:
        if change.actor_id is None:
            return change.via or "system"
        if change.actor_id == visit.patient.user_id:
            return "patient"
        return "proxy" if change.actor_id in proxies else "staff"

    def tell(change: AppointmentChange) -> dict[str, Any]:
        return {
            "at": change.at.astimezone(visit.clinic.zone).isoformat(),
            "kind": change.kind,
            "by": by(change),
            "from_status": change.from_status,
            "to_status": change.to_status,
            "reason": change.reason if reads_reason else None,
            "moved_from": change.moved_from,
        }

    return tell
