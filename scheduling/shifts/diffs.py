"""What a change of hours does to shifts and visits, shown before it is done."""

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet

from clinics.refusals import Refused
from scheduling import claims, intervals
from scheduling.intervals import Span
from scheduling.models import Appointment, Shift
from scheduling.shifts.expansion import Day, Planned, as_shift


class DiffChanged(Refused):
    """What would happen is no longer what was shown. `diff` is what would happen now."""

    code = "diff_changed"
    status = 409
    detail = "Shifts or visits have changed since you looked. Look at the new list, and accept that one."


class Change(NamedTuple):
    """A shift that stays, with other time or other visit types."""

    shift: Shift
    planned: Planned


@dataclass(frozen=True)
class Diff:
    """What a change does. The visits stay booked: somebody moves or cancels each of them."""

    added: tuple[Planned, ...]
    removed: tuple[Shift, ...]
    changed: tuple[Change, ...]
    visits: tuple[Appointment, ...]  # live ones, not over, that would no longer lie in a shift
    by_hand: tuple[Day, ...]  # days left alone because staff set them by hand
    zones: Mapping[uuid.UUID, ZoneInfo] = field(repr=False)  # by clinic

    @property
    def digest(self) -> str:
        """A name for exactly this diff, to accept it by."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """As JSON, with times on the clinics' clocks. It says when and where a visit is, and nothing of the patient."""
        return {
            "added": [self._planned(planned) for planned in self.added],
            "removed": [{"id": str(shift.pk), **self._planned(planned_by(shift))} for shift in self.removed],
            "changed": [
                {
                    "id": str(change.shift.pk),
                    "was": self._planned(planned_by(change.shift)),
                    **self._planned(change.planned),
                }
                for change in self.changed
            ],
            "visits": [
                {
                    "id": str(visit.pk),
                    "clinic": str(visit.clinic_id),
                    "clinician": str(visit.clinician_id),
                    **self._times(visit.clinic_id, Span(visit.starts_at, visit.ends_at)),
                }
                for visit in self.visits
            ],
            "by_hand": [
                {"clinician": str(clinician), "clinic": str(clinic), "on": on.isoformat()}
                for clinician, clinic, on in self.by_hand
            ],
        }

    def _planned(self, planned: Planned) -> dict[str, Any]:
        return {
            "clinician": str(planned.clinician),
            "clinic": str(planned.clinic),
            "on": planned.on.isoformat(),
            "visit_types": sorted(planned.visit_types),
            **self._times(planned.clinic, planned.span),
        }

    def _times(self, clinic: uuid.UUID, span: Span) -> dict[str, str]:
        zone = self.zones[clinic]
        return {"start": span.start.astimezone(zone).isoformat(), "end": span.end.astimezone(zone).isoformat()}


def planned_by(shift: Shift) -> Planned:
    """What hours would have to say for `shift` to be as it is."""
    return Planned(shift.clinician_id, shift.clinic_id, shift.on, span_of(shift), tuple(shift.visit_types))


def span_of(shift: Shift) -> Span:
    return Span(shift.during.lower, shift.during.upper)


def compare(
    there: Iterable[Shift],
    wanted: Iterable[Planned],
    *,
    by_hand: Iterable[Day],
    zones: Mapping[uuid.UUID, ZoneInfo],
    now: datetime,
) -> Diff:
    """How to get from the shifts that are `there` to those `wanted`.

    A shift keeps its id where one is wanted of the same clinician at the same clinic on the same day: the very same if
    there is, else the first becomes the first.
    """
    old: dict[Day, list[Shift]] = defaultdict(list)
    new: dict[Day, list[Planned]] = defaultdict(list)
    for shift in sorted(there, key=span_of):
        old[shift.clinician_id, shift.clinic_id, shift.on].append(shift)
    for planned in sorted(wanted, key=lambda planned: planned.span):
        new[planned.day].append(planned)
    added: list[Planned] = []
    removed: list[Shift] = []
    changed: list[Change] = []
    for day in sorted({*old, *new}, key=lambda day: (day[2], day)):
        same = {planned_by(shift) for shift in old[day]} & set(new[day])
        before = [shift for shift in old[day] if planned_by(shift) not in same]
        after = [planned for planned in new[day] if planned not in same]
        changed += map(Change, before, after)
        removed += before[len(after) :]
        added += after[len(before) :]
    return Diff(
        added=tuple(added),
        removed=tuple(removed),
        changed=tuple(changed),
        visits=tuple(visits_without_shift(old, new, now=now)),
        by_hand=tuple(sorted(by_hand, key=lambda day: (day[2], day))),
        zones=zones,
    )


def still_on(there: Iterable[Shift], planned: Iterable[Planned], *, now: datetime) -> tuple[list[Shift], list[Planned]]:
    """Those that are not over: what is stays as it was. What goes on but should be over is wanted as it should be."""
    going = [shift for shift in there if shift.during.upper > now]
    running = [planned_by(shift) for shift in going if shift.during.lower <= now]
    wanted = [
        found
        for found in planned
        if found.span.end > now or any(found.day == one.day and found.span.overlaps(one.span) for one in running)
    ]
    return going, wanted


def visits_without_shift(
    old: Mapping[Day, list[Shift]], new: Mapping[Day, list[Planned]], *, now: datetime
) -> list[Appointment]:
    """Live visits, not over yet, in time that `old` covers at their clinic and `new` does not. In order."""
    lost: dict[tuple[uuid.UUID, uuid.UUID], list[Span]] = {}
    for place in {day[:2] for day in old}:
        before = [span_of(shift) for day, shifts in old.items() if day[:2] == place for shift in shifts]
        after = [planned.span for day, found in new.items() if day[:2] == place for planned in found]
        if left := intervals.subtract(before, after):
            lost[place] = left
    if not lost:
        return []
    spans = [span for left in lost.values() for span in left]
    near = Appointment.objects.filter(
        claims.takes_time(),
        clinician__in={clinician for clinician, _ in lost},
        clinic__in={clinic for _, clinic in lost},
    ).meeting(max(now, min(span.start for span in spans)), max(span.end for span in spans))
    return [
        visit
        for visit in near.select_related("clinic", "patient", "visit_type").order_by("starts_at", "pk")
        if any(
            Span(visit.starts_at, visit.ends_at).overlaps(span)
            for span in lost.get((visit.clinician_id, visit.clinic_id), [])
        )
    ]


def require_accepted(diff: Diff, accept: str) -> None:
    """Raises DiffChanged unless `diff` is the one whose digest somebody accepted."""
    if diff.digest != accept:
        raise DiffChanged(diff=diff.as_json(), digest=diff.digest)


def lock(shifts: QuerySet[Shift]) -> None:
    """Lock these shifts until the transaction ends, by their ids, after calendars. Bookings in them wait."""
    list(shifts.order_by("pk").select_for_update().values_list("pk", flat=True))


def apply(diff: Diff) -> None:
    """Do to the shifts what `diff` says. Needs their locks. Visits stay as they are."""
    Shift.objects.filter(pk__in=[shift.pk for shift in diff.removed]).delete()
    for shift, planned in diff.changed:
        shift.on = planned.on
        shift.during = DateTimeTZRange(*planned.span)
        shift.visit_types = list(planned.visit_types)
    changed = [change.shift for change in diff.changed]
    if len(changed) > 1:
        _park(changed)
    Shift.objects.bulk_update(changed, ["on", "during", "visit_types"], batch_size=1000)
    Shift.objects.bulk_create([as_shift(planned) for planned in diff.added], batch_size=5000)


def _park(shifts: list[Shift]) -> None:
    """Move shifts out of each other's way, 400 years back: `shift_once` looks at each row as it is written."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE scheduling_shift
            SET during = tstzrange(lower(during) - interval '3506328 hours', upper(during) - interval '3506328 hours')
            WHERE id = ANY (%s)
            """,
            [[shift.pk for shift in shifts]],
        )
