"""What is done about somebody who was sent elsewhere: they say that they read it, and a nurse calls them."""

from datetime import datetime

from django.db import transaction

from clinics import messages
from clinics.models import User
from clinics.refusals import Refused
from virtualcare.diverting import alerting
from virtualcare.diverting.seeing import SENT
from virtualcare.models import Consult, NurseCall
from virtualcare.queue import records


class NotDiverted(Refused):
    code = "not_diverted"
    detail = "There is nothing to acknowledge: in this consult nobody was sent elsewhere."


class NothingSaid(Refused):
    code = "call_note_needed"
    status = 400
    detail = "Say what came of the call, even that nobody answered."


def acknowledge(*, consult: Consult, user: User, now: datetime) -> Consult:
    """Keep that `user`, for the patient, has read where they are sent; a second time changes nothing.

    Returns the consult as it is then. Raises NotDiverted.
    """
    with transaction.atomic():
        found = records.locked(consult.pk)
        if found is None or found.status not in SENT:
            raise NotDiverted
        if found.acknowledged_at is None:
            Consult.objects.filter(pk=found.pk).update(acknowledged_at=now)
            records.record(found, found.status, what="acknowledged", actor=user, now=now)
            found.acknowledged_at = now
    consult.acknowledged_at = found.acknowledged_at
    return consult


def note_call(*, consult: Consult, by: User, note: str, now: datetime) -> NurseCall:
    """Keep that `by` called the patient of a diverted consult, and what came of it. It stays as it is written.

    Nobody is told of it again, nor for the first time by what waits to be sent.
    Raises NotDiverted, and NothingSaid without a note.
    """
    if not note.strip():
        raise NothingSaid
    with transaction.atomic():
        found = records.locked(consult.pk)
        if found is None or found.status not in SENT:
            raise NotDiverted
        call = NurseCall.objects.create(consult=found, by=by, at=now, note=note.strip())
        records.record(found, found.status, what="nurse_called", actor=by, now=now)
        messages.withdraw(about=alerting.about(found), now=now)
    return call
