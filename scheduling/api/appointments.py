"""Visits: booking, moving, cancelling, reading."""

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
from clinics.paging import Paged, page
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from memberships.entitlement import MembershipRequired, PriceChanged
from scheduling import access, booking, history
from scheduling.api.fields import AppointmentShown, shown_visit
from scheduling.api.holds import REFUSALS
from scheduling.booking import (
    HoldExpired,
    NotCancellable,
    NotConfirmable,
    NotHeld,
    NotMovable,
    OtherVisitType,
    OverbookReason,
    SlotNotOffered,
)
from scheduling.models import Appointment, AppointmentChange
from scheduling.shapes import SLOT_EXAMPLE, SlotField

REASON = "Why the patient comes, in their words."
ACCEPT_PRICE = "The price in cents that the patient agrees to, where no membership covers the visit."
VISIT: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000004",
    "status": "booked",
    "fhir_status": "booked",
    "start": SLOT_EXAMPLE["start"],
    "end": SLOT_EXAMPLE["end"],
    "clinic": {
        "id": "0193601a-7c1e-7000-8000-000000000001",
        "name": "Avon",
        "time_zone": "America/New_York",
        "phone": "+14405550123",
        "address": "1 Main Street, Avon, OH 44011",
    },
    "clinician": SLOT_EXAMPLE["clinician"],
    "patient": {"id": "0193601a-7c1e-7000-8000-000000000003", "name": "Pat Example"},
    "visit_type": "office",
    "reason": "Sore throat since Sunday",
    "price": 0,
    "paid_by": "self_paid",
    "paid_because": "The Standard plan covers this visit.",
    "is_overbooked": False,
    "sequence": 0,
    "confirmed_at": None,
    "is_late_cancellation": False,
    "fee_code": "",
}
READ = OpenApiExample("a visit", response_only=True, status_codes=["200"], value=VISIT)
BOOKED = OpenApiExample("a visit", response_only=True, status_codes=["201"], value=VISIT)
LISTED = OpenApiExample("one visit", response_only=True, status_codes=["200"], value={"results": [VISIT], "next": None})
CONFIRMED = OpenApiExample(
    "confirmed",
    response_only=True,
    status_codes=["200"],
    value={**VISIT, "confirmed_at": "2026-11-23T18:04:31-05:00"},
)
CANCELLED = OpenApiExample(
    "in time",
    response_only=True,
    status_codes=["200"],
    value={**VISIT, "status": "cancelled", "fhir_status": "cancelled", "sequence": 1},
)


def price_field() -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=10_000_000, help_text=ACCEPT_PRICE
    )


class VisitEndpoint(Endpoint):
    """A view whose answers show visits."""

    shown_as = AccessEvent.What.VISIT

    def visit_shown(self, visit: Appointment, family: access.Family) -> dict[str, Any]:
        self.shows(visit.patient_id)
        return shown_visit(visit, family)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        """The visit as it was shown before, as far as the caller may see it now. Raises NotFound."""
        now = timezone.now()
        visit = access.visit(self.caller, uuid.UUID(body["id"]), now=now)
        self.shows(visit.patient_id)
        return body if access.family(self.caller, now=now).reads_reason(visit.patient_id) else {**body, "reason": None}


class AppointmentsView(VisitEndpoint):
    shown_as = AccessEvent.What.VISITS

    class Booked(Shape):
        hold = serializers.UUIDField()
        reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500, help_text=REASON)
        accept_price = price_field()

    class Asked(Paged):
        when = serializers.ChoiceField(choices=["upcoming", "past"], default="upcoming")

    class AppointmentsPage(serializers.Serializer[Any]):
        results = AppointmentShown(many=True)
        next = serializers.URLField(allow_null=True)

    @extend_schema(
        operation_id="book_appointment",
        summary="Book a hold",
        request=Booked,
        examples=[BOOKED],
        responses={
            201: AppointmentShown,
            **problems(NotFound, HoldExpired, NotHeld, SlotNotOffered, MembershipRequired, PriceChanged),
        },
    )
    def post(self, request: Request) -> Response:
        asked = parse(self.Booked, request.data)
        now = timezone.now()
        held = access.held(self.caller, asked["hold"], now=now)
        family = access.family(self.caller, now=now)
        booked = booking.book(
            held=held, reason=asked["reason"], accept_price=asked["accept_price"], actor=self.caller, now=now
        )
        return Response(self.visit_shown(booked, family), status=201)

    @extend_schema(
        operation_id="list_appointments",
        examples=[LISTED],
        summary="Your visits and your dependents'",
        parameters=[Asked],
        responses=AppointmentsPage,
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        now = timezone.now()
        family = access.family(self.caller, now=now)
        visits = Appointment.objects.of(family.patients).with_what_it_shows()
        rows, by = (
            (visits.upcoming(now=now), ["starts_at", "id"])
            if asked["when"] == "upcoming"
            else (visits.past(now=now), ["-starts_at", "-id"])
        )
        self.shows()
        return Response(page(request, rows, asked=asked, by=by, show=lambda visit: self.visit_shown(visit, family)))


class OverbookView(VisitEndpoint):
    class Asked(Shape):
        slot = SlotField()
        patient = serializers.UUIDField()
        overbook_reason = serializers.CharField(max_length=200, help_text="Why the clinician is to be overbooked.")
        reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500, help_text=REASON)
        accept_price = price_field()

    @extend_schema(
        operation_id="overbook_appointment",
        examples=[BOOKED],
        summary="Book over a clinician's other visits (staff)",
        request=Asked,
        responses={201: AppointmentShown, **problems(*REFUSALS, OverbookReason)},
    )
    def post(self, request: Request) -> Response:
        asked = parse(self.Asked, request.data)
        now = timezone.now()
        patient, _ = access.acting_for(self.caller, asked.pop("patient"), now=now)
        access.require_staff_at(self.caller, asked["slot"].clinic)
        booked = booking.overbook(patient=patient, actor=self.caller, now=now, **asked)
        return Response(self.visit_shown(booked, access.family(self.caller, now=now)), status=201)


class AppointmentView(VisitEndpoint):
    @extend_schema(
        operation_id="read_appointment",
        summary="One visit",
        examples=[READ],
        responses={200: AppointmentShown, **problems(NotFound)},
    )
    def get(self, _request: Request, visit_id: uuid.UUID) -> Response:
        now = timezone.now()
        visit = access.visit(self.caller, visit_id, now=now)
        return Response(self.visit_shown(visit, access.family(self.caller, now=now)))


class RescheduleView(VisitEndpoint):
    class Asked(Shape):
        slot = SlotField()
        accept_price = price_field()

    @extend_schema(
        operation_id="reschedule_appointment",
        examples=[READ],
        summary="Move a visit to another slot",
        request=Asked,
        responses={200: AppointmentShown, **problems(*REFUSALS, NotMovable, OtherVisitType, PriceChanged)},
    )
    def post(self, request: Request, visit_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.data)
        now = timezone.now()
        visit = access.visit_to_change(self.caller, visit_id, now=now)
        family = access.family(self.caller, now=now)
        source = family.source(visit.patient_id)
        if source == Appointment.Source.STAFF:
            access.require_staff_at(self.caller, asked["slot"].clinic)
        moved = booking.reschedule(visit=visit, actor=self.caller, source=source, now=now, **asked)
        return Response(self.visit_shown(moved, family))


class ConfirmView(VisitEndpoint):
    @extend_schema(
        operation_id="confirm_appointment",
        examples=[CONFIRMED],
        summary="Say that the patient will come",
        request=None,
        responses={200: AppointmentShown, **problems(NotFound, NotConfirmable)},
    )
    def post(self, request: Request, visit_id: uuid.UUID) -> Response:
        parse(Shape, request.data)
        now = timezone.now()
        visit = access.visit_to_change(self.caller, visit_id, now=now)
        family = access.family(self.caller, now=now)
        source = family.source(visit.patient_id)
        confirmed = booking.confirm(visit=visit, actor=self.caller, source=source, now=now)
        return Response(self.visit_shown(confirmed, family))


class CancelView(VisitEndpoint):
    class Asked(Shape):
        reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)
        waive_fee = serializers.BooleanField(default=False, help_text="Staff may spare the patient a late fee.")

    @extend_schema(
        operation_id="cancel_appointment",
        examples=[CANCELLED],
        summary="Cancel a visit",
        request=Asked,
        responses={200: AppointmentShown, **problems(NotFound, NotCancellable)},
    )
    def post(self, request: Request, visit_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.data)
        now = timezone.now()
        visit = access.visit_to_change(self.caller, visit_id, now=now)
        family = access.family(self.caller, now=now)
        source = family.source(visit.patient_id)
        cancelled = booking.cancel(visit=visit, actor=self.caller, source=source, now=now, **asked)
        return Response(self.visit_shown(cancelled, family))


class MovedFrom(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    clinic = serializers.UUIDField()
    clinician = serializers.UUIDField()


class ChangeShown(serializers.Serializer[Any]):
    """One thing that happened to a visit, and in what role somebody did it."""

    at = serializers.DateTimeField(help_text="With the clinic's offset.")
    kind = serializers.ChoiceField(choices=AppointmentChange.Kind.choices)
    by = serializers.ChoiceField(choices=["patient", "proxy", "staff", "system", "link", "sms"])
    from_status = serializers.CharField(allow_blank=True)
    to_status = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    moved_from = MovedFrom(allow_null=True, help_text="For a move: what was before it.")


class HistoryPage(serializers.Serializer[Any]):
    results = ChangeShown(many=True)
    next = serializers.URLField(allow_null=True)


CHANGE: dict[str, Any] = {
    "at": "2026-11-24T09:01:12-05:00",
    "kind": "booked",
    "by": "patient",
    "from_status": "held",
    "to_status": "booked",
    "reason": None,
    "moved_from": None,
}


class HistoryView(Endpoint):
    shown_as = AccessEvent.What.VISIT_HISTORY
    Asked = Paged

    @extend_schema(
        operation_id="list_appointment_changes",
        examples=[
            OpenApiExample(
                "booked",
                response_only=True,
                status_codes=["200"],
                value={"results": [CHANGE], "next": None},
            )
        ],
        summary="What happened to a visit",
        parameters=[Asked],
        responses={200: HistoryPage, **problems(NotFound)},
    )
    def get(self, request: Request, visit_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.query_params)
        now = timezone.now()
        visit = access.visit(self.caller, visit_id, now=now)
        self.shows(visit.patient_id)
        show = history.teller(visit, reads_reason=access.family(self.caller, now=now).reads_reason(visit.patient_id))
        return Response(page(request, history.changes(visit), asked=asked, by=["id"], show=show))
