"""Weekly hours of clinicians and opening hours of clinics: seen by all who work there, changed by its managers.

A change is looked at first, and done by accepting what was shown. It is undone by the reverse change: earlier hours are
listed, and fill the form again.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, NamedTuple

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import clock
from clinics.admin.doing import Done
from clinics.admin.places import Pages, places
from clinics.admin.site import site
from clinics.admin.work import Role, Work
from clinics.models import Clinic, Clinician, Credential, OpeningHours, StaffRole, User
from scheduling import shifts
from scheduling.admin import hours_history, hours_shown
from scheduling.admin.days import dated
from scheduling.admin.hours_asking import Asked, ask
from scheduling.admin.hours_forms import (
    BlockForm,
    ClinicianBlockForm,
    FromForm,
    Rows,
    as_words,
    doors,
)
from scheduling.models import OpeningHoursChange, Shift, VisitType, WeeklyHours
from scheduling.shifts.weekly import WEEKDAYS

A_PAGE = 50
MOST_CHANGES = 20  # earlier hours on one page
CHANGES_HOURS = Role.MANAGER  # of the clinic; and those who run the server


class Period(NamedTuple):
    """A clinician's hours from one change to the next."""

    since: date | None
    until: date | None
    blocks: list[str]
    set_by: str
    set_at: str


@admin.register(WeeklyHours, site=site)
class WeeklyHoursAdmin(Pages):
    section, icon = "Hours", "calendar_view_week"
    what = hours_shown.WHAT

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.clinicians),
            ("<uuid:clinician_id>/", "change", self.clinician),
            ("<uuid:clinician_id>/history/", "history", self.history),
        ]

    def clinicians(self, request: HttpRequest) -> HttpResponse:
        """Clinicians, with their usual week."""
        at = self.seen(request)
        found = clinicians_at(places(at, *StaffRole.CARE))
        asked = request.GET.get("q", "").replace("\0", "")[:60].strip()
        for word in asked.split()[:3]:
            found = found.filter(Q(given_name__istartswith=word) | Q(family_name__istartswith=word))
        page = Paginator(found.order_by("family_name", "given_name", "pk"), A_PAGE).get_page(request.GET.get("page"))
        rows = in_force(places(at, *StaffRole.CARE), page.object_list, on=timezone.now().date())
        weeks = [
            (
                clinician,
                [(WEEKDAYS[day][:3], [row_words(row) for row in of_day]) for day, of_day in by_day(rows, clinician)],
            )
            for clinician in page.object_list
        ]
        context = {"title": "Weekly hours", "weeks": weeks, "page": page, "q": asked}
        return self.page(request, "scheduling/admin/weekly_list.html", context, name="list")

    def clinician(self, request: HttpRequest, clinician_id: uuid.UUID) -> HttpResponse:
        """The hours of one clinician at the clinics of who is at work."""
        at, now = self.seen(request), timezone.now()
        ours = list(places(at, *StaffRole.CARE))
        clinician = clinicians_at(places(at, *StaffRole.CARE)).filter(pk=clinician_id).first()
        if clinician is None:
            raise Http404
        theirs = list(places(at, CHANGES_HOURS))
        rows = list(WeeklyHours.objects.filter(clinician=clinician).select_related("clinic", "set_by"))
        # Those they work at come first; with many clinics a new one is found by its name.
        used = {row.clinic_id for row in rows}
        theirs.sort(key=lambda clinic: (clinic.pk not in used, clinic.name))
        asked, table, first_day = Asked(), None, None
        if theirs:
            options: dict[str, Any] = {"clinics": theirs, "visit_types": list(VisitType.objects.all())}
            if request.method == "POST":
                table, first_day = Rows(ClinicianBlockForm, data=request.POST, **options), FromForm(request.POST)
                if table.is_valid() and first_day.is_valid():
                    answer = self.change(request, at, clinician, theirs, table, first_day.cleaned_data["from_on"], now)
                    if isinstance(answer, HttpResponse):
                        return answer
                    asked = answer
            else:
                today = min(now.astimezone(clinic.zone).date() for clinic in theirs)
                like = dated(request.GET.get("like")) or today
                table = Rows(ClinicianBlockForm, data=None, initial=initial(rows, theirs, on=like), **options)
                first_day = FromForm(initial={"from_on": today + timedelta(days=1)})
        elif request.method == "POST":
            raise PermissionDenied
        context = {
            "title": f"Weekly hours of {clinician.name}",
            "clinician": clinician,
            "rows": table,
            "from_form": first_day,
            "one_clinic": theirs[0] if len(theirs) == 1 else None,
            "asked": asked,
            "periods": periods(rows, {clinic.pk for clinic in ours}, zone=clock.zone_of(at)),
            "elsewhere": any(row.clinic_id not in {clinic.pk for clinic in theirs} for row in rows),
            "is_new": request.method != "POST",
        }
        shown = asked.diff.patients if asked.diff else []
        return self.page(
            request, "scheduling/admin/weekly.html", context, patients=shown, name="diff", status=asked.status
        )

    def history(self, request: HttpRequest, clinician_id: uuid.UUID) -> HttpResponse:
        """Who changed their hours at the clinics of who is at work, from what to what."""
        at = self.seen(request)
        ours = places(at, *StaffRole.CARE)
        clinician = clinicians_at(ours).filter(pk=clinician_id).first()
        if clinician is None:
            raise Http404
        lines, page = hours_history.weekly(clinician.pk, ours, request.GET.get("page"))
        context = {
            "title": f"History of the weekly hours of {clinician.name}",
            "lines": lines,
            "page": page,
            "back": reverse("admin:scheduling_weeklyhours_change", args=[clinician.pk]),
            "back_to": "Back to the weekly hours",
        }
        return self.page(request, "clinics/admin/history.html", context, name="history")

    def change(
        self,
        request: HttpRequest,
        at: Work,
        clinician: Clinician,
        theirs: list[Clinic],
        rows: Rows,
        from_on: date,
        now: datetime,
    ) -> HttpResponse | Asked:
        asked: dict[str, Any] = {
            "clinician": clinician,
            "blocks": [form.block() for form in rows.blocks],
            "from_on": from_on,
            "now": now,
            "only_at": None if at.is_operator else frozenset(clinic.pk for clinic in theirs),
        }
        return ask(
            request,
            preview=lambda: shifts.preview_weekly_hours(**asked),
            change=lambda accept: shifts.change_weekly_hours(**asked, actor=at.user, accept=accept),
            done=lambda diff: Done(
                f"The hours are changed from {from_on:%B} {from_on.day} on.{left(len(diff.visits))}",
                to=reverse("admin:scheduling_weeklyhours_change", args=[clinician.pk]),
            ),
        )


@admin.register(OpeningHours, site=site)
class OpeningHoursAdmin(Pages):
    section, icon = "Hours", "door_open"
    what = hours_shown.WHAT

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.clinics),
            ("<uuid:clinic_id>/", "change", self.clinic),
            ("<uuid:clinic_id>/history/", "history", self.history),
        ]

    def clinics(self, request: HttpRequest) -> HttpResponse:
        at = self.seen(request)
        ours = places(at, *StaffRole.CARE).prefetch_related("opening_hours").order_by("name", "pk")
        page = Paginator(ours, A_PAGE).get_page(request.GET.get("page"))
        weeks = [(clinic, week_of(clinic)) for clinic in page.object_list]
        context = {"title": "Opening hours", "weeks": weeks, "page": page}
        return self.page(request, "scheduling/admin/opening_list.html", context, name="list")

    def clinic(self, request: HttpRequest, clinic_id: uuid.UUID) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        ours = places(at, *StaffRole.CARE).prefetch_related("opening_hours")
        clinic = ours.filter(pk=clinic_id).first()
        if clinic is None:
            raise Http404
        may_change = places(at, CHANGES_HOURS).filter(pk=clinic.pk).exists()
        changes = list(
            OpeningHoursChange.objects.filter(clinic=clinic).select_related("actor").order_by("-id")[:MOST_CHANGES]
        )
        asked, rows = Asked(), None
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            rows = Rows(BlockForm, data=request.POST)
            if rows.is_valid():
                answer = self.change(request, at, clinic, rows, now)
                if isinstance(answer, HttpResponse):
                    return answer
                asked = answer
        elif may_change:
            like = next((change for change in changes if str(change.pk) == request.GET.get("like")), None)
            hours = (
                like.before if like else [(row.weekday, row.opens, row.closes) for row in clinic.opening_hours.all()]
            )
            rows = Rows(
                BlockForm,
                data=None,
                initial=[{"weekday": day, "starts": opens, "ends": closes} for day, opens, closes in sorted(hours)],
            )
        context = {
            "title": f"Opening hours of {clinic.name}",
            "clinic": clinic,
            "week": week_of(clinic),
            "rows": rows,
            "asked": asked,
            "changes": [
                (change, clock.when(change.at, clinic.zone), json_week(change.before), json_week(change.after))
                for change in changes
            ],
            "is_new": request.method != "POST",
        }
        shown = asked.diff.patients if asked.diff else []
        return self.page(
            request, "scheduling/admin/opening.html", context, patients=shown, name="diff", status=asked.status
        )

    def history(self, request: HttpRequest, clinic_id: uuid.UUID) -> HttpResponse:
        clinic = places(self.seen(request), *StaffRole.CARE).filter(pk=clinic_id).first()
        if clinic is None:
            raise Http404
        lines, page = hours_history.opening(clinic, request.GET.get("page"))
        context = {
            "title": f"History of the opening hours of {clinic.name}",
            "lines": lines,
            "page": page,
            "back": reverse("admin:clinics_openinghours_change", args=[clinic.pk]),
            "back_to": "Back to the opening hours",
        }
        return self.page(request, "clinics/admin/history.html", context, name="history")

    def change(self, request: HttpRequest, at: Work, clinic: Clinic, rows: Rows, now: datetime) -> HttpResponse | Asked:
        hours = doors(rows)
        return ask(
            request,
            preview=lambda: shifts.preview_opening_hours(clinic=clinic, hours=hours, now=now),
            change=lambda accept: shifts.change_opening_hours(
                clinic=clinic, hours=hours, actor=at.user, accept=accept, now=now
            ),
            done=lambda diff: Done(
                f"The opening hours are changed.{left(len(diff.visits))}",
                to=reverse("admin:clinics_openinghours_change", args=[clinic.pk]),
            ),
        )


def left(count: int) -> str:
    """What is left to do, in a sentence behind another."""
    if not count:
        return ""
    return f" {count} visit{'s' if count > 1 else ''} still booked then: see “To sort out”."


def clinicians_at(clinics: QuerySet[Clinic]) -> QuerySet[Clinician]:
    """Those who see patients at one of `clinics`, or may by a credential of its health system."""
    here = clinics.values("pk")
    return Clinician.objects.filter(
        Exists(Credential.objects.filter(clinician=OuterRef("pk"), health_system__in=clinics.values("health_system")))
        | Exists(WeeklyHours.objects.filter(clinician=OuterRef("pk"), clinic__in=here))
        | Exists(Shift.objects.filter(clinician=OuterRef("pk"), clinic__in=here))
    )


def in_force(clinics: QuerySet[Clinic], clinicians: Any, *, on: date) -> list[WeeklyHours]:
    rows = WeeklyHours.objects.filter(
        clinician__in=[clinician.pk for clinician in clinicians], clinic__in=clinics.values("pk"), during__contains=on
    )
    return list(rows.select_related("clinic").order_by("weekday", "starts", "pk"))


def by_day(rows: list[WeeklyHours], clinician: Clinician) -> list[tuple[int, list[WeeklyHours]]]:
    theirs = [row for row in rows if row.clinician_id == clinician.pk]
    return [(day, list(of_day)) for day, of_day in groupby(theirs, key=lambda row: row.weekday)]


def row_words(row: WeeklyHours) -> str:
    return f"{as_words(row.starts, row.ends)} {row.clinic.name}"


def initial(rows: list[WeeklyHours], theirs: list[Clinic], *, on: date) -> list[dict[str, Any]]:
    """The hours in force on `on` at the clinics that are theirs to change, as a form begins with them."""
    ours = {clinic.pk for clinic in theirs}
    found = [
        row
        for row in rows
        if row.clinic_id in ours
        and (row.during.lower is None or row.during.lower <= on)
        and (row.during.upper is None or row.during.upper > on)
    ]
    return [
        {
            "weekday": row.weekday,
            "clinic": row.clinic_id,
            "starts": row.starts,
            "ends": row.ends,
            "visit_types": row.visit_types,
        }
        for row in sorted(found, key=lambda row: (row.weekday, row.starts))
    ]


def periods(rows: list[WeeklyHours], ours: set[uuid.UUID], *, zone: tzinfo) -> list[Period]:
    """What the hours were and will be, the latest first: who set them is known by their rows."""

    def bounds(row: WeeklyHours) -> tuple[date, date]:
        return row.during.lower or date.min, row.during.upper or date.max

    found = sorted((row for row in rows if row.clinic_id in ours), key=bounds, reverse=True)
    listed = []
    for (since, until), of_period in groupby(found, key=bounds):
        same = sorted(of_period, key=lambda row: (row.weekday, row.starts))
        listed.append(
            Period(
                since if since > date.min else None,
                until if until < date.max else None,
                [f"{WEEKDAYS[row.weekday][:3]} {row_words(row)}" for row in same],
                name_of(same[0].set_by),
                clock.when(made, zone) if (made := made_at(same[0].pk)) else "",
            )
        )
    return listed[:MOST_CHANGES]


def made_at(pk: uuid.UUID) -> datetime | None:
    """When a row was made: a UUIDv7 begins with it (RFC 9562, section 5.7)."""
    return datetime.fromtimestamp((pk.int >> 80) / 1000, UTC) if pk.version == 7 else None


def name_of(user: User | None) -> str:
    return user.email if user else ""


def week_of(clinic: Clinic) -> list[tuple[str, list[str]]]:
    """A clinic's week, a day without hours is closed. Needs `opening_hours` loaded."""
    rows = sorted(clinic.opening_hours.all(), key=lambda row: (row.weekday, row.opens))
    return [
        (name[:3], [as_words(row.opens, row.closes) for row in rows if row.weekday == number])
        for number, name in enumerate(WEEKDAYS)
    ]


def json_week(hours: list[list[Any]]) -> str:
    """Hours as an OpeningHoursChange keeps them, in a line; days that are alike stand together."""
    days = [
        (name[:3], ", ".join(f"{opens}–{closes}" for day, opens, closes in hours if day == number) or "closed")  # noqa: RUF001
        for number, name in enumerate(WEEKDAYS)
    ]
    runs = [(said, [name for name, _ in run]) for said, run in groupby(days, key=lambda day: day[1])]
    return "; ".join(f"{names[0]}{f' to {names[-1]}' if names[1:] else ''} {said}" for said, names in runs)
