"""`GET coverage`: at which hours a clinician who is licensed somewhere is on call."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.shapes import InstantField, Shape, parse, wrong
from virtualcare import access, coverage
from virtualcare.models import Modality

A_DAY = timedelta(days=1)


class HourShown(serializers.Serializer[Any]):
    start = serializers.DateTimeField(help_text="When the hour begins, in UTC.")
    covered = serializers.BooleanField(help_text="Whether there is somebody at all times of it.")
    clinicians = serializers.IntegerField(
        allow_null=True, help_text="How many, at the least; null unless you are a clinician or manager."
    )


class CoverageShown(serializers.Serializer[Any]):
    state = serializers.CharField()
    modality = serializers.ChoiceField(choices=Modality.choices)
    hours = HourShown(many=True)


EXAMPLE = {
    "state": "OH",
    "modality": "video",
    "hours": [
        {"start": "2026-11-24T14:00:00+00:00", "covered": True, "clinicians": None},
        {"start": "2026-11-24T15:00:00+00:00", "covered": False, "clinicians": None},
    ],
}


class CoverageView(Endpoint):
    """Who is signed in learns whether; clinicians and managers, how many. Being on call is a plan: whether somebody is
    there, and how long one waits, is said by asking for a clinician.
    """

    shown_as = None
    costs = 2

    class Asked(Shape):
        state = serializers.RegexField(r"^[A-Z]{2}$", help_text="USPS code of a state or territory, such as OH.")
        modality = serializers.ChoiceField(choices=Modality.choices)

        def get_fields(self) -> Any:
            window = {
                "from": InstantField(required=False, help_text="Its hour is the first. Default: now."),
                "to": InstantField(required=False, help_text="At most 14 days later. Default: a day later."),
            }
            return super().get_fields() | window

    @extend_schema(
        operation_id="read_coverage",
        summary="Hours with a clinician on call, licensed in a state",
        parameters=[Asked],
        responses={200: CoverageShown},
        examples=[OpenApiExample("two hours", response_only=True, status_codes=["200"], value=EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        first = asked.get("from", timezone.now())
        until = asked.get("to", first + A_DAY)
        if not first < until <= first + coverage.HORIZON:
            raise serializers.ValidationError(wrong("to", "Ask for at most 14 days from `from` on.", "bad_window"))
        state, modality = asked["state"], asked["modality"]
        found = coverage.matrix(states=[state], modalities=[modality], first=first, until=until)
        sees_counts = access.sees_counts(self.caller)
        return Response(
            {
                "state": state,
                "modality": modality,
                "hours": [
                    {"start": start.isoformat(), "covered": there > 0, "clinicians": there if sees_counts else None}
                    for start, there in zip(found.starts(), found.counts[state, modality], strict=True)
                ],
            }
        )
