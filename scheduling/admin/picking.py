"""Choosing a time for somebody: what a desk looks for, and the free times of the day it looks at."""

import uuid
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest
from django.utils import timezone

from clinics.admin import work
from clinics.models import Clinic, Clinician, Patient
from memberships import entitlement
from scheduling import slots
from scheduling.admin import days
from scheduling.models import Shift, VisitType
from scheduling.slots import BadSlot, Search, Slot

MOST = 300


def slot_asked_for(request: HttpRequest) -> Slot:
    """The slot whose button was pressed. Raises Http404 for what no button says."""
    try:
        return Slot.from_id(request.POST.get("slot", ""))
    except BadSlot as error:
        raise Http404 from error


def price_accepted(request: HttpRequest) -> int | None:
    """The price in cents that the caller agreed to, if that was ticked."""
    price = request.POST.get("accept_price", "")
    return int(price) if price.isascii() and price.isdigit() and len(price) < 9 else None


def offered(row: dict[str, Any]) -> dict[str, Any]:
    """A slot as the API writes it, for a button."""
    return {**row, "start": datetime.fromisoformat(row["start"])}


def wanted(
    request: HttpRequest, patient: Patient, *, visit_type: VisitType | None = None, clinic: Clinic | None = None
) -> dict[str, Any]:
    """What is looked for (by the address), what else could be, and the free times. For their own clinics alone.

    `visit_type` stays as it is where a visit is moved; `clinic` is where the search begins.
    """
    now = timezone.now()
    clinics = work.of(request).clinics
    chosen = one_of(clinics, request.GET.get("clinic")) or (clinics.get(clinic.pk) if clinic else None)
    chosen = chosen or next(iter(clinics.values()), None)
    if chosen is None:
        raise Http404
    kinds = [visit_type] if visit_type else list(VisitType.objects.filter(is_offered=True).order_by("name"))
    kind = next((one for one in kinds if one.code == request.GET.get("visit_type")), kinds[0] if kinds else None)
    today = now.astimezone(chosen.zone).date()
    day = max(days.of(days.named(request.GET.get("day")) or 0, chosen, now=now), today)
    working = at_work(chosen, day)
    clinician = one_of({one.pk: one for one in working}, request.GET.get("clinician"))
    found = free(kind, chosen, day, patient, clinician, now=now) if kind else []
    terms = entitlement.terms(patient_id=patient.pk, benefit=kind.code).on(day) if kind else None
    return {
        "clinics": list(clinics.values()),
        "clinic": chosen,
        "kinds": kinds,
        "kind": kind,
        "day": day,
        "today": today,
        "before": day - timedelta(days=1) if day > today else None,
        "after": day + timedelta(days=1),
        "clinicians": working,
        "clinician": clinician,
        "may_overbook": visit_type is None and kind is not None and kind.overbook_lanes > 0 and bool(working),
        "found": found,
        "paid": terms,
    }


def one_of(known: dict[uuid.UUID, Any], text: str | None) -> Any:
    try:
        return known.get(uuid.UUID(text or ""))
    except ValueError:
        return None


def at_work(clinic: Clinic, day: date) -> list[Clinician]:
    """Who has a shift there on that day."""
    shifts = Shift.objects.filter(clinic=clinic, on=day)
    return list(Clinician.objects.filter(pk__in=shifts.values("clinician")).order_by("family_name", "given_name"))


def free(
    kind: VisitType, clinic: Clinic, day: date, patient: Patient, clinician: Clinician | None, *, now: datetime
) -> list[dict[str, Any]]:
    """The free times of the day, by clinician."""
    search = Search(
        visit_type=kind.code,
        asked_at=now,
        clinics=(clinic.pk,),
        clinicians=(clinician.pk,) if clinician else (),
        first_day=day,
        days=1,
        patient=patient.pk,
        staff=True,
    )
    rows = sorted(
        slots.search(search, now=now, limit=MOST),
        key=lambda row: (row.clinician_name, row.slot.clinician, row.slot.start),
    )
    return [
        {
            "clinician": name,
            "slots": [{"id": row.slot.id, "start": row.slot.start.astimezone(row.zone)} for row in rows_of],
        }
        for (name, _), rows_of in groupby(rows, key=lambda row: (row.clinician_name, row.slot.clinician))
    ]
