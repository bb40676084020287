"""`memberships/{id}/invitations` and `me/membership-invitation`: asking an adult to be a further member."""

import uuid
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
from clinics.refusals import NotFound, TooManyTries
from clinics.shapes import Shape, parse
from memberships import access
from memberships.api.memberships import CHANGING, Agreed
from memberships.api.shown import MEMBERSHIP, MembershipShown, PriceHeld, shown_grant, shown_price
from memberships.changing import inviting
from memberships.entitlement import PriceChanged
from memberships.models import MemberInvitation
from memberships.quoting import AlreadyMember, AmountChanged, MemberTwice, NoFamilyPrice, TooManyMembers

CODE = "What stands in the address that was mailed."
INVITED: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000061",
    "email": "sam@example.com",
    "status": "open",
    "price": {"id": 4, "amount": 6_600, "currency": "USD", "interval": "year"},
    "due_at_most": 5_061,
    "created_at": "2026-11-24T14:00:00+00:00",
    "expires_at": "2026-12-08T14:00:00+00:00",
}
JOINED: dict[str, Any] = {
    **MEMBERSHIP,
    "source": "family",
    "plan": {"code": "family", "name": "Family member"},
    "price": {"id": 4, "amount": 6_600, "currency": "USD", "interval": "year"},
    "payer": "somebody else",
    "period": None,
    "renews_on": None,
    "can": ["remove_member"],
}


class MemberInvitationShown(serializers.Serializer[Any]):
    """What became of an invitation: no more is told of whom it was for."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    status = serializers.ChoiceField(choices=MemberInvitation.Status.choices)
    price = PriceHeld()
    due_at_most = serializers.IntegerField(
        help_text="Cents that are billed when it is accepted; less, where fewer days are left by then."
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class MemberInvitationsPage(serializers.Serializer[Any]):
    results = MemberInvitationShown(many=True)
    next = serializers.URLField(allow_null=True)


def shown_invitation(invitation: MemberInvitation) -> dict[str, Any]:
    return {
        "id": str(invitation.pk),
        "email": invitation.email,
        "status": inviting.status_of(invitation, now=timezone.now()).value,
        "price": shown_price(invitation.price),
        "due_at_most": invitation.due,
        "created_at": invitation.created_at.isoformat(),
        "expires_at": invitation.expires_at.isoformat(),
    }


class MemberInvitationsView(Endpoint):
    """An adult with an account of their own is a further member once they accept what is mailed to them, and not
    before; you are billed then, for what you agree to here at most. You learn whether they accepted or declined, and
    nothing else: not whether there is an account of that address.
    """

    shown_as = None

    class Wanted(Agreed):
        email = serializers.EmailField(max_length=254)

    @extend_schema(
        operation_id="list_member_invitations",
        summary="Whom I asked to be a further member, the newest first",
        responses={200: MemberInvitationsPage, **problems(*CHANGING[1:])},
        examples=[
            OpenApiExample("one", response_only=True, status_codes=["200"], value={"results": [INVITED], "next": None})
        ],
    )
    def get(self, _request: Request, membership_id: uuid.UUID) -> Response:
        found = access.subscription_to_change(self.caller, membership_id, now=timezone.now())
        return Response({"results": [shown_invitation(one) for one in inviting.invitations(found)], "next": None})

    @extend_schema(
        operation_id="create_member_invitation",
        summary="Ask an adult by e-mail to be a further member",
        request=Wanted,
        responses={
            201: MemberInvitationShown,
            **problems(*CHANGING, NoFamilyPrice, AmountChanged, inviting.TooManyInvitations, TooManyTries),
        },
        examples=[
            OpenApiExample("a spouse", request_only=True, value={"email": "sam@example.com", "accept_due": 5_061}),
            OpenApiExample("asked", response_only=True, status_codes=["201"], value=INVITED),
        ],
    )
    def post(self, request: Request, membership_id: uuid.UUID) -> Response:
        wanted = parse(self.Wanted, request.data)
        now = timezone.now()
        found = access.subscription_to_change(self.caller, membership_id, now=now)
        made = inviting.invite(
            subscription_id=found.pk,
            email=wanted["email"],
            accept_due=wanted.get("accept_due"),
            actor=self.caller,
            now=now,
        )
        return Response(shown_invitation(made), status=201)

    def run(self, request: Request, work: Any) -> Response:
        """Mails are counted before all else: what is refused takes back all that it did."""
        if request.method == "POST":
            parse(self.Wanted, request.data)
            inviting.count_try(self.caller, now=timezone.now())
        return super().run(request, work)

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        found = access.subscription_to_change(self.caller, kwargs["membership_id"], now=timezone.now())
        again = [one for one in inviting.invitations(found) if str(one.pk) == body["id"]]
        if not again:
            raise NotFound
        return shown_invitation(again[0])


class MemberInvitationView(Endpoint):
    shown_as = None

    @extend_schema(
        operation_id="cancel_member_invitation",
        summary="Take an invitation back that nobody answered yet",
        request=None,
        responses={204: None, **problems(*CHANGING[1:])},
    )
    def delete(self, _request: Request, membership_id: uuid.UUID, invitation_id: uuid.UUID) -> Response:
        now = timezone.now()
        found = access.subscription_to_change(self.caller, membership_id, now=now)
        inviting.withdraw(subscription=found, invitation_id=invitation_id, now=now)
        return Response(status=204)


class AcceptMembershipView(Endpoint):
    """You are a member from today on, and pay nothing. Who invited you learns that you accepted."""

    shown_as = AccessEvent.What.MEMBERSHIPS

    class Wanted(Shape):
        code = serializers.CharField(max_length=60, help_text=CODE)

    @extend_schema(
        operation_id="confirm_member_invitation",
        summary="Accept to be a further member of a membership that somebody else pays for",
        request=Wanted,
        responses={
            201: MembershipShown,
            **problems(
                NotFound,
                NoPatientRecord,
                people.Underage,
                PriceChanged,
                inviting.NotTakingMembers,
                TooManyMembers,
                AlreadyMember,
                MemberTwice,
            ),
        },
        examples=[
            OpenApiExample("the code", request_only=True, value={"code": "Zm9yIHlvdSBhbG9uZSwgb2"}),
            OpenApiExample("joined", response_only=True, status_codes=["201"], value=JOINED),
        ],
    )
    def post(self, request: Request) -> Response:
        now = timezone.now()
        grant = inviting.accept(token=parse(self.Wanted, request.data)["code"], user=self.caller, now=now)
        return Response(self.joined(grant.pk), status=201)

    def joined(self, membership: uuid.UUID) -> dict[str, Any]:
        today = people.today_of(self.caller, now=timezone.now())
        found = access.grants(self.caller, on=today).filter(pk=membership).first()
        if found is None:
            raise NotFound
        self.shows(found.patient_id)
        return shown_grant(found, today=today, viewer=self.caller)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        return self.joined(uuid.UUID(body["id"]))


class DeclineMembershipView(Endpoint):
    """Without an account: by the page that was mailed. Declining again changes nothing."""

    shown_as = None

    class Wanted(Shape):
        code = serializers.CharField(max_length=60, help_text=CODE)

    @extend_schema(
        operation_id="reject_member_invitation",
        summary="Decline to be a further member",
        request=Wanted,
        responses={204: None, **problems(NotFound)},
        examples=[OpenApiExample("the code", request_only=True, value={"code": "Zm9yIHlvdSBhbG9uZSwgb2"})],
    )
    def post(self, request: Request) -> Response:
        inviting.decline(token=parse(self.Wanted, request.data)["code"], now=timezone.now())
        return Response(status=204)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - nothing is shown
        return body
