"""One day that is not as usual: a session more, less, or at another time."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinics.models import Clinic, Clinician, User
from clinics.refusals import NotFound, Refused
from scheduling import claims, intervals
from scheduling.intervals import Span
from scheduling.models import DayByHand, Shift, ShiftChange, VisitType
from scheduling.shifts import diffs
from scheduling.shifts.diffs import Diff
from scheduling.shifts.expansion import Day, Place, Planned, as_shift
from scheduling.shifts.extending import lock_clinics

LONGEST = timedelta(hours=25)  # a day on which an hour is repeated


class BadShift(Refused):
    code = "bad_shift"
    status = 400
    detail = "A shift ends after it begins, within a day, is not over yet, and offers types of visits that exist."


class NotYetOpen(Refused):
    code = "clinic_not_open"
    status = 409
    detail = "The clinic does not exist on that day: it is before its first or after its last."


class ShiftsOverlap(Refused):
    """Nobody is in two places."""

    code = "shifts_overlap"
    status = 409


def add_shift(
    *,
    clinician: Clinician,
    clinic: Clinic,
    during: Span,
    visit_types: Sequence[int],
    actor: User | None,
    now: datetime,
) -> Shift:
    """Add a session, also outside the clinic's opening hours: staff who enter it open the door.

    Its day is by hand from then on: weekly and opening hours leave it alone. Who did it is kept as a ShiftChange, as
    with every change here. Raises BadShift, NotYetOpen and ShiftsOverlap.
    """
    with transaction.atomic():
        lock_clinics([clinic.pk], change=False)
        claims.lock_calendars([clinician.pk])
        place = Place.all_of([clinic.pk])[clinic.pk]
        planned = _planned(clinician.pk, place, during, visit_types, now=now)
        _require_free(planned, apart_from=None)
        _by_hand([planned.day], actor=actor, now=now)
        shift = as_shift(planned)
        shift.save(force_insert=True)
        _note(shift, None, planned, actor=actor, now=now)
        return shift


def preview_shift_change(*, shift: Shift, during: Span, visit_types: Sequence[int], now: datetime) -> Diff:
    """What `change_shift` with the same arguments would do. Its `digest` is what to accept. Raises as it does."""
    return _change(shift, during, visit_types, now=now)


def change_shift(
    *,
    shift: Shift,
    during: Span,
    visit_types: Sequence[int],
    actor: User | None,
    accept: str,
    now: datetime,
) -> Diff:
    """Give one shift another time or other types of visits. It keeps its id, and its day is by hand from then on.

    Visits that no longer lie in it stay booked, and are in the diff for staff to move or cancel. `accept` is the digest
    of the diff previewed: DiffChanged where something else would happen by now.
    Raises NotFound, BadShift, NotYetOpen and ShiftsOverlap.
    """
    with transaction.atomic():
        found = _locked(shift)
        diff = _change(found, during, visit_types, now=now)
        diffs.require_accepted(diff, accept)
        _by_hand([diffs.planned_by(found).day, *(change.planned.day for change in diff.changed)], actor=actor, now=now)
        for change in diff.changed:
            _note(found, diffs.planned_by(found), change.planned, actor=actor, now=now)
        diffs.apply(diff)
        return diff


def preview_shift_removal(*, shift: Shift, now: datetime) -> Diff:
    """What `remove_shift` would do. Its `digest` is what to accept."""
    return _removal(shift, now=now)


def remove_shift(*, shift: Shift, actor: User | None, accept: str, now: datetime) -> Diff:
    """Take one shift away. Nothing brings it back: its day is by hand from then on.

    Its visits stay booked, and are in the diff for staff to move or cancel. `accept` is the digest of the diff
    previewed: DiffChanged where something else would happen by now. Raises NotFound and BadShift.
    """
    with transaction.atomic():
        found = _locked(shift)
        diff = _removal(found, now=now)
        diffs.require_accepted(diff, accept)
        _by_hand([diffs.planned_by(found).day], actor=actor, now=now)
        _note(found, diffs.planned_by(found), None, actor=actor, now=now)
        diffs.apply(diff)
        return diff


def _locked(shift: Shift) -> Shift:
    """`shift` as it is now, locked after its clinician's calendar. Raises NotFound where it was removed meanwhile."""
    lock_clinics([shift.clinic_id], change=False)
    claims.lock_calendars([shift.clinician_id])
    diffs.lock(Shift.objects.filter(pk=shift.pk))
    found = Shift.objects.filter(pk=shift.pk).first()
    if found is None:
        raise NotFound
    return found


def _change(shift: Shift, during: Span, visit_types: Sequence[int], *, now: datetime) -> Diff:
    place = Place.all_of([shift.clinic_id])[shift.clinic_id]
    planned = _planned(shift.clinician_id, place, during, visit_types, now=now)
    _require_free(planned, apart_from=shift)
    if shift.during.upper <= now:
        raise BadShift
    # Compared as if it stayed on its day, so that it keeps its id when it moves to the next.
    diff = diffs.compare(
        [shift], [planned._replace(on=shift.on)], by_hand=(), zones={shift.clinic_id: place.zone}, now=now
    )
    moved = tuple(diffs.Change(found, planned) for found, _ in diff.changed)
    return Diff(diff.added, diff.removed, moved, diff.visits, diff.by_hand, diff.zones)


def _removal(shift: Shift, *, now: datetime) -> Diff:
    if shift.during.upper <= now:
        raise BadShift("This shift is over: what was, stays.")
    zone = Place.all_of([shift.clinic_id])[shift.clinic_id].zone
    return diffs.compare([shift], [], by_hand=(), zones={shift.clinic_id: zone}, now=now)


def _planned(clinician: uuid.UUID, place: Place, during: Span, visit_types: Sequence[int], *, now: datetime) -> Planned:
    """Raises BadShift and NotYetOpen."""
    offered = set(visit_types)
    if not (during.start < during.end <= during.start + LONGEST and during.end > now and offered):
        raise BadShift
    if VisitType.objects.filter(pk__in=offered).count() != len(offered):
        raise BadShift
    on = intervals.local_date(during.start, place.zone)
    if on < place.opens_on or (place.closes_on is not None and on >= place.closes_on):
        raise NotYetOpen
    return Planned(clinician, place.clinic, on, during, tuple(visit_types))


def _require_free(planned: Planned, *, apart_from: Shift | None) -> None:
    """Raises ShiftsOverlap, naming the other shift."""
    others = Shift.objects.filter(clinician=planned.clinician, during__overlap=planned.span)
    if apart_from is not None:
        others = others.exclude(pk=apart_from.pk)
    other = others.select_related("clinic").order_by("during").first()
    if other is not None:
        start, end = (at.astimezone(other.clinic.zone) for at in diffs.span_of(other))
        raise ShiftsOverlap(
            f"There is a shift at {other.clinic.name} on {start:%A, %B} {start.day}, {start:%H:%M}-{end:%H:%M}: "
            "change or remove that one first.",
            shift=str(other.pk),
        )


def _by_hand(days: Iterable[Day], *, actor: User | None, now: datetime) -> None:
    DayByHand.objects.bulk_create(
        [
            DayByHand(clinician_id=clinician, clinic_id=clinic, on=on, set_at=now, set_by=actor)
            for clinician, clinic, on in set(days)
        ],
        ignore_conflicts=True,
    )


def _note(shift: Shift, before: Planned | None, after: Planned | None, *, actor: User | None, now: datetime) -> None:
    """Write down what becomes of a shift, for its history."""
    ShiftChange.objects.create(
        clinic_id=shift.clinic_id,
        clinician_id=shift.clinician_id,
        at=now,
        actor=actor,
        before=DateTimeTZRange(*before.span) if before else None,
        after=DateTimeTZRange(*after.span) if after else None,
        types_before=list(before.visit_types) if before else [],
        types_after=list(after.visit_types) if after else [],
    )
