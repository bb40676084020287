"""`GET clinicians`."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import access
from clinics.edge import Endpoint
from clinics.models import Clinician
from clinics.paging import Paged, page
from clinics.shapes import LanguageField, parse


class ClinicianAnswer(serializers.Serializer[Any]):
    """A clinician, as patients may know them."""

    id = serializers.UUIDField()
    name = serializers.CharField(help_text="As written: Ana Reyes, MD.")
    given_name = serializers.CharField()
    family_name = serializers.CharField()
    credentials = serializers.CharField()
    npi = serializers.CharField(help_text="National Provider Identifier.")
    languages = serializers.ListField(child=serializers.CharField(), help_text="BCP 47 codes.")
    gender = serializers.ChoiceField(Clinician.Gender.choices)


class ClinicianPage(serializers.Serializer[Any]):
    results = ClinicianAnswer(many=True)
    next = serializers.URLField(allow_null=True)


def shown(clinician: Clinician) -> dict[str, Any]:
    """A clinician as JSON: what is public of them, and nothing else."""
    return {
        "id": clinician.pk,
        "name": clinician.name,
        "given_name": clinician.given_name,
        "family_name": clinician.family_name,
        "credentials": clinician.credentials,
        "npi": clinician.npi,
        "languages": clinician.languages,
        "gender": clinician.gender,
    }


class Clinicians(Endpoint):
    public = True
    shown_as = None
    costs = 2

    class Asked(Paged):
        clinic = serializers.UUIDField(required=False, help_text="May see patients there today.")
        health_system = serializers.UUIDField(required=False, help_text="Has its credential today.")
        language = LanguageField(required=False)
        gender = serializers.ChoiceField(Clinician.Gender.choices, required=False)

    @extend_schema(
        operation_id="list_clinicians",
        summary="Clinicians by name",
        parameters=[Asked],
        responses={200: ClinicianPage},
        examples=[
            OpenApiExample(
                "one clinician",
                response_only=True,
                value={
                    "results": [
                        {
                            "id": "0193601a-7c1e-7000-8000-000000000002",
                            "name": "Ana Reyes, MD",
                            "given_name": "Ana",
                            "family_name": "Reyes",
                            "credentials": "MD",
                            "npi": "1234567893",
                            "languages": ["en", "es"],
                            "gender": "female",
                        }
                    ],
                    "next": None,
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        clinicians = access.clinicians(
            on=timezone.now().date(), clinic=asked.get("clinic"), health_system=asked.get("health_system")
        )
        if "language" in asked:
            clinicians = clinicians.filter(languages__contains=[asked["language"]])
        if "gender" in asked:
            clinicians = clinicians.filter(gender=asked["gender"])
        return Response(page(request, clinicians, asked=asked, by=["family_name", "given_name", "pk"], show=shown))
