"""Who saw a patient's record, for the managers of the clinics that know the patient and those who run the server."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse

from clinics.admin import clock
from clinics.admin.places import Pages
from clinics.admin.site import Link, site
from clinics.models import Patient, Registration, StaffRole
from clinics.models.audit import AccessEvent, PatientSeen

A_PAGE = 50
MOST_FOUND = 20


@admin.register(AccessEvent, site=site)
class AccessAdmin(Pages):
    roles = (StaffRole.Role.MANAGER,)
    what = {"log": AccessEvent.What.ACCESS_LOG}

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [("", "changelist", self.find), ("<uuid:patient_id>/", "of", self.log)]

    def find(self, request: HttpRequest) -> HttpResponse:
        """A patient to look for: managers by name, those who run the server by the record's id alone."""
        at = self.seen(request)
        asked = request.GET.get("q", "").replace("\0", "")[:60].strip()
        found: list[Patient] = []
        here = at.at(StaffRole.Role.MANAGER)
        if asked and here:
            known = Patient.objects.filter(pk__in=Registration.objects.filter(clinic__in=here).values("patient"))
            for word in asked.split()[:3]:
                known = known.filter(family_name__istartswith=word) | known.filter(given_name__istartswith=word)
            found = list(known.order_by("family_name", "given_name", "pk")[:MOST_FOUND])
        by_id = None
        if asked and not here:
            try:
                by_id = uuid.UUID(asked)
            except ValueError:
                by_id = None
        context = {"title": "Who saw a record", "q": asked, "found": found, "by_id": by_id, "by_name": bool(here)}
        return self.page(
            request, "clinics/admin/access.html", context, patients=[patient.pk for patient in found], name="list"
        )

    def log(self, request: HttpRequest, patient_id: uuid.UUID) -> HttpResponse:
        at = self.seen(request)
        is_here = Registration.objects.filter(patient=patient_id, clinic__in=at.at(StaffRole.Role.MANAGER)).exists()
        if not is_here and not at.is_operator:
            raise Http404
        patient = Patient.objects.filter(pk=patient_id).first()
        if patient is None:
            raise Http404
        seen = PatientSeen.objects.filter(patient=patient_id).select_related("event__viewer", "event__clinic")
        page = Paginator(seen.order_by("-event_id"), A_PAGE).get_page(request.GET.get("page"))
        name, zone = patient.name if is_here else "a patient", clock.zone_of(at)
        context = {
            "title": f"Who saw the record of {name}",
            "events": [(clock.when(row.event.at, zone), row.event) for row in page.object_list],
            "page": page,
        }
        return self.page(request, "clinics/admin/access_of.html", context, patients=[patient_id], name="log")


site.links.append(  # type: ignore[attr-defined]
    Link(
        "History",
        "Who saw a record",
        "visibility",
        "admin:clinics_accessevent_changelist",
        lambda at: at.is_operator or bool(at.at(StaffRole.Role.MANAGER)),
    )
)
