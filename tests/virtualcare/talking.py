"""Consults in which somebody talks, and talking in them, in a word each."""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction

from clinics.models import Clinician, Patient, User
from tests.cast import NOW
from tests.virtualcare import people
from virtualcare import chat, queue
from virtualcare.models import ChatMessage, Consult

Role = ChatMessage.Role


def active(patient: Patient, doctor: Clinician, *, now: datetime = NOW, **fields: Any) -> Consult:
    """A consult of `patient` that `doctor`, who is on duty, has in hand. Nobody else waits."""
    people.waiting(patient, now=now, **fields)
    return people.taken(doctor, now=now)


def completed(patient: Patient, doctor: Clinician, *, now: datetime = NOW, **fields: Any) -> Consult:
    """A consult of `patient` with `doctor` that is over and written up."""
    return complete(active(patient, doctor, now=now, **fields), doctor, now=now)


def complete(consult: Consult, doctor: Clinician, *, now: datetime = NOW) -> Consult:
    with transaction.atomic():
        return queue.complete(consult=consult, clinician=doctor, actor=people.user_of(doctor), now=now)


def says(
    consult: Consult,
    who: Patient | Clinician | User,
    body: str = "It hurts.",
    *,
    client_id: uuid.UUID | None = None,
    now: datetime = NOW,
) -> ChatMessage:
    """Somebody says something: a clinician as such, whoever else for the patient."""
    role = Role.CLINICIAN if isinstance(who, Clinician) else Role.PATIENT
    sender = who if isinstance(who, User) else people.user_of(who)
    message, _ = chat.send(
        consult=consult, sender=sender, role=role, client_id=client_id or uuid.uuid4(), body=body, now=now
    )
    return message


def seqs(consult: Consult) -> list[int]:
    return list(ChatMessage.objects.filter(consult=consult).order_by("seq").values_list("seq", flat=True))
