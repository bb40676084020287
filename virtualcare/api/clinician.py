"""What a clinician on call does: being there, taking the next patient, handing over, sending elsewhere, finishing."""

import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.models import AccessEvent, Clinician
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from virtualcare import access, chat, diverting, duty, presence, queue, summaries
from virtualcare.access import NoLongerYours, NotAClinician
from virtualcare.api.consults import ConsultEndpoint
from virtualcare.api.fields import EXAMPLE, ConsultShown, iso, shown
from virtualcare.api.summaries import SUMMARY, SummaryFields
from virtualcare.duty import NotAvailable, NotOnCall
from virtualcare.models import Advice, Consult, Modality
from virtualcare.queue import (
    AlreadyInACall,
    CannotTakeOver,
    CapacityReached,
    ConsultChanged,
    NoteNeeded,
    NotLicensedThere,
    OfferOpen,
    OfferOver,
    OwnCase,
)
from virtualcare.sockets import tickets
from virtualcare.summaries import SummaryIncomplete

SAID = {name: SUMMARY[name] for name in summaries.FIELDS}
STATUS: dict[str, Any] = {
    "available": True,
    "on_duty": True,
    "on_call_until": "2026-11-24T22:00:00+00:00",
    "modalities": ["text", "video"],
    "capacity": 3,
    "texts": 1,
    "calls": 0,
}
OFFERED = {
    **EXAMPLE,
    "status": "offered",
    "place": None,
    "wait": None,
    "clinician": {"id": "0193601a-7c1e-7000-8000-000000000002", "name": "Ana Reyes, MD"},
    "offer_expires_at": "2026-11-24T14:06:30+00:00",
    "socket_url": None,
}
ACTIVE = {**OFFERED, "status": "active", "accepted_at": "2026-11-24T14:06:12+00:00", "offer_expires_at": None}


class DutyShown(serializers.Serializer[Any]):
    """How a clinician stands: on duty is who has a shift, said that they are available, and was heard of."""

    available = serializers.BooleanField()
    on_duty = serializers.BooleanField()
    on_call_until = serializers.DateTimeField(allow_null=True, help_text="The end of the shift; null without one.")
    modalities = serializers.ListField(child=serializers.ChoiceField(choices=Modality.choices))
    capacity = serializers.IntegerField(help_text="Texts at once.")
    texts = serializers.IntegerField(help_text="In hand, or offered.")
    calls = serializers.IntegerField(help_text="In hand, or offered.")


def duty_shown(found: duty.Status) -> dict[str, Any]:
    return {name: getattr(found, name) for name in STATUS} | {"on_call_until": iso(found.on_call_until)}


class WorkEndpoint(ConsultEndpoint):
    """A view for clinicians. Each call counts as a heartbeat."""

    @property
    def clinician(self) -> Clinician:
        found = access.clinician(self.caller)
        presence.heard_from_clinician(found.pk, now=timezone.now())
        return found

    def fresh(self, consult_id: uuid.UUID) -> Response:
        """The consult as it is now."""
        now = timezone.now()
        return Response(self.consult_shown(access.consult(self.caller, consult_id, now=now), now=now))


class StatusView(Endpoint):
    shown_as = None

    class Wanted(Shape):
        available = serializers.BooleanField()

    @extend_schema(
        operation_id="read_own_duty",
        summary="Whether you are on duty (clinicians)",
        examples=[OpenApiExample("on duty", response_only=True, status_codes=["200"], value=STATUS)],
        responses={200: DutyShown, **problems(NotAClinician)},
    )
    def get(self, _request: Request) -> Response:
        now = timezone.now()
        clinician = access.clinician(self.caller)
        presence.heard_from_clinician(clinician.pk, now=now)
        return Response(duty_shown(duty.status(clinician, now=now)))

    @extend_schema(
        operation_id="set_own_duty",
        summary="Say whether you take patients (clinicians)",
        request=Wanted,
        examples=[
            OpenApiExample("here I am", request_only=True, value={"available": True}),
            OpenApiExample("on duty", response_only=True, status_codes=["200"], value=STATUS),
        ],
        responses={200: DutyShown, **problems(NotAClinician, NotOnCall)},
    )
    def put(self, request: Request) -> Response:
        """Whoever goes away keeps the patients they have. Who is not heard of for a minute counts as away."""
        asked = parse(self.Wanted, request.data)
        found = duty.say(
            clinician=access.clinician(self.caller),
            available=asked["available"],
            actor=self.caller,
            now=timezone.now(),
        )
        return Response(duty_shown(found))


class QueueView(WorkEndpoint):
    shown_as = AccessEvent.What.CONSULTS

    class QueueShown(serializers.Serializer[Any]):
        status = DutyShown()
        waiting = serializers.DictField(
            child=serializers.IntegerField(), help_text="How many wait whom you may take now, by modality."
        )
        offered = ConsultShown(allow_null=True)
        in_hand = ConsultShown(many=True, help_text="Those you care for, and those you have still to write up.")
        socket_url = serializers.CharField(help_text="Says when there is news; good for a minute to connect.")

    @extend_schema(
        operation_id="read_work",
        summary="What waits for you, and whom you have (clinicians)",
        examples=[
            OpenApiExample(
                "at work",
                response_only=True,
                status_codes=["200"],
                value={
                    "status": STATUS,
                    "waiting": {"text": 2, "video": 1},
                    "offered": OFFERED,
                    "in_hand": [ACTIVE],
                    "socket_url": "wss://sameday.example/ws/clinician?ticket=…",
                },
            )
        ],
        responses={200: QueueShown, **problems(NotAClinician)},
    )
    def get(self, _request: Request) -> Response:
        now, clinician = timezone.now(), self.clinician
        held = (
            Consult.objects.filter(clinician=clinician, status__in=[*Consult.HELD, Consult.Status.WRAP_UP])
            .exclude(pk__in=Consult.objects.offered_for_too_long().values("pk"))
            .select_related("patient", "clinician", "form")
            .order_by("accepted_at", "id")
        )
        rows = [
            shown(
                consult,
                to=self.caller,
                session=self.session,
                told=None,
                reads=consult.status != Consult.Status.OFFERED,
                now=now,
            )
            for consult in held
        ]
        self.shows(*(consult.patient_id for consult in held))
        return Response(
            {
                "status": duty_shown(duty.status(clinician, now=now)),
                "waiting": dict.fromkeys(Modality, 0) | queue.may_take(clinician=clinician, now=now),
                "offered": next((row for row in rows if row["status"] == Consult.Status.OFFERED), None),
                "in_hand": [row for row in rows if row["status"] != Consult.Status.OFFERED],
                "socket_url": tickets.url_for(self.session, self.caller, tickets.CLINICIAN_PATH),
            }
        )


class ClaimsView(WorkEndpoint):
    @extend_schema(
        operation_id="claim_next_consult",
        summary="Take the next patient (clinicians)",
        request=None,
        examples=[OpenApiExample("a patient", response_only=True, status_codes=["200"], value=OFFERED)],
        responses={
            200: ConsultShown,
            204: None,
            **problems(NotAClinician, NotOnCall, NotAvailable, OfferOpen),
        },
    )
    def post(self, request: Request) -> Response:
        """Offers you, for half a minute, who is due first of those whom you may treat: 204 where there is nobody."""
        parse(Shape, request.data)
        now = timezone.now()
        offered = queue.claim_next(clinician=self.clinician, actor=self.caller, now=now)
        if offered is None:
            self.shows()
            return Response(status=204)
        return Response(self.consult_shown(offered, now=now))

    def replay(self, request: Request, body: Any, **given: Any) -> Any:
        if not body:
            self.shows()
            return body
        return super().replay(request, body, **given)


class AcceptView(WorkEndpoint):
    @extend_schema(
        operation_id="accept_claim",
        summary="Accept the patient you are offered (clinicians)",
        request=None,
        examples=[OpenApiExample("yours", response_only=True, status_codes=["200"], value=ACTIVE)],
        responses={
            200: ConsultShown,
            **problems(
                NotFound,
                NotAClinician,
                OfferOver,
                OwnCase,
                NotOnCall,
                NotLicensedThere,
                CapacityReached,
                AlreadyInACall,
            ),
        },
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """Shift, capacity and licence are asked for once more; where they fail the patient keeps their place."""
        parse(Shape, request.data)
        now, clinician = timezone.now(), self.clinician
        consult = access.offered(clinician, consult_id)
        queue.accept(consult=consult, clinician=clinician, actor=self.caller, now=now)
        return self.fresh(consult_id)


class DeclineView(WorkEndpoint):
    shown_as = None

    @extend_schema(
        operation_id="decline_claim",
        summary="Decline the patient you are offered (clinicians)",
        request=None,
        responses={204: None, **problems(NotFound, NotAClinician)},
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """They keep their place, and are not offered to you again for two minutes."""
        parse(Shape, request.data)
        now, clinician = timezone.now(), self.clinician
        consult = access.offered(clinician, consult_id)
        queue.decline(consult=consult, clinician=clinician, actor=self.caller, now=now)
        return Response(status=204)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - shows nobody
        return body


class TransferView(WorkEndpoint):
    class Wanted(Shape):
        note = serializers.CharField(max_length=2000, help_text="For who takes over: what you know, and why.")
        to = serializers.UUIDField(
            required=False, allow_null=True, default=None, help_text="A colleague on duty; without, the queue."
        )

    @extend_schema(
        operation_id="transfer_consult",
        summary="Hand a patient over (clinicians)",
        request=Wanted,
        examples=[
            OpenApiExample("to whoever is next", request_only=True, value={"note": "Rash; needs a dermatologist."}),
            OpenApiExample(
                "waiting again",
                response_only=True,
                status_codes=["200"],
                value={**EXAMPLE, "accepted_at": "2026-11-24T14:06:12+00:00"},
            ),
        ],
        responses={
            200: ConsultShown,
            **problems(NotFound, NotAClinician, NoLongerYours, ConsultChanged, NoteNeeded, CannotTakeOver),
        },
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """To the queue, at the place they had; or to a colleague, who is offered them for a minute."""
        asked = parse(self.Wanted, request.data)
        now, clinician = timezone.now(), access.clinician(self.caller)
        consult = access.in_care(self.caller, consult_id, now=now)
        to = Clinician.objects.filter(pk=asked["to"]).first() if asked["to"] else None
        if asked["to"] and to is None:
            raise CannotTakeOver
        queue.transfer(consult=consult, clinician=clinician, to=to, note=asked["note"], actor=self.caller, now=now)
        # Not before: it locks their row of Duty, and two who hand over to each other lock both in one order.
        presence.heard_from_clinician(clinician.pk, now=now)
        return self.fresh(consult_id)


class EscalateView(WorkEndpoint):
    class Wanted(Shape):
        advice = serializers.ChoiceField(choices=Advice.choices, help_text="Where the patient is to turn at once.")
        note = serializers.CharField(max_length=2000, help_text="Why.")

    @extend_schema(
        operation_id="escalate_consult",
        summary="Send a patient to 911, 988 or an emergency room (clinicians)",
        request=Wanted,
        examples=[
            OpenApiExample("an emergency", request_only=True, value={"advice": "911", "note": "Chest pain began."}),
            OpenApiExample(
                "sent",
                response_only=True,
                status_codes=["200"],
                value={**ACTIVE, "status": "escalated", "advice": "911"},
            ),
        ],
        responses={200: ConsultShown, **problems(NotFound, NotAClinician, NoLongerYours, ConsultChanged)},
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """The patient reads at once where to turn, and a nurse is told. It costs nothing."""
        asked = parse(self.Wanted, request.data)
        now, clinician = timezone.now(), self.clinician
        consult = access.in_care(self.caller, consult_id, now=now)
        with transaction.atomic():
            sent = queue.escalate(
                consult=consult,
                clinician=clinician,
                advice=Advice(asked["advice"]),
                note=asked["note"],
                actor=self.caller,
                now=now,
            )
            chat.system(consult=sent, body=diverting.sentence(Advice(asked["advice"])), now=now)
            diverting.alert_nurse(sent, now=now)
        return self.fresh(consult_id)


class CompleteView(WorkEndpoint):
    class Wanted(Shape):
        summary = SummaryFields(required=False, allow_null=True, default=None)

    @extend_schema(
        operation_id="complete_consult",
        summary="End a conversation, and release its summary (clinicians)",
        request=Wanted,
        examples=[
            OpenApiExample("with its summary", request_only=True, value={"summary": SAID}),
            OpenApiExample(
                "done",
                response_only=True,
                status_codes=["200"],
                value={**ACTIVE, "status": "completed", "ended_at": "2026-11-24T14:21:05+00:00"},
            ),
        ],
        responses={
            200: ConsultShown,
            **problems(NotFound, NotAClinician, NoLongerYours, ConsultChanged, SummaryIncomplete),
        },
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """Without a summary the conversation is over and is still to be written up: it makes room for another."""
        asked = parse(self.Wanted, request.data)
        now, clinician = timezone.now(), self.clinician
        consult = access.in_care(self.caller, consult_id, now=now)
        who: dict[str, Any] = {"consult": consult, "clinician": clinician, "actor": self.caller, "now": now}
        if asked["summary"] is None:
            queue.wrap_up(**who)
        else:
            with transaction.atomic():
                done = queue.complete(**who)
                summaries.release(**{**who, "consult": done}, fields=asked["summary"])
        return self.fresh(consult_id)
