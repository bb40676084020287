"""Closing a clinic for snow or a holiday, the visits that this hits, and opening it again."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import doing
from clinics.admin.doing import Done
from clinics.admin.places import Pages, places
from clinics.admin.site import Link, site
from clinics.admin.work import Work
from clinics.models import Clinic, StaffRole
from clinics.refusals import NotFound
from scheduling import closures, stranded
from scheduling.admin import days_history, hours_shown
from scheduling.admin.hours import A_PAGE, left
from scheduling.admin.hours_days import CHANGES_DAYS, chosen
from scheduling.admin.hours_forms import SpanForm
from scheduling.admin.hours_shown import MOST_VISITS, VisitLine, visit_lines
from scheduling.models import Closure


@admin.register(Closure, site=site)
class ClosureAdmin(Pages):
    section, icon = "Hours", "ac_unit"
    what = hours_shown.WHAT

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.closures),
            ("add/", "add", self.close),
            ("to-sort-out/", "stranded", self.stranded),
            ("history/", "history", self.history),
            ("<uuid:closure_id>/", "change", self.closure),
        ]

    def closures(self, request: HttpRequest) -> HttpResponse:
        at = self.seen(request)
        found = Closure.objects.filter(clinic__in=places(at, *StaffRole.CARE).values("pk"))
        found = found.select_related("clinic", "created_by").order_by("-during", "pk")
        page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
        now = timezone.now()
        rows = [
            (closure, *local(closure), "over" if closure.during.upper <= now else "") for closure in page.object_list
        ]
        context = {"title": "Closures", "closures": rows, "page": page, "may_close": bool(self.theirs(at))}
        return self.page(request, "scheduling/admin/closures.html", context, name="list")

    def close(self, request: HttpRequest) -> HttpResponse:
        """The form; then the visits that it hits; then done."""
        at, now = self.seen(request), timezone.now()
        ours = self.theirs(at)
        clinic = chosen(ours, request.POST.get("clinic") or request.GET.get("clinic"))
        if clinic is None:
            raise Http404
        form = SpanForm(request.POST or None)
        refused, looked = "", False
        hit: list[VisitLine] = []
        patients: list[uuid.UUID] = []
        if request.method == "POST" and form.is_valid():
            start, end = form.span(clinic.zone)
            if request.POST.get("do") == "confirm":
                answer = doing.once(request, lambda: self.do_close(at, clinic, start, end, form, now))
                if isinstance(answer, HttpResponse):
                    return answer
                refused = answer.detail
            elif start >= end or end <= now:
                refused = closures.BadClosure.detail
            else:
                looked = True
                visits = closures.visits_during(clinic=clinic, start=start, end=end)
                hit, patients = visit_lines(visits.with_what_it_shows()[:MOST_VISITS], at)  # type: ignore[attr-defined]
        context = {
            "title": "Close a clinic",
            "clinics": ours,
            "clinic": clinic,
            "form": form,
            "refused": refused,
            "visits": hit,
            "looked": looked,
        }
        return self.page(
            request, "scheduling/admin/close.html", context, patients=patients, status=422 if refused else 200
        )

    def do_close(self, at: Work, clinic: Clinic, start: datetime, end: datetime, form: SpanForm, now: datetime) -> Done:
        closure, visits = closures.close(
            clinic=clinic, start=start, end=end, reason=form.cleaned_data["reason"], actor=at.user, now=now
        )
        return Done(
            f"{clinic.name} is closed.{left(len(visits))}",
            to=reverse("admin:scheduling_closure_change", args=[closure.pk]),
        )

    def closure(self, request: HttpRequest, closure_id: uuid.UUID) -> HttpResponse:
        """A closure with the visits still booked in it, to work off."""
        at = self.seen(request)
        found = Closure.objects.filter(pk=closure_id, clinic__in=places(at, *StaffRole.CARE).values("pk"))
        closure = found.select_related("clinic", "created_by").first()
        if closure is None:
            raise Http404
        may_reopen = closure.clinic in self.theirs(at)
        refused = ""
        if request.method == "POST":
            if not may_reopen:
                raise Http404
            answer = doing.once(request, lambda: self.reopen(closure))
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer.detail
        visits = closures.visits_during(clinic=closure.clinic, start=closure.during.lower, end=closure.during.upper)
        hit, patients = visit_lines(visits.with_what_it_shows()[:MOST_VISITS], at)  # type: ignore[attr-defined]
        start, end = local(closure)
        context = {
            "title": f"{closure.clinic.name} is closed",
            "closure": closure,
            "start": start,
            "end": end,
            "visits": hit,
            "may_reopen": may_reopen,
            "refused": refused,
        }
        return self.page(request, "scheduling/admin/closure.html", context, patients=patients, name="visits")

    def reopen(self, closure: Closure) -> Done:
        if not Closure.objects.filter(pk=closure.pk).exists():
            raise NotFound
        closures.reopen(closure=closure)
        return Done(f"{closure.clinic.name} is open again then.", to=reverse("admin:scheduling_closure_changelist"))

    def stranded(self, request: HttpRequest) -> HttpResponse:
        """All visits to come that cannot take place as booked, whatever the cause."""
        at = self.seen(request)
        found = stranded.visits(clinics=at.clinics, now=timezone.now()).with_what_it_shows()
        page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
        lines, patients = visit_lines(page.object_list, at)
        context = {"title": "To sort out", "visits": lines, "page": page}
        return self.page(request, "scheduling/admin/stranded.html", context, patients=patients, name="stranded")

    def history(self, request: HttpRequest) -> HttpResponse:
        """Who closed and opened what when: also what is open again, and so in no list."""
        at = self.seen(request)
        lines, page = days_history.closures(places(at, *StaffRole.CARE), request.GET.get("page"))
        context = {
            "title": "History of closures",
            "lines": lines,
            "page": page,
            "back": reverse("admin:scheduling_closure_changelist"),
            "back_to": "Back to the closures",
        }
        return self.page(request, "clinics/admin/history.html", context, name="history")

    def theirs(self, at: Work) -> list[Clinic]:
        return list(places(at, *CHANGES_DAYS).order_by("name", "pk"))


def local(closure: Closure) -> tuple[datetime, datetime]:
    """Its edges on the clinic's clock, for a page that shows them as they are."""
    zone = closure.clinic.zone
    return (
        closure.during.lower.astimezone(zone).replace(tzinfo=None),
        closure.during.upper.astimezone(zone).replace(tzinfo=None),
    )


site.links.append(  # type: ignore[attr-defined]
    Link("Hours", "To sort out", "rule", "admin:scheduling_closure_stranded", lambda at: bool(at.clinics))
)
