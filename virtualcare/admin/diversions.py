"""Patients who were sent elsewhere, for who was told of them: who it is, where they are, and that somebody called.

What is shown is on record. Those who run the server see whom they were told of, where there was nobody else to tell.
"""

import uuid
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import clock, doing
from clinics.admin.doing import Done
from clinics.admin.places import Pages
from clinics.admin.site import Panel, Site, site
from clinics.admin.staff import who
from clinics.admin.work import Work
from clinics.models import AccessEvent
from clinics.people import own_record
from virtualcare import diverting
from virtualcare.admin.forms import told
from virtualcare.intake import deciding, questions
from virtualcare.models import Advice, Consult, NurseAlert

A_PAGE = 50


@admin.register(NurseAlert, site=site)
class DiversionAdmin(Pages):
    section, icon = "Virtual care", "emergency_home"
    what = {"list": AccessEvent.What.CONSULTS, "page": AccessEvent.What.CONSULT}

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.diversions),
            ("<uuid:consult_id>/", "change", self.diversion),
            ("<uuid:consult_id>/called/", "called", self.called),
        ]

    def diversions(self, request: HttpRequest) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        found = diverting.diversions(who(at), now=now).select_related("patient")
        page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
        rows, zone = list(page.object_list), clock.zone_of(at)
        context = {
            "title": "Patients sent elsewhere",
            "rows": [(consult, Advice(consult.advice).label, when(consult, zone)) for consult in rows],
            "page": page,
        }
        seen = [consult.patient_id for consult in rows]
        return self.page(request, "virtualcare/admin/diversions.html", context, patients=seen, name="list")

    def diversion(self, request: HttpRequest, consult_id: uuid.UUID, *, refused: str = "") -> HttpResponse:
        at = self.seen(request)
        consult = self.found(at, consult_id)
        zone = clock.zone_of(at)
        asked = questions.asked_by(consult.form)
        asker = own_record(consult.requested_by)
        context = {
            "title": "A patient sent elsewhere",
            "consult": consult,
            "advice": Advice(consult.advice).label,
            "sent": when(consult, zone),
            "age": consult.patient.age_on(consult.patient.today(now=timezone.now())),
            "asker": asker if asker is not None and asker.pk != consult.patient_id else None,
            "flags": [told(flag, asked) for flag in deciding.raised(questions.flags_of(consult.form), consult.answers)],
            "acknowledged": clock.when(consult.acknowledged_at, zone) if consult.acknowledged_at else "",
            "alerts": [
                (clock.when(alert.at, zone), alert.get_reached_display()) for alert in consult.nurse_alerts.all()
            ],
            "calls": [(clock.when(call.at, zone), call.by.email, call.note) for call in consult.nurse_calls.all()],
            "note": request.POST.get("note", "")[:1000],
            "refused": refused,
        }
        status = 422 if refused else 200
        return self.page(
            request, "virtualcare/admin/diversion.html", context, patients=[consult.patient_id], status=status
        )

    def called(self, request: HttpRequest, consult_id: uuid.UUID) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        if request.method != "POST":
            raise Http404
        consult = self.found(at, consult_id)

        def work() -> Done:
            note = request.POST.get("note", "").replace("\0", "")[:1000]
            diverting.note_call(consult=consult, by=who(at), note=note, now=now)
            return Done("It is kept that you called.", to=reverse("admin:virtualcare_nursealert_changelist"))

        answer = doing.once(request, work)
        if isinstance(answer, HttpResponse):
            return answer
        return self.diversion(request, consult_id, refused=answer.detail)

    def found(self, at: Work, consult_id: uuid.UUID) -> Consult:
        """Raises Http404."""
        found = diverting.diversion(who(at), consult_id, now=timezone.now())
        if found is None:
            raise Http404
        return found


def when(consult: Consult, zone: tzinfo) -> str:
    """When they were sent elsewhere: by red flags at once, by a clinician later."""
    return clock.when(consult.ended_at or consult.created_at, zone)


def panel(_request: HttpRequest, at: Work) -> dict[str, Any]:
    """How many of them nobody has called, on the first page."""
    now = timezone.now()
    waiting = diverting.diversions(who(at), now=now).filter(diverting.is_open()).count()
    return {"waiting": waiting}


cast(Site, site).panels.append(Panel("virtualcare/admin/diversions_panel.html", panel))
