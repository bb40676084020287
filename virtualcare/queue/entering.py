"""Beginning to wait."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from clinics.faults import violates
from clinics.models import Patient, User
from clinics.refusals import Refused
from virtualcare.models import Consult
from virtualcare.queue import records
from virtualcare.queue.records import Status

# How long somebody may wait, by acuity: their place is when they came, and this. So the urgent go first, and nobody is
# overtaken for ever.
TARGET_WAIT = {
    1: timedelta(0),
    2: timedelta(minutes=5),
    3: timedelta(minutes=10),
    4: timedelta(minutes=15),
    5: timedelta(minutes=20),
}


class AlreadyOpen(Refused):
    code = "consult_open"
    detail = "This patient has a consult that is not over. Go on with it, or leave it first."


def enter(*, patient: Patient, actor: User, acuity: int, now: datetime, **fields: Any) -> Consult:
    """Have `patient` wait for a clinician. `fields` are the consult's: modality, place, form, answers and payment.

    Raises AlreadyOpen with the consult they have, where it is not over.
    """
    consult = Consult(
        patient=patient,
        requested_by=actor,
        status=Status.INTAKE,
        acuity=acuity,
        created_at=now,
        seen_at=now,
        **fields,
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                consult.save(force_insert=True)
        except IntegrityError as error:
            if not violates(error, "consult_one_open"):
                raise
            open_one = Consult.objects.filter(patient=patient, status__in=[*Consult.QUEUED, Status.ACTIVE]).first()
            raise AlreadyOpen(consult=str(open_one.pk) if open_one else None) from error
        records.record(consult, "", what="asked", actor=actor, now=now)
        records.change(
            consult,
            Status.WAITING,
            what="queued",
            actor=actor,
            now=now,
            queued_at=now,
            due_at=now + TARGET_WAIT[acuity],
        )
    return consult
