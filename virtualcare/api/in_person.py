"""Finding and booking a visit in person from inside a consult."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.places import UnknownPlace
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from memberships import entitlement
from memberships.entitlement import MembershipRequired
from scheduling import rules, slots
from scheduling.booking import PatientBusy, SlotNotOffered, SlotTaken, TooManyHolds
from scheduling.models import Appointment
from scheduling.shapes import SLOT_EXAMPLE, SlotField, SlotShown, slot_of
from virtualcare import access, in_person
from virtualcare.access import NoLongerYours
from virtualcare.api.care import CareEndpoint
from virtualcare.care import NotInHand
from virtualcare.in_person import AlreadyBooked, Taken, TooLongAgo

TAKEN: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000004",
    "status": "booked",
    "expires_at": None,
    "slot": {**SLOT_EXAMPLE, "distance_miles": None},
    "price": 0,
}
HELD: dict[str, Any] = {
    **TAKEN,
    "status": "held",
    "expires_at": "2026-11-24T09:15:00-05:00",
    "slot": {**SLOT_EXAMPLE, "distance_miles": None, "price": 14_900},
    "price": 14_900,
}


class ConsultSlotsView(CareEndpoint):
    """Times that the patient of a consult could book today and tomorrow near where they are, for their price.

    The next few of each of the nearest clinics.
    """

    shown_as = AccessEvent.What.FREE_TIME
    costs = 5

    class Asked(Shape):
        visit_type = serializers.SlugField(max_length=40, help_text="A code from GET visit-types, such as office.")

    class ConsultSlotsPage(serializers.Serializer[Any]):
        results = SlotShown(many=True)
        next = serializers.URLField(allow_null=True, help_text="Always null.")

    @extend_schema(
        operation_id="list_consult_slots",
        summary="Free slots near the patient of a consult (clinician)",
        parameters=[Asked],
        examples=[
            OpenApiExample(
                "a slot at Avon",
                response_only=True,
                status_codes=["200"],
                value={"results": [SLOT_EXAMPLE], "next": None},
            )
        ],
        responses={
            200: ConsultSlotsPage,
            **problems(NotFound, UnknownPlace, NoLongerYours, NotInHand, TooLongAgo),
        },
    )
    def get(self, request: Request, consult_id: uuid.UUID) -> Response:
        visit_type = parse(self.Asked, request.query_params)["visit_type"]
        now = timezone.now()
        consult = self.in_care(consult_id, now=now)
        found = in_person.search(consult=consult, visit_type=visit_type, now=now)
        terms = entitlement.terms(patient_id=consult.patient_id, benefit=visit_type)
        self.shows(consult.patient_id)
        rows = slots.as_rows(found, price=slots.price_of(terms), with_distance=True)
        return Response({"results": rows, "next": None})


class TakenShown(serializers.Serializer[Any]):
    """A visit that was booked from a consult, or is held until its patient agrees to the price."""

    id = serializers.UUIDField(help_text="Of the appointment; while it is held, of the hold.")
    status = serializers.ChoiceField(choices=["booked", "held"])
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Of a hold: until when the patient may accept.")
    slot = SlotShown()
    price = serializers.IntegerField(help_text="Cents of US dollars for the patient, 0 when covered.")


class ConsultBookView(CareEndpoint):
    shown_as = AccessEvent.What.VISIT

    class Wanted(Shape):
        slot = SlotField()

    @extend_schema(
        operation_id="book_from_consult",
        summary="Book a visit in person for the patient of a consult (clinician)",
        request=Wanted,
        examples=[
            OpenApiExample("a slot", request_only=True, value={"slot": SLOT_EXAMPLE["id"]}),
            OpenApiExample("covered", response_only=True, status_codes=["201"], value=TAKEN),
            OpenApiExample("held for its price", response_only=True, status_codes=["201"], value=HELD),
            OpenApiExample("again", response_only=True, status_codes=["200"], value=TAKEN),
        ],
        responses={
            201: TakenShown,
            200: TakenShown,
            **problems(
                NotFound,
                NoLongerYours,
                NotInHand,
                TooLongAgo,
                AlreadyBooked,
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
            ),
        },
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """What a membership covers is booked at once; what has a price is held, and the patient asked to accept it."""
        slot = parse(self.Wanted, request.data)["slot"]
        now = timezone.now()
        consult = self.in_care(consult_id, now=now)
        taken = in_person.book(
            consult=consult, clinician=access.clinician(self.caller), slot=slot, actor=self.caller, now=now
        )
        self.shows(consult.patient_id)
        return Response(shown(taken), status=201 if taken.is_new else 200)

    def kept(self, body: Any) -> Any:
        """Without when and where, which is kept in one place."""
        return {**body, "slot": None}

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        """What was taken then, where it is now: it may have been moved since."""
        consult = access.in_care(self.caller, kwargs["consult_id"], now=timezone.now())
        visits = Appointment.objects.with_what_it_shows().filter(patient=consult.patient_id)
        visit = visits.filter(pk=body["id"]).first()
        if visit is None:  # a hold that ran out, which is not kept
            raise NotFound
        self.shows(consult.patient_id)
        return {**body, "slot": slot_of(visit, price=visit.price)}


def shown(taken: Taken) -> dict[str, Any]:
    """As TakenShown."""
    visit, expires_at = taken.visit, taken.expires_at
    return {
        "id": str(visit.pk),
        "status": "held" if expires_at else "booked",
        "expires_at": expires_at.astimezone(visit.clinic.zone).isoformat() if expires_at else None,
        "slot": slot_of(visit, price=visit.price),
        "price": visit.price,
    }
