"""Visits: booking, moving, cancelling, reading."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint, Paged, Shape, page, parse
from scheduling import access, booking, history
from scheduling.api.fields import AppointmentShown, SlotField, shown_visit
from scheduling.models import Appointment

REASON = "Why the patient comes, in their words."
ACCEPT_PRICE = "The price in cents that the patient agrees to, where no membership covers the visit."


def price_field() -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=10_000_000, help_text=ACCEPT_PRICE
    )


class AppointmentsView(Endpoint):
    class Booked(Shape):
        hold = serializers.UUIDField()
        reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500, help_text=REASON)
        accept_price = price_field()

    class Asked(Paged):
        when = serializers.ChoiceField(choices=["upcoming", "past"], default="upcoming")

    class AppointmentsPage(serializers.Serializer[Any]):
        results = AppointmentShown(many=True)
        next = serializers.URLField(allow_null=True)

    @extend_schema(operation_id="appointments_create", request=Booked, responses={201: AppointmentShown})
    def post(self, request: Request) -> Response:
        asked = parse(self.Booked, request.data)
        now = timezone.now()
        held = access.held(self.caller, asked["hold"], now=now)
        family = access.family(self.caller, now=now)
        booked = booking.book(
            held=held, reason=asked["reason"], accept_price=asked["accept_price"], actor=self.caller, now=now
        )
        return Response(shown_visit(booked, family), status=201)

    @extend_schema(operation_id="appointments_list", parameters=[Asked], responses=AppointmentsPage)
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        now = timezone.now()
        family = access.family(self.caller, now=now)
        visits = Appointment.objects.of(family.patients).select_related("patient", "clinic", "clinician", "visit_type")
        rows, by = (
            (visits.upcoming(now=now), ["starts_at", "id"])
            if asked["when"] == "upcoming"
            else (visits.past(now=now), ["-starts_at", "-id"])
        )
        return Response(page(request, rows, asked=asked, by=by, show=lambda visit: shown_visit(visit, family)))


class OverbookView(Endpoint):
    class Asked(Shape):
        slot = SlotField()
        patient = serializers.UUIDField()
        overbook_reason = serializers.CharField(max_length=200, help_text="Why the clinician is to be overbooked.")
        reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500, help_text=REASON)
        accept_price = price_field()

    @extend_schema(operation_id="appointments_overbook", request=Asked, responses={201: AppointmentShown})
    def post(self, request: Request) -> Response:
        asked = parse(self.Asked, request.data)
        now = timezone.now()
        patient, _ = access.acting_for(self.caller, asked.pop("patient"), now=now)
        access.require_staff_at(self.caller, asked["slot"].clinic)
        booked = booking.overbook(patient=patient, actor=self.caller, now=now, **asked)
        return Response(shown_visit(booked, access.family(self.caller, now=now)), status=201)


class AppointmentView(Endpoint):
    @extend_schema(operation_id="appointments_read", responses=AppointmentShown)
    def get(self, request: Request, visit_id: uuid.UUID) -> Response:
        now = timezone.now()
        visit = access.visit(self.caller, visit_id, now=now)
        return Response(shown_visit(visit, access.family(self.caller, now=now)))


class RescheduleView(Endpoint):
    class Asked(Shape):
        slot = SlotField()
        accept_price = price_field()

    @extend_schema(operation_id="appointments_reschedule", request=Asked, responses=AppointmentShown)
    def post(self, request: Request, visit_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.data)
        now = timezone.now()
        visit = access.visit(self.caller, visit_id, now=now)
        family = access.family(self.caller, now=now)
        source = family.source(visit.patient_id)
        if source == Appointment.Source.STAFF:
            access.require_staff_at(self.caller, asked["slot"].clinic)
        moved = booking.reschedule(visit=visit, actor=self.caller, source=source, now=now, **asked)
        return Response(shown_visit(moved, family))


class CancelView(Endpoint):
    class Asked(Shape):
        reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)
        waive_fee = serializers.BooleanField(default=False, help_text="Staff may spare the patient a late fee.")

    @extend_schema(operation_id="appointments_cancel", request=Asked, responses=AppointmentShown)
    def post(self, request: Request, visit_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.data or {})
        now = timezone.now()
        visit = access.visit(self.caller, visit_id, now=now)
        family = access.family(self.caller, now=now)
        source = family.source(visit.patient_id)
        cancelled = booking.cancel(visit=visit, actor=self.caller, source=source, now=now, **asked)
        return Response(shown_visit(cancelled, family))


class HistoryView(Endpoint):
    class ChangeShown(serializers.Serializer[Any]):
        at = serializers.DateTimeField()
        kind = serializers.CharField()
        by = serializers.ChoiceField(choices=["patient", "proxy", "staff", "system"])
        from_status = serializers.CharField()
        to_status = serializers.CharField()
        reason = serializers.CharField(allow_null=True)
        moved_from = serializers.JSONField(allow_null=True)

    class HistoryPage(serializers.Serializer[Any]):
        pass

    @extend_schema(operation_id="appointments_history", parameters=[Paged], responses=ChangeShown(many=True))
    def get(self, request: Request, visit_id: uuid.UUID) -> Response:
        asked = parse(Paged, request.query_params)
        now = timezone.now()
        visit = access.visit(self.caller, visit_id, now=now)
        show = history.teller(visit, reads_reason=access.family(self.caller, now=now).reads_reason(visit.patient_id))
        return Response(page(request, history.changes(visit), asked=asked, by=["id"], show=show))
