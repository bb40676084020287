"""Finding free slots. Free time is computed, never stored; searching never writes."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from scheduling.slots import statement
from scheduling.slots.ids import Slot
from scheduling.slots.wanted import MOST_CLINICS, Place, Search

LIMIT = 50
# How long before a slot that was taken others count as near it.
BEFORE = timedelta(minutes=90)


class Found(NamedTuple):
    """A free start, with what a list shows of it. `metres` is 0 where no place was asked about."""

    slot: Slot
    end: datetime
    zone: ZoneInfo
    clinic_name: str
    clinician_name: str
    visit_type: str
    metres: int

    @property
    def place(self) -> Place:
        return Place(self.slot.start, self.metres, self.slot.clinic, self.slot.clinician)


@dataclass(frozen=True, slots=True)
class NextStart:
    """The first free start of a clinic behind an empty window."""

    clinic: uuid.UUID
    clinic_name: str
    start: datetime = field(compare=False)


def search(wanted: Search, *, now: datetime, after: Place | None = None, limit: int = LIMIT) -> list[Found]:
    """The free starts of the nearest MOST_CLINICS clinics, by start, distance, clinic and clinician. One statement.

    `after` is the last row of the page before. A visit type that is unknown, not offered or for staff alone finds
    nothing.
    """
    after = after or Place(datetime.min.replace(tzinfo=UTC))
    parameters = statement.parameters(wanted, now)
    parameters |= {
        "after": after.start if after.start.year > 1 else "-infinity",
        "after_metres": after.metres,
        "after_clinic": after.clinic,
        "after_clinician": after.clinician,
        "limit": limit,
    }
    source = statement.ALL_CLINICS
    if wanted.per_clinic:
        source = statement.EACH_CLINIC
        parameters["most_clinics"] = min(MOST_CLINICS, max(1, limit // wanted.per_clinic))
    with connection.cursor() as cursor:
        cursor.execute(statement.SEARCH.format(chosen=statement.chosen(wanted), source=source), parameters)
        return [_found(row) for row in cursor.fetchall()]


def next_available(wanted: Search, *, now: datetime) -> list[NextStart]:
    """For each clinic of `wanted` its first free start within WEEKS_AHEAD weeks behind the window, nearest first.

    Clinics without one are left out. One statement, which stops at each clinic's first hit.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement.NEXT.format(chosen=statement.chosen(wanted)), statement.parameters(wanted, now))
        return [
            NextStart(clinic, name, start.astimezone(ZoneInfo(zone))) for clinic, name, zone, start in cursor.fetchall()
        ]


def is_offered(
    slot: Slot,
    *,
    now: datetime,
    patient: uuid.UUID,
    staff: bool,
    overbook: bool = False,
    apart_from: uuid.UUID | None = None,
) -> bool:
    """Whether `slot` is free for `patient` at this instant, by the same function that lists it.

    `staff` may ignore the type's notice; `overbook` ignores the clinician's other visits; `apart_from` is a visit whose
    own time does not count.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 1 FROM free_starts(
                p_visit_type => %s, p_clinics => %s, p_now => %s, p_asked_at => %s, p_from => %s, p_until => %s,
                p_clinicians => %s, p_patient => %s, p_except => %s, p_any_notice => %s, p_overbook => %s, p_limit => 1)
            """,
            [
                slot.visit_type,
                [slot.clinic],
                now,
                now,
                slot.start,
                slot.start + timedelta(seconds=1),
                [slot.clinician],
                patient,
                apart_from,
                staff,
                overbook,
            ],
        )
        return cursor.fetchone() is not None


def alternatives(
    slot: Slot, *, code: str, patient: uuid.UUID, staff: bool, now: datetime, most: int = 3
) -> list[Found]:
    """The free starts at the slot's clinic that are nearest in time to a slot that could not be had, in their order.

    From BEFORE ahead of it, and as far behind it as it takes; for a slot that is past or too far ahead, the next ones
    from `now` on. Fewer than `most` only where the clinic has no more within WEEKS_AHEAD weeks. One statement.
    """
    around = Search(visit_type=code, asked_at=now, clinics=(slot.clinic,), patient=patient, staff=staff)
    parameters = statement.parameters(around, now) | {"wanted": slot.start, "before": BEFORE, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(statement.AROUND.format(chosen=statement.chosen(around)), parameters)
        found = [_found(row) for row in cursor.fetchall()]
    return sorted(found, key=lambda row: (row.slot.start, row.place.clinician))


def _found(row: tuple[Any, ...]) -> Found:
    start, metres, clinic, clinician, duration, visit_type, code, zone, clinic_name, given, family, credentials = row
    name = f"{given} {family}, {credentials}" if credentials else f"{given} {family}"
    slot = Slot(clinician, clinic, visit_type, start)
    return Found(slot, start + duration, ZoneInfo(zone), clinic_name, name, code, metres)
