"""Hearing from people: a patient who waits, and a clinician's console. One conditional UPDATE, and seldom."""

import uuid
from datetime import datetime, timedelta

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
