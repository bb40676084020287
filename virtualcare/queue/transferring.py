"""Handing a patient over to another clinician."""

from datetime import datetime, timedelta

from django.db import transaction

from clinics.models import Clinician, User
from clinics.refusals import Refused
from scheduling.claims import ClockTimestamp
from virtualcare import duty
from virtualcare.models import Consult
from virtualcare.queue import offers, records
from virtualcare.queue.records import Status

# A colleague who was named has longer to look up than who asked for the next.
NAMED_FOR = timedelta(seconds=60)
# Whoever handed a patient over is not offered them again for so long.
NOT_BACK_FOR = timedelta(minutes=30)
LONGEST_NOTE = 2000  # characters


class NoteNeeded(Refused):
    code = "note_needed"
    status = 400
    detail = "Write a note for the clinician who takes over: what you know, and why you hand the patient over."


class CannotTakeOver(Refused):
    code = "cannot_take_over"
    detail = "That clinician cannot take this patient now: they are away, full, of the family, or not licensed there."


def transfer(
    *, consult: Consult, clinician: Clinician, to: Clinician | None, note: str, actor: User, now: datetime
) -> Consult:
    """The clinician hands their patient over: to the queue, at the place they had, or offers them to a colleague.

    Whoever takes over must hold a licence where the patient is, have room and be on duty: who is named is asked for it
    here, and everybody when they accept. What is said so far goes with the patient. Raises NoteNeeded,
    CannotTakeOver, ConsultChanged.
    """
    if not note.strip() or len(note) > LONGEST_NOTE:
        raise NoteNeeded
    with transaction.atomic():
        duties = duty.locked(clinician.pk, *([to.pk] if to else []), now=now)
        was = records.lock(consult, [Status.ACTIVE])
        if was.clinician_id != clinician.pk:
            raise records.ConsultChanged(status_now=was.status)
        offers.count_as_there(was, now=now)
        offers.pass_on(was, clinician, until=now + NOT_BACK_FOR)
        if to is None:
            offers.wait_on(was, what="transferred", actor=actor, now=now, note=note.strip())
            return was
        row = duties[to.pk]
        works_here = to.user is not None and to.user.is_active
        is_there = works_here and row.available and now - row.heard_at <= duty.FRESH
        has_offer = Consult.objects.filter(clinician=to, status=Status.OFFERED).exists()
        if to.pk == clinician.pk or not is_there or has_offer or offers.obstacle(was, to, now=now):
            raise CannotTakeOver
        records.change(
            was,
            Status.OFFERED,
            what="transferred",
            actor=actor,
            now=now,
            note=note.strip(),
            clinician=clinician.pk,
            clinician_id=to.pk,
            offer_expires_at=ClockTimestamp() + NAMED_FOR,
        )
        was.refresh_from_db(fields=["offer_expires_at"])
    return was
