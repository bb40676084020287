"""`employers/{id}/enrollment` and `…/invitations`: whom the sponsor told us to pay for, and asking them to claim it."""

import uuid
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.refusals import NotFound
from clinics.shapes import DayField, Shape, parse
from memberships import access
from memberships.employers import contracts, enrollment, inviting
from memberships.employers.enrollment import Status
from memberships.models import Relationship, SponsorContract


class ContractShown(serializers.Serializer[Any]):
    """The version of the contract that holds."""

    from_on = serializers.DateField()
    covers = serializers.ChoiceField(choices=SponsorContract.Covers.choices)


class EnrolledShown(serializers.Serializer[Any]):
    """Somebody's time on the roster, as the sponsor told us. Whether they use it is theirs alone to say."""

    id = serializers.UUIDField()
    person = serializers.UUIDField(help_text="The same for all times of one person.")
    member_number = serializers.CharField()
    relationship = serializers.ChoiceField(choices=Relationship.choices)
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    birth_date = serializers.DateField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, help_text="The last day.")
    status = serializers.ChoiceField(choices=Status.choices)
    contract = ContractShown(allow_null=True)


class EnrollmentPage(serializers.Serializer[Any]):
    results = EnrolledShown(many=True)
    next = serializers.URLField(allow_null=True)


ANA: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000041",
    "person": "0193601a-7c1e-7000-8000-000000000042",
    "member_number": "1001",
    "relationship": "employee",
    "first_name": "Ana",
    "last_name": "Lopez",
    "email": "ana@works.example",
    "birth_date": "1985-03-02",
    "starts_on": "2026-01-01",
    "ends_on": None,
    "status": "active",
    "contract": {"from_on": "2026-01-01", "covers": "family"},
}


class EnrollmentView(Endpoint):
    """The sponsor's own facts: who, from when to when, on what contract. They are the same whether or not somebody
    claimed, booked or came, and so is the time that the answer takes.
    """

    shown_as = None

    class Asked(Paged):
        STATUSES: ClassVar = Status.choices

        status = serializers.ChoiceField(choices=STATUSES, required=False)
        q = serializers.CharField(
            required=False, max_length=80, help_text="Beginnings of names, of the member number or the e-mail address."
        )
        on = DayField(required=False, help_text="The day that the status is told for; today, if it is left out.")

    @extend_schema(
        operation_id="list_enrollment",
        summary="Who is on the roster",
        parameters=[Asked],
        responses={200: EnrollmentPage, **problems(NotFound)},
        examples=[
            OpenApiExample("one", response_only=True, status_codes=["200"], value={"results": [ANA], "next": None})
        ],
    )
    def get(self, request: Request, employer_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.query_params)
        employer = access.employer(self.caller, employer_id)
        on = asked.get("on", people.today_at_home(timezone.now()))
        versions = contracts.versions(employer)
        found = enrollment.found(employer, on=on, status=asked.get("status", ""), text=asked.get("q", ""))
        return Response(
            page(
                request,
                found,
                asked=asked,
                by=enrollment.ORDER,
                show=lambda row: enrollment.shown(row, versions, on=on),
            )
        )


class InvitedShown(serializers.Serializer[Any]):
    people = serializers.IntegerField(
        help_text="Of those asked for, how many are on the roster with an e-mail address."
    )


class SponsorInvitationsView(Endpoint):
    """People on the roster get a mail with a link by which they claim: at most one a week, and whether or not they
    have claimed, so that no mail tells who has.
    """

    shown_as = None

    class Wanted(Shape):
        people = serializers.ListField(
            child=serializers.UUIDField(), required=False, max_length=1000, help_text="`person`s; all, if left out."
        )

    @extend_schema(
        operation_id="create_sponsor_invitations",
        summary="Invite people on the roster to claim",
        request=Wanted,
        responses={202: InvitedShown, **problems(NotFound)},
        examples=[
            OpenApiExample("one", request_only=True, value={"people": [ANA["person"]]}),
            OpenApiExample("asked", response_only=True, status_codes=["202"], value={"people": 1}),
        ],
    )
    def post(self, request: Request, employer_id: uuid.UUID) -> Response:
        employer = access.employer(self.caller, employer_id)
        wanted = parse(self.Wanted, request.data)
        count = inviting.ask(employer=employer, people_ids=wanted.get("people"), now=timezone.now())
        return Response({"people": count}, status=202)

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        access.employer(self.caller, kwargs["employer_id"])
        return body
