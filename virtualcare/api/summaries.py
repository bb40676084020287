"""Notes of a consult, which are the clinician's, and its summary, which the patient reads."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from virtualcare import access, summaries
from virtualcare.access import NoLongerYours
from virtualcare.api.care import CareEndpoint
from virtualcare.care import NotInHand
from virtualcare.models import Summary
from virtualcare.summaries import NoSummaryYet, NoteChanged, SummaryChanged, SummaryIncomplete

SAYS = {
    "reason": "What brought the patient, in a sentence.",
    "assessment": "What it is, as far as one can tell.",
    "plan": "What to do, medicines included.",
    "come_back_if": "When to call again, or go to an emergency room.",
    "follow_up": "What comes next, and when.",
    "private": "For clinicians alone: it never reaches the patient.",
}
SUMMARY: dict[str, Any] = {
    "version": 1,
    "released_at": "2026-11-24T14:31:02+00:00",
    "clinician": "Ana Reyes, MD",
    "reason": "Sore throat since Sunday.",
    "assessment": "A cold.",
    "plan": "Rest, and something warm to drink.",
    "come_back_if": "You have a fever for more than three days, or can't swallow.",
    "follow_up": "",
}
NOTE: dict[str, Any] = {
    "version": 3,
    "fields": {"reason": "Sore throat since Sunday.", "private": "Ask about school."},
    "saved_at": "2026-11-24T14:20:02+00:00",
}
HANDED_OVER = {"note": "Rash; needs a dermatologist.", "by": "Ana Reyes, MD", "at": "2026-11-24T14:18:02+00:00"}


def text(name: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(
        required=False, allow_blank=True, max_length=summaries.LONGEST, help_text=SAYS[name], **options
    )


class SummaryFields(Shape):
    """What a summary says: the first three are needed to release it."""

    reason = text("reason")
    assessment = text("assessment")
    plan = text("plan")
    come_back_if = text("come_back_if")
    follow_up = text("follow_up")


class NoteFields(Shape):
    """What is written so far, of a summary and beside it."""

    reason = text("reason", trim_whitespace=False)
    assessment = text("assessment", trim_whitespace=False)
    plan = text("plan", trim_whitespace=False)
    come_back_if = text("come_back_if", trim_whitespace=False)
    follow_up = text("follow_up", trim_whitespace=False)
    private = text("private", trim_whitespace=False)


class NoteShown(serializers.Serializer[Any]):
    """A note as it was last saved."""

    version = serializers.IntegerField(help_text="0 where nothing was saved yet.")
    fields = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]  # a field, as in Problem
    saved_at = serializers.DateTimeField(allow_null=True)


class HandedOver(serializers.Serializer[Any]):
    """What a clinician who handed the patient over wrote for who takes over."""

    note = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()


class NoteRead(NoteShown):
    """A note, and what was written when the patient was handed over."""

    handed_over = HandedOver(many=True)


class NoteView(CareEndpoint):
    """For the clinician who has the consult in hand alone."""

    shown_as = AccessEvent.What.NOTE

    class Saved(Shape):
        version = serializers.IntegerField(min_value=0, max_value=2**31 - 2, help_text="That you have written on.")

        def get_fields(self) -> Any:
            # Not as an attribute: a serializer's own `fields` are its fields.
            return super().get_fields() | {"fields": NoteFields()}

    @extend_schema(
        operation_id="read_note",
        summary="What is written of a consult so far (clinician)",
        examples=[
            OpenApiExample(
                "a note", response_only=True, status_codes=["200"], value={**NOTE, "handed_over": [HANDED_OVER]}
            )
        ],
        responses={200: NoteRead, **problems(NotFound, NoLongerYours)},
    )
    def get(self, _request: Request, consult_id: uuid.UUID) -> Response:
        consult = self.in_care(consult_id, now=timezone.now())
        self.shows(consult.patient_id)
        note = summaries.shown_note(summaries.note_of(consult))
        return Response({**note, "handed_over": summaries.handed_over(consult)})

    @extend_schema(
        operation_id="save_note",
        summary="Save what is written of a consult so far (clinician)",
        request=Saved,
        examples=[
            OpenApiExample(
                "on the second", request_only=True, value={"version": 2, "fields": {"private": "Ask about school."}}
            ),
            OpenApiExample("the third", response_only=True, status_codes=["200"], value=NOTE),
        ],
        responses={200: NoteShown, **problems(NotFound, NoteChanged, NoLongerYours, NotInHand)},
    )
    def put(self, request: Request, consult_id: uuid.UUID) -> Response:
        """Over the `version` that you have: where another window saved meanwhile, 409 with `note` as it is now."""
        asked = parse(self.Saved, request.data)
        now = timezone.now()
        consult = self.in_care(consult_id, now=now)
        note = summaries.save_note(
            consult=consult, clinician=access.clinician(self.caller), actor=self.caller, now=now, **asked
        )
        self.shows(consult.patient_id)
        return Response(summaries.shown_note(note))


class SummaryShown(serializers.Serializer[Any]):
    """What the clinician tells the patient after a consult."""

    version = serializers.IntegerField(help_text="2 and more: it was corrected.")
    released_at = serializers.DateTimeField()
    clinician = serializers.CharField()
    reason = serializers.CharField(help_text=SAYS["reason"])
    assessment = serializers.CharField(help_text=SAYS["assessment"])
    plan = serializers.CharField(help_text=SAYS["plan"])
    come_back_if = serializers.CharField(help_text=SAYS["come_back_if"])
    follow_up = serializers.CharField(help_text=SAYS["follow_up"])


def shown(summary: Summary) -> dict[str, Any]:
    """A summary as SummaryShown. Needs its clinician."""
    return {
        "version": summary.version,
        "released_at": summary.released_at.isoformat(),
        "clinician": summary.clinician.name,
        **summaries.content(summary),
    }


class SummaryView(CareEndpoint):
    shown_as = AccessEvent.What.SUMMARY

    class Corrected(SummaryFields):
        version = serializers.IntegerField(min_value=1, max_value=32_000, help_text="That is corrected.")

    @extend_schema(
        operation_id="read_summary",
        summary="What the clinician tells the patient after a consult",
        examples=[OpenApiExample("a summary", response_only=True, status_codes=["200"], value=SUMMARY)],
        responses={200: SummaryShown, **problems(NotFound, NoSummaryYet)},
    )
    def get(self, _request: Request, consult_id: uuid.UUID) -> Response:
        consult = access.taken_part(self.caller, consult_id, now=timezone.now())
        summary = summaries.latest(consult)
        self.shows(consult.patient_id)
        return Response(shown(summary))

    @extend_schema(
        operation_id="correct_summary",
        summary="Release a corrected summary (clinician)",
        request=Corrected,
        examples=[
            OpenApiExample(
                "another plan",
                request_only=True,
                value={
                    "version": 1,
                    "reason": SUMMARY["reason"],
                    "assessment": SUMMARY["assessment"],
                    "plan": "Gargle with salt water.",
                },
            ),
            OpenApiExample(
                "corrected",
                response_only=True,
                status_codes=["201"],
                value={**SUMMARY, "version": 2, "plan": "Gargle with salt water."},
            ),
        ],
        responses={
            201: SummaryShown,
            **problems(NotFound, SummaryIncomplete, SummaryChanged, NoSummaryYet, NoLongerYours, NotInHand),
        },
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """In place of the `version` that it corrects, which is kept. The patient is told."""
        fields = parse(self.Corrected, request.data)
        version = fields.pop("version")
        now = timezone.now()
        consult = self.in_care(consult_id, now=now)
        summary = summaries.correct(
            consult=consult,
            clinician=access.clinician(self.caller),
            version=version,
            fields=fields,
            actor=self.caller,
            now=now,
        )
        self.shows(consult.patient_id)
        return Response(shown(summary), status=201)

    def kept(self, body: Any) -> Any:
        """Which version it was: what it says is kept in one place."""
        return {"version": body["version"]}

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        consult = access.taken_part(self.caller, kwargs["consult_id"], now=timezone.now())
        self.shows(consult.patient_id)
        return shown(summaries.latest(consult, body["version"]))
