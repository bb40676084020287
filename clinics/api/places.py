"""`GET clinics`, `GET clinics/{id}`."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import access, places
from clinics.edge import Endpoint
from clinics.models import Clinic
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.shapes import parse, wrong

WITHIN_MILES = 50
AVON: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000001",
    "name": "Avon",
    "brand": "Sameday with Example Health",
    "health_system": {"id": "0193601a-7c1e-7000-8000-000000000005", "name": "Example Health"},
    "address": {"street": "1 Main Street", "city": "Avon", "state": "OH", "postal_code": "44011"},
    "latitude": 41.45,
    "longitude": -82.02,
    "time_zone": "America/New_York",
    "phone": "+14405550123",
    "opens_on": "2026-01-05",
    "closes_on": None,
    "opening_hours": [{"weekday": 0, "opens": "08:00", "closes": "20:00"}],
    "distance_miles": None,
}


class Hours(serializers.Serializer[Any]):
    """A block of opening hours in the clinic's local time. Closing at or before the opening means: on the next day."""

    weekday = serializers.IntegerField(help_text="0 is Monday, 6 is Sunday.")
    opens = serializers.RegexField(r"^[0-9]{2}:[0-9]{2}$", help_text="On the local clock, such as 08:00.")
    closes = serializers.RegexField(r"^[0-9]{2}:[0-9]{2}$")


class Address(serializers.Serializer[Any]):
    street = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField()
    postal_code = serializers.CharField()


class HealthSystemName(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class ClinicAnswer(serializers.Serializer[Any]):
    """A clinic, as people look for it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    brand = serializers.CharField(help_text="The name on the door.")
    health_system = HealthSystemName()
    address = Address()
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    time_zone = serializers.CharField(help_text="IANA name. Its days are today and tomorrow.")
    phone = serializers.CharField(help_text="E.164.")
    opens_on = serializers.DateField(help_text="First day of visits, which can be booked before it.")
    closes_on = serializers.DateField(allow_null=True, help_text="First day without visits.")
    opening_hours = Hours(many=True)
    distance_miles = serializers.FloatField(allow_null=True, help_text="From `near`, where that was given.")


class ClinicPage(serializers.Serializer[Any]):
    results = ClinicAnswer(many=True)
    next = serializers.URLField(allow_null=True)


def shown(clinic: Clinic) -> dict[str, Any]:
    """A clinic as JSON. Needs `health_system` and `opening_hours` loaded."""
    metres: int | None = getattr(clinic, "metres", None)
    return {
        "id": clinic.pk,
        "name": clinic.name,
        "brand": clinic.brand,
        "health_system": {"id": clinic.health_system_id, "name": clinic.health_system.name},
        "address": {
            "street": clinic.street,
            "city": clinic.city,
            "state": clinic.state,
            "postal_code": clinic.postal_code,
        },
        "latitude": clinic.latitude,
        "longitude": clinic.longitude,
        "time_zone": clinic.time_zone,
        "phone": str(clinic.phone),
        "opens_on": clinic.opens_on,
        "closes_on": clinic.closes_on,
        "opening_hours": [
            {"weekday": hours.weekday, "opens": f"{hours.opens:%H:%M}", "closes": f"{hours.closes:%H:%M}"}
            for hours in clinic.opening_hours.all()
        ],
        "distance_miles": None if metres is None else places.miles(metres),
    }


class Clinics(Endpoint):
    public = True
    shown_as = None
    costs = 2

    class Asked(Paged):
        near = serializers.CharField(required=False, max_length=60, help_text="ZIP code, or latitude,longitude.")
        within_miles = serializers.FloatField(
            required=False, min_value=0.1, max_value=500, help_text=f"From `near`; {WITHIN_MILES} unless given."
        )
        health_system = serializers.UUIDField(required=False)
        state = serializers.RegexField(r"^[A-Z]{2}$", required=False, help_text="USPS code, such as OH.")

    @extend_schema(
        operation_id="list_clinics",
        summary="Clinics, the nearest first, or by name",
        parameters=[Asked],
        responses={200: ClinicPage, **problems(places.UnknownPlace)},
        examples=[
            OpenApiExample("Around Avon, Ohio", value="44011", parameter_only=("near", "query")),
            OpenApiExample(
                "Avon",
                response_only=True,
                status_codes=["200"],
                value={"results": [{**AVON, "distance_miles": 0.5}], "next": None},
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        clinics = access.clinics(on=timezone.now().date())
        if "state" in asked:
            clinics = clinics.filter(state=asked["state"])
        if "health_system" in asked:
            clinics = clinics.filter(health_system=asked["health_system"])
        by = ["name", "id"]
        if "near" in asked:
            clinics = near(clinics, places.parse_near(asked["near"]), asked.get("within_miles", WITHIN_MILES))
            by = ["metres", "id"]
        elif "within_miles" in asked:
            raise serializers.ValidationError(wrong("within_miles", "Say `near` what.", "needs_near"))
        return Response(page(request, clinics, asked=asked, by=by, show=shown))


def near(clinics: QuerySet[Clinic], point: places.Point, miles: float) -> QuerySet[Clinic]:
    """Those within `miles` of `point`, with `metres` from there."""
    return clinics.annotate(metres=places.metres_from(point)).filter(metres__lte=places.metres(miles))


class ClinicById(Endpoint):
    public = True
    shown_as = None

    @extend_schema(
        operation_id="read_clinic",
        summary="One clinic",
        responses={200: ClinicAnswer},
        examples=[OpenApiExample("Avon", response_only=True, status_codes=["200"], value=AVON)],
    )
    def get(self, request: Request, clinic_id: uuid.UUID) -> Response:  # noqa: ARG002 - as every view
        return Response(shown(access.clinic(clinic_id)))
