"""What patients ask after consults and nobody has answered yet, and what is not written up yet, for clinicians."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.models import AccessEvent, Patient
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from scheduling.shapes import Named
from virtualcare import access, following, presence
from virtualcare.access import NotAClinician
from virtualcare.models import ReplyClock

FOLLOW_UP: dict[str, Any] = {
    "consult": "0193601a-7c1e-7000-8000-000000000006",
    "patient": {"id": "0193601a-7c1e-7000-8000-000000000003", "name": "Pat Example"},
    "kind": "first",
    "asked_at": "2026-11-24T16:00:00+00:00",
    "due_at": "2026-11-24T20:00:00+00:00",
    "is_yours": True,
}


class FollowUpShown(serializers.Serializer[Any]):
    """That a patient waits for an answer to what they wrote after a consult, or for its summary."""

    consult = serializers.UUIDField()
    patient = Named(allow_null=True, help_text="Null until it is yours.")
    kind = serializers.ChoiceField(choices=ReplyClock.Kind.choices)
    asked_at = serializers.DateTimeField(help_text="When they wrote without an answer, or the conversation was over.")
    due_at = serializers.DateTimeField(help_text="By when it was promised.")
    is_yours = serializers.BooleanField(help_text="Otherwise another clinician's, whom you may answer for: take it.")


def named(patient: Patient) -> dict[str, str]:
    return {"id": str(patient.pk), "name": patient.name}


class FollowUpEndpoint(Endpoint):
    """A view whose answers show who waits for an answer."""

    shown_as = AccessEvent.What.FOLLOW_UPS

    def shown(self, clock: ReplyClock, *, is_yours: bool) -> dict[str, Any]:
        """As FollowUpShown. Needs its consult and patient."""
        patient = clock.consult.patient
        if is_yours:
            self.shows(patient.pk)
        return {
            "consult": str(clock.consult_id),
            "patient": named(patient) if is_yours else None,
            "kind": clock.kind,
            "asked_at": clock.started_at.isoformat(),
            "due_at": clock.due_at.isoformat(),
            "is_yours": is_yours,
        }


class FollowUpsView(FollowUpEndpoint):
    Asked = Paged

    class FollowUpsPage(serializers.Serializer[Any]):
        results = FollowUpShown(many=True)
        next = serializers.URLField(allow_null=True)

    @extend_schema(
        operation_id="list_follow_ups",
        summary="Who waits for an answer or a summary after a consult, the longest due first (clinician)",
        parameters=[Asked],
        examples=[
            OpenApiExample(
                "one", response_only=True, status_codes=["200"], value={"results": [FOLLOW_UP], "next": None}
            )
        ],
        responses={200: FollowUpsPage, **problems(NotAClinician)},
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        now = timezone.now()
        clinician = access.clinician(self.caller)
        presence.heard_from_clinician(clinician.pk, now=now)
        clocks = following.unanswered(clinician, self.caller, now=now)
        # What they have still to write up is among those in hand.
        clocks = clocks.exclude(is_mine=True, kind=ReplyClock.Kind.SUMMARY)  # type: ignore[misc]  # annotated
        self.shows()
        return Response(
            page(
                request,
                clocks,
                asked=asked,
                by=["due_at", "id"],
                show=lambda clock: self.shown(clock, is_yours=clock.is_mine),  # type: ignore[attr-defined]
            )
        )


class FollowUpTakeView(FollowUpEndpoint):
    @extend_schema(
        operation_id="take_follow_up",
        summary="Answer in the place of another clinician",
        request=None,
        examples=[OpenApiExample("yours", response_only=True, status_codes=["200"], value=FOLLOW_UP)],
        responses={200: FollowUpShown, **problems(NotFound, NotAClinician)},
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """While you are on call, licensed where the patient was, and most of the time for it has gone by.

        Where a summary is due the consult is in your hand from then on: complete it.
        """
        parse(Shape, request.data)
        now = timezone.now()
        clinician = access.clinician(self.caller)
        clock = following.take(consult_id=consult_id, clinician=clinician, actor=self.caller, now=now)
        return Response(self.shown(clock, is_yours=True))

    def kept(self, body: Any) -> Any:
        """Which consult it was, and until when: who the patient is is kept in one place."""
        return {**body, "patient": None}

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        consult = access.taken_part(self.caller, kwargs["consult_id"], now=timezone.now())
        self.shows(consult.patient_id)
        return {**body, "patient": named(consult.patient)}
