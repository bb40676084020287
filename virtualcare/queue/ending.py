"""How a consult ends: the patient leaves, the conversation is over, it is written up, or it is no case for us."""

from datetime import datetime

from django.db import transaction

from clinics.models import Clinician, User
from memberships import uses
from virtualcare import clocks
from virtualcare.models import Advice, Consult, ReplyClock
from virtualcare.queue import records
from virtualcare.queue.records import ConsultChanged, Status


def leave(*, consult: Consult, actor: User, now: datetime) -> Consult:
    """The patient leaves: who waits is not charged; in a conversation it is over, and the clinician writes it up.

    Leaving again changes nothing.
    """
    with transaction.atomic():
        was = records.locked(consult.pk)
        if was is None:
            raise ConsultChanged
        if was.status in (Status.INTAKE, *Consult.QUEUED):
            records.change(
                was,
                Status.CANCELLED,
                what="left",
                actor=actor,
                now=now,
                clinician=was.clinician_id,
                clinician_id=None,
                offer_expires_at=None,
                ended_at=now,
            )
        elif was.status == Status.ACTIVE:
            records.change(was, Status.WRAP_UP, what="left", actor=actor, now=now, ended_at=now)
            clocks.start(was, ReplyClock.Kind.SUMMARY, now=now)
        return was


def wrap_up(*, consult: Consult, clinician: Clinician, actor: User, now: datetime) -> Consult:
    """The clinician ends the conversation; the summary is still to be written. Again it changes nothing."""
    with transaction.atomic():
        was = mine(consult, clinician, [Status.ACTIVE, Status.WRAP_UP])
        if was.status == Status.ACTIVE:
            records.change(was, Status.WRAP_UP, what="wrapped_up", actor=actor, now=now, ended_at=now)
            clocks.start(was, ReplyClock.Kind.SUMMARY, now=now)
        return was


def charge(consult: Consult, *, now: datetime) -> None:
    """Bill what was agreed to before the patient waited, now that they were cared for: once."""
    uses.bill(
        payer=consult.requested_by,
        patient=consult.patient,
        description=f"Consult by {consult.modality} on {consult.patient.today(now=now):%B %-d, %Y}",
        amount=consult.price or 0,
        about=f"consult:{consult.pk}",
        on=consult.patient.today(now=now),
        now=now,
    )


def complete(*, consult: Consult, clinician: Clinician, actor: User, now: datetime) -> Consult:
    """The consult is done and written up, and billed where no membership covers it.

    Part of the caller's transaction, which releases the summary.
    """
    was = mine(consult, clinician, [Status.ACTIVE, Status.WRAP_UP])
    records.change(was, Status.COMPLETED, what="completed", actor=actor, now=now, ended_at=was.ended_at or now)
    clocks.stop(was, now=now)
    charge(was, now=now)
    return was


def escalate(
    *, consult: Consult, clinician: Clinician, advice: Advice, note: str, actor: User, now: datetime
) -> Consult:
    """The clinician sends the patient elsewhere at once: 911, 988 or an emergency room. It costs nothing."""
    with transaction.atomic():
        was = mine(consult, clinician, [Status.ACTIVE, Status.WRAP_UP])
        records.change(
            was,
            Status.ESCALATED,
            what="escalated",
            actor=actor,
            now=now,
            note=note,
            advice=advice,
            ended_at=was.ended_at or now,
        )
        clocks.stop(was, now=now)
        return was


def mine(consult: Consult, clinician: Clinician, expected: list[str]) -> Consult:
    """The consult, locked, which is with the clinician. Raises ConsultChanged."""
    was = records.lock(consult, expected)
    if was.clinician_id != clinician.pk:
        raise ConsultChanged(status_now=was.status)
    return was
