"""Visits for calendars."""

import uuid

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.refusals import NotFound
from scheduling import access, feeds

FILE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Sameday//Sameday//EN
METHOD:PUBLISH
BEGIN:VEVENT
UID:0193601a-7c1e-7000-8000-000000000004
DTSTAMP:20261124T140112Z
LAST-MODIFIED:20261124T140112Z
SEQUENCE:0
DTSTART:20261124T150000Z
DTEND:20261124T152000Z
STATUS:CONFIRMED
CLASS:PRIVATE
SUMMARY:Visit at Avon
END:VEVENT
END:VCALENDAR
"""
MEDIA_TYPE = "text/calendar"


class CalendarFileView(Endpoint):
    """An iCalendar file (RFC 5545) that says when and where, and nothing of the patient or why they come.

    Its UID stays the same and its SEQUENCE grows when the visit is moved or cancelled, so that a calendar which has it
    already changes it.
    """

    shown_as = AccessEvent.What.VISIT

    @extend_schema(
        operation_id="read_appointment_calendar",
        summary="One visit, for a calendar",
        examples=[
            OpenApiExample("a file", response_only=True, status_codes=["200"], media_type=MEDIA_TYPE, value=FILE)
        ],
        responses={
            (200, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, description="text/calendar; method=PUBLISH"),
            **problems(NotFound),
        },
    )
    def get(self, _request: Request, visit_id: uuid.UUID) -> HttpResponse:
        now = timezone.now()
        visit = access.visit(self.caller, visit_id, now=now)
        self.shows(visit.patient_id)
        return HttpResponse(
            feeds.calendar_of(visit, now=now),
            content_type=feeds.CONTENT_TYPE,
            headers={"Content-Disposition": 'attachment; filename="visit.ics"'},
        )
