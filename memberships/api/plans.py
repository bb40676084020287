"""The plans people can join."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from memberships import plans
from memberships.models import Plan, Price


class PriceShown(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="What memberships/quote and memberships take as `price`.")
    amount = serializers.IntegerField(help_text="Cents of US dollars.")
    currency = serializers.CharField()
    interval = serializers.ChoiceField(choices=Price.Interval.choices)
    audience = serializers.ChoiceField(choices=Plan.Audience.choices)
    requires_proof = serializers.BooleanField(help_text="For people whose eligibility is verified: see me/proofs.")
    trial_days = serializers.IntegerField(help_text="Days before the first payment, for who was never a member.")


class PlanShown(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    audience = serializers.ChoiceField(choices=Plan.Audience.choices)
    benefits = serializers.ListField(child=serializers.CharField(), help_text="* stands for all of them.")
    prices = PriceShown(many=True)


class PlansPage(serializers.Serializer[Any]):
    results = PlanShown(many=True)
    next = serializers.URLField(allow_null=True)


class PlansView(Endpoint):
    """Prices are today's where you live, if you are signed in, otherwise in New York."""

    public = True
    shown_as = None

    @extend_schema(
        operation_id="list_plans",
        summary="Plans on sale",
        examples=[
            OpenApiExample(
                "a plan",
                value={
                    "results": [
                        {
                            "code": "standard",
                            "name": "Standard",
                            "audience": "anyone",
                            "benefits": ["*"],
                            "prices": [
                                {
                                    "id": 1,
                                    "amount": 19_900,
                                    "currency": "USD",
                                    "interval": "year",
                                    "audience": "anyone",
                                    "requires_proof": False,
                                    "trial_days": 0,
                                }
                            ],
                        }
                    ],
                    "next": None,
                },
            )
        ],
        responses=PlansPage,
    )
    def get(self, request: Request) -> Response:
        today = people.today_for(request.user, now=timezone.now())
        return Response({"results": plans.on_sale_summary(on=today), "next": None})
