"""`me/dependents/{id}/proxies`, `…/invitations`, `POST me/invitations/accept`: a second adult who acts for a child."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import invitation_codes, people, proxies
from clinics.api.me import MIA, DependentAnswer, dependent_shown
from clinics.edge import Endpoint
from clinics.models import AccessEvent, Proxy, ProxyInvitation
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse


class ProxyStatus(models.TextChoices):
    """Whether somebody acts for the child, or is asked to."""

    ACTING = "acting"
    INVITED = "invited"


class ProxyAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Of whoever acts for the child, or of the invitation.")
    email = serializers.EmailField()
    relationship = serializers.ChoiceField(Proxy.Relationship.choices)
    status = serializers.ChoiceField(ProxyStatus.choices)
    is_me = serializers.BooleanField()
    expires_at = serializers.DateTimeField(allow_null=True)


class ProxiesAnswer(serializers.Serializer[Any]):
    results = ProxyAnswer(many=True)
    next = serializers.URLField(allow_null=True)


class InvitedAnswer(ProxyAnswer):
    code = serializers.CharField(help_text="Pass it on yourself: it is shown this once.")


INVITED: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000012",
    "email": "sam@example.com",
    "relationship": "parent",
    "status": "invited",
    "is_me": False,
    "expires_at": "2026-12-01T14:00:00+00:00",
}


def invited(invitation: ProxyInvitation) -> dict[str, Any]:
    return {
        "id": str(invitation.pk),
        "email": invitation.email,
        "relationship": invitation.relationship,
        "status": "invited",
        "is_me": False,
        "expires_at": invitation.expires_at.isoformat(),
    }


class Proxies(Endpoint):
    shown_as = None

    @extend_schema(
        operation_id="list_proxies",
        summary="Who acts for my child, and who is asked to",
        responses={200: ProxiesAnswer, **problems(NotFound)},
        examples=[
            OpenApiExample("one", response_only=True, status_codes=["200"], value={"results": [INVITED], "next": None})
        ],
    )
    def get(self, _request: Request, patient_id: uuid.UUID) -> Response:
        now = timezone.now()
        mine = proxies.full(self.caller, patient_id, now=now)
        acting = [
            {
                "id": str(proxy.user_id),
                "email": proxy.user.email,
                "relationship": proxy.relationship,
                "status": "acting",
                "is_me": proxy.user_id == self.caller.pk,
                "expires_at": None,
            }
            for proxy in proxies.all_of(mine, now=now)
        ]
        return Response(
            {"results": acting + [invited(one) for one in proxies.invitations(mine, now=now)], "next": None}
        )


class ProxyByUser(Endpoint):
    shown_as = None

    @extend_schema(
        operation_id="end_proxy",
        summary="Let somebody act for my child no longer",
        request=None,
        responses={204: None, **problems(NotFound, proxies.NotYoursToEnd, proxies.LastProxy)},
    )
    def delete(self, _request: Request, patient_id: uuid.UUID, user_id: uuid.UUID) -> Response:
        proxies.end(user=self.caller, patient=patient_id, whose=user_id, now=timezone.now())
        return Response(status=204)


class Invitations(Endpoint):
    shown_as = None

    class Wanted(Shape):
        RELATIONSHIPS: ClassVar = Proxy.Relationship.choices

        email = serializers.EmailField(max_length=254)
        relationship = serializers.ChoiceField(RELATIONSHIPS, default=Proxy.Relationship.PARENT)

    @extend_schema(
        operation_id="create_proxy_invitation",
        summary="Ask another adult to act for my child, too",
        request=Wanted,
        responses={201: InvitedAnswer, **problems(NotFound, proxies.AlreadyProxy, proxies.TooManyInvitations)},
        examples=[
            OpenApiExample("the other parent", request_only=True, value={"email": "sam@example.com"}),
            OpenApiExample(
                "asked", response_only=True, status_codes=["201"], value={**INVITED, "code": "ABCD-EFGH-JKLM"}
            ),
        ],
    )
    def post(self, request: Request, patient_id: uuid.UUID) -> Response:
        """They accept it with the code, signed in with an account of this address."""
        wanted = parse(self.Wanted, request.data)
        made = proxies.invite(user=self.caller, patient=patient_id, now=timezone.now(), **wanted)
        return Response({**invited(made), "code": invitation_codes.of(made.pk)}, status=201)

    def kept(self, body: Any) -> Any:
        return {name: value for name, value in body.items() if name != "code"}

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        proxies.full(self.caller, kwargs["patient_id"], now=timezone.now())
        return {**body, "code": invitation_codes.of(uuid.UUID(body["id"]))}


class InvitationById(Endpoint):
    shown_as = None

    @extend_schema(
        operation_id="cancel_proxy_invitation",
        summary="Take an invitation back",
        request=None,
        responses={204: None, **problems(NotFound)},
    )
    def delete(self, _request: Request, patient_id: uuid.UUID, invitation_id: uuid.UUID) -> Response:
        proxies.withdraw(user=self.caller, patient=patient_id, invitation=invitation_id, now=timezone.now())
        return Response(status=204)


class Accept(Endpoint):
    shown_as = AccessEvent.What.RECORD

    class Wanted(Shape):
        code = serializers.CharField(max_length=30)

    @extend_schema(
        operation_id="confirm_proxy_invitation",
        summary="Accept to act for a child",
        request=Wanted,
        responses={
            201: DependentAnswer,
            **problems(NotFound, people.Underage, proxies.AlreadyProxy, people.TooManyDependents),
        },
        examples=[
            OpenApiExample("the code", request_only=True, value={"code": "ABCD-EFGH-JKLM"}),
            OpenApiExample("the child", response_only=True, status_codes=["201"], value=MIA),
        ],
    )
    def post(self, request: Request) -> Response:
        now = timezone.now()
        proxy = proxies.accept(user=self.caller, code=parse(self.Wanted, request.data)["code"], now=now)
        self.shows(proxy.patient_id)
        return Response(dependent_shown(proxy, now=now), status=201)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        now = timezone.now()
        today = people.today_of(self.caller, now=now)
        proxy = people.dependents(self.caller, on=today).filter(patient=body["id"]).first()
        if proxy is None:
            raise NotFound
        self.shows(proxy.patient_id)
        return dependent_shown(proxy, now=now)
