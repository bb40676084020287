"""Shifts of nurses, who are told of patients whom red flags turned away."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import clock, doing
from clinics.admin.doing import Done
from clinics.admin.places import Pages
from clinics.admin.site import site
from clinics.admin.work import Work
from clinics.models import User
from scheduling.admin.hours import A_PAGE
from virtualcare import on_call
from virtualcare.admin import planning
from virtualcare.admin.planning import PLANS, ShiftForm, nurses
from virtualcare.models import NurseShift


@admin.register(NurseShift, site=site)
class NurseAdmin(Pages):
    section, icon = "Virtual care", "emergency"
    roles = PLANS

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.shifts),
            ("add/", "add", self.add),
            ("<uuid:shift_id>/", "change", self.shift),
        ]

    def shifts(self, request: HttpRequest) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        zone = planning.zone_of(at)
        found = self.theirs(at).filter(during__endswith__gt=now).order_by("during", "pk")
        page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
        rows = [
            (shift, clock.span(shift.during.lower, shift.during.upper, zone), shift.during.lower <= now)
            for shift in page.object_list
        ]
        context = {"title": "Nurse shifts", "shifts": rows, "page": page}
        return self.page(request, "virtualcare/admin/nurses.html", context, name="list")

    def add(self, request: HttpRequest) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        zone = planning.zone_of(at)
        choice = list(nurses(at).order_by("email", "pk"))
        chosen = next((one for one in choice if str(one.pk) == request.POST.get("nurse")), None)
        form = ShiftForm(request.POST or None)
        refused = ""
        if request.method == "POST" and form.is_valid():
            if chosen is None:
                refused = "Choose a nurse."
            else:
                span = form.span(zone)
                answer = doing.once(request, lambda: self.do_add(at, chosen, span, now))
                if isinstance(answer, HttpResponse):
                    return answer
                refused = answer.detail
        context = {
            "title": "Put a nurse on call",
            "people": choice,
            "chosen": chosen,
            "form": form,
            "refused": refused,
            "zone": zone.key,
        }
        return self.page(request, "virtualcare/admin/nurse_form.html", context, status=422 if refused else 200)

    def do_add(self, at: Work, nurse: User, span: tuple[datetime, datetime], now: datetime) -> Done:
        on_call.add_nurse(nurse=nurse, start=span[0], end=span[1], actor=cast(User, at.user), now=now)
        return Done("The nurse is on call then.", to=reverse("admin:virtualcare_nurseshift_changelist"))

    def shift(self, request: HttpRequest, shift_id: uuid.UUID) -> HttpResponse:
        """A shift, to move, take away or end now."""
        at, now = self.seen(request), timezone.now()
        shift = self.theirs(at).filter(pk=shift_id).first()
        if shift is None:
            raise Http404
        zone = planning.zone_of(at)
        span = shift.during.lower, shift.during.upper
        taking_away, refused = request.POST.get("do") == "take_away", ""
        form = ShiftForm(
            request.POST if request.method == "POST" and not taking_away else None,
            initial=planning.initial(*span, zone),
        )
        if request.method == "POST" and (taking_away or form.is_valid()):
            work = self.do_take_away if taking_away else self.do_change
            answer = doing.once(request, lambda: work(at, shift, form, now))
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer.detail
        context = {
            "title": f"{shift.nurse.email} on call",
            "span": clock.span(*span, zone),
            "form": form,
            "refused": refused,
            "zone": zone.key,
            "is_over": span[1] <= now,
            "has_begun": span[0] <= now,
        }
        return self.page(
            request, "virtualcare/admin/nurse_shift.html", context, name="shift", status=422 if refused else 200
        )

    def do_change(self, at: Work, shift: NurseShift, form: ShiftForm, now: datetime) -> Done:
        start, end = form.span(planning.zone_of(at), (shift.during.lower, shift.during.upper))
        on_call.change_nurse(shift=shift, start=start, end=end, actor=cast(User, at.user), now=now)
        return Done("The shift is changed.", to=reverse("admin:virtualcare_nurseshift_changelist"))

    def do_take_away(self, at: Work, shift: NurseShift, form: ShiftForm, now: datetime) -> Done:  # noqa: ARG002 - as do_change
        on_call.take_away_nurse(shift=shift, actor=cast(User, at.user), now=now)
        said = "The shift ends now." if shift.during.lower < now else "The shift is taken away."
        return Done(said, to=reverse("admin:virtualcare_nurseshift_changelist"))

    def theirs(self, at: Work) -> QuerySet[NurseShift]:
        return NurseShift.objects.filter(nurse__in=nurses(at).values("pk")).select_related("nurse")
