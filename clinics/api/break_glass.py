"""`POST break-glass` and what comes of it: reading the record of a patient who is not one's own, in an emergency."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import break_glass
from clinics.api.me import PAT, PatientAnswer, patient_shown
from clinics.edge import Endpoint
from clinics.models import AccessEvent, BreakGlass, StaffRole, User
from clinics.models.break_glass import LEAST_REASON
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.refusals import NotFound
from clinics.shapes import DayField, Shape, parse


class WhoseRecord(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class BreakGlassAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    patient = WhoseRecord()
    by = serializers.EmailField()
    role = serializers.ChoiceField(StaffRole.Role.choices)
    is_mine = serializers.BooleanField()
    reason = serializers.CharField()
    opened_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class BreakGlassPage(serializers.Serializer[Any]):
    results = BreakGlassAnswer(many=True)
    next = serializers.URLField(allow_null=True)


class RecordAnswer(BreakGlassAnswer):
    record = PatientAnswer()


OPENED: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000011",
    "patient": {"id": "0193601a-7c1e-7000-8000-000000000003", "name": "Pat Example"},
    "by": "clinician@example.com",
    "role": "clinician",
    "is_mine": True,
    "reason": "Came in unconscious; allergies and medication unknown.",
    "opened_at": "2026-11-24T14:00:00Z",
    "ends_at": "2026-11-24T15:00:00Z",
}


def shown(access: BreakGlass, *, to: User) -> dict[str, Any]:
    return {
        "id": str(access.pk),
        "patient": {"id": str(access.patient_id), "name": access.patient.name},
        "by": access.user.email,
        "role": access.role,
        "is_mine": access.user_id == to.pk,
        "reason": access.reason,
        "opened_at": access.during.lower.isoformat(),
        "ends_at": access.during.upper.isoformat(),
    }


class BreakGlassView(Endpoint):
    shown_as = AccessEvent.What.RECORD
    Asked = Paged

    class Wanted(Shape):
        given_name = serializers.CharField(max_length=60, help_text="Legal or preferred, in any case.")
        family_name = serializers.CharField(max_length=60)
        birth_date = DayField()
        reason = serializers.CharField(
            min_length=LEAST_REASON, max_length=500, help_text="Why you must see it, in your own words."
        )

    @extend_schema(
        operation_id="open_record",
        summary="Read a record in an emergency (clinicians, managers)",
        request=Wanted,
        responses={
            201: BreakGlassAnswer,
            **problems(break_glass.NotForYou, NotFound, break_glass.NotNeeded, break_glass.TooManyOpen),
        },
        examples=[
            OpenApiExample(
                "in an emergency",
                request_only=True,
                value={
                    "given_name": "Pat",
                    "family_name": "Example",
                    "birth_date": "1990-05-17",
                    "reason": OPENED["reason"],
                },
            ),
            OpenApiExample("for an hour", response_only=True, status_codes=["201"], value=OPENED),
        ],
    )
    def post(self, request: Request) -> Response:
        """Managers of the patient's clinics are told at once, and the patient sees it in the list of who looked."""
        wanted = parse(self.Wanted, request.data)
        opened = break_glass.open_record(user=self.caller, now=timezone.now(), **wanted)
        self.shows(opened.patient_id)
        return Response(shown(opened, to=self.caller), status=201)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        self.shows(break_glass.opened_by(self.caller, uuid.UUID(body["id"])).patient_id)
        return body

    @extend_schema(
        operation_id="list_opened_records",
        summary="Records opened in an emergency: by me, and at the clinics I manage",
        parameters=[Asked],
        responses=BreakGlassPage,
        examples=[
            OpenApiExample("one", response_only=True, status_codes=["200"], value={"results": [OPENED], "next": None})
        ],
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        rows = break_glass.overseen_by(self.caller)
        found = page(request, rows, asked=asked, by=["-id"], show=lambda access: shown(access, to=self.caller))
        self.shows(*(uuid.UUID(access["patient"]["id"]) for access in found["results"]))
        return Response(found)


class BreakGlassById(Endpoint):
    shown_as = AccessEvent.What.RECORD

    @extend_schema(
        operation_id="read_opened_record",
        summary="A record that I opened in an emergency",
        responses={200: RecordAnswer, **problems(NotFound)},
        examples=[
            OpenApiExample(
                "a record",
                response_only=True,
                status_codes=["200"],
                value={**OPENED, "record": PAT.value["patient"]},
            )
        ],
    )
    def get(self, _request: Request, access_id: uuid.UUID) -> Response:
        opened = break_glass.opened_by(self.caller, access_id)
        self.shows(opened.patient_id)
        return Response({**shown(opened, to=self.caller), "record": patient_shown(opened.patient)})

    @extend_schema(
        operation_id="end_opened_record",
        summary="Have done with it before the hour is over",
        request=None,
        responses={204: None, **problems(NotFound)},
    )
    def delete(self, _request: Request, access_id: uuid.UUID) -> Response:
        self.shows()
        break_glass.end(user=self.caller, access=access_id)
        return Response(status=204)
