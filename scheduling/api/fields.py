"""Fields and shapes that the scheduling views share."""

from datetime import date, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clinics.shapes import DayField, InstantField
from scheduling.access import Family
from scheduling.models import Appointment
from scheduling.shapes import Named, SlotShown, slot_of


@extend_schema_field({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]})
class WhenField(serializers.Field[Any, Any, Any, Any]):
    """A day of each clinic, YYYY-MM-DD, or an instant with its offset."""

    def to_internal_value(self, data: Any) -> date | datetime:
        kind = DayField() if isinstance(data, str) and len(data) == 10 else InstantField()
        return kind.to_internal_value(data)

    def to_representation(self, value: Any) -> str:
        return str(value.isoformat())


class HoldShown(serializers.Serializer[Any]):
    """A time that is kept for a patient until `expires_at`."""

    id = serializers.UUIDField(help_text="Also the id of the appointment that it becomes.")
    expires_at = serializers.DateTimeField()
    can_extend = serializers.BooleanField()
    patient = Named()
    slot = SlotShown()
    price = serializers.IntegerField(allow_null=True)


class Where(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    time_zone = serializers.CharField()
    phone = serializers.CharField()
    address = serializers.CharField()


class AppointmentShown(serializers.Serializer[Any]):
    """A visit. `status` is ours, `fhir_status` is FHIR R4's word for it."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Appointment.Status.choices)
    fhir_status = serializers.CharField()
    start = serializers.DateTimeField(help_text="With the clinic's offset.")
    end = serializers.DateTimeField()
    clinic = Where()
    clinician = Named()
    patient = Named()
    visit_type = serializers.CharField()
    reason = serializers.CharField(allow_null=True, help_text="Null for a proxy who no longer reads it.")
    price = serializers.IntegerField(allow_null=True, help_text="Cents of US dollars; 0 when covered.")
    paid_by = serializers.CharField()
    paid_because = serializers.CharField()
    is_overbooked = serializers.BooleanField()
    sequence = serializers.IntegerField(help_text="Grows when the visit is moved or cancelled.")
    confirmed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the patient said that they will come; null again after a move."
    )
    is_late_cancellation = serializers.BooleanField()
    fee_code = serializers.CharField()


def shown_hold(visit: Appointment, *, expires_at: datetime) -> dict[str, Any]:
    """A hold as HoldShown."""
    return {
        "id": str(visit.pk),
        "expires_at": expires_at.astimezone(visit.clinic.zone).isoformat(),
        "can_extend": visit.extended_at is None,
        "patient": {"id": str(visit.patient_id), "name": visit.patient.name},
        "slot": slot_of(visit, price=visit.price),
        "price": visit.price,
    }


def shown_visit(visit: Appointment, family: Family) -> dict[str, Any]:
    """A visit as AppointmentShown. Needs patient, clinic, clinician and visit type loaded."""
    clinic = visit.clinic
    return {
        "id": str(visit.pk),
        "status": visit.status,
        "fhir_status": Appointment.FHIR_STATUS[visit.status],
        "start": visit.local_start.isoformat(),
        "end": visit.ends_at.astimezone(clinic.zone).isoformat(),
        "clinic": {
            "id": str(clinic.pk),
            "name": clinic.name,
            "time_zone": clinic.time_zone,
            "phone": str(clinic.phone),
            "address": f"{clinic.street}, {clinic.city}, {clinic.state} {clinic.postal_code}",
        },
        "clinician": {"id": str(visit.clinician_id), "name": visit.clinician.name},
        "patient": {"id": str(visit.patient_id), "name": visit.patient.name},
        "visit_type": visit.visit_type.code,
        "reason": visit.reason if family.reads_reason(visit.patient_id) else None,
        "price": visit.price,
        "paid_by": visit.paid_by,
        "paid_because": visit.paid_because,
        "is_overbooked": visit.lane > 0,
        "sequence": visit.sequence,
        "confirmed_at": visit.confirmed_at.astimezone(clinic.zone).isoformat() if visit.confirmed_at else None,
        "is_late_cancellation": visit.is_late_cancellation,
        "fee_code": visit.fee_code,
    }
