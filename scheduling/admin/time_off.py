"""Time off of clinicians and blocks of rooms, the visits in it, and giving it back."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

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
from clinics.models import Clinic, Clinician, Room, StaffRole
from clinics.refusals import NotFound
from scheduling import time_off
from scheduling.admin import days_history, hours_shown
from scheduling.admin.days_history import whose
from scheduling.admin.hours import A_PAGE, clinicians_at, left
from scheduling.admin.hours_days import CHANGES_DAYS
from scheduling.admin.hours_forms import SpanForm
from scheduling.admin.hours_shown import MOST_VISITS, VisitLine, visit_lines
from scheduling.models import Claim


@admin.register(Claim, site=site)
class TimeOffAdmin(Pages):
    """Claims of lane -1 alone: visits' own are theirs."""

    what = hours_shown.WHAT

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.times),
            ("add/", "add", self.enter),
            ("history/", "history", self.history),
            ("<uuid:claim_id>/", "change", self.time),
        ]

    def times(self, request: HttpRequest) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        clinics = places(at, *StaffRole.CARE)
        found = self.claims(at).filter(during__endswith__gt=now).order_by("during", "pk")
        page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
        zone = zone_of(list(clinics[:2]))
        rows = [(claim, whose(claim), *local(claim, zone)) for claim in page.object_list]
        context = {
            "title": "Time off",
            "times": rows,
            "page": page,
            "may_enter": places(at, *CHANGES_DAYS).exists(),
        }
        return self.page(request, "scheduling/admin/times.html", context, name="list")

    def enter(self, request: HttpRequest) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        ours = list(places(at, *CHANGES_DAYS).order_by("name", "pk"))
        if not ours:
            raise Http404
        clinic = next((one for one in ours if str(one.pk) == request.GET.get("clinic")), ours[0])
        here = Clinic.objects.filter(pk=clinic.pk)
        people = list(clinicians_at(here).order_by("family_name", "given_name"))
        rooms = list(Room.objects.filter(clinic=clinic).order_by("name"))
        either: list[Clinician | Room] = [*people, *rooms]
        of = next((one for one in either if str(one.pk) == request.POST.get("of")), None)
        form = SpanForm(request.POST or None)
        refused, looked = "", False
        hit: list[VisitLine] = []
        patients: list[uuid.UUID] = []
        if request.method == "POST" and form.is_valid():
            start, end = form.span(clinic.zone)
            if of is None:
                refused = "Choose a clinician or a room."
            elif request.POST.get("do") == "confirm":
                answer = doing.once(request, lambda: self.do_enter(at, of, start, end, form, now))
                if isinstance(answer, HttpResponse):
                    return answer
                refused = answer.detail
            elif start >= end or end <= now:
                refused = time_off.BadTimeOff.detail
            else:
                looked = True
                visits = time_off.visits_during(of=of, start=start, end=end)
                hit, patients = visit_lines(visits.with_what_it_shows()[:MOST_VISITS], at)  # type: ignore[attr-defined]
        context = {
            "title": f"Enter time off at {clinic.name}",
            "clinics": ours,
            "clinic": clinic,
            "people": people,
            "rooms": rooms,
            "of": of,
            "form": form,
            "refused": refused,
            "visits": hit,
            "looked": looked,
        }
        return self.page(
            request, "scheduling/admin/time_enter.html", context, patients=patients, status=422 if refused else 200
        )

    def do_enter(
        self, at: Work, of: Clinician | Room, start: datetime, end: datetime, form: SpanForm, now: datetime
    ) -> Done:
        claim, visits = time_off.enter(
            of=of, start=start, end=end, reason=form.cleaned_data["reason"], actor=at.user, now=now
        )
        return Done(
            f"The time is taken off.{left(len(visits))}", to=reverse("admin:scheduling_claim_change", args=[claim.pk])
        )

    def time(self, request: HttpRequest, claim_id: uuid.UUID) -> HttpResponse:
        """Time off with the visits still booked in it, to work off."""
        at, now = self.seen(request), timezone.now()
        claim = self.claims(at).filter(pk=claim_id).first()
        if claim is None:
            raise Http404
        may_withdraw = places(at, *CHANGES_DAYS).exists()
        refused = ""
        if request.method == "POST":
            if not may_withdraw:
                raise Http404
            answer = doing.once(request, lambda: self.withdraw(at, claim, now))
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer.detail
        of = claim.calendar.room if claim.kind == Claim.Kind.BLOCK else claim.calendar.clinician
        visits = time_off.visits_during(of=of, start=claim.during.lower, end=claim.during.upper)
        hit, patients = visit_lines(visits.with_what_it_shows()[:MOST_VISITS], at)  # type: ignore[attr-defined]
        start, end = local(claim, zone_of(list(places(at, *StaffRole.CARE)[:2])))
        context = {
            "title": f"{whose(claim)} is away" if claim.kind == Claim.Kind.TIME_OFF else f"{whose(claim)} is blocked",
            "claim": claim,
            "start": start,
            "end": end,
            "visits": hit,
            "may_withdraw": may_withdraw,
            "refused": refused,
        }
        return self.page(request, "scheduling/admin/time.html", context, patients=patients, name="visits")

    def withdraw(self, at: Work, claim: Claim, now: datetime) -> Done:
        if not Claim.objects.filter(pk=claim.pk).exists():
            raise NotFound
        time_off.withdraw(claim=claim, actor=at.user, now=now)
        return Done("The time can be booked again.", to=reverse("admin:scheduling_claim_changelist"))

    def history(self, request: HttpRequest) -> HttpResponse:
        """Who entered and gave back what when: also what is given back or past, and so in no list."""
        at = self.seen(request)
        zone = zone_of(list(places(at, *StaffRole.CARE)[:2]))
        lines, page = days_history.time_off(self.calendars(at), zone, request.GET.get("page"))
        context = {
            "title": "History of time off",
            "lines": lines,
            "page": page,
            "back": reverse("admin:scheduling_claim_changelist"),
            "back_to": "Back to time off",
        }
        return self.page(request, "clinics/admin/history.html", context, name="history")

    def claims(self, at: Work) -> Any:
        """The time off of clinicians and rooms of their clinics."""
        return Claim.objects.filter(lane=Claim.AWAY, calendar__in=self.calendars(at)).select_related(
            "calendar__clinician", "calendar__room__clinic"
        )

    def calendars(self, at: Work) -> Any:
        clinics = places(at, *StaffRole.CARE)
        return clinicians_at(clinics).values("pk").union(Room.objects.filter(clinic__in=clinics).values("pk"))


def zone_of(clinics: list[Clinic]) -> ZoneInfo:
    """The zone to show times in that belong to no clinic: that of the first clinic of who is at work."""
    return clinics[0].zone if clinics else ZoneInfo("UTC")


def local(claim: Claim, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if claim.kind == Claim.Kind.BLOCK:
        zone = claim.calendar.room.clinic.zone
    return (
        claim.during.lower.astimezone(zone).replace(tzinfo=None),
        claim.during.upper.astimezone(zone).replace(tzinfo=None),
    )


site.links.append(  # type: ignore[attr-defined]
    Link(
        "Hours",
        "Time off",
        "beach_access",
        "admin:scheduling_claim_changelist",
        lambda at: at.is_operator or bool(at.clinics),
    )
)
