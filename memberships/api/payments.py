"""`payment-methods`: the cards that somebody pays with."""

import uuid
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint, again
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from memberships import access, methods, payments
from memberships.models import PaymentMethod
from memberships.payments.port import BadToken, CardsNotTaken, ProviderAway

VISA: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000013",
    "brand": "visa",
    "last4": "4242",
    "expires_on": "2030-01-01",
}


class MethodShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    brand = serializers.CharField()
    last4 = serializers.CharField()
    expires_on = serializers.DateField(allow_null=True, help_text="The first day on which it is no longer valid.")


class MethodsPage(serializers.Serializer[Any]):
    results = MethodShown(many=True)
    next = serializers.URLField(allow_null=True)


class SetUpShown(serializers.Serializer[Any]):
    provider = serializers.CharField()
    client_secret = serializers.CharField(help_text="For the provider's own client code. It is shown this once.")
    public_key = serializers.CharField()


def shown(method: PaymentMethod) -> dict[str, Any]:
    return {
        "id": str(method.pk),
        "brand": method.brand,
        "last4": method.last4,
        "expires_on": method.expires_on.isoformat() if method.expires_on else None,
    }


class AsksOthers(Endpoint):
    """A POST that asks somebody else's server, which no transaction waits for: it is safe to send twice by itself.

    So the event that says whom it shows comes after the work, in a transaction of its own. Where it can't be written
    nothing is shown; what was done stays, and is done once when it is asked for again.
    """

    def run(self, request: Request, work: Callable[[], Response]) -> Response:
        recorded = self.on_record if request.method == "POST" else self.with_record
        return again(lambda: recorded(request, work))

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        raise NotFound  # nothing is kept that could be given again


class MethodsView(AsksOthers):
    shown_as = None

    class Wanted(Shape):
        token = serializers.CharField(max_length=100, help_text="Stripe: the id of the SetupIntent that succeeded.")

    @extend_schema(
        operation_id="list_payment_methods",
        summary="My cards",
        responses=MethodsPage,
        examples=[OpenApiExample("one", response_only=True, value={"results": [VISA], "next": None})],
    )
    def get(self, _request: Request) -> Response:
        return Response({"results": [shown(one) for one in methods.of(self.caller)], "next": None})

    @extend_schema(
        operation_id="create_payment_method",
        summary="Pay with a card that was set up",
        request=Wanted,
        responses={201: MethodShown, **problems(BadToken, CardsNotTaken, ProviderAway)},
        examples=[
            OpenApiExample("set up", request_only=True, value={"token": "seti_1ABC"}),
            OpenApiExample("kept", response_only=True, status_codes=["201"], value=VISA),
        ],
    )
    def post(self, request: Request) -> Response:
        wanted = parse(self.Wanted, request.data)
        return Response(shown(methods.save(user=self.caller, token=wanted["token"])), status=201)


class SetUpView(AsksOthers):
    """A card's number goes from its owner's client to the payment provider, and never comes by here."""

    shown_as = None

    @extend_schema(
        operation_id="create_payment_method_setup",
        summary="Begin to add a card",
        request=None,
        responses={201: SetUpShown, **problems(CardsNotTaken, ProviderAway)},
        examples=[
            OpenApiExample(
                "Stripe",
                response_only=True,
                status_codes=["201"],
                value={"provider": "stripe", "client_secret": "seti_1ABC_secret_2DEF", "public_key": "pk_live_3GHI"},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        parse(Shape, request.data)
        secret = methods.set_up(user=self.caller)
        provider = payments.current()
        told = {"provider": provider.name, "client_secret": secret, "public_key": provider.public_key}
        return Response(told, status=201)


class MethodById(Endpoint):
    shown_as = None

    @extend_schema(
        operation_id="end_payment_method",
        summary="Pay with a card no more",
        request=None,
        responses={204: None, **problems(NotFound)},
    )
    def delete(self, _request: Request, method_id: uuid.UUID) -> Response:
        """Memberships that it pays for are then paid by invoice."""
        methods.remove(method=access.method(self.caller, method_id), now=timezone.now())
        return Response(status=204)
