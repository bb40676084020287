"""`POST clinics/{id}/patients`: a caller becomes a patient whom the clinic can book for."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from clinics.models import AccessEvent, Clinic
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import DayField, Shape, parse
from scheduling import access, callers


class CallerShown(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Send it as `patient` to hold and book for them.")
    name = serializers.CharField()
    is_new = serializers.BooleanField(help_text="Whether a record was begun just now.")


class CallersView(Endpoint):
    shown_as = AccessEvent.What.RECORD

    class Asked(Shape):
        given_name = serializers.CharField(max_length=60)
        family_name = serializers.CharField(max_length=60)
        birth_date = DayField()
        phone = PhoneNumberField(required=False, default="", allow_blank=True, max_length=30)
        email = serializers.EmailField(required=False, default="", allow_blank=True)

    @extend_schema(
        operation_id="admit_caller",
        summary="Find or begin the record of a caller (staff)",
        request=Asked,
        responses={
            201: CallerShown,
            **problems(
                access.NotYourClinic,
                callers.HowToReach,
                callers.SeveralFit,
                people.ImplausibleBirthDate,
                NotFound,
            ),
        },
        examples=[
            OpenApiExample(
                "a caller",
                request_only=True,
                value={
                    "given_name": "Mia",
                    "family_name": "Lopez",
                    "birth_date": "1988-05-04",
                    "phone": "+12015550123",
                },
            ),
            OpenApiExample(
                "known already",
                response_only=True,
                status_codes=["201"],
                value={"id": "0193601a-7c1e-7000-8000-000000000003", "name": "Mia Lopez", "is_new": False},
            ),
        ],
    )
    def post(self, request: Request, clinic_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.data)
        clinic = Clinic.objects.filter(pk=clinic_id).first()
        if clinic is None:
            raise NotFound
        access.require_staff_at(self.caller, clinic_id)
        today = timezone.now().astimezone(clinic.zone).date()
        patient, is_new = callers.admit(clinic=clinic, today=today, **{**asked, "phone": str(asked["phone"])})
        self.shows(patient.pk)
        return Response({"id": str(patient.pk), "name": patient.name, "is_new": is_new}, status=201)

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        access.require_staff_at(self.caller, kwargs["clinic_id"])
        self.shows(uuid.UUID(body["id"]))
        return body
