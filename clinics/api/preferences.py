"""`GET me/preferences`, `PATCH me/preferences`: what somebody wants to be sent."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import preferences
from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.people import NoPatientRecord
from clinics.shapes import Shape, parse

CHOSEN = OpenApiExample(
    "Mail and texts",
    response_only=True,
    status_codes=["200"],
    value={"email_reminders": True, "sms": True, "sms_stopped": False},
)


class PreferencesAnswer(serializers.Serializer[Any]):
    email_reminders = serializers.BooleanField(help_text="Off: only what you just did, or must know.")
    sms = serializers.BooleanField(help_text="Whether you agreed to texts at the number in your record.")
    sms_stopped = serializers.BooleanField(
        help_text="Whether that number texted STOP: no text reaches it until it texts START."
    )


class Preferences(Endpoint):
    shown_as = AccessEvent.What.RECORD

    class Changes(Shape):
        email_reminders = serializers.BooleanField(required=False)
        sms = serializers.BooleanField(required=False, help_text="True agrees to texts about your visits.")

    @extend_schema(
        operation_id="read_preferences",
        summary="What I want to be sent",
        responses={200: PreferencesAnswer, **problems(NoPatientRecord)},
        examples=[CHOSEN],
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 - as every view
        patient = preferences.own(self.caller)
        self.shows(patient.pk)
        return Response(preferences.of(patient))

    @extend_schema(
        operation_id="change_preferences",
        summary="Change what I want to be sent",
        request=Changes,
        responses={200: PreferencesAnswer, **problems(NoPatientRecord, preferences.NoPhone)},
        examples=[OpenApiExample("Texts, too", value={"sms": True}, request_only=True), CHOSEN],
    )
    def patch(self, request: Request) -> Response:
        changes = parse(self.Changes, request.data)
        patient = preferences.own(self.caller)
        self.shows(patient.pk)
        preferences.change(patient, now=timezone.now(), **changes)
        return Response(preferences.of(patient))
