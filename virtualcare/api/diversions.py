"""Saying that one has read where one is sent."""

import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from virtualcare import access, diverting
from virtualcare.models import Consult


class DivertedShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=[Consult.Status.DIVERTED.value, Consult.Status.ESCALATED.value])
    advice = diverting.AdviceShown()


def diverted(consult: Consult) -> dict[str, Any]:
    """What somebody is told whom red flags, or a clinician, send elsewhere."""
    return {"id": str(consult.pk), "status": consult.status, "advice": diverting.advice(consult)}


READ = {
    **diverting.EXAMPLE,
    "advice": {**diverting.EXAMPLE["advice"], "acknowledged_at": "2026-11-24T14:01:10+00:00"},
}


class AcknowledgeView(Endpoint):
    """For the patient, who acts for them, and who asked and was told. A nurse of ours calls who does not say so, and
    also some who do.
    """

    shown_as = AccessEvent.What.CONSULT

    @extend_schema(
        operation_id="acknowledge_advice",
        summary="Say that you have read where to turn",
        request=None,
        responses={200: DivertedShown, **problems(NotFound, diverting.NotDiverted)},
        examples=[OpenApiExample("read", response_only=True, status_codes=["200"], value=READ)],
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """Saying it again changes nothing."""
        parse(Shape, request.data)
        now = timezone.now()
        consult = access.consult(self.caller, consult_id, now=now)
        self.require_told(consult, now=now)
        read = diverting.acknowledge(consult=consult, user=self.caller, now=now)
        self.shows(read.patient_id)
        return Response(diverted(read))

    def require_told(self, consult: Consult, *, now: datetime) -> None:
        """Raises NotFound for who was not told where the patient is sent."""
        if consult.requested_by_id != self.caller.pk and not access.is_patients(self.caller, consult, now=now):
            raise NotFound

    def kept(self, body: Any) -> Any:
        """Which consult it was: where somebody was sent is kept in one place."""
        return {"id": body["id"]}

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        now = timezone.now()
        consult = access.consult(self.caller, uuid.UUID(body["id"]), now=now)
        self.require_told(consult, now=now)
        self.shows(consult.patient_id)
        return diverted(consult)
