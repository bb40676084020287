"""Records that were opened in an emergency: by whom, whose, why, until when, and ending it.

It is for the managers of the patients' clinics. Those who run the server are told where nobody manages: they see who
opened one and end it, but neither whose it is nor why.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from clinics import break_glass
from clinics.admin import clock, doing
from clinics.admin.doing import Done
from clinics.admin.history_lines import Actors, history_of
from clinics.admin.places import Pages
from clinics.admin.site import site
from clinics.admin.staff import who
from clinics.admin.work import Role, Work
from clinics.models import AccessEvent, BreakGlass
from clinics.models.audit import PatientSeen

A_PAGE = 50
MOST_LOOKS = 100
STATES = {"open": "Open now", "over": "Over"}
IS_OPEN = ExpressionWrapper(Q(during__contains=Now()), BooleanField())


@dataclass(frozen=True, slots=True)
class Row:
    """An access as the pages show it. Whose it is and why is None for those who run the server alone."""

    access: BreakGlass
    is_open: bool
    patient: str | None
    reason: str | None
    opened: str
    until: str
    ended_by: str  # where it was ended before its time


@admin.register(BreakGlass, site=site)
class BreakGlassAdmin(Pages):
    section, icon = "History", "emergency"
    roles = (Role.MANAGER,)
    what = dict.fromkeys(("list", "page"), AccessEvent.What.ACCESS_LOG)

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.accesses),
            ("<uuid:access_id>/", "change", self.access),
            ("<uuid:access_id>/end/", "end", self.end),
        ]

    def accesses(self, request: HttpRequest) -> HttpResponse:
        """The open ones first."""
        at = self.seen(request)
        found = overseen(at).annotate(is_open=IS_OPEN)
        asked = request.GET.get("q", "").replace("\0", "")[:60].strip()
        state = request.GET.get("state", "")
        if asked:
            found = found.filter(user__email__icontains=asked)
        if state in STATES:
            found = found.filter(is_open=state == "open")
        page = Paginator(found.order_by("-is_open", "-id"), A_PAGE).get_page(request.GET.get("page"))
        rows = shown(page.object_list, at)
        context = {
            "title": "Break-glass accesses",
            "rows": rows,
            "page": page,
            "q": asked,
            "state": state if state in STATES else "",
            "states": STATES.items(),
            "sees_whose": any(row.patient is not None for row in rows) or not at.is_operator,
        }
        seen = [row.access.patient_id for row in rows if row.patient is not None]
        return self.page(request, "clinics/admin/break_glass_list.html", context, patients=seen, name="list")

    def access(self, request: HttpRequest, access_id: uuid.UUID, *, refused: str = "") -> HttpResponse:
        """One of them, with what was looked at by it."""
        at = self.seen(request)
        found = overseen(at).annotate(is_open=IS_OPEN).filter(pk=access_id).first()
        if found is None:
            raise Http404
        [row] = shown([found], at)
        looks = looks_by(found)[:MOST_LOOKS] if row.patient is not None else []
        zone = clock.zone_of(at)
        context = {
            "title": "Break-glass access",
            "row": row,
            "looks": [(clock.when(look.event.at, zone), look.event) for look in looks],
            "refused": refused,
        }
        seen = [found.patient_id] if row.patient is not None else []
        return self.page(
            request, "clinics/admin/break_glass.html", context, patients=seen, status=422 if refused else 200
        )

    def end(self, request: HttpRequest, access_id: uuid.UUID) -> HttpResponse:
        at = self.seen(request)
        if request.method != "POST":
            raise Http404
        if not overseen(at).filter(pk=access_id).exists():
            raise Http404

        def work() -> Done:
            break_glass.end_for(actor=who(at), access=access_id)
            return Done("The access is ended.", to=reverse("admin:clinics_breakglass_change", args=[access_id]))

        answer = doing.once(request, work)
        return answer if isinstance(answer, HttpResponse) else self.access(request, access_id, refused=answer.detail)


def overseen(at: Work) -> QuerySet[BreakGlass]:
    """The accesses that who is at work answers for."""
    found = BreakGlass.objects.select_related("user", "patient")
    return found if at.is_operator else found.of_patients_at(at.at(Role.MANAGER))


def shown(accesses: Iterable[Any], at: Work) -> list[Row]:
    """Accesses in words, in three statements however many they are. Needs `is_open` annotated."""
    found = list(accesses)
    keys = [access.pk for access in found]
    ours = set(BreakGlass.objects.of_patients_at(at.at(Role.MANAGER)).filter(pk__in=keys).values_list("pk", flat=True))
    cut = list(history_of(BreakGlass).objects.filter(pgh_obj_id__in=keys, pgh_label="update").order_by("pgh_id"))
    who_cut = Actors(cut)
    by = {event.pgh_obj_id: who_cut.of(event) for event in cut}
    zone = clock.zone_of(at)

    def when(instant: datetime) -> str:
        return clock.when(instant, zone)

    return [
        Row(
            access,
            access.is_open,
            access.patient.name if access.pk in ours else None,
            access.reason if access.pk in ours else None,
            when(access.during.lower),
            when(access.during.upper),
            by.get(access.pk, ""),
        )
        for access in found
    ]


def looks_by(access: BreakGlass) -> QuerySet[PatientSeen]:
    """What was shown of the record to who opened it, while it was open, the last first."""
    return (
        PatientSeen.objects.filter(
            patient=access.patient_id,
            event__viewer=access.user_id,
            event__basis=AccessEvent.Basis.BREAK_GLASS,
            event__at__gte=access.during.lower,
            event__at__lte=access.during.upper,
        )
        .select_related("event")
        .order_by("-event_id")
    )
