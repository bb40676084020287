"""How a consult is shown: to whoever takes part in it, to who is offered it, and to who only knows of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from rest_framework import serializers

from clinics.models import User
from virtualcare.models import Advice, Consult, Modality
from virtualcare.sockets import tickets
from virtualcare.waits.telling import Told

EXAMPLE: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000009",
    "status": "waiting",
    "modality": "text",
    "patient": {"id": "0193601a-7c1e-7000-8000-000000000003", "name": "Pat Example", "age": 34},
    "complaint": {"code": "sore_throat", "name": "Sore throat", "version": 1},
    "location": {"street": "1 Main Street", "city": "Avon", "state": "OH", "postal_code": "44011"},
    "answers": {"fever": False},
    "clinician": None,
    "place": 3,
    "wait": {"low_minutes": 5, "high_minutes": 9},
    "covered_from": None,
    "in_person_url": None,
    "price": 0,
    "paid_because": "Covered by Standard: you pay for it.",
    "created_at": "2026-11-24T14:00:00+00:00",
    "accepted_at": None,
    "ended_at": None,
    "offer_expires_at": None,
    "last_seq": 0,
    "advice": None,
    "booked": None,
    "socket_url": "wss://sameday.example/ws/consults/0193601a-7c1e-7000-8000-000000000009?ticket=…",
}


class PersonShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    age = serializers.IntegerField(help_text="Whole years.")


class ComplaintShown(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()


class LocationShown(serializers.Serializer[Any]):
    street = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField(help_text="USPS code.")
    postal_code = serializers.CharField()


class CaringShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(help_text="As written on a door: Ana Reyes, MD.")


class WaitShown(serializers.Serializer[Any]):
    low_minutes = serializers.IntegerField()
    high_minutes = serializers.IntegerField()


class ConsultShown(serializers.Serializer[Any]):
    """A consult. Null where the caller only knows of it: a parent whose child has grown up so far."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Consult.Status.choices)
    modality = serializers.ChoiceField(choices=Modality.choices)
    patient = PersonShown()
    complaint = ComplaintShown(allow_null=True)
    location = LocationShown(allow_null=True)
    answers = serializers.DictField(allow_null=True, help_text="By the codes of the form's questions.")
    clinician = CaringShown(allow_null=True)
    place = serializers.IntegerField(allow_null=True, help_text="In the queue, from 1; null for who does not wait.")
    wait = WaitShown(allow_null=True, help_text="Null where nobody who may treat the patient there is on duty.")
    covered_from = serializers.DateTimeField(
        allow_null=True, help_text="From when on somebody is, where nobody is on duty; null where nobody is planned."
    )
    in_person_url = serializers.CharField(
        allow_null=True, help_text="Where nobody is on duty: free times in person near the patient (GET slots)."
    )
    price = serializers.IntegerField(allow_null=True, help_text="Cents that the patient pays when they were cared for.")
    paid_because = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    offer_expires_at = serializers.DateTimeField(allow_null=True, help_text="For the clinician it is offered to.")
    last_seq = serializers.IntegerField(help_text="Of its messages: read on with after_seq.")
    advice = serializers.ChoiceField(choices=Advice.choices, allow_null=True)
    booked = serializers.UUIDField(allow_null=True, help_text="The visit in person that was booked from it.")
    socket_url = serializers.CharField(
        allow_null=True, help_text="Says when there is news; good for a minute to connect. Null when it is over."
    )


def shown(
    consult: Consult,
    *,
    to: User,
    session: UUID,
    told: Told | None,
    covered_from: datetime | None = None,
    in_person_url: str | None = None,
    reads: bool,
    now: datetime,
) -> dict[str, Any]:
    """`consult`, with patient, clinician and form loaded, as `to` sees it; `reads` as access.takes_part has it.

    Who it is offered to sees what it is about, and no more than that until they accept.
    """
    is_offered = consult.status == Consult.Status.OFFERED
    is_taker = consult.clinician is not None and consult.clinician.user_id == to.pk
    sees = reads or is_taker
    # Whom it is offered to is nothing to the patient: they may let it pass.
    caring = consult.clinician if consult.clinician is not None and (is_taker or not is_offered) else None
    return {
        "id": str(consult.pk),
        "status": Consult.Status.WAITING if is_offered and not is_taker else consult.status,
        "modality": consult.modality,
        "patient": {
            "id": str(consult.patient_id),
            "name": consult.patient.name,
            "age": consult.patient.age_on(consult.patient.today(now=now)),
        },
        "complaint": {
            "code": consult.form.complaint,
            "name": consult.form.name,
            "version": consult.form.version,
        }
        if sees
        else None,
        "location": {name: getattr(consult, name) for name in ("street", "city", "state", "postal_code")}
        if sees
        else None,
        "answers": consult.answers if sees else None,
        "clinician": {"id": str(caring.pk), "name": caring.name} if caring else None,
        "place": told.place if told else None,
        "wait": waiting(told),
        "covered_from": iso(covered_from),
        "in_person_url": in_person_url,
        "price": consult.price,
        "paid_because": consult.paid_because,
        "created_at": iso(consult.created_at),
        "accepted_at": iso(consult.accepted_at),
        "ended_at": iso(consult.ended_at),
        "offer_expires_at": iso(consult.offer_expires_at) if is_taker else None,
        "last_seq": consult.last_seq if reads else 0,
        "advice": (consult.advice or None) if sees else None,
        "booked": str(consult.booked_id) if consult.booked_id else None,
        "socket_url": tickets.url_for(session, to, tickets.consult_path(consult.pk))
        if reads and consult.status not in Consult.OVER
        else None,
    }


def waiting(told: Told | None) -> dict[str, int] | None:
    """The range that somebody is told, in minutes."""
    if told is None or told.low_minutes is None or told.high_minutes is None:
        return None
    return {"low_minutes": told.low_minutes, "high_minutes": told.high_minutes}


def iso(instant: datetime | None) -> str | None:
    """An instant in JSON: with its offset, as everywhere in the API."""
    return instant.isoformat() if instant is not None else None
