"""`employers/{id}/rosters` and below: sending a roster, seeing what it would change, deciding."""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.refusals import NotFound, Refused
from clinics.shapes import DayField, Shape, parse
from clinics.uploads import FormParser
from memberships import access, rosters
from memberships.models import Relationship, Roster, RosterMapping, RosterRow
from memberships.rosters import mapping, reporting
from memberships.rosters.receiving import BadDay, RosterTooLong

CSV = "text/csv"
F = TypeVar("F", bound=Callable[..., Any])


class DiffShown(serializers.Serializer[Any]):
    """How many people a roster adds, changes, ends and leaves as they are, and how many lines could not be taken."""

    add = serializers.IntegerField()
    change = serializers.IntegerField()
    end = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]  # a field, which DRF takes out of the class


class HeldShown(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=Roster.Held.choices)
    detail = serializers.CharField()


class ProgressShown(serializers.Serializer[Any]):
    lines = serializers.IntegerField(help_text="Read so far.")
    of = serializers.IntegerField(help_text="Lines of the file.")
    families = serializers.IntegerField(help_text="Applied so far.")


class RosterShown(serializers.Serializer[Any]):
    """A roster. `diff` is null until it is worked out."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Roster.Kind.choices)
    status = serializers.ChoiceField(choices=Roster.Status.choices)
    held = serializers.BooleanField(help_text="Whether it waits for somebody else than who sent it.")
    held_because = HeldShown(many=True)
    diff = DiffShown(allow_null=True)
    people_before = serializers.IntegerField(allow_null=True, help_text="Who are on the roster, or will be.")
    progress = ProgressShown()
    as_of = serializers.DateField()
    undoes = serializers.UUIDField(allow_null=True)
    received_at = serializers.DateTimeField()
    uploaded_by = serializers.EmailField()
    decided_by = serializers.EmailField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    applied_at = serializers.DateTimeField(allow_null=True)


class RostersPage(serializers.Serializer[Any]):
    results = RosterShown(many=True)
    next = serializers.URLField(allow_null=True)


class ErrorShown(serializers.Serializer[Any]):
    code = serializers.CharField()
    column = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()


class RowShown(serializers.Serializer[Any]):
    """One person of a roster. `line` is null for who is missing in the file; `changed` says from what to what."""

    line = serializers.IntegerField(allow_null=True)
    action = serializers.ChoiceField(choices=RosterRow.Action.choices)
    member_number = serializers.CharField(allow_blank=True)
    relationship = serializers.CharField(allow_null=True)
    first_name = serializers.CharField(allow_null=True)
    last_name = serializers.CharField(allow_null=True)
    birth_date = serializers.DateField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True, help_text="The last day.")
    changed = serializers.DictField()
    error = ErrorShown(allow_null=True)


class RowsPage(serializers.Serializer[Any]):
    results = RowShown(many=True)
    next = serializers.URLField(allow_null=True)


SENT: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000031",
    "kind": "full",
    "status": "diffed",
    "held": False,
    "held_because": [],
    "diff": {"add": 2, "change": 1, "end": 0, "unchanged": 57, "errors": 1},
    "people_before": 58,
    "progress": {"lines": 62, "of": 62, "families": 0},
    "as_of": "2026-11-24",
    "undoes": None,
    "received_at": "2026-11-24T14:00:00+00:00",
    "uploaded_by": "hr@example.com",
    "decided_by": None,
    "decided_at": None,
    "applied_at": None,
}
DECIDED = {**SENT, "status": "applied", "decided_by": "hr@example.com", "decided_at": "2026-11-24T14:05:00+00:00"}
MOVED: dict[str, Any] = {
    "line": 7,
    "action": "change",
    "member_number": "1001",
    "relationship": "employee",
    "first_name": "Ana",
    "last_name": "Reyes",
    "birth_date": "1985-03-02",
    "email": "ana@works.example",
    "starts_on": "2026-01-01",
    "ends_on": None,
    "changed": {"last_name": {"from": "Lopez", "to": "Reyes"}},
    "error": None,
}


def roster_shown(roster: Roster) -> dict[str, Any]:
    """A roster as JSON. Needs `uploaded_by` and `decided_by` loaded."""
    is_waiting = roster.status == Roster.Status.DIFFED
    diff = {name.replace("error", "errors"): getattr(roster, column) for name, column in Roster.COUNTS.items()}
    return {
        "id": str(roster.pk),
        "kind": roster.kind,
        "status": roster.status,
        "held": is_waiting and roster.is_held,
        "held_because": [{"code": code, "detail": Roster.Held(code).label} for code in roster.held_because],
        "diff": diff if roster.errors is not None else None,
        "people_before": roster.people_before,
        "progress": {
            "lines": roster.rows_read,
            "of": roster.rows_expected,
            "families": roster.families_applied,
        },
        "as_of": roster.as_of.isoformat(),
        "undoes": str(roster.undoes_id) if roster.undoes_id else None,
        "received_at": roster.received_at.isoformat(),
        "uploaded_by": roster.uploaded_by.email,
        "decided_by": roster.decided_by.email if roster.decided_by else None,
        "decided_at": roster.decided_at.isoformat() if roster.decided_at else None,
        "applied_at": roster.applied_at.isoformat() if roster.applied_at else None,
    }


class RosterForm(FormParser):
    largest = rosters.LARGEST


class RosterEndpoint(Endpoint):
    """A roster is the sponsor's own: nothing of it is a patient's record, whoever of it is one."""

    shown_as = None

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        access.employer(self.caller, kwargs["employer_id"])
        return body


class RostersView(RosterEndpoint):
    """CSV with the columns member_number, relationship (employee, spouse, child, other), first_name, last_name,
    birth_date, email, starts_on and ends_on (the last day), or what the employer's mapping calls them.

    A small one is worked out at once. Of others the status tells how far they are: GET it until it is `diffed`.
    """

    Asked = Paged
    parser_classes = [RosterForm]

    class Sent(Shape):
        KINDS: ClassVar = [kind for kind in Roster.Kind.choices if kind[0] != Roster.Kind.UNDO]

        file = serializers.FileField(allow_empty_file=True, max_length=200)
        kind = serializers.ChoiceField(choices=KINDS)
        as_of = DayField(required=False, help_text="The day that it speaks of; today, if it is left out.")

    @extend_schema(
        operation_id="list_rosters",
        summary="Rosters of an employer, newest first",
        parameters=[Asked],
        responses={200: RostersPage, **problems(NotFound)},
        examples=[
            OpenApiExample("one", response_only=True, status_codes=["200"], value={"results": [SENT], "next": None})
        ],
    )
    def get(self, request: Request, employer_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.query_params)
        found = access.rosters_of(access.employer(self.caller, employer_id))
        return Response(page(request, found, asked=asked, by=["-received_at", "-id"], show=roster_shown))

    @extend_schema(
        operation_id="create_roster",
        summary="Send a roster, and see what it would change",
        request={"multipart/form-data": Sent},
        responses={
            201: RosterShown,
            **problems(
                NotFound,
                rosters.NotText,
                rosters.BadHeader,
                BadDay,
                RosterTooLong,
                rosters.RosterSeen,
                rosters.RosterOlder,
                rosters.RosterOpen,
            ),
        },
        examples=[OpenApiExample("worked out", response_only=True, status_codes=["201"], value=SENT)],
    )
    def post(self, request: Request, employer_id: uuid.UUID) -> Response:
        employer = access.employer(self.caller, employer_id)
        asked = parse(self.Sent, request.data)
        now = timezone.now()
        today = people.today_at_home(now)
        sent = rosters.receive(
            employer=employer,
            content=asked["file"].file,
            kind=asked["kind"],
            as_of=asked.get("as_of", today),
            by=self.caller,
            now=now,
            today=today,
        )
        return Response(roster_shown(sent), status=201)


class RosterView(RosterEndpoint):
    @extend_schema(
        operation_id="read_roster",
        summary="A roster, how far it is, and what it would change",
        responses={200: RosterShown, **problems(NotFound)},
        examples=[OpenApiExample("a roster", response_only=True, status_codes=["200"], value=SENT)],
    )
    def get(self, _request: Request, employer_id: uuid.UUID, roster_id: uuid.UUID) -> Response:
        return Response(roster_shown(access.roster(self.caller, employer_id, roster_id)))


class RosterRowsView(RosterEndpoint):
    class Asked(Paged):
        ACTIONS: ClassVar = [action for action in RosterRow.Action.choices if action[0]]

        action = serializers.ChoiceField(choices=ACTIONS, required=False)

    @extend_schema(
        operation_id="list_roster_rows",
        summary="Person by person what a roster changes",
        parameters=[Asked],
        responses={200: RowsPage, **problems(NotFound)},
        examples=[
            OpenApiExample("one", response_only=True, status_codes=["200"], value={"results": [MOVED], "next": None})
        ],
    )
    def get(self, request: Request, employer_id: uuid.UUID, roster_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.query_params)
        found = reporting.rows(access.roster(self.caller, employer_id, roster_id), action=asked.get("action", ""))
        return Response(page(request, found, asked=asked, by=["id"], show=reporting.shown))


class RosterErrorsView(RosterEndpoint):
    @extend_schema(
        operation_id="read_roster_errors",
        summary="The lines that could not be taken, as a file",
        responses={
            (200, CSV): OpenApiResponse(OpenApiTypes.STR, description="CSV; no cell of it is a formula."),
            **problems(NotFound),
        },
    )
    def get(self, _request: Request, employer_id: uuid.UUID, roster_id: uuid.UUID) -> HttpResponse:
        roster = access.roster(self.caller, employer_id, roster_id)
        return HttpResponse(
            "".join(reporting.errors_file(roster)),
            content_type=f"{CSV}; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="errors.csv"', "X-Content-Type-Options": "nosniff"},
        )


def decision(name: str, summary: str, *refusals: type[Refused]) -> Callable[[F], F]:
    """What the three decisions have in common in the API's description."""
    return extend_schema(
        operation_id=name,
        summary=summary,
        request=None,
        responses={200: RosterShown, **problems(NotFound, *refusals)},
        examples=[OpenApiExample("decided", response_only=True, status_codes=["200"], value=DECIDED)],
    )


class RosterApproveView(RosterEndpoint):
    """What it changes is worked into what people are entitled to within a minute."""

    @decision("approve_roster", "Let a roster be applied", rosters.NotToDecide, rosters.SecondPersonNeeded)
    def post(self, request: Request, employer_id: uuid.UUID, roster_id: uuid.UUID) -> Response:
        parse(Shape, request.data)
        roster = access.roster(self.caller, employer_id, roster_id)
        return Response(roster_shown(rosters.approve(roster=roster, actor=self.caller, now=timezone.now())))


class RosterRejectView(RosterEndpoint):
    @decision("reject_roster", "Do nothing of what a roster says", rosters.NotToDecide)
    def post(self, request: Request, employer_id: uuid.UUID, roster_id: uuid.UUID) -> Response:
        parse(Shape, request.data)
        roster = access.roster(self.caller, employer_id, roster_id)
        return Response(roster_shown(rosters.reject(roster=roster, actor=self.caller, now=timezone.now())))


class RosterUndoView(RosterEndpoint):
    """A roster that takes back what another changed, to be approved as any other."""

    @extend_schema(
        operation_id="undo_roster",
        summary="Prepare to take a roster back",
        request=None,
        responses={201: RosterShown, **problems(NotFound, rosters.NotToUndo, rosters.RosterOpen)},
        examples=[
            OpenApiExample(
                "to be approved",
                response_only=True,
                status_codes=["201"],
                value={**SENT, "kind": "undo", "undoes": "0193601a-7c1e-7000-8000-000000000030"},
            )
        ],
    )
    def post(self, request: Request, employer_id: uuid.UUID, roster_id: uuid.UUID) -> Response:
        parse(Shape, request.data)
        roster = access.roster(self.caller, employer_id, roster_id)
        return Response(roster_shown(rosters.undo(roster=roster, actor=self.caller, now=timezone.now())), status=201)


class MappingShown(serializers.Serializer[Any]):
    columns = serializers.DictField(child=serializers.CharField())
    relationships = serializers.DictField(child=serializers.ChoiceField(choices=Relationship.choices))
    dates = serializers.ChoiceField(choices=RosterMapping.Dates.choices)


MAPPING = {
    "columns": {"member_number": "EE ID", "birth_date": "DOB"},
    "relationships": {"kin": "child"},
    "dates": "mdy",
}


class RosterMappingView(RosterEndpoint):
    """What the employer's files call our columns and relationships, and how they write dates."""

    class Wanted(Shape):
        columns = serializers.DictField(child=serializers.CharField(max_length=100))
        relationships = serializers.DictField(child=serializers.CharField(max_length=20), default=dict)
        dates = serializers.ChoiceField(choices=RosterMapping.Dates.choices, default=RosterMapping.Dates.MONTH_FIRST)

    @extend_schema(
        operation_id="read_roster_mapping",
        summary="How an employer's files are read",
        responses={200: MappingShown, **problems(NotFound)},
        examples=[OpenApiExample("theirs", response_only=True, status_codes=["200"], value=MAPPING)],
    )
    def get(self, _request: Request, employer_id: uuid.UUID) -> Response:
        return Response(mapping.as_json(rosters.mapping_of(access.employer(self.caller, employer_id))))

    @extend_schema(
        operation_id="change_roster_mapping",
        summary="Say how an employer's files are read",
        request=Wanted,
        responses={200: MappingShown, **problems(NotFound, rosters.BadMapping)},
        examples=[
            OpenApiExample("theirs", request_only=True, value=MAPPING),
            OpenApiExample("kept", response_only=True, status_codes=["200"], value=MAPPING),
        ],
    )
    def put(self, request: Request, employer_id: uuid.UUID) -> Response:
        employer = access.employer(self.caller, employer_id)
        wanted = parse(self.Wanted, request.data)
        return Response(mapping.as_json(rosters.set_mapping(employer=employer, **wanted)))
