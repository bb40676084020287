"""Who is on call when: shifts of clinicians, who take consults, and of nurses, who are told of those turned away.

What has been stays as it was: a shift that has begun keeps its beginning, and taking it away ends it now. The history
of each is kept by the database (clinics.models.history).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinics import acting
from clinics.faults import violates
from clinics.models import Clinician, User
from clinics.refusals import NotFound, Refused
from virtualcare import news
from virtualcare.models import Modality, NurseShift, OnCallShift

LONGEST = timedelta(days=31)
FURTHEST = timedelta(days=366)  # from now
CAPACITIES = range(1, 11)
ONCE = ("on_call_once", "nurse_shift_once")
S = TypeVar("S", OnCallShift, NurseShift)


class BadOnCallShift(Refused):
    code = "bad_on_call_shift"
    status = 400
    detail = (
        f"A shift ends after it begins and is not over yet; it lasts at most {LONGEST.days} days, begins within a "
        f"year, is for text, video or both, and for {CAPACITIES[0]} to {CAPACITIES[-1]} text consults at once."
    )


class AlreadyOnCall(Refused):
    code = "already_on_call"
    detail = "They are on call then already. Change that shift instead."


class ShiftIsOver(Refused):
    code = "shift_is_over"
    detail = "This shift is over, and stays as it was."


class ShiftHasBegun(Refused):
    code = "shift_has_begun"
    detail = "This shift has begun: its end can be moved, its beginning no more."


def add(
    *,
    clinician: Clinician,
    start: datetime,
    end: datetime,
    modalities: Collection[str],
    capacity: int = OnCallShift.CAPACITY,
    actor: User,
    now: datetime,
) -> OnCallShift:
    """Put `clinician` on call from `start` until `end`, for the `modalities`, `capacity` text consults at once.

    Whether they hold a licence is not asked: where they don't, they are offered nobody. Raises BadOnCallShift and
    AlreadyOnCall.
    """
    require(start, end, now=now)
    shift = OnCallShift(
        clinician=clinician,
        during=DateTimeTZRange(start, end),
        modalities=checked(modalities, capacity),
        capacity=capacity,
    )
    return kept(shift, actor=actor)


def change(
    *,
    shift: OnCallShift,
    start: datetime,
    end: datetime,
    modalities: Collection[str],
    capacity: int,
    actor: User,
    now: datetime,
) -> OnCallShift:
    """Move or alter a shift that is not over; who has somebody in their care keeps them.

    Raises BadOnCallShift, AlreadyOnCall, ShiftIsOver, ShiftHasBegun, and NotFound where it was taken away.
    """
    with transaction.atomic():
        was = locked(OnCallShift, shift.pk, now=now)
        move(was, start, end, now=now)
        was.modalities, was.capacity = checked(modalities, capacity), capacity
        return kept(was, actor=actor)


def take_away(*, shift: OnCallShift, actor: User, now: datetime) -> None:
    """Take a shift away, or end it now where it has begun. Done twice it changes nothing. Raises ShiftIsOver."""
    end(OnCallShift, shift.pk, actor=actor, now=now)


def add_nurse(*, nurse: User, start: datetime, end: datetime, actor: User, now: datetime) -> NurseShift:
    """Have `nurse` told, from `start` until `end`, of each patient whom red flags turn away.

    Raises BadOnCallShift and AlreadyOnCall.
    """
    require(start, end, now=now)
    return kept(NurseShift(nurse=nurse, during=DateTimeTZRange(start, end)), actor=actor)


def change_nurse(*, shift: NurseShift, start: datetime, end: datetime, actor: User, now: datetime) -> NurseShift:
    """Move a nurse's shift that is not over. Raises as `change` does."""
    with transaction.atomic():
        was = locked(NurseShift, shift.pk, now=now)
        move(was, start, end, now=now)
        return kept(was, actor=actor)


def take_away_nurse(*, shift: NurseShift, actor: User, now: datetime) -> None:
    """Take a nurse's shift away, as `take_away` does."""
    end(NurseShift, shift.pk, actor=actor, now=now)


# What both kinds have in common


def require(start: datetime, end: datetime, *, now: datetime) -> None:
    if not (start < end <= start + LONGEST and end > now and start <= now + FURTHEST):
        raise BadOnCallShift


def checked(modalities: Collection[str], capacity: int) -> list[str]:
    """The modalities, in order and once each. Raises BadOnCallShift."""
    wanted = set(modalities)
    if not wanted or not wanted <= set(Modality.values) or capacity not in CAPACITIES:
        raise BadOnCallShift
    return sorted(wanted)


def locked(kind: type[S], pk: UUID, *, now: datetime) -> S:
    """The shift as it is now, locked. Raises NotFound and ShiftIsOver."""
    found = kind.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if found is None:
        raise NotFound
    if found.during.upper <= now:
        raise ShiftIsOver
    return found


def move(shift: S, start: datetime, end: datetime, *, now: datetime) -> None:
    """Give a locked shift its new time. Raises BadOnCallShift and ShiftHasBegun."""
    if start != shift.during.lower and min(start, shift.during.lower) <= now:
        raise ShiftHasBegun
    require(start, end, now=now)
    shift.during = DateTimeTZRange(start, end)


def kept(shift: S, *, actor: User) -> S:
    """Store a shift, and have consoles told. Raises AlreadyOnCall."""
    try:
        with transaction.atomic(), acting.acting(actor):
            shift.save()
            news.tell_clinicians()
    except IntegrityError as error:
        if any(violates(error, once) for once in ONCE):
            raise AlreadyOnCall from error
        raise
    return shift


def end(kind: type[S], pk: UUID, *, actor: User, now: datetime) -> None:
    with transaction.atomic(), acting.acting(actor):
        try:
            found = locked(kind, pk, now=now)
        except NotFound:
            return
        if found.during.lower >= now:
            found.delete()
        else:
            found.during = DateTimeTZRange(found.during.lower, now)
            found.save(update_fields=["during"])
        news.tell_clinicians()
