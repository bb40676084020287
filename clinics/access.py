"""Fetching records of people, for somebody who may see them."""

import uuid
from datetime import date

from clinics.models import Patient, User
from clinics.refusals import NotFound


def patient(user: User, patient_id: uuid.UUID, *, on: date) -> Patient:
    """The patient `patient_id`, whose record `user` may see on `on`. Raises NotFound when absent or forbidden."""
    found = Patient.objects.visible_to(user, on=on).filter(pk=patient_id).first()
    if found is None:
        raise NotFound
    return found
