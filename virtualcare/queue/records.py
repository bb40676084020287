"""Writing down what happens to a consult: its row, under its lock, and its changes."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from clinics import messages
from clinics.models import User
from clinics.refusals import Refused
from virtualcare import news
from virtualcare.models import Call, Consult, ConsultChange
from virtualcare.video import closing

Status = Consult.Status


class ConsultChanged(Refused):
    code = "consult_changed"
    detail = "Something happened to this consult meanwhile. Look at it again."


def about(consult: Consult) -> str:
    """What messages to who waits in `consult` are known by: they are taken back when it waits no more."""
    return f"consult:{consult.pk}"


def locked(consult_id: UUID, *, skip: bool = False) -> Consult | None:
    """The consult as it is now, locked: another's change under way is waited for, or with `skip` is None instead."""
    return Consult.objects.select_for_update(no_key=True, skip_locked=skip).filter(pk=consult_id).first()


def lock(consult: Consult, expected: Collection[str]) -> Consult:
    """The consult as it is now, locked. Raises ConsultChanged where its status is none of `expected`."""
    now = locked(consult.pk)
    if now is None or now.status not in expected:
        raise ConsultChanged(status_now=now.status if now else None)
    return now


def change(
    consult: Consult,
    to: str,
    *,
    what: str,
    actor: User | None,
    now: datetime,
    clinician: UUID | None = None,
    note: str = "",
    **fields: Any,
) -> None:
    """Change a consult that is locked, in the row and in `consult`, and write down that it was. It ends its call.

    `clinician` is of whom the change tells: without it, who has the consult.
    """
    before = consult.status
    if Consult.objects.filter(pk=consult.pk, status=before).update(status=to, **fields) != 1:
        raise RuntimeError(f"Consult {consult.pk} is not {before} although it is locked.")
    told = clinician or consult.clinician_id
    consult.status = to
    if before in Consult.QUEUED and to not in Consult.QUEUED:
        messages.withdraw(about=about(consult), now=now)
    if before == Status.ACTIVE and to != Status.ACTIVE:
        closing.close(consult=consult.pk, because=Call.Ended.CONSULT, now=now)
    for name, value in fields.items():
        setattr(consult, name, value)
    record(consult, before, what=what, actor=actor, now=now, clinician=told or consult.clinician_id, note=note)


def record(
    consult: Consult,
    before: str,
    *,
    what: str,
    actor: User | None,
    now: datetime,
    clinician: UUID | None = None,
    note: str = "",
) -> None:
    """Write down what happened to a consult, and have those who look at it told."""
    ConsultChange.objects.create(
        consult=consult,
        at=now,
        actor=actor,
        from_status=before,
        to_status=consult.status,
        clinician_id=clinician,
        what=what,
        note=note,
    )
    news.tell(consult.pk, "status")
    if before != consult.status and (before in Consult.QUEUED or consult.status in Consult.QUEUED):
        news.tell_clinicians()
