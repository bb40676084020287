"""The fee of a visit that was cancelled late or missed: waived by the clinic's staff, with a reason."""

import uuid

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from memberships.fees import NoFee
from scheduling import access, fees
from scheduling.access import OwnRecord
from scheduling.api.appointments import VISIT, VisitEndpoint
from scheduling.api.fields import AppointmentShown
from scheduling.fees import WaiverReason


class WaiveFeeView(VisitEndpoint):
    class Asked(Shape):
        reason = serializers.CharField(max_length=200, help_text="Kept with the credit note.")

    @extend_schema(
        operation_id="waive_appointment_fee",
        summary="Waive what was billed for a late cancellation or a missed visit (staff)",
        request=Asked,
        examples=[
            OpenApiExample("snow", request_only=True, value={"reason": "The road was closed."}),
            OpenApiExample("waived", response_only=True, status_codes=["200"], value={**VISIT, "status": "cancelled"}),
        ],
        responses={200: AppointmentShown, **problems(NotFound, OwnRecord, NoFee, WaiverReason)},
    )
    def post(self, request: Request, visit_id: uuid.UUID) -> Response:
        """What was paid of it becomes the payer's credit."""
        asked = parse(self.Asked, request.data)
        now = timezone.now()
        visit = access.visit_at_work(self.caller, visit_id, now=now)
        waived = fees.waive(visit=visit, reason=asked["reason"], actor=self.caller, now=now)
        return Response(self.visit_shown(waived, access.family(self.caller, now=now)))
