"""`me/proofs`: proof that somebody is eligible for a discount."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.models import AccessEvent, Patient
from clinics.openapi import problems
from clinics.people import NoPatientRecord
from clinics.refusals import NotFound, TooManyTries
from clinics.shapes import Shape, parse
from memberships import access, proving
from memberships.api.payments import AsksOthers
from memberships.models import Proof

PROOF: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000016",
    "patient": "0193601a-7c1e-7000-8000-000000000003",
    "verifier": "retail",
    "status": "verified",
    "verified_at": "2026-11-24T14:00:00+00:00",
    "holds_until": "2027-03-01",
}


class ProofShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    verifier = serializers.CharField()
    status = serializers.ChoiceField(choices=Proof.Status.choices)
    verified_at = serializers.DateTimeField()
    holds_until = serializers.DateField(allow_null=True, help_text="The first day on which it is not known to hold.")


class ProofsPage(serializers.Serializer[Any]):
    results = ProofShown(many=True)
    next = serializers.URLField(allow_null=True)


def shown(proof: Proof) -> dict[str, Any]:
    return {
        "id": str(proof.pk),
        "patient": str(proof.patient_id),
        "verifier": proof.verifier,
        "status": proof.status,
        "verified_at": proof.verified_at.isoformat(),
        "holds_until": proof.holds_until.isoformat() if proof.holds_until else None,
    }


class ProofsView(AsksOthers):
    """The reference itself is shown to nobody."""

    shown_as = AccessEvent.What.MEMBERSHIPS

    class Wanted(Shape):
        patient = serializers.UUIDField(required=False, help_text="Whom I act for; me where it is left out.")
        verifier = serializers.CharField(max_length=20, help_text="retail or codes, as this server has them.")
        reference = serializers.CharField(max_length=120, help_text="A member number, or a code.")

    @extend_schema(
        operation_id="list_proofs",
        summary="Proofs of mine, and of those I act for",
        responses=ProofsPage,
        examples=[OpenApiExample("one", response_only=True, value={"results": [PROOF], "next": None})],
    )
    def get(self, _request: Request) -> Response:
        today = people.today_of(self.caller, now=timezone.now())
        found = list(proving.of(Patient.objects.acted_for_by(self.caller, on=today)))
        self.shows(*{proof.patient_id for proof in found})
        return Response({"results": [shown(proof) for proof in found], "next": None})

    @extend_schema(
        operation_id="create_proof",
        summary="Prove that I am eligible for the discount",
        request=Wanted,
        responses={
            201: ProofShown,
            **problems(
                proving.UnknownVerifier,
                proving.NotEligible,
                NotFound,
                NoPatientRecord,
                proving.ProofInUse,
                TooManyTries,
                proving.VerifierAway,
            ),
        },
        examples=[
            OpenApiExample("member", request_only=True, value={"verifier": "retail", "reference": "1234567890"}),
            OpenApiExample("proved", response_only=True, status_codes=["201"], value=PROOF),
        ],
    )
    def post(self, request: Request) -> Response:
        wanted, now = parse(self.Wanted, request.data), timezone.now()
        patient = access.patient(self.caller, wanted.get("patient"), now=now)
        proof = proving.prove(
            patient=patient,
            verifier=wanted["verifier"],
            reference=wanted["reference"],
            actor=self.caller,
            now=now,
        )
        self.shows(proof.patient_id)
        return Response(shown(proof), status=201)
