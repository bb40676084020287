"""One day that is not as usual: the shifts of a clinic's week, to add one, change one or take one away."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import doing
from clinics.admin.doing import Done
from clinics.admin.places import Pages, places
from clinics.admin.site import site
from clinics.admin.work import Role, Work
from clinics.models import Clinic, Clinician, StaffRole
from scheduling import intervals, shifts
from scheduling.admin import days_history, hours_shown
from scheduling.admin.days import dated
from scheduling.admin.hours import clinicians_at, left
from scheduling.admin.hours_asking import Asked, ask
from scheduling.admin.hours_forms import DayForm
from scheduling.intervals import Span
from scheduling.models import DayByHand, Shift, VisitType

# Who is ill calls the front desk: one day is theirs to change, too.
CHANGES_DAYS = (Role.MANAGER, Role.FRONT_DESK)
A_WEEK = timedelta(days=7)


@admin.register(Shift, site=site)
class ShiftAdmin(Pages):
    section, icon = "Hours", "event_repeat"
    what = hours_shown.WHAT

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.week),
            ("add/", "add", self.add),
            ("<uuid:shift_id>/", "change", self.change),
            ("<uuid:shift_id>/remove/", "remove", self.remove),
            ("history/<uuid:clinic_id>/", "history", self.history),
        ]

    def week(self, request: HttpRequest) -> HttpResponse:
        """The shifts of one clinic in the seven days from one on."""
        at = self.seen(request)
        ours = list(places(at, *StaffRole.CARE).order_by("name", "pk"))
        clinic = chosen(ours, request.GET.get("clinic"))
        context: dict[str, Any] = {"title": "Shifts", "clinics": ours, "clinic": clinic}
        if clinic is not None:
            first = dated(request.GET.get("from")) or timezone.now().astimezone(clinic.zone).date()
            rows = Shift.objects.filter(clinic=clinic, on__gte=first, on__lt=first + A_WEEK)
            by_hand = set(
                DayByHand.objects.filter(clinic=clinic, on__gte=first, on__lt=first + A_WEEK).values_list(
                    "clinician", "on"
                )
            )
            found = [
                (shift, clock(shift, clinic), (shift.clinician_id, shift.on) in by_hand)
                for shift in rows.select_related("clinician").order_by("during")
            ]
            days = [first + timedelta(days=offset) for offset in range(7)]
            context |= {
                "title": f"Shifts at {clinic.name}",
                "days": [(day, [row for row in found if row[0].on == day]) for day in days],
                "first": first,
                "earlier": first - A_WEEK,
                "later": first + A_WEEK,
                "may_change": is_theirs(at, clinic),
            }
        return self.page(request, "scheduling/admin/shifts.html", context, name="list")

    def add(self, request: HttpRequest) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        clinic = chosen(list(places(at, *CHANGES_DAYS)), request.GET.get("clinic"))
        if clinic is None:
            raise Http404
        clinicians = list(clinicians_at(Clinic.objects.filter(pk=clinic.pk)).order_by("family_name", "given_name"))
        clinician = next((one for one in clinicians if str(one.pk) == request.POST.get("clinician")), None)
        form = DayForm(
            request.POST or None,
            visit_types=list(VisitType.objects.all()),
            initial={"on": dated(request.GET.get("on"))},
        )
        asked = Asked()
        if request.method == "POST" and form.is_valid():
            if clinician is None:
                asked = Asked(refused="Choose a clinician.")
            else:
                answer = self.do_add(request, at, clinic, clinician, form, now)
                if isinstance(answer, HttpResponse):
                    return answer
                asked = answer
        context = {
            "title": f"Add a shift at {clinic.name}",
            "form": form,
            "clinic": clinic,
            "clinicians": clinicians,
            "chosen": clinician,
            "asked": asked,
        }
        return self.page(request, "scheduling/admin/shift_add.html", context, status=asked.status)

    def do_add(
        self, request: HttpRequest, at: Work, clinic: Clinic, clinician: Clinician, form: DayForm, now: datetime
    ) -> HttpResponse | Asked:
        def work() -> Done:
            shift = shifts.add_shift(
                clinician=clinician,
                clinic=clinic,
                during=span(form, clinic),
                visit_types=form.cleaned_data["visit_types"],
                actor=at.user,
                now=now,
            )
            return Done(f"{clinician.name} works here on {day_words(shift.on)}.", to=week_of(clinic, shift.on))

        answer = doing.once(request, work)
        return answer if isinstance(answer, HttpResponse) else Asked(refused=answer.detail)

    def change(self, request: HttpRequest, shift_id: uuid.UUID) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        shift = self.theirs(at, shift_id)
        start, end = (
            shift.during.lower.astimezone(shift.clinic.zone),
            shift.during.upper.astimezone(shift.clinic.zone),
        )
        form = DayForm(
            request.POST or None,
            visit_types=list(VisitType.objects.all()),
            initial={"on": start.date(), "starts": start.time(), "ends": end.time(), "visit_types": shift.visit_types},
        )
        asked = Asked()
        if request.method == "POST" and form.is_valid():
            wanted: dict[str, Any] = {
                "shift": shift,
                "during": span(form, shift.clinic),
                "visit_types": form.cleaned_data["visit_types"],
                "now": now,
            }
            answer = ask(
                request,
                preview=lambda: shifts.preview_shift_change(**wanted),
                change=lambda accept: shifts.change_shift(**wanted, actor=at.user, accept=accept),
                done=lambda diff: Done(
                    f"The shift is changed.{left(len(diff.visits))}", to=week_of(shift.clinic, form.cleaned_data["on"])
                ),
            )
            if isinstance(answer, HttpResponse):
                return answer
            asked = answer
        return self.shown(request, shift, asked, "scheduling/admin/shift_change.html", form=form)

    def remove(self, request: HttpRequest, shift_id: uuid.UUID) -> HttpResponse:
        """What taking the shift away leaves, at once: there is nothing to fill in."""
        at, now = self.seen(request), timezone.now()
        shift = self.theirs(at, shift_id)
        answer = ask(
            request,
            preview=lambda: shifts.preview_shift_removal(shift=shift, now=now),
            change=lambda accept: shifts.remove_shift(shift=shift, actor=at.user, accept=accept, now=now),
            done=lambda diff: Done(
                f"The shift is taken away.{left(len(diff.visits))}", to=week_of(shift.clinic, shift.on)
            ),
        )
        if isinstance(answer, HttpResponse):
            return answer
        return self.shown(request, shift, answer, "scheduling/admin/shift_remove.html")

    def history(self, request: HttpRequest, clinic_id: uuid.UUID) -> HttpResponse:
        """What staff did to shifts of a clinic by hand."""
        clinic = places(self.seen(request), *StaffRole.CARE).filter(pk=clinic_id).first()
        if clinic is None:
            raise Http404
        lines, page = days_history.shifts(clinic, request.GET.get("page"))
        context = {
            "title": f"Shifts at {clinic.name}, changed by hand",
            "lines": lines,
            "page": page,
            "back": f"{reverse('admin:scheduling_shift_changelist')}?clinic={clinic.pk}",
            "back_to": "Back to the shifts",
            "about": "What changed with weekly or opening hours stands in their history.",
        }
        return self.page(request, "clinics/admin/history.html", context, name="history")

    def theirs(self, at: Work, shift_id: uuid.UUID) -> Shift:
        """A shift that is theirs to change: absent and somebody else's look the same."""
        ours = places(at, *CHANGES_DAYS).values("pk")
        found = Shift.objects.filter(pk=shift_id, clinic__in=ours).select_related("clinic", "clinician").first()
        if found is None:
            if Shift.objects.filter(pk=shift_id, clinic__in=places(at, *StaffRole.CARE).values("pk")).exists():
                raise PermissionDenied
            raise Http404
        return found

    def shown(self, request: HttpRequest, shift: Shift, asked: Asked, template: str, **more: Any) -> HttpResponse:
        context = {
            "title": f"{shift.clinician.name}, {day_words(shift.on)}",
            "shift": shift,
            "clock": clock(shift, shift.clinic),
            "asked": asked,
            "back": week_of(shift.clinic, shift.on),
            **more,
        }
        patients = asked.diff.patients if asked.diff else []
        return self.page(request, template, context, patients=patients, name="diff", status=asked.status)


def chosen(clinics: list[Clinic], asked: str | None) -> Clinic | None:
    """The clinic that is asked for by its id, or the first."""
    if not asked:
        return clinics[0] if clinics else None
    return next((clinic for clinic in clinics if str(clinic.pk) == asked), None)


def is_theirs(at: Work, clinic: Clinic) -> bool:
    return at.is_operator or clinic.pk in at.at(*CHANGES_DAYS)


def clock(shift: Shift, clinic: Clinic) -> str:
    start, end = (edge.astimezone(clinic.zone) for edge in (shift.during.lower, shift.during.upper))
    return f"{start:%H:%M}–{end:%H:%M}"  # noqa: RUF001


def span(form: DayForm, clinic: Clinic) -> Span:
    """What the form says, on the clinic's clock; of no time where the clock leaves it out, which is refused."""
    found = form.cleaned_data
    during = intervals.span_on(found["on"], found["starts"], found["ends"], clinic.zone)
    start = intervals.instant(found["on"], found["starts"], clinic.zone)
    return during or Span(start, start)


def day_words(day: date) -> str:
    return f"{day:%A}, {day:%B} {day.day}"


def week_of(clinic: Clinic, day: date) -> str:
    return f"{reverse('admin:scheduling_shift_changelist')}?clinic={clinic.pk}&from={day.isoformat()}"
