"""Saying in the API's description what a call may be refused for."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from clinics.refusals import Refused

PROBLEM_JSON = "application/problem+json"


class Problem(serializers.Serializer[Any]):
    """What went wrong (RFC 9457). Some codes add members that help, such as alternatives."""

    type = serializers.CharField()
    title = serializers.CharField(help_text="What the status means.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence a person can act on.")
    code = serializers.CharField(help_text="What it is, for programs. Stays the same over versions.")
    request_id = serializers.CharField(required=False, help_text="What to name when you ask us: X-Request-ID.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a field, which DRF takes out of the class
        required=False,
        child=serializers.ListField(child=serializers.DictField(child=serializers.CharField())),
        help_text="For `invalid`: what is wrong with each field, as `[{code, detail}]`.",
    )


def problems(*refusals: type[Refused]) -> dict[tuple[int, str], OpenApiResponse]:
    """What a call may be refused for, for `extend_schema(responses={201: Held, **problems(SlotTaken)})`.

    What every call may be refused for (input, sign-in, rate limits) is added by config.schema.
    """
    by_status: dict[int, list[type[Refused]]] = defaultdict(list)
    for refusal in refusals:
        by_status[refusal.status].append(refusal)
    return {
        (status, PROBLEM_JSON): OpenApiResponse(
            Problem, description=described(kinds), examples=[example(kind) for kind in kinds]
        )
        for status, kinds in sorted(by_status.items())
    }


def described(refusals: list[type[Refused]]) -> str:
    """The codes, each with its sentence, in Markdown."""
    return "\n".join(f"* `{refusal.code}`: {refusal.detail}" for refusal in refusals)


def example(refusal: type[Refused]) -> OpenApiExample:
    return OpenApiExample(
        refusal.code,
        value={
            "type": "about:blank",
            "title": HTTPStatus(refusal.status).phrase,
            "status": refusal.status,
            "detail": refusal.detail,
            "code": refusal.code,
        },
        response_only=True,
        status_codes=[str(refusal.status)],
        media_type=PROBLEM_JSON,
    )
