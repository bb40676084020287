"""Asking for a clinician: red flags first, then consent and price, then a place in the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from clinics.models import Patient, User
from memberships import entitlement
from virtualcare import diverting, queue
from virtualcare.intake import consents, deciding, guardians
from virtualcare.models import Advice, Consult, IntakeForm, Modality
from virtualcare.queue import records
from virtualcare.waits import telling
from virtualcare.waits.telling import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where the patient is right now: `state` is a USPS code."""

    street: str
    city: str
    state: str
    postal_code: str


def begin(
    *,
    patient: Patient,
    modality: Modality,
    location: Location,
    form: IntakeForm,
    answers: Mapping[str, Any],
    agreed: Sequence[str],
    guardian_present: bool,
    accept_price: int | None,
    actor: User,
    now: datetime,
) -> tuple[Consult, Told | None]:
    """Ask for a clinician for `patient`; returns the consult, and what is told of the wait where it waits.

    A red flag goes before everything: the consult is `diverted`, never queued, costs nothing, and a nurse is told.
    Otherwise all consents in force must be among the codes `agreed`, and what no membership covers must be paid
    by who accepts its price. Raises deciding.BadAnswers, guardians.GuardianRequired, consents.ConsentRequired and
    NoConsentText, MembershipRequired, PriceChanged and queue.AlreadyOpen; then nothing is kept.
    """
    place = {
        "street": location.street,
        "city": location.city,
        "state": location.state,
        "postal_code": location.postal_code,
    }
    decision = deciding.decide(form, answers)
    with transaction.atomic():
        if decision.advice is not None:
            consult = divert(
                patient=patient,
                modality=modality,
                form=form,
                advice=decision.advice,
                answers=decision.answers,
                actor=actor,
                now=now,
                **place,
            )
            return consult, None
        today = patient.today(now=now)
        guardians.require(patient=patient, is_present=guardian_present, on=today)
        texts = consents.agreed(modality=modality, state=location.state, codes=agreed, on=today)
        paid = entitlement.settle(patient=patient, benefit=modality, on=today, accept_price=accept_price)
        consult = queue.enter(
            patient=patient,
            actor=actor,
            acuity=form.acuity,
            now=now,
            modality=modality,
            form=form,
            answers=decision.answers,
            guardian_present=guardian_present,
            price=paid.price,
            paid_by=paid.paid_by,
            paid_because=paid.because[:200],
            membership_id=paid.membership_id,
            **place,
        )
        consents.given(consult=consult, texts=texts, user=actor, now=now)
        return consult, telling.promise(consult, now=now)


def divert(
    *,
    patient: Patient,
    modality: Modality,
    form: IntakeForm,
    advice: Advice,
    answers: dict[str, Any],
    actor: User,
    now: datetime,
    **place: str,
) -> Consult:
    """Write down that red flags sent a patient elsewhere, and have a nurse told. Part of the caller's transaction."""
    consult = Consult.objects.create(
        patient=patient,
        requested_by=actor,
        status=Consult.Status.DIVERTED,
        acuity=1,
        created_at=now,
        seen_at=now,
        ended_at=now,
        modality=modality,
        form=form,
        answers=answers,
        advice=advice,
        **place,
    )
    records.record(consult, "", what="diverted", actor=actor, now=now)
    diverting.alert_nurse(consult, now=now)
    return consult
