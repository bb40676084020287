"""What a change of hours does, in words: shifts alike on many days are one line, and each visit is one."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from django.urls import reverse

from clinics.admin.work import Work
from clinics.audit import AccessEvent
from clinics.models import Clinic, Clinician
from scheduling.models import Appointment, VisitType
from scheduling.shifts import Diff, Planned
from scheduling.shifts.diffs import planned_by
from scheduling.stranded import WORDS

MOST_VISITS = 200  # on one page
# What the pages with visits on them show of their patients.
WHAT = dict.fromkeys(("page", "diff", "visits", "stranded"), AccessEvent.What.VISITS)


class Kind(NamedTuple):
    """What happens to shifts that are alike but for their date."""

    what: str
    clinician: uuid.UUID
    clinic: uuid.UUID
    weekday: int
    was: str
    will: str


@dataclass
class Line:
    what: str
    clinician: str
    clinic: str
    weekday: str
    was: str
    will: str
    days: list[date] = field(default_factory=list)


class VisitLine(NamedTuple):
    """A visit, on its clinic's clock. Whose it is, and where to move it, is for those who work there."""

    when: datetime
    clinic: str
    clinician: str
    visit_type: str
    patient: str
    address: str
    why: str


@dataclass(frozen=True)
class Shown:
    """A diff as a page shows it. `patients` are those whose names stand on it."""

    digest: str
    lines: list[Line]
    visits: list[VisitLine]
    more_visits: int
    by_hand: list[str]
    patients: list[uuid.UUID]

    @property
    def is_empty(self) -> bool:
        return not (self.lines or self.visits)

    @property
    def totals(self) -> dict[str, int]:
        return {what: sum(len(line.days) for line in self.lines if line.what == what) for what in WHATS}


WHATS = ("added", "removed", "changed")


def of(diff: Diff, at: Work) -> Shown:
    """`diff` in words, on the clinics' clocks, for somebody at work."""
    kinds: dict[Kind, list[date]] = {}

    def note(what: str, day: Planned, was: str, will: str) -> None:
        kind = Kind(what, day.clinician, day.clinic, day.on.weekday(), was, will)
        kinds.setdefault(kind, []).append(day.on)

    types = dict(VisitType.objects.values_list("pk", "name"))
    for planned in diff.added:
        note("added", planned, "", hours(planned, diff, types))
    for shift in diff.removed:
        note("removed", planned_by(shift), hours(planned_by(shift), diff, types), "")
    for shift, planned in diff.changed:
        old = planned_by(shift)
        same = set(old.visit_types) == set(planned.visit_types)
        was, will = (hours(each, diff, {} if same else types) for each in (old, planned))
        if old.on != planned.on:
            was, will = f"{old.on:%b} {old.on.day}, {was}", f"{planned.on:%b} {planned.on.day}, {will}"
        note("changed", old, was, will)
    names = Names.of(
        [*((kind.clinician, kind.clinic) for kind in kinds), *((day[0], day[1]) for day in diff.by_hand)], diff.visits
    )
    lines = [
        Line(kind.what, *names.of_pair(kind.clinician, kind.clinic), weekday(kind.weekday), kind.was, kind.will, days)
        for kind, days in sorted(kinds.items(), key=lambda item: (item[0].weekday, item[1][0], item[0].what))
    ]
    visits, patients = visit_lines(diff.visits[:MOST_VISITS], at)
    by_hand = [
        f"{', '.join(names.of_pair(clinician, clinic))}: {on:%A}, {on:%B} {on.day}"
        for clinician, clinic, on in diff.by_hand
    ]
    return Shown(diff.digest, lines, visits, len(diff.visits) - len(visits), by_hand, patients)


def visit_lines(visits: Iterable[Appointment], at: Work) -> tuple[list[VisitLine], list[uuid.UUID]]:
    """Visits as lines, and the patients named in them. Needs `clinic`, `patient` and `visit_type` loaded."""
    found = list(visits)
    clinicians = dict(names_of(visit.clinician_id for visit in found))
    lines, patients = [], []
    for visit in found:
        is_ours = visit.clinic_id in at.clinics
        if is_ours:
            patients.append(visit.patient_id)
        lines.append(
            VisitLine(
                visit.local_start.replace(tzinfo=None),
                visit.clinic.name,
                clinicians.get(visit.clinician_id, ""),
                visit.visit_type.name,
                visit.patient.name if is_ours else "",
                f"{reverse('admin:index')}scheduling/appointment/{visit.pk}/change/" if is_ours else "",
                WORDS.get(getattr(visit, "stranded", ""), ""),
            )
        )
    return lines, patients


@dataclass(frozen=True)
class Names:
    clinicians: dict[uuid.UUID, str]
    clinics: dict[uuid.UUID, str]

    @classmethod
    def of(cls, pairs: Iterable[tuple[uuid.UUID, uuid.UUID]], visits: Iterable[Appointment]) -> "Names":
        all_pairs = [*pairs, *((visit.clinician_id, visit.clinic_id) for visit in visits)]
        clinics = Clinic.objects.filter(pk__in={clinic for _, clinic in all_pairs})
        return cls(
            dict(names_of(clinician for clinician, _ in all_pairs)), {clinic.pk: clinic.name for clinic in clinics}
        )

    def of_pair(self, clinician: uuid.UUID, clinic: uuid.UUID) -> tuple[str, str]:
        return self.clinicians.get(clinician, ""), self.clinics.get(clinic, "")


def names_of(clinicians: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, str]]:
    return [(clinician.pk, clinician.name) for clinician in Clinician.objects.filter(pk__in=set(clinicians))]


def hours(planned: Planned, diff: Diff, types: dict[int, str]) -> str:
    """The times of a shift and, among `types`, what can be booked in it."""
    zone = diff.zones[planned.clinic]
    offered = "".join(f", {name}" for name in sorted(types.get(pk, "?") for pk in planned.visit_types)) if types else ""
    return f"{planned.span.start.astimezone(zone):%H:%M}–{planned.span.end.astimezone(zone):%H:%M}{offered}"  # noqa: RUF001


def weekday(number: int) -> str:
    return ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")[number]
