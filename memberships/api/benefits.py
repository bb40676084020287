"""`me/employer-benefit`: claiming what an employer pays for, seeing it, and giving it up."""

import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.refusals import NotFound, TooManyTries
from clinics.shapes import DayField, Shape, parse
from memberships import subscriptions
from memberships.employers import claiming, converting, granting, offering, options
from memberships.models import BenefitClaim, BenefitGrant, BenefitOffer, Price, Relationship
from memberships.transitions import NotInThisState


class SponsorShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class OfferShown(serializers.Serializer[Any]):
    """What one may go on with when the employer stops paying."""

    price = serializers.IntegerField(help_text="The id of a price.")
    plan = serializers.CharField()
    amount = serializers.IntegerField(help_text="Cents of US dollars.")
    interval = serializers.ChoiceField(choices=Price.Interval.choices)


class ConversionShown(OfferShown):
    """What can be taken now that the employer stops."""

    until_on = serializers.DateField(help_text="The last day on which it can be taken, by POST memberships.")


class GrantShown(serializers.Serializer[Any]):
    membership = serializers.UUIDField()
    plan = serializers.CharField()
    from_on = serializers.DateField()
    until_on = serializers.DateField(allow_null=True, help_text="First day without it.")
    then = OfferShown(allow_null=True)


class OptionShown(serializers.Serializer[Any]):
    """One thing to choose. Amounts in cents of US dollars."""

    code = serializers.ChoiceField(choices=BenefitOffer.Choice.choices)
    detail = serializers.CharField(help_text="What it does and costs or gives back, in a sentence.")
    from_on = serializers.DateField(help_text="From when it holds.")
    by = serializers.DateField(allow_null=True, help_text="The last day on which it can be chosen so.")
    costs = serializers.IntegerField(help_text="What is charged on `from_on`.")
    credit = serializers.IntegerField(help_text="What becomes credit, if it is chosen today.")
    owed_less = serializers.IntegerField(help_text="What is taken off an invoice that is not paid yet.")


class ChoicesShown(serializers.Serializer[Any]):
    """What is asked of who pays for a membership besides what the employer pays for. Nothing is done by itself."""

    id = serializers.UUIDField()
    membership = serializers.UUIDField()
    choices = OptionShown(many=True, help_text="Nothing once it was chosen.")
    choice = serializers.ChoiceField(choices=BenefitOffer.Choice.choices, allow_null=True)


class BenefitShown(serializers.Serializer[Any]):
    """What an employer pays for somebody, from today on."""

    id = serializers.UUIDField()
    employer = SponsorShown()
    patient = serializers.UUIDField()
    relationship = serializers.ChoiceField(choices=Relationship.choices)
    claimed_by = serializers.ChoiceField(choices=BenefitClaim.By.choices)
    memberships = GrantShown(many=True)
    conversion = ConversionShown(
        allow_null=True, help_text="What can be taken now that it ends soon, or has ended: quote it, then join."
    )
    paid_besides = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="Memberships that they pay for themselves, to keep, pause or cancel: nothing is done by itself.",
    )
    offers = ChoicesShown(many=True, help_text="What you are asked about those, until you choose.")


class BenefitsAnswer(serializers.Serializer[Any]):
    results = BenefitShown(many=True)
    next = serializers.URLField(allow_null=True)


ASKED: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000055",
    "membership": "0193601a-7c1e-7000-8000-000000000054",
    "choices": [
        {
            "code": "keep",
            "detail": "It goes on, and you go on paying: $199.00 on September 1, 2027, when it renews.",
            "from_on": "2027-09-01",
            "by": None,
            "costs": 19_900,
            "credit": 0,
            "owed_less": 0,
        },
        {
            "code": "cancel",
            "detail": "It ends today. $153.21 for the days that are left is given back as credit. Each day later it is"
            " less.",
            "from_on": "2026-11-24",
            "by": None,
            "costs": 0,
            "credit": 15_321,
            "owed_less": 0,
        },
    ],
    "choice": None,
}
MINE: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000051",
    "employer": {"id": "0193601a-7c1e-7000-8000-000000000052", "name": "Lakeshore Tool Works"},
    "patient": "0193601a-7c1e-7000-8000-000000000003",
    "relationship": "employee",
    "claimed_by": "number",
    "memberships": [
        {
            "membership": "0193601a-7c1e-7000-8000-000000000053",
            "plan": "Sponsored by your employer",
            "from_on": "2026-11-24",
            "until_on": None,
            "then": {"price": 1, "plan": "Annual membership", "amount": 19_900, "interval": "year"},
        }
    ],
    "conversion": None,
    "paid_besides": ["0193601a-7c1e-7000-8000-000000000054"],
    "offers": [ASKED],
}


def offer_shown(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {"price": price.pk, "plan": price.plan.name, "amount": price.amount, "interval": price.interval}


def grant_shown(grant: BenefitGrant) -> dict[str, Any]:
    during = grant.membership.during
    return {
        "membership": str(grant.membership_id),
        "plan": grant.membership.plan.name,
        "from_on": during.lower.isoformat(),
        "until_on": during.upper.isoformat() if during.upper else None,
        "then": offer_shown(grant.conversion),
    }


def conversions_shown(claims: list[BenefitClaim], *, now: datetime) -> dict[uuid.UUID, dict[str, Any]]:
    """What can be taken instead of what ends, by claim."""
    found: dict[uuid.UUID, dict[str, Any]] = {}
    offers = converting.offers([one.patient_id for one in claims], on=people.today_at_home(now))
    for grant in offers.filter(claim__in=claims):
        offer = offer_shown(grant.conversion)
        if offer is not None:
            found.setdefault(grant.claim_id, {**offer, "until_on": converting.last_day(grant).isoformat()})
    return found


def choices_shown(offer: BenefitOffer, *, now: datetime) -> dict[str, Any]:
    """A question, with what each answer costs or gives back today. Needs patient and decider loaded."""
    today = subscriptions.today(offer.patient, now=now)
    found = [] if offer.choice else options.of(offer, today=today)
    return {
        "id": str(offer.pk),
        "membership": str(offering.membership_of(offer)),
        "choices": [
            {
                "code": option.code,
                "detail": option.detail,
                "from_on": option.from_on.isoformat(),
                "by": option.by.isoformat() if option.by else None,
                "costs": option.costs,
                "credit": option.credit,
                "owed_less": option.owed_less,
            }
            for option in found
        ],
        "choice": offer.choice or None,
    }


class BenefitEndpoint(Endpoint):
    shown_as = AccessEvent.What.RECORD

    def shown(self, claims: list[BenefitClaim]) -> dict[str, Any]:
        """Claims as JSON, by five statements, and some for each open question. Needs employer and record loaded."""
        now = timezone.now()
        grants = claiming.grants_of(claims, now=now)
        patients = [one.patient_id for one in claims]
        besides = claiming.paid_besides(patients, viewer=self.caller, on=people.today_at_home(now))
        conversions = conversions_shown(claims, now=now)
        asked = offering.open_of(claims, decider=self.caller, now=now)
        self.shows(*patients)
        results = [
            {
                "id": str(one.pk),
                "employer": {"id": str(one.person.employer_id), "name": one.person.employer.name},
                "patient": str(one.patient_id),
                "relationship": one.person.relationship,
                "claimed_by": one.by,
                "memberships": [grant_shown(grant) for grant in grants[one.pk]],
                "conversion": conversions.get(one.pk),
                "paid_besides": [str(membership) for membership in besides[one.patient_id]],
                "offers": [choices_shown(offer, now=now) for offer in asked[one.pk]],
            }
            for one in claims
        ]
        return {"results": results, "next": None}


class BenefitsView(BenefitEndpoint):
    """Your employer says whom it pays for. Show that it means you: by member number and birth date; by the code of an
    invitation; or by neither, if a verified e-mail address of your account is on its list. For a child you act for,
    send `patient`: once you have claimed, nothing more is needed. Your employer does not learn that you claimed.

    Your employer knows your number and birth date, too. So where its list has an e-mail address that is not verified
    of your account, we mail a code there, which lasts 3 days: send it as `invitation`. The answer is 202 with no
    results then, and just the same where the number means nobody.
    """

    class Wanted(Shape):
        patient = serializers.UUIDField(required=False, help_text="A child whom you act for; you, if left out.")
        member_number = serializers.CharField(required=False, max_length=40)
        birth_date = DayField(required=False)
        invitation = serializers.CharField(required=False, max_length=60, help_text="A code that was mailed.")

    @extend_schema(
        operation_id="list_employer_benefits",
        summary="What employers pay for me and those I act for",
        responses={200: BenefitsAnswer},
        examples=[
            OpenApiExample("mine", response_only=True, status_codes=["200"], value={"results": [MINE], "next": None})
        ],
    )
    def get(self, _request: Request) -> Response:
        return Response(self.shown(list(claiming.benefits(self.caller, now=timezone.now()))))

    @extend_schema(
        operation_id="claim_employer_benefit",
        summary="Claim what my employer pays for",
        request=Wanted,
        responses={
            201: BenefitsAnswer,
            202: OpenApiResponse(
                BenefitsAnswer,
                description="By number: nothing is claimed yet. If it means you, we have mailed a code to the address"
                " that your employer has for you.",
            ),
            **problems(
                NotFound,
                people.NoPatientRecord,
                claiming.BenefitNotFound,
                TooManyTries,
                claiming.OneProof,
            ),
        },
        examples=[
            OpenApiExample("by number", request_only=True, value={"member_number": "1001", "birth_date": "1985-03-02"}),
            OpenApiExample("mine", response_only=True, status_codes=["201"], value={"results": [MINE], "next": None}),
            OpenApiExample("not yet", response_only=True, status_codes=["202"], value={"results": [], "next": None}),
        ],
    )
    def post(self, request: Request) -> Response:
        wanted = parse(self.Wanted, request.data)
        wanted["patient_id"] = wanted.pop("patient", None)
        claims = claiming.claim(user=self.caller, now=timezone.now(), **wanted)
        return Response(self.shown(claims), status=201 if claims else 202)

    def run(self, request: Request, work: Any) -> Response:
        """Tries are counted before all else: what is refused takes back all that it did."""
        if request.method == "POST":
            number = parse(self.Wanted, request.data).get("member_number", "")
            claiming.count_try(user=self.caller, member_number=number, now=timezone.now())
        return super().run(request, work)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        ids = [one["id"] for one in body["results"]]
        claims = list(claiming.benefits(self.caller, now=timezone.now()).filter(pk__in=ids))
        if ids and not claims:
            raise NotFound
        return self.shown(claims)


class BenefitView(BenefitEndpoint):
    """What it grants ends today; visits that are booked stay. Your employer does not learn of it."""

    @extend_schema(
        operation_id="release_employer_benefit",
        summary="Give up what an employer pays for",
        request=None,
        responses={204: None, **problems(NotFound)},
    )
    def delete(self, _request: Request, claim_id: uuid.UUID) -> Response:
        now = timezone.now()
        found = claiming.benefit(self.caller, claim_id, now=now)
        granting.release(found, now=now)
        self.shows()
        return Response(status=204)


class BenefitOfferView(BenefitEndpoint):
    """What becomes of a membership that you pay for while an employer pays, too: `keep` it, `pause` it at its renewal
    (for one member of a family's: `leave` it then), or `cancel` it today with credit for the days that are left.
    Choosing the same again changes nothing.
    """

    class Wanted(Shape):
        choice = serializers.ChoiceField(BenefitOffer.Choice.choices)

    @extend_schema(
        operation_id="choose_besides_employer_benefit",
        summary="Keep, pause or cancel what I pay for while an employer pays, too",
        request=Wanted,
        responses={
            200: ChoicesShown,
            **problems(NotFound, offering.NotAChoice, offering.ChosenAlready, offering.OfferOver, NotInThisState),
        },
        examples=[
            OpenApiExample("keep it", request_only=True, value={"choice": "keep"}),
            OpenApiExample(
                "kept",
                response_only=True,
                status_codes=["200"],
                value={**ASKED, "choices": [], "choice": "keep"},
            ),
        ],
    )
    def post(self, request: Request, claim_id: uuid.UUID, offer_id: uuid.UUID) -> Response:
        now = timezone.now()
        choice = parse(self.Wanted, request.data)["choice"]
        found = claiming.benefit(self.caller, claim_id, now=now)
        chosen = offering.choose(offer_id=offer_id, claim_id=found.pk, user=self.caller, choice=choice, now=now)
        self.shows(chosen.patient_id)
        return Response(choices_shown(chosen, now=now))

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        found = claiming.benefit(self.caller, kwargs["claim_id"], now=timezone.now())
        self.shows(found.patient_id)
        return body
