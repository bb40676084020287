"""Chat of a consult: saying something, reading on from where one was, and saying how far one has read."""

import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from virtualcare import access, chat, presence
from virtualcare.access import NoLongerYours
from virtualcare.chat import BadMessage, ChatClosed, ClientIdReused
from virtualcare.models import ChatMessage, Consult

SEQ = "From 1, without gaps."
MESSAGE: dict[str, Any] = {
    "seq": 3,
    "role": "clinician",
    "sender_name": "Ana Reyes, MD",
    "body": "Since when does it hurt?",
    "at": "2026-11-24T14:03:12+00:00",
    "mine": False,
}
SAID = {**MESSAGE, "seq": 4, "role": "patient", "sender_name": "Pat Example", "body": "Since Sunday.", "mine": True}
SAYING = {"client_id": "0193601a-7c1e-4000-8000-000000000007", "body": "Since Sunday."}
READ = {"patient": 4, "clinician": 3}


class MessageShown(serializers.Serializer[Any]):
    """Something said in a consult."""

    seq = serializers.IntegerField(help_text=SEQ)
    role = serializers.ChoiceField(choices=ChatMessage.Role.choices)
    sender_name = serializers.CharField(
        allow_null=True, help_text="Null for what the system says. Who acts for the patient is told by what they are."
    )
    body = serializers.CharField()
    at = serializers.DateTimeField()
    mine = serializers.BooleanField(help_text="Whether you wrote it.")


class ReadUpTo(serializers.Serializer[Any]):
    """The last message that somebody of each side has read, 0 for none."""

    patient = serializers.IntegerField()
    clinician = serializers.IntegerField()


class MessagesView(Endpoint):
    shown_as = AccessEvent.What.CHAT

    class Said(Shape):
        client_id = serializers.UUIDField(help_text="Your own, new for each message: sent again, it is said once.")
        body = serializers.CharField(max_length=chat.LONGEST, help_text="Plain text. Blanks around it are cut off.")

    class Asked(Shape):
        after_seq = serializers.IntegerField(
            min_value=0, max_value=2**31 - 1, default=0, help_text="The last that you have. Default: from the first on."
        )
        limit = serializers.IntegerField(min_value=1, max_value=chat.MOST, default=chat.MOST)

    class MessagesPage(serializers.Serializer[Any]):
        results = MessageShown(many=True)
        next = serializers.URLField(allow_null=True)
        read = ReadUpTo()
        last_seq = serializers.IntegerField(help_text="Of the last message that there is.")

    @extend_schema(
        operation_id="send_message",
        summary="Say something in a consult",
        request=Said,
        examples=[
            OpenApiExample("an answer", request_only=True, value=SAYING),
            OpenApiExample("said", response_only=True, status_codes=["201"], value=SAID),
            OpenApiExample("said before", response_only=True, status_codes=["200"], value=SAID),
        ],
        responses={
            201: MessageShown,
            200: MessageShown,
            **problems(NotFound, BadMessage, ClientIdReused, ChatClosed, NoLongerYours),
        },
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        said = parse(self.Said, request.data)
        now = timezone.now()
        consult, role = self.part_taken(consult_id, now=now)
        message, is_new = chat.send(consult=consult, sender=self.caller, role=role, now=now, **said)
        return Response(self.shown(consult, message), status=201 if is_new else 200)

    def part_taken(self, consult_id: uuid.UUID, *, now: datetime) -> tuple[Consult, ChatMessage.Role]:
        """The consult, and the caller's side of it. Whoever talks or looks is there."""
        consult, role = access.part_taken(self.caller, consult_id, now=now)
        if role == ChatMessage.Role.PATIENT:
            presence.heard_from_patient(consult.pk, now=now)
        else:
            presence.heard_from_who_has(consult, self.caller, now=now)
        return consult, role

    def shown(self, consult: Consult, message: ChatMessage) -> dict[str, Any]:
        self.shows(consult.patient_id)
        return chat.teller(consult, self.caller, [message])(message)

    def kept(self, body: Any) -> Any:
        """Which message it was: what it says is kept in one place."""
        return {"seq": body["seq"]}

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        consult = access.taken_part(self.caller, kwargs["consult_id"], now=timezone.now())
        messages, _ = chat.since(consult=consult, after_seq=body["seq"] - 1, limit=1)
        return self.shown(consult, messages[0])

    @extend_schema(
        operation_id="list_messages",
        summary="What was said in a consult, from where you were",
        parameters=[Asked],
        examples=[
            OpenApiExample(
                "one more",
                response_only=True,
                value={"results": [MESSAGE], "next": None, "read": READ, "last_seq": 3},
            )
        ],
        responses={200: MessagesPage, **problems(NotFound)},
    )
    def get(self, request: Request, consult_id: uuid.UUID) -> Response:
        asked = parse(self.Asked, request.query_params)
        now = timezone.now()
        consult, _ = self.part_taken(consult_id, now=now)
        messages, more = chat.since(consult=consult, **asked)
        # Asking whether there is more, every second and to no avail, shows nobody.
        self.shows(*([consult.patient_id] if messages else []))
        tell = chat.teller(consult, self.caller, messages)
        return Response(
            {
                "results": [tell(message) for message in messages],
                "next": self.next_link(request, messages[-1].seq) if more else None,
                "read": chat.read_up_to(consult),
                "last_seq": max(consult.last_seq, messages[-1].seq if messages else 0),
            }
        )

    def next_link(self, request: Request, seq: int) -> str:
        query = request.query_params.copy()
        query["after_seq"] = str(seq)
        return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


class ReadView(Endpoint):
    shown_as = None

    class Up(Shape):
        seq = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="Of the last that you have read.")

    @extend_schema(
        operation_id="read_messages",
        summary="Say how far you have read",
        request=Up,
        examples=[
            OpenApiExample("up to the fourth", request_only=True, value={"seq": 4}),
            OpenApiExample("both sides", response_only=True, status_codes=["200"], value=READ),
        ],
        responses={200: ReadUpTo, **problems(NotFound)},
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """Never less than before, and no further than there is."""
        seq = parse(self.Up, request.data)["seq"]
        now = timezone.now()
        consult = access.taken_part(self.caller, consult_id, now=now)
        chat.mark_read(consult=consult, reader=self.caller, seq=seq, now=now)
        return Response(chat.read_up_to(consult))

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        access.taken_part(self.caller, kwargs["consult_id"], now=timezone.now())
        return body
