"""The first page: today at each clinic, who comes next, who waits, and what is in the way."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from clinics.admin.scoped import record
from clinics.admin.site import Panel, Site, site
from clinics.admin.work import Work
from clinics.audit import AccessEvent
from clinics.models import Clinic
from scheduling import claims
from scheduling.admin import days
from scheduling.admin.appointments import minutes, since
from scheduling.models import Appointment, Closure

Status = Appointment.Status
SHOWN = [Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.ROOMED, Status.COMPLETED, Status.NO_SHOW]
WAITING = [Status.ARRIVED, Status.CHECKED_IN]
# Rows of a clinic: more is for its list. Clinics on the page: more is for the list's filter.
MOST, MOST_CLINICS = 5, 12


def panel(_request: HttpRequest, at: Work) -> dict[str, Any]:
    """Today, for each clinic where they work; as many statements for one clinic as for all."""
    now = timezone.now()
    clinics = list(at.clinics.values())[:MOST_CLINICS]
    if not clinics or at.user is None:
        return {"clinics": [], "is_operator": at.is_operator}
    today = Appointment.objects.filter(days.starting_on(0, clinics, now=now))
    counts: dict[Any, Counter[str]] = defaultdict(Counter)
    for clinic, status in today.filter(status__in=SHOWN).values_list("clinic", "status"):
        counts[clinic][status] += 1
    held = Counter(today.filter(claims.is_unexpired(), status=Status.HELD).values_list("clinic", flat=True))
    coming = rows(today.filter(status=Status.BOOKED, ends_at__gt=now), clinics)
    waiting = rows(today.filter(status__in=WAITING).annotate(since=since()), clinics)
    closed = defaultdict(list)
    for closure in Closure.objects.filter(meeting_today(clinics, now)).order_by("during"):
        zone = at.clinics[closure.clinic_id].zone
        closed[closure.clinic_id].append(
            {
                "reason": closure.reason,
                "from": closure.during.lower.astimezone(zone),
                "until": closure.during.upper.astimezone(zone),
            }
        )
    shown = [visit for of_clinic in (*coming.values(), *waiting.values()) for visit in of_clinic]
    record(at.user, {visit.patient_id for visit in shown}, page="admin:today", what=AccessEvent.What.VISITS)
    return {
        "is_operator": at.is_operator,
        "more": len(at.clinics) - len(clinics),
        "clinics": [
            {
                "clinic": clinic,
                "now": now.astimezone(clinic.zone),
                "counts": [(status, label(status), counts[clinic.pk][status]) for status in SHOWN],
                "total": counts[clinic.pk].total(),
                "held": held[clinic.pk],
                "coming": [(visit, late(visit, now)) for visit in coming[clinic.pk]],
                "waiting": [
                    (visit, minutes(now - visit.since) if visit.since else "")  # type: ignore[attr-defined]
                    for visit in waiting[clinic.pk]
                ],
                "closed": closed[clinic.pk],
            }
            for clinic in clinics
        ],
    }


def rows(visits: QuerySet[Appointment], clinics: list[Clinic]) -> dict[Any, list[Appointment]]:
    """The first MOST of each clinic."""
    found: dict[Any, list[Appointment]] = defaultdict(list)
    for visit in visits.with_what_it_shows().order_by("starts_at", "pk")[: 200 * len(clinics)]:  # type: ignore[attr-defined]
        if len(found[visit.clinic_id]) < MOST:
            found[visit.clinic_id].append(visit)
    return found


def label(status: Appointment.Status) -> str:
    return str(status.label).replace("_", " ").capitalize()


def late(visit: Appointment, now: datetime) -> str:
    return f"{minutes(now - visit.starts_at)} late" if now - visit.starts_at >= timedelta(minutes=5) else ""


def meeting_today(clinics: list[Clinic], now: datetime) -> Q:
    """The condition on a closure that it meets today at one of `clinics`."""
    condition = Q()
    for clinic in clinics:
        condition |= Q(clinic=clinic, during__overlap=days.bounds(0, clinic, now=now))
    return condition


cast(Site, site).panels.append(Panel("scheduling/admin/today.html", panel))
