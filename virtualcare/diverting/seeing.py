"""Who sees the patients who were sent elsewhere: who was told of it, or would have been."""

import uuid
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinics.models import Registration, StaffRole, User
from virtualcare.models import Consult, NurseAlert, NurseCall, NurseShift

SEEN_FOR = timedelta(days=3)
# By red flags before they waited, or by a clinician who cared for them.
SENT = (Consult.Status.DIVERTED, Consult.Status.ESCALATED)


def diversions(user: User, *, now: datetime) -> QuerySet[Consult]:
    """The consults of the last three days whose patients were sent elsewhere, as far as `user` sees them: those whom
    nobody has called first, then the last first. `was_called` is annotated.

    A nurse on call sees all of them, a manager those of patients of their clinics, and everybody those that they were
    told of: who runs the server, where there was nobody else.
    """
    alerts = NurseAlert.objects.filter(at__gt=now - SEEN_FOR, number=1)
    found = Consult.objects.filter(status__in=SENT, pk__in=alerts.values("consult"))
    if not user.is_active:
        return found.none()
    if not NurseShift.objects.filter(nurse=user, during__contains=now).exists():
        managed = Registration.objects.filter(clinic__in=StaffRole.objects.managed_places(user).values("pk"))
        told = NurseAlert.objects.filter(consult=OuterRef("pk"), told__contains=[user.pk])
        found = found.filter(Q(patient__in=managed.values("patient")) | Exists(told))
    called = Exists(NurseCall.objects.filter(consult=OuterRef("pk")))
    return found.annotate(was_called=called).order_by("was_called", "-created_at", "-pk")


def diversion(user: User, consult_id: uuid.UUID, *, now: datetime) -> Consult | None:
    """One of `diversions`, with all that a page of it shows loaded; None where there is none."""
    return (
        diversions(user, now=now)
        .select_related("patient", "form", "requested_by__patient")
        .prefetch_related("nurse_alerts", "nurse_calls__by")
        .filter(pk=consult_id)
        .first()
    )


def is_open() -> Q:
    """That nobody has called, and the patient has not said that they read it. Needs `was_called` annotated."""
    return Q(was_called=False, acknowledged_at__isnull=True)
