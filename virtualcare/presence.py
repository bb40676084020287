"""Hearing from people: a patient who waits, and a clinician's console. One conditional UPDATE, and seldom."""

import uuid
from datetime import datetime, timedelta

from clinics.models import User
from virtualcare.models import Consult, Duty

# Written at most so often: who polls every second costs no more.
SELDOM = timedelta(seconds=20)


def heard_from_patient(consult_id: uuid.UUID, *, now: datetime) -> bool:
    """Note that the patient of a consult, or who acts for them, is there. Returns whether it was worth a row.

    Somebody who was asked to come back has come back.
    """
    return bool(Consult.objects.filter(pk=consult_id, seen_at__lt=now - SELDOM).update(seen_at=now, nudged_at=None))


def heard_from_clinician(clinician_id: uuid.UUID, *, now: datetime) -> bool:
    """Note that a clinician's console is there. Returns whether it was worth a row."""
    return bool(Duty.objects.filter(pk=clinician_id, heard_at__lt=now - SELDOM).update(heard_at=now))


def heard_from_who_has(consult: Consult, user: User, *, now: datetime) -> bool:
    """The same, where `user` is the clinician who has `consult`, or whom it is offered to. Needs its clinician loaded.

    Nobody is taken for gone who is in a call, or writes notes, and whose list of patients is closed meanwhile.
    """
    if consult.clinician is None or consult.clinician.user_id != user.pk:
        return False
    return heard_from_clinician(consult.clinician.pk, now=now)


def heard_from_account(user_id: uuid.UUID, *, now: datetime) -> bool:
    """The same, by the account of the clinician."""
    return bool(Duty.objects.filter(clinician__user=user_id, heard_at__lt=now - SELDOM).update(heard_at=now))
