"""What is asked before a consult."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people, states
from clinics.edge import Endpoint
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.shapes import Shape, parse
from virtualcare import intake
from virtualcare.intake import consents, questions
from virtualcare.intake.questions import Kind, Question
from virtualcare.models import IntakeForm, Modality


class ComplaintOffered(serializers.Serializer[Any]):
    complaint = serializers.CharField(help_text="What POST consults takes as `complaint`.")
    name = serializers.CharField()
    version = serializers.IntegerField()
    is_sample = serializers.BooleanField(help_text="Invented for trying Sameday out: no clinician has reviewed it.")


class ComplaintsPage(serializers.Serializer[Any]):
    results = ComplaintOffered(many=True)
    next = serializers.URLField(allow_null=True)


class AnswerOption(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class QuestionShown(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="What the answer is sent under.")
    text = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=[kind.value for kind in Kind],
        help_text="How it is answered: yes_no by true or false, choice by the code of an option, choices by a list of "
        "them, number and scale by a number from `min` to `max` (scale: a whole one), text by a text.",
    )
    required = serializers.BooleanField()  # type: ignore[assignment]  # a field, which DRF takes out of the class
    options = AnswerOption(many=True, required=False)
    min = serializers.FloatField(required=False)
    max = serializers.FloatField(required=False)
    unit = serializers.CharField(required=False)
    max_length = serializers.IntegerField(required=False)


class ConsentShown(serializers.Serializer[Any]):
    code = serializers.CharField()
    version = serializers.IntegerField()
    body = serializers.CharField(help_text="To be shown before somebody agrees.")
    is_sample = serializers.BooleanField()


class IntakeShown(ComplaintOffered):
    questions = QuestionShown(many=True)
    consents = ConsentShown(
        many=True,
        help_text="What has to be agreed to there, by this modality: send the codes as `consents`. A code may name its "
        "version, as in telehealth:2, so that it agrees to no later one.",
    )


def complaint_shown(form: IntakeForm) -> dict[str, Any]:
    return {"complaint": form.complaint, "name": form.name, "version": form.version, "is_sample": form.is_sample}


def question_shown(question: Question) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "code": question.code,
        "text": question.text,
        "kind": question.kind.value,
        "required": question.is_required,
    }
    match question.kind:
        case Kind.CHOICE | Kind.CHOICES:
            shown["options"] = [{"code": code, "text": text} for code, text in question.options]
        case Kind.NUMBER | Kind.SCALE:
            shown |= {"min": question.least, "max": question.most}
            shown |= {"unit": question.unit} if question.unit else {}
        case Kind.TEXT:
            shown["max_length"] = question.max_length
    return shown


SORE_THROAT = {"complaint": "sore_throat", "name": "Sore throat", "version": 3, "is_sample": False}
ASKED = {
    **SORE_THROAT,
    "questions": [
        {"code": "swallowing", "text": "Can you swallow?", "kind": "yes_no", "required": True},
        {"code": "how_bad", "text": "How bad is the pain?", "kind": "scale", "required": True, "min": 0, "max": 10},
        {"code": "more", "text": "Anything else?", "kind": "text", "required": False, "max_length": 1000},
    ],
    "consents": [{"code": "telehealth", "version": 2, "body": "You will be cared for by text …", "is_sample": False}],
}


class ComplaintsView(Endpoint):
    public = True
    shown_as = None

    class Asked(Paged):
        pass

    @extend_schema(
        operation_id="list_complaints",
        summary="What a consult can be about",
        parameters=[Asked],
        responses=ComplaintsPage,
        examples=[
            OpenApiExample(
                "One complaint",
                response_only=True,
                status_codes=["200"],
                value={"results": [SORE_THROAT], "next": None},
            )
        ],
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        return Response(page(request, intake.complaints(), asked=asked, by=["name", "id"], show=complaint_shown))


class IntakeView(Endpoint):
    """The questions are asked in their order. Which answers are red flags is decided on the server alone, when a
    consult is asked for. Without `state` and `modality` the consents are those asked for in general.
    """

    public = True
    shown_as = None

    class Asked(Shape):
        state = serializers.ChoiceField(
            choices=list(states.NAMES), required=False, help_text="Where the patient is now: USPS code, such as OH."
        )
        modality = serializers.ChoiceField(choices=Modality.choices, required=False)

    @extend_schema(
        operation_id="read_intake",
        summary="What is asked about a complaint",
        parameters=[Asked],
        responses={200: IntakeShown, **problems(intake.UnknownComplaint)},
        examples=[OpenApiExample("A sore throat", response_only=True, status_codes=["200"], value=ASKED)],
    )
    def get(self, request: Request, complaint: str) -> Response:
        asked = parse(self.Asked, request.query_params)
        form = intake.published(complaint)
        today = people.today_for(request.user, now=timezone.now())
        texts = consents.texts(modality=asked.get("modality", ""), state=asked.get("state", ""), on=today)
        return Response(
            {
                **complaint_shown(form),
                "questions": [question_shown(question) for question in questions.asked_by(form)],
                "consents": [consents.shown(text) for text in texts],
            }
        )
