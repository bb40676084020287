"""What the clinic's staff say of a visit on its day: the patient came, is seen, is done, or did not come."""

import uuid

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from scheduling import access, arrivals
from scheduling.access import OwnRecord
from scheduling.api.appointments import VISIT, VisitEndpoint
from scheduling.api.fields import AppointmentShown
from scheduling.arrivals import NotBegun, NotToday, OtherStatus, TooLateToUndo
from scheduling.booking import PatientBusy, SlotTaken
from scheduling.models import Appointment

STEPS = [(status.value, status.label) for status in arrivals.AFTER]


class StatusView(VisitEndpoint):
    class Asked(Shape):
        to = serializers.ChoiceField(choices=STEPS, help_text="Steps may be left out; none leads back.")

    @extend_schema(
        operation_id="change_appointment_status",
        summary="Say how far a visit is (staff)",
        request=Asked,
        examples=[
            OpenApiExample("in the waiting room", request_only=True, value={"to": "arrived"}),
            OpenApiExample(
                "in the waiting room",
                response_only=True,
                status_codes=["200"],
                value={**VISIT, "status": "arrived", "fhir_status": "arrived"},
            ),
        ],
        responses={200: AppointmentShown, **problems(NotFound, OwnRecord, OtherStatus, NotToday, NotBegun)},
    )
    def post(self, request: Request, visit_id: uuid.UUID) -> Response:
        """Said again it changes nothing. The time of a no-show is free at once; what was used stays taken."""
        asked = parse(self.Asked, request.data)
        now = timezone.now()
        visit = access.visit_at_work(self.caller, visit_id, now=now)
        said = arrivals.advance(visit=visit, to=Appointment.Status(asked["to"]), actor=self.caller, now=now)
        return Response(self.visit_shown(said, access.family(self.caller, now=now)))


class UndoStatusView(VisitEndpoint):
    class Asked(Shape):
        said = serializers.ChoiceField(choices=STEPS, help_text="What is taken back: the visit's status now.")

    @extend_schema(
        operation_id="undo_appointment_status",
        summary="Take back what was said of a visit by mistake (staff)",
        request=Asked,
        examples=[
            OpenApiExample("it was somebody else", request_only=True, value={"said": "arrived"}),
            OpenApiExample("as it was before", response_only=True, status_codes=["200"], value=VISIT),
        ],
        responses={
            200: AppointmentShown,
            **problems(NotFound, OwnRecord, OtherStatus, TooLateToUndo, SlotTaken, PatientBusy),
        },
    )
    def post(self, request: Request, visit_id: uuid.UUID) -> Response:
        """Within twelve hours. A no-show who came after all gets the time again, where it is still free."""
        asked = parse(self.Asked, request.data)
        now = timezone.now()
        visit = access.visit_at_work(self.caller, visit_id, now=now)
        undone = arrivals.undo(visit=visit, said=Appointment.Status(asked["said"]), actor=self.caller, now=now)
        return Response(self.visit_shown(undone, access.family(self.caller, now=now)))
