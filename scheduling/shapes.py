"""How slots are written and read, here and by the apps above."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from scheduling.models import Appointment
from scheduling.slots import BadSlot, Slot


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z0-9.-]{52}$", "description": "As GET slots gives it."})
class SlotField(serializers.Field[Slot, str, str, Slot]):
    """The id of a slot, as GET slots gives it."""

    def to_internal_value(self, data: str) -> Slot:
        try:
            return Slot.from_id(data)
        except BadSlot as error:
            raise serializers.ValidationError(error.detail, error.code) from error

    def to_representation(self, value: Slot) -> str:
        return value.id


SLOT_EXAMPLE = {
    "id": "AQGTYBp8HnAAgAAAAAAAAAIBk2AafB5wAIAAAAAAAAABAAEByKCk",
    "start": "2026-11-24T10:00:00-05:00",
    "end": "2026-11-24T10:20:00-05:00",
    "clinic": {"id": "0193601a-7c1e-7000-8000-000000000001", "name": "Avon"},
    "clinician": {"id": "0193601a-7c1e-7000-8000-000000000002", "name": "Ana Reyes, MD"},
    "visit_type": "office",
    "distance_miles": 1.2,
    "price": 0,
}


class Named(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class SlotShown(serializers.Serializer[Any]):
    """A free slot."""

    id = serializers.CharField(help_text="Opaque; send it back as it is.")
    start = serializers.DateTimeField(help_text="With the clinic's offset.")
    end = serializers.DateTimeField()
    clinic = Named()
    clinician = Named()
    visit_type = serializers.CharField()
    distance_miles = serializers.FloatField(allow_null=True, help_text="Null where no place was asked about.")
    price = serializers.IntegerField(
        allow_null=True, help_text="Cents of US dollars for this visit, 0 when covered; null: for members only."
    )


def slot_of(visit: Appointment, *, price: int | None) -> dict[str, Any]:
    """The slot that a visit takes, as SlotShown. Needs clinic, clinician and visit type loaded."""
    slot = Slot(visit.clinician_id, visit.clinic_id, visit.visit_type_id, visit.starts_at)
    return {
        "id": slot.id,
        "start": visit.local_start.isoformat(),
        "end": visit.ends_at.astimezone(visit.clinic.zone).isoformat(),
        "clinic": {"id": str(visit.clinic_id), "name": visit.clinic.name},
        "clinician": {"id": str(visit.clinician_id), "name": visit.clinician.name},
        "visit_type": visit.visit_type.code,
        "distance_miles": None,
        "price": price,
    }
