"""Holding a slot while the patient finishes booking."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.people import NoPatientRecord
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from memberships.entitlement import MembershipRequired
from scheduling import access, booking, rules
from scheduling.api.fields import HoldShown, shown_hold
from scheduling.booking import (
    HoldExpired,
    HoldExtended,
    NotHeld,
    PatientBusy,
    SlotNotOffered,
    SlotTaken,
    TooManyHolds,
)
from scheduling.models import Appointment
from scheduling.shapes import SLOT_EXAMPLE, SlotField

REFUSALS = (
    SlotTaken,
    SlotNotOffered,
    PatientBusy,
    TooManyHolds,
    MembershipRequired,
    rules.NotOffered,
    rules.StaffOnly,
    rules.AgeNotAllowed,
    rules.NewPatientsOnly,
    rules.EstablishedPatientsOnly,
    NoPatientRecord,
    access.NotYourClinic,
    NotFound,
)
HELD: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000004",
    "expires_at": "2026-11-24T09:05:00-05:00",
    "can_extend": True,
    "patient": {"id": "0193601a-7c1e-7000-8000-000000000003", "name": "Pat Example"},
    "slot": {**SLOT_EXAMPLE, "distance_miles": None},
    "price": 0,
}


class HoldsView(Endpoint):
    shown_as = AccessEvent.What.HOLD

    class Wanted(Shape):
        slot = SlotField()
        patient = serializers.UUIDField(required=False, help_text="For whom, where not for yourself.")

    class HoldsPage(serializers.Serializer[Any]):
        results = HoldShown(many=True)
        next = serializers.URLField(allow_null=True)

    @extend_schema(
        operation_id="create_hold",
        summary="Hold a slot for five minutes",
        request=Wanted,
        examples=[
            OpenApiExample("for yourself", request_only=True, value={"slot": SLOT_EXAMPLE["id"]}),
            OpenApiExample("held", response_only=True, status_codes=["201"], value=HELD),
        ],
        responses={201: HoldShown, **problems(*REFUSALS)},
    )
    def post(self, request: Request) -> Response:
        wanted = parse(self.Wanted, request.data)
        now = timezone.now()
        patient, source = access.acting_for(self.caller, wanted.get("patient"), now=now)
        if source == Appointment.Source.STAFF:
            access.require_staff_at(self.caller, wanted["slot"].clinic)
        held, expires_at = booking.hold(patient=patient, slot=wanted["slot"], actor=self.caller, source=source, now=now)
        self.shows(held.patient_id)
        return Response(shown_hold(held, expires_at=expires_at), status=201)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        held = access.held(self.caller, uuid.UUID(body["id"]), now=timezone.now())
        self.shows(held.patient_id)
        return body

    @extend_schema(
        operation_id="list_holds",
        summary="Your live holds and your dependents'",
        examples=[
            OpenApiExample(
                "one hold", response_only=True, status_codes=["200"], value={"results": [HELD], "next": None}
            )
        ],
        responses=HoldsPage,
    )
    def get(self, _request: Request) -> Response:
        family = access.family(self.caller, now=timezone.now())
        held = list(booking.live_holds(family.patients))
        self.shows(*(hold.patient_id for hold in held))
        return Response({"results": [shown_hold(hold, expires_at=hold.expires_at) for hold in held], "next": None})  # type: ignore[attr-defined]


class HoldView(Endpoint):
    shown_as = None

    @extend_schema(
        operation_id="release_hold", summary="Give a hold up", responses={204: None, **problems(NotFound, NotHeld)}
    )
    def delete(self, _request: Request, hold_id: uuid.UUID) -> Response:
        now = timezone.now()
        held = access.held(self.caller, hold_id, now=now)
        booking.release(held=held, actor=self.caller, now=now)
        return Response(status=204)


class HoldExtendView(Endpoint):
    shown_as = AccessEvent.What.HOLD

    @extend_schema(
        operation_id="extend_hold",
        examples=[
            OpenApiExample("extended", response_only=True, status_codes=["200"], value={**HELD, "can_extend": False})
        ],
        summary="Give a hold five more minutes, once",
        request=None,
        responses={200: HoldShown, **problems(NotFound, HoldExpired, HoldExtended, NotHeld)},
    )
    def post(self, request: Request, hold_id: uuid.UUID) -> Response:
        parse(Shape, request.data)
        now = timezone.now()
        held = access.held(self.caller, hold_id, now=now)
        expires_at = booking.extend(held=held, actor=self.caller, now=now)
        held.extended_at = now
        self.shows(held.patient_id)
        return Response(shown_hold(held, expires_at=expires_at))

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        held = access.held(self.caller, uuid.UUID(body["id"]), now=timezone.now())
        self.shows(held.patient_id)
        return body
