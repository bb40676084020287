"""Being on duty: a clinician's shift, what they say of themselves, and whether their console is there."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from clinics.models import Clinician, Licence, User
from clinics.refusals import Refused
from virtualcare import news
from virtualcare.models import Consult, Duty, Modality, OnCallShift

# A console that was not heard of for so long is not there.
FRESH = timedelta(seconds=60)
# Where the day begins first and last in the United States. A licence counts that holds on both days: whether it begins
# or ends today, no patient is seen without one, wherever they are.
FIRST, LAST = ZoneInfo("Pacific/Guam"), ZoneInfo("Pacific/Pago_Pago")


class NotOnCall(Refused):
    code = "not_on_call"
    detail = "You are not on call now. Ask whoever plans the shifts."


class NotAvailable(Refused):
    code = "not_available"
    detail = "Say that you are available first."


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a clinician is on duty, and why not: `on_call_until` is the end of their shift, None without one."""

    available: bool
    on_call_until: datetime | None
    modalities: list[str]
    capacity: int
    texts: int
    calls: int

    @property
    def on_duty(self) -> bool:
        return self.available and self.on_call_until is not None


def days(now: datetime) -> tuple[date, date]:
    """The dates that it is at `now` in the United States, the last and the first to begin a day: often the same."""
    return now.astimezone(LAST).date(), now.astimezone(FIRST).date()


def licensed_in(clinician_id: UUID, *, now: datetime) -> set[str]:
    """The states where `clinician_id` may treat patients now."""
    last, first = days(now)
    held = Licence.objects.filter(clinician=clinician_id)
    # A renewal is a row of its own: one may hold on the one day, and the next on the other.
    found = (
        held.filter(during__contains=last)
        .values("state")
        .intersection(held.filter(during__contains=first).values("state"))
    )
    return {row["state"] for row in found}


def shift_of(clinician_id: UUID, *, now: datetime) -> OnCallShift | None:
    """The on-call shift of `clinician_id` now, if any."""
    return OnCallShift.objects.filter(clinician=clinician_id, during__contains=now).first()


def locked(*clinicians: UUID, now: datetime) -> dict[UUID, Duty]:
    """The rows of these clinicians, locked in the order of their ids, so that what they hold is counted by one at once.

    Who was never on duty gets one that says that they are away. Locks come before those of consults.
    """
    rows = Duty.objects.select_for_update(no_key=True).filter(pk__in=clinicians).order_by("pk")
    found = {row.pk: row for row in rows}
    if found.keys() == set(clinicians):
        return found
    Duty.objects.bulk_create(
        [Duty(clinician_id=pk, available=False, changed_at=now, heard_at=now) for pk in clinicians],
        ignore_conflicts=True,
    )
    return {row.pk: row for row in rows.all()}


def lock_at_once(clinician_id: UUID) -> bool:
    """Lock the row of a clinician for the caller's transaction, unless somebody has it locked. Returns whether."""
    row = Duty.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=clinician_id)
    return row.first() is not None


def say(*, clinician: Clinician, available: bool, actor: User, now: datetime) -> Status:
    """Set whether a clinician takes consults. Whoever goes away keeps those they have.

    Raises NotOnCall for saying so without a shift.
    """
    del actor  # the clinician themself: access has seen to it
    with transaction.atomic():
        row = locked(clinician.pk, now=now)[clinician.pk]
        if available and shift_of(clinician.pk, now=now) is None:
            raise NotOnCall
        row.heard_at = now
        if row.available != available:
            row.available, row.changed_at = available, now
        row.save(update_fields=["available", "changed_at", "heard_at"])
        news.tell_clinicians()
        return status(clinician, now=now)


def status(clinician: Clinician, *, now: datetime) -> Status:
    """How a clinician stands now: three statements."""
    row = Duty.objects.filter(pk=clinician.pk).first()
    shift = shift_of(clinician.pk, now=now)
    held = list(Consult.objects.filter(clinician=clinician, status__in=Consult.HELD).values_list("modality", flat=True))
    return Status(
        available=row is not None and row.available and now - row.heard_at <= FRESH,
        on_call_until=shift.during.upper if shift else None,
        modalities=list(shift.modalities) if shift else [],
        capacity=shift.capacity if shift else 0,
        texts=held.count(Modality.TEXT),
        calls=held.count(Modality.VIDEO),
    )
