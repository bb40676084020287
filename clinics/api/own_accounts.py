"""`me/dependents/{id}/account-invitation`, `POST me/account-invitation/accept`: a teenager's own account."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import invitation_codes, own_accounts, people
from clinics.api.me import PAT, MeAnswer, me_shown
from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse

# As anybody's, but for the age.
MAX: dict[str, Any] = {
    **PAT.value,
    "email": "max@example.com",
    "patient": {
        **PAT.value["patient"],
        "name": "Max Example",
        "given_name": "Max",
        "birth_date": "2012-05-17",
        "phone": "",
        "email": "max@example.com",
    },
    "dependents": [],
}


class AccountInvitationAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    expires_at = serializers.DateTimeField()
    code = serializers.CharField(help_text="Pass it on yourself: it is shown this once.")


class AccountInvitations(Endpoint):
    shown_as = None

    class Wanted(Shape):
        email = serializers.EmailField(max_length=254, help_text="The teenager's own, which nobody else reads.")

    @extend_schema(
        operation_id="create_account_invitation",
        summary="Invite my teenager to an account of their own",
        request=Wanted,
        responses={
            201: AccountInvitationAnswer,
            **problems(
                NotFound,
                people.OfAge,
                own_accounts.TooYoung,
                own_accounts.HasAccount,
                own_accounts.NotTheirAddress,
            ),
        },
        examples=[
            OpenApiExample("theirs", request_only=True, value={"email": "max@example.com"}),
            OpenApiExample(
                "asked",
                response_only=True,
                status_codes=["201"],
                value={
                    "id": "0193601a-7c1e-7000-8000-000000000013",
                    "email": "max@example.com",
                    "expires_at": "2026-12-01T14:00:00+00:00",
                    "code": "ABCD-EFGH-JKLM",
                },
            ),
        ],
    )
    def post(self, request: Request, patient_id: uuid.UUID) -> Response:
        """They sign up with the code as `invitation` and this address, verify it, and accept.

        From then on they see all of their record, and messages about their visits go to them alone.
        """
        email = parse(self.Wanted, request.data)["email"]
        made = own_accounts.invite_dependent(user=self.caller, patient=patient_id, email=email, now=timezone.now())
        return Response(
            {
                "id": str(made.pk),
                "email": made.email,
                "expires_at": made.expires_at.isoformat(),
                "code": invitation_codes.of(made.pk),
            },
            status=201,
        )

    def kept(self, body: Any) -> Any:
        return {name: value for name, value in body.items() if name != "code"}

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        own_accounts.acted_for(self.caller, kwargs["patient_id"], now=timezone.now())
        return {**body, "code": invitation_codes.of(uuid.UUID(body["id"]))}

    @extend_schema(
        operation_id="cancel_account_invitation",
        summary="Take my invitation back",
        request=None,
        responses={204: None, **problems(NotFound)},
    )
    def delete(self, _request: Request, patient_id: uuid.UUID) -> Response:
        own_accounts.withdraw(user=self.caller, patient=patient_id, now=timezone.now())
        return Response(status=204)


class AcceptAccount(Endpoint):
    shown_as = AccessEvent.What.RECORD

    class Wanted(Shape):
        code = serializers.CharField(max_length=30)

    @extend_schema(
        operation_id="confirm_account_invitation",
        summary="Accept the record that I am invited to as my own",
        request=Wanted,
        responses={
            201: MeAnswer,
            **problems(
                NotFound,
                own_accounts.HasRecord,
                own_accounts.HasAccount,
                own_accounts.TooYoung,
                own_accounts.NotTheirAddress,
            ),
        },
        examples=[
            OpenApiExample("the code", request_only=True, value={"code": "ABCD-EFGH-JKLM"}),
            OpenApiExample("the record", response_only=True, status_codes=["201"], value=MAX),
        ],
    )
    def post(self, request: Request) -> Response:
        """Signed in with an account of the invited address, verified."""
        code = parse(self.Wanted, request.data)["code"]
        patient = own_accounts.accept(user=self.caller, code=code, now=timezone.now())
        self.shows(patient.pk)
        return Response(me_shown(self.caller, now=timezone.now()), status=201)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        shown = me_shown(self.caller, now=timezone.now())
        if shown["patient"] is None or str(shown["patient"]["id"]) != body["patient"]["id"]:
            raise NotFound
        self.shows(shown["patient"]["id"])
        return shown
