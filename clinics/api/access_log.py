"""`GET me/access-log`: who saw my record."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import access_log, people
from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.refusals import NotFound
from clinics.shapes import parse

LOOK: dict[str, Any] = {
    "at": "2026-11-24T09:00:00-05:00",
    "last_at": "2026-11-24T09:04:10-05:00",
    "who": "Front desk of Sameday Avon",
    "what": "looked at your appointment",
    "why": "To care for you.",
}


class LookAnswer(serializers.Serializer[Any]):
    """That somebody was shown something of the record, once or several times within a quarter of an hour."""

    at = serializers.DateTimeField(help_text="With the offset of where the patient lives.")
    last_at = serializers.DateTimeField(help_text="The last time, where it was several.")
    who = serializers.CharField()
    what = serializers.CharField()
    why = serializers.CharField()


class AccessLogPage(serializers.Serializer[Any]):
    results = LookAnswer(many=True)
    next = serializers.URLField(allow_null=True)


class AccessLog(Endpoint):
    shown_as = AccessEvent.What.ACCESS_LOG

    class Asked(Paged):
        patient = serializers.UUIDField(required=False, help_text="A dependent, where not yourself.")

    @extend_schema(
        operation_id="list_access_log",
        summary="Who saw my record, the last first",
        description="Staff and people who act for the patient. What you looked at yourself is not in it.",
        parameters=[Asked],
        responses={200: AccessLogPage, **problems(NotFound, people.NoPatientRecord)},
        examples=[
            OpenApiExample(
                "the front desk", response_only=True, status_codes=["200"], value={"results": [LOOK], "next": None}
            )
        ],
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        patient = access_log.record_of(self.caller, asked.get("patient"), now=timezone.now())
        self.shows(patient.pk)
        rows = access_log.looks(patient, reader=self.caller)
        show = access_log.teller(patient, reader=self.caller)
        return Response(page(request, rows, asked=asked, by=["-event_id"], show=show))
