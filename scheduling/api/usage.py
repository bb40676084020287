"""`GET employers/{id}/usage`: how much an employer's people use what it pays for."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from memberships import access
from scheduling import usage


class TotalsShown(serializers.Serializer[Any]):
    visits = serializers.IntegerField(help_text="That took place and that the employer paid for.")
    people = serializers.IntegerField(help_text="At least so many people had them.")


class UsageShown(serializers.Serializer[Any]):
    period = serializers.CharField()
    from_on = serializers.DateField()
    until_on = serializers.DateField(help_text="First day after it.")
    totals = TotalsShown()


OCTOBER = {
    "period": "2026-10",
    "from_on": "2026-10-01",
    "until_on": "2026-11-01",
    "totals": {"visits": 57, "people": 34},
}


class UsageView(Endpoint):
    """Each number is 0 or at least 11: 0 says that there are none, or too few to say, or that nearly everybody came.
    What was told of a period stays as it was told; a longer one adds up what was told of its parts, so that no
    difference of two answers says more. A month that was first told within a longer period has no numbers of its own.
    """

    shown_as = None

    class Asked(Shape):
        period = serializers.CharField(max_length=10, help_text="A month, quarter or year: 2026-10, 2026-Q4, 2026.")

    @extend_schema(
        operation_id="read_employer_usage",
        summary="Totals of use, that tell of nobody",
        parameters=[Asked],
        responses={200: UsageShown, **problems(NotFound, usage.BadPeriod, usage.PeriodNotOver)},
        examples=[OpenApiExample("October", response_only=True, status_codes=["200"], value=OCTOBER)],
    )
    def get(self, request: Request, employer_id: uuid.UUID) -> Response:
        period = parse(self.Asked, request.query_params)["period"]
        employer = access.employer(self.caller, employer_id)
        now = timezone.now()
        told = usage.report(
            employer=employer, period=period, actor=self.caller, today=people.today_at_home(now), now=now
        )
        return Response(
            {
                "period": period,
                "from_on": told.first.isoformat(),
                "until_on": told.after.isoformat(),
                "totals": {"visits": told.visits, "people": told.people},
            }
        )
