"""Who pays for what on a day, and why."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.people import NoPatientRecord
from clinics.refusals import NotFound
from clinics.shapes import DayField, Shape, parse
from memberships import access, entitlement
from memberships.entitlement import UnknownBenefit
from memberships.models import Membership


class EntitlementsView(Endpoint):
    shown_as = AccessEvent.What.MEMBERSHIPS

    class Asked(Shape):
        benefit = serializers.CharField(max_length=40, help_text="The code of a type of visit, text or video.")
        patient = serializers.UUIDField(required=False, help_text="Whom you act for; yourself where left out.")
        on = DayField(required=False, help_text="A day, YYYY-MM-DD; today where left out.")

    class Entitled(serializers.Serializer[Any]):
        entitled = serializers.BooleanField(help_text="A membership covers it.")
        source = serializers.ChoiceField(  # type: ignore[assignment]  # a field, which DRF takes out of the class
            choices=[*Membership.Source.choices, (entitlement.PER_VISIT, "The price of a single visit")],
            allow_null=True,
        )
        payer = serializers.CharField(allow_null=True, help_text="Who pays: you, a sponsor's name, Sameday.")
        price = serializers.IntegerField(
            allow_null=True, help_text="Cents that the patient pays, 0 when covered; null: for members only."
        )
        explanation = serializers.CharField()

    @extend_schema(
        operation_id="read_entitlement",
        summary="Whether a benefit is covered on a day, by what, and what it costs otherwise",
        parameters=[Asked],
        examples=[
            OpenApiExample(
                "covered",
                response_only=True,
                status_codes=["200"],
                value={
                    "entitled": True,
                    "source": "employer",
                    "payer": "Example Works",
                    "price": 0,
                    "explanation": "Covered by Sponsored by your employer: Example Works pays for it.",
                },
            )
        ],
        responses={200: Entitled, **problems(NotFound, NoPatientRecord, UnknownBenefit)},
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        entitlement.require_benefit(asked["benefit"])
        now = timezone.now()
        patient = access.patient(self.caller, asked.get("patient"), now=now)
        on = asked.get("on") or people.today_of(self.caller, now=now)
        self.shows(patient.pk)
        return Response(entitlement.explained(patient=patient, benefit=asked["benefit"], on=on))
