"""`GET me/sessions`, `DELETE me/sessions`, `DELETE me/sessions/{id}`: where somebody is signed in."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import devices
from clinics.edge import Endpoint
from clinics.openapi import problems
from clinics.refusals import NotFound


class SessionAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    device = serializers.CharField(help_text="As far as it tells.")
    address = serializers.CharField(allow_null=True, help_text="The IP address that it signed in from.")
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(help_text="To the minute.")
    is_this = serializers.BooleanField(help_text="Whether it is the one that asks.")


class SessionsAnswer(serializers.Serializer[Any]):
    results = SessionAnswer(many=True)
    next = serializers.URLField(allow_null=True)


HERE: dict[str, Any] = {
    "id": "0b9f4c1e-8f0b-4a53-9a0f-2f6f2b7f1f55",
    "device": "Firefox on Windows",
    "address": "203.0.113.7",
    "created_at": "2026-11-24T14:00:00Z",
    "last_seen_at": "2026-11-24T14:12:00Z",
    "is_this": True,
}


class Sessions(Endpoint):
    shown_as = None

    @extend_schema(
        operation_id="list_sessions",
        summary="Where I am signed in",
        responses={200: SessionsAnswer},
        examples=[
            OpenApiExample("here", response_only=True, status_codes=["200"], value={"results": [HERE], "next": None})
        ],
    )
    def get(self, _request: Request) -> Response:
        found = devices.signed_in(self.caller, this=self.session, now=timezone.now())
        shown = [
            {
                "id": device.id,
                "device": device.name,
                "address": device.address,
                "created_at": device.created_at,
                "last_seen_at": device.last_seen_at,
                "is_this": device.is_this,
            }
            for device in found
        ]
        return Response({"results": shown, "next": None})

    @extend_schema(
        operation_id="end_other_sessions", summary="Sign out everywhere else", request=None, responses={204: None}
    )
    def delete(self, _request: Request) -> Response:
        devices.sign_out_elsewhere(self.caller, this=self.session)
        return Response(status=204)


class SessionById(Endpoint):
    shown_as = None

    @extend_schema(
        operation_id="end_session",
        summary="Sign out one device",
        request=None,
        responses={204: None, **problems(NotFound)},
    )
    def delete(self, _request: Request, session_id: uuid.UUID) -> Response:
        devices.sign_out(self.caller, session_id)
        return Response(status=204)
