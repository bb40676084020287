"""The map of who covers which hour: states by hours of two weeks, and the hours that nobody does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import clock
from clinics.admin.places import Pages, places
from clinics.admin.site import Link, site
from clinics.admin.work import Work
from clinics.models import Patient, StaffRole
from virtualcare import coverage, gaps
from virtualcare.admin.planning import PLANS
from virtualcare.models import CoverageAlert, Modality

MOST_STATES = 12  # on one page
MANY = 3  # clinicians, from which on more make no difference to the colour


@dataclass(frozen=True, slots=True)
class Hour:
    """A cell's hour. An hour that nobody covers leads to the form that puts somebody on call from then on."""

    count: int
    words: str
    to: str = ""

    @property
    def shade(self) -> str:
        return f"there{min(self.count, MANY)}" if self.count else "nobody"


@dataclass(frozen=True, slots=True)
class Row:
    """A day of a state on its own clock: 24 cells, of no hour, one, or two where autumn repeats one."""

    on: date
    cells: list[list[Hour]]

    @property
    def day(self) -> str:
        return f"{self.on:%a}, {self.on:%b} {self.on.day}"


@dataclass(frozen=True, slots=True)
class State:
    code: str
    zone: str
    gaps: int
    next_gap: str
    rows: list[Row] = field(default_factory=list)


@admin.register(CoverageAlert, site=site)
class CoverageAdmin(Pages):
    roles = PLANS

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [("", "changelist", self.map)]

    def map(self, request: HttpRequest) -> HttpResponse:
        """Of the states that we serve, those where patients live, and any that is asked for."""
        at, now = self.seen(request), timezone.now()
        modality = request.GET.get("modality", Modality.VIDEO.value)
        if modality not in Modality.values:
            modality = Modality.VIDEO.value
        known = sorted({*gaps.served(now=now), *lived_in(at)})
        asked = request.GET.get("state", "").strip().upper()
        asked = asked if len(asked) == 2 and asked.isascii() and asked.isalpha() else ""
        shown = [asked] if asked else known[:MOST_STATES]
        found = coverage.matrix(states=shown, modalities=[modality], first=now, until=now + coverage.HORIZON)
        zones = gaps.zones_of(shown)
        context = {
            "title": "Coverage",
            "states": [drawn(state, modality, found, zones[state]) for state in shown],
            "modality": modality,
            "modalities": Modality.choices,
            "asked": asked,
            "known": known,
            "more": [] if asked else known[MOST_STATES:],
            "hours": range(24),
            "many": MANY,
        }
        return self.page(request, "virtualcare/admin/coverage.html", context, name="map")


def lived_in(at: Work) -> Iterable[str]:
    """The states where patients live: those registered at the clinics of who is at work, for operators all."""
    patients = Patient.objects.exclude(state="")
    if not at.is_operator:
        patients = patients.filter(registrations__clinic__in=places(at, StaffRole.Role.MANAGER).values("pk"))
    return patients.order_by().values_list("state", flat=True).distinct()


def drawn(state: str, modality: str, found: coverage.Matrix, zone: ZoneInfo) -> State:
    """The hours of a state as rows of days, on its clock."""
    days: dict[date, list[list[Hour]]] = {}
    empty = found.gaps((state, modality))
    for start, count in zip(found.starts(), found.counts[state, modality], strict=True):
        local = start.astimezone(zone)
        row = days.setdefault(local.date(), [[] for _ in range(24)])
        row[local.hour].append(hour(state, modality, start, count, zone))
    rows = [Row(on, cells) for on, cells in sorted(days.items())]
    return State(state, f"{zone.key}", len(empty), clock.when(empty[0], zone) if empty else "", rows)


def hour(state: str, modality: str, start: datetime, count: int, zone: ZoneInfo) -> Hour:
    if count:
        return Hour(count, f"{count} on call")
    asked = urlencode({"state": state, "modality": modality, "start": start.isoformat()})
    words = f"0: nobody on call in {state}, {clock.span(start, start + timedelta(hours=1), zone)}: put somebody on call"
    return Hour(0, words, f"{reverse('admin:virtualcare_oncallshift_add')}?{asked}")


site.links.append(  # type: ignore[attr-defined]
    Link(
        "Virtual care",
        "Coverage",
        "grid_on",
        "admin:virtualcare_coveragealert_changelist",
        lambda at: at.is_operator or bool(at.at(*PLANS)),
    )
)
