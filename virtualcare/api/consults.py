"""Asking for a clinician by text or video, looking how far it is, and leaving."""

import uuid
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import states
from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.people import NoPatientRecord
from clinics.refusals import NotFound, Refused
from clinics.shapes import Shape, parse
from memberships.entitlement import MembershipRequired, PriceChanged
from scheduling import access as acting
from scheduling.models import Appointment, VisitType
from virtualcare import access, consulting, coverage, diverting, presence, queue
from virtualcare.api.diversions import DivertedShown, diverted
from virtualcare.api.fields import EXAMPLE, ConsultShown, shown
from virtualcare.consulting import Location
from virtualcare.intake import consents, deciding, forms, guardians
from virtualcare.models import Consult, Modality
from virtualcare.queue import AlreadyOpen
from virtualcare.waits import telling
from virtualcare.waits.telling import Told

ASKING = {
    "modality": "text",
    "location": {"state": "OH", "street": "1 Main Street", "city": "Avon", "postal_code": "44011"},
    "complaint": "sore_throat",
    "answers": {"fever": False},
    "consents": ["telehealth"],
}


class LocationAsked(Shape):
    street = serializers.CharField(max_length=120)
    city = serializers.CharField(max_length=60)
    state = serializers.ChoiceField(choices=list(states.NAMES), help_text="USPS code of the state or territory.")
    postal_code = serializers.RegexField(r"^[0-9]{5}(-[0-9]{4})?$", max_length=10)


class ProxyLimited(Refused):
    code = "proxy_limited"
    status = 403
    detail = (
        "At this age they ask for care with an account of their own, with you beside them: what is said is theirs to"
        " read. You can invite them to one."
    )


class ConsultEndpoint(Endpoint):
    """A view whose answers show one consult. The address of its socket is a secret, and is kept nowhere."""

    shown_as: ClassVar[AccessEvent.What | None] = AccessEvent.What.CONSULT

    def consult_shown(self, consult: Consult, told: Told | None = None, *, now: datetime) -> dict[str, Any]:
        self.shows(consult.patient_id)
        reads = access.takes_part(self.caller, consult, now=now)
        covered_from, in_person_url = None, None
        if told is not None and told.low_minutes is None:
            covered_from = coverage.next_covered(state=consult.state, modality=consult.modality, now=now)
            in_person_url = instead(consult) if reads else None
        return shown(
            consult,
            to=self.caller,
            session=self.session,
            told=told,
            covered_from=covered_from,
            in_person_url=in_person_url,
            reads=reads,
            now=now,
        )

    def kept(self, body: Any) -> Any:
        """Which consult it was: what it says of the patient is kept in one place."""
        return {"id": body["id"]} if body else body

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        """The consult as it is now: what was true of a queue is not true any more."""
        now = timezone.now()
        consult = access.consult(self.caller, uuid.UUID(body["id"]), now=now)
        # Who told of it was told where to turn, also where they read nothing else.
        was_told = consult.requested_by_id == self.caller.pk or access.takes_part(self.caller, consult, now=now)
        if consult.status == Consult.Status.DIVERTED and was_told:
            self.shows(consult.patient_id)
            return diverted(consult)
        return self.consult_shown(consult, telling.told(consult, now=now), now=now)


def instead(consult: Consult) -> str | None:
    """Where to look for a visit in person near the patient; None where patients can book none."""
    kind = VisitType.objects.filter(booked_by=VisitType.BookedBy.ANYONE).order_by("pk").first()
    if kind is None:
        return None
    asked = {"visit_type": kind.code, "near": consult.postal_code[:5], "patient": consult.patient_id}
    return f"/api/v1/slots?{urlencode(asked)}"


class ConsultsView(ConsultEndpoint):
    costs = 2

    class Wanted(Shape):
        patient = serializers.UUIDField(required=False, help_text="For whom, where not for yourself.")
        modality = serializers.ChoiceField(choices=Modality.choices)
        location = LocationAsked(help_text="Where the patient is right now: asked every time.")
        complaint = serializers.SlugField(max_length=40, help_text="One of GET intake.")
        answers = serializers.DictField(help_text="To the questions of GET intake/{complaint}, by their codes.")
        consents = serializers.ListField(
            child=serializers.CharField(max_length=60),
            max_length=20,
            help_text="Codes of what you agree to, alone or with the version that you read: telehealth:2.",
        )
        guardian_present = serializers.BooleanField(
            default=False, help_text="Whether you are with the patient, where they are under age."
        )
        accept_price = serializers.IntegerField(
            required=False,
            allow_null=True,
            default=None,
            min_value=0,
            max_value=10_000_000,
            help_text="The price in cents that you agree to, where no membership covers it.",
        )

    class Asked(Paged):
        open = serializers.BooleanField(default=False, help_text="Only what is not over.")

    class ConsultsPage(serializers.Serializer[Any]):
        results = ConsultShown(many=True)
        next = serializers.URLField(allow_null=True)

    @extend_schema(
        operation_id="ask_for_consult",
        summary="Ask for a clinician, by text or video",
        request=Wanted,
        examples=[
            OpenApiExample("by text", request_only=True, value=ASKING),
            OpenApiExample("waiting", response_only=True, status_codes=["201"], value=EXAMPLE),
            OpenApiExample("sent elsewhere", response_only=True, status_codes=["200"], value=diverting.EXAMPLE),
        ],
        responses={
            201: ConsultShown,
            200: DivertedShown,
            **problems(
                NotFound,
                NoPatientRecord,
                ProxyLimited,
                forms.UnknownComplaint,
                guardians.GuardianRequired,
                consents.ConsentRequired,
                consents.NoConsentText,
                MembershipRequired,
                PriceChanged,
                AlreadyOpen,
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """An answer that is a red flag is answered at once with where to turn (200): it never waits.

        Who waits (201) keeps their place through closed windows and lost connections. The price is due only when a
        clinician has cared for them.
        """
        asked = parse(self.Wanted, request.data)
        now = timezone.now()
        patient, source = acting.acting_for(self.caller, asked.get("patient"), now=now)
        if source == Appointment.Source.STAFF:
            raise NotFound
        form = forms.published(asked["complaint"])
        may_ask = acting.family(self.caller, now=now).reads_reason(patient.pk)
        # Who may not ask for them is told all the same where help is, when it is urgent.
        if not may_ask and not deciding.is_urgent(form, asked["answers"]):
            raise ProxyLimited
        consult, told = consulting.begin(
            patient=patient,
            modality=Modality(asked["modality"]),
            location=Location(**asked["location"]),
            form=form,
            answers=asked["answers"],
            agreed=asked["consents"],
            guardian_present=asked["guardian_present"],
            accept_price=asked["accept_price"],
            actor=self.caller,
            now=now,
        )
        if consult.status == Consult.Status.DIVERTED:
            self.shows(consult.patient_id)
            return Response(diverted(consult))
        return Response(self.consult_shown(consult, told, now=now), status=201)

    @extend_schema(
        operation_id="list_consults",
        summary="Your consults and your dependents', the newest first",
        parameters=[Asked],
        examples=[
            OpenApiExample("one", response_only=True, status_codes=["200"], value={"results": [EXAMPLE], "next": None})
        ],
        responses=ConsultsPage,
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        now = timezone.now()
        family = acting.family(self.caller, now=now)
        rows = Consult.objects.filter(patient__in=family.patients).select_related("patient", "clinician", "form")
        if asked["open"]:
            rows = rows.exclude(status__in=Consult.OVER)
        self.shows()

        def show(consult: Consult) -> dict[str, Any]:
            self.shows(consult.patient_id)
            reads = family.reads_reason(consult.patient_id)
            return shown(consult, to=self.caller, session=self.session, told=None, reads=reads, now=now)

        return Response(page(request, rows, asked=asked, by=["-created_at", "-id"], show=show))


class ConsultView(ConsultEndpoint):
    @extend_schema(
        operation_id="read_consult",
        summary="One consult, and how long it still takes",
        examples=[OpenApiExample("waiting", response_only=True, status_codes=["200"], value=EXAMPLE)],
        responses={200: ConsultShown, **problems(NotFound)},
    )
    def get(self, _request: Request, consult_id: uuid.UUID) -> Response:
        """Asking is being there: who waits and asks every half minute, or has its socket open, is not passed over."""
        now = timezone.now()
        consult = access.consult(self.caller, consult_id, now=now)
        if consult.status in Consult.QUEUED and access.is_patients(self.caller, consult, now=now):
            presence.heard_from_patient(consult.pk, now=now)
        else:
            presence.heard_from_who_has(consult, self.caller, now=now)
        return Response(self.consult_shown(consult, telling.told(consult, now=now), now=now))


class LeaveView(ConsultEndpoint):
    @extend_schema(
        operation_id="leave_consult",
        summary="Stop waiting, or end the conversation",
        request=None,
        examples=[
            OpenApiExample(
                "left",
                response_only=True,
                status_codes=["200"],
                value={**EXAMPLE, "status": "cancelled"},
            )
        ],
        responses={200: ConsultShown, **problems(NotFound)},
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """Who only waited is not charged. Leaving again changes nothing."""
        parse(Shape, request.data)
        now = timezone.now()
        consult = access.consult(self.caller, consult_id, now=now)
        if not access.is_patients(self.caller, consult, now=now):
            raise NotFound
        left = queue.leave(consult=consult, actor=self.caller, now=now)
        return Response(self.consult_shown(access.consult(self.caller, left.pk, now=now), now=now))
