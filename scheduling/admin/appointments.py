"""The day's visits: who comes when, to whom, and whether they are there."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField, DurationField, Exists, F, Func, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html

from clinics.admin import searching, work
from clinics.admin.scoped import ScopedAdmin
from clinics.admin.site import site
from clinics.admin.work import Work
from clinics.audit import AccessEvent
from clinics.models import Patient, User
from scheduling.admin import days
from scheduling.admin.onbehalf import OnBehalf
from scheduling.admin.visit import VisitPages
from scheduling.models import Appointment, AppointmentChange
from scheduling.rules import ESTABLISHED_FOR_YEARS

Status, What = Appointment.Status, AccessEvent.What
GONE = [Status.CANCELLED, Status.EXPIRED]
# How long after its start somebody who has not arrived counts as late.
GRACE = timedelta(minutes=5)
LABELS = {
    "Held": "warning",
    "Booked": "info",
    "Arrived": "primary",
    "Checked in": "primary",
    "Roomed": "primary",
    "Completed": "success",
    "No show": "danger",
}


class ByDay(admin.SimpleListFilter):
    """Today, unless another day or a search is asked for."""

    title, parameter_name = "day", "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - an override
        return [(word, word.capitalize()) for word in days.WORDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        day = days.named(self.value())
        if day is None:
            if searched(request):
                return queryset
            day = 0
        return queryset.filter(days.starting_on(day, work.of(request).clinics.values(), now=timezone.now()))


class ByClinic(admin.SimpleListFilter):
    title, parameter_name = "clinic", "clinic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - an override
        return [(str(clinic.pk), clinic.name) for clinic in work.of(request).clinics.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        if not self.value():
            return queryset
        chosen = [clinic for clinic in work.of(request).clinics if str(clinic) == self.value()]
        return queryset.filter(clinic__in=chosen)


class ByStatus(admin.SimpleListFilter):
    """All that still stand, unless one status is asked for."""

    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - an override
        return [*((str(value), str(label)) for value, label in Status.choices), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:  # noqa: ARG002
        if self.value() == "all":
            return queryset
        if self.value() in Status.values:
            return queryset.filter(status=self.value())
        return queryset.exclude(status__in=GONE)


@admin.register(Appointment, site=site)
class AppointmentAdmin(VisitPages, OnBehalf, ScopedAdmin):
    section, icon = "Front desk", "event"
    what = {
        "list": What.VISITS,
        "page": What.VISIT,
        "history": What.VISIT_HISTORY,
        "cancel": What.VISIT,
        "move": What.FREE_TIME,
        "pick": What.FREE_TIME,
        "hold": What.HOLD,
    }
    change_list_template = "scheduling/admin/day.html"
    list_display = ("time", "who", "kind", "clinician_name", "where", "state", "remarks")
    list_display_links = ("time", "who")
    list_filter = (ByDay, ByClinic, ByStatus)
    search_fields = ("patient",)
    search_help_text = "Name, birth date or phone"
    ordering = ("starts_at", "pk")
    sortable_by = ()

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:
        """Visits at the clinics where they work. One's own elsewhere is for the app, not for a desk."""
        return super().scoped(at, user=user, now=now).filter(clinic__in=at.at(*self.roles))

    def patient_of(self, row: Appointment) -> uuid.UUID:
        return row.patient.calendar_id

    def get_urls(self) -> list[URLPattern]:
        def to(view: Any) -> Any:
            return self.admin_site.admin_view(view)

        ours = [
            path("book/", to(self.caller_view), name="scheduling_appointment_book"),
            path("book/<uuid:patient_id>/", to(self.pick_view), name="scheduling_appointment_pick"),
            path("hold/<uuid:visit_id>/", to(self.hold_view), name="scheduling_appointment_hold"),
            path("<uuid:visit_id>/status/", to(self.status_view), name="scheduling_appointment_status"),
            path("<uuid:visit_id>/undo/", to(self.undo_view), name="scheduling_appointment_undo"),
            path("<uuid:visit_id>/cancel/", to(self.cancel_view), name="scheduling_appointment_cancel"),
            path("<uuid:visit_id>/move/", to(self.move_view), name="scheduling_appointment_move"),
        ]
        return [*ours, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.with_what_it_shows().select_related("room")  # type: ignore[attr-defined, no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        rows = queryset.annotate(is_established=is_established(), since=since())
        if not search_term.strip():
            return rows, False
        at = work.of(request)
        here = Patient.objects.filter(registrations__clinic__in=at.at(*self.roles))
        found = searching.patients(here, search_term).order_by().values("pk").distinct()[: searching.MOST]
        return rows.filter(patient__in=[row["pk"] for row in found]), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return super().changelist_view(request, {**(extra_context or {}), **self.bar(request)})

    def bar(self, request: HttpRequest) -> dict[str, Any]:
        """What stands above the list: which day and clinic it shows, and the ways to others."""
        clinics = list(work.of(request).clinics.values())
        asked = days.named(request.GET.get("day"))
        term = searched(request)
        shown: date | None = None
        if clinics and not (term and asked is None):
            shown = days.of(0 if asked is None else asked, clinics[0], now=timezone.now())
        kept = request.GET.copy()
        for name in ("day", "p", "o", "e"):
            kept.pop(name, None)
        return {
            "title": "Appointments",
            "clinics": clinics,
            "clinic": request.GET.get("clinic", ""),
            "status": request.GET.get("status", ""),
            "statuses": [*Status.choices, ("all", "All, cancelled too")],
            "searched": term,
            "shown": shown,
            "before": shown - timedelta(days=1) if shown else None,
            "after": shown + timedelta(days=1) if shown else None,
            "is_today": shown is not None and shown == days.of(0, clinics[0], now=timezone.now()),
            "kept": kept.urlencode(),
        }

    # Columns

    @admin.display(description="Time", ordering="starts_at")
    def time(self, visit: Appointment) -> str:
        start = visit.local_start
        day = "" if start.date() == timezone.now().astimezone(visit.clinic.zone).date() else f"{start:%a %-d %b} "
        return f"{day}{start:%-I:%M %p}"

    @admin.display(description="Patient")
    def who(self, visit: Appointment) -> str:
        return format_html(
            '{}<br><span class="soft">{} · {}</span>',
            visit.patient.name,
            f"{visit.patient.birth_date:%b %-d, %Y}",
            f"{visit.patient.age_on(visit.local_start.date())} y",
        )

    @admin.display(description="Visit")
    def kind(self, visit: Appointment) -> str:
        known = "Established" if getattr(visit, "is_established", False) else "New"
        return format_html('{}<br><span class="soft">{}</span>', visit.visit_type.name, known)

    @admin.display(description="Clinician")
    def clinician_name(self, visit: Appointment) -> str:
        return visit.clinician.name

    @admin.display(description="Where")
    def where(self, visit: Appointment) -> str:
        room = visit.room.name if visit.room else "No room"
        return format_html('{}<br><span class="soft">{}</span>', room, visit.clinic.name)

    @admin.display(description="Status")
    def state(self, visit: Appointment) -> str:
        return visit.get_status_display().replace("_", " ").capitalize()

    state.label = LABELS  # type: ignore[attr-defined]  # Unfold's

    @admin.display(description="Remarks", empty_value="")
    def remarks(self, visit: Appointment) -> str:
        return ", ".join(remarks(visit, now=timezone.now(), since=getattr(visit, "since", None)))


def remarks(visit: Appointment, *, now: datetime, since: datetime | None) -> list[str]:
    """What a desk should know of a visit at a glance. `since` is when it got its status."""
    told = []
    if visit.status == Status.BOOKED and now - visit.starts_at >= GRACE and now < visit.ends_at + timedelta(hours=12):
        told.append(f"{minutes(now - visit.starts_at)} late")
    if visit.status in (Status.ARRIVED, Status.CHECKED_IN) and since is not None:
        told.append(f"waiting {minutes(now - since)}")
    if visit.status == Status.BOOKED and getattr(visit, "confirmed_at", None):
        told.append("confirmed")
    if visit.lane > 0:
        told.append("overbooked")
    if visit.is_late_cancellation:
        told.append("cancelled late")
    return told


def searched(request: HttpRequest) -> str:
    """What is looked for, if anything."""
    return request.GET.get("q", "").replace("\0", "").strip()


def minutes(span: timedelta) -> str:
    whole = int(span.total_seconds() // 60)
    return f"{whole} min" if whole < 120 else f"{whole // 60} h"


def is_established() -> Exists:
    """Whether the patient was seen by the health system in the years before the visit (see rules.is_established)."""
    years = Func(template=f"make_interval(years => {ESTABLISHED_FOR_YEARS})", output_field=DurationField())
    return Exists(
        Appointment.objects.filter(
            patient=OuterRef("patient"),
            clinic__health_system=OuterRef("clinic__health_system"),
            status=Status.COMPLETED,
            ends_at__lte=OuterRef("starts_at"),
        ).filter(ends_at__gt=OuterRef("starts_at") - years)
    )


def since() -> Subquery:
    """When a visit got its status."""
    latest = AppointmentChange.objects.filter(appointment=OuterRef("pk"), to_status=OuterRef("status"))
    return Subquery(
        latest.exclude(from_status=F("to_status")).order_by("-id").values("at")[:1], output_field=DateTimeField()
    )
