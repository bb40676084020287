"""Memberships: what one costs, joining, and what can be done with one."""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.people import NoPatientRecord
from clinics.refusals import NotFound, Refused
from clinics.shapes import Shape, parse
from memberships import access, changing, enrolling, quoting, subscriptions
from memberships.access import NotThePayer
from memberships.api.shown import (
    MEMBERSHIP,
    QUOTE,
    MembershipShown,
    QuoteShown,
    invited_to,
    shown,
    shown_grant,
    shown_quote,
    with_grants,
)
from memberships.changing import NotAMember, NotPaidByOthers, OtherSwitch
from memberships.enrolling import UnpaidBefore
from memberships.models import Membership, Price, Subscription
from memberships.quoting import (
    AlreadyMember,
    AmountChanged,
    MemberTwice,
    NoFamilyPrice,
    PriceNotOnSale,
    ProofHoldsNoMore,
    ProofRequired,
    TooManyMembers,
)
from memberships.transitions import NotInThisState

BUYING = (
    PriceNotOnSale, ProofRequired, ProofHoldsNoMore, AlreadyMember, TooManyMembers, MemberTwice, NoFamilyPrice,
    NoPatientRecord, NotFound,
)  # fmt: skip
CHANGING = (NotInThisState, NotThePayer, NotFound)
MOST = 50  # of a family's memberships, past ones among them, the newest first
ACCEPT = "What is due now, in cents, as the quote has it: anything else is refused."


class Bought(Shape):
    """What is bought, and for whom."""

    price = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="Id of a price, as GET plans has it.")
    patient = serializers.UUIDField(required=False, help_text="Whose membership it is, where not your own.")
    members = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=10, help_text="Further members, whom you act for."
    )
    proof = serializers.UUIDField(
        required=False, help_text="Of me/proofs. Left out, the newest that holds is taken where the price needs one."
    )


class QuoteView(Endpoint):
    shown_as = AccessEvent.What.MEMBERSHIPS

    class Wanted(Bought):
        switch_from = serializers.UUIDField(required=False, help_text="The membership that would be switched.")

    @extend_schema(
        operation_id="quote_membership",
        summary="What a membership would cost, or a switch of one",
        request=Wanted,
        examples=[
            OpenApiExample("join", request_only=True, value={"price": 1}),
            OpenApiExample("due", response_only=True, status_codes=["200"], value=QUOTE),
        ],
        responses={200: QuoteShown, **problems(*BUYING, *CHANGING, OtherSwitch)},
    )
    def post(self, request: Request) -> Response:
        wanted = parse(self.Wanted, request.data)
        return Response(self.answer(wanted))

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        if "switch_from" in wanted:
            found = access.subscription_to_change(self.caller, wanted["switch_from"], now=now)
            today = subscriptions.today(found.patient, now=now)
            price = quoting.price_on_sale(wanted["price"], on=today)
            switched = changing.quote_switch(found, price, today=today)
            self.shows(found.patient_id)
            return shown_quote(switched.quote, at_once=switched.at_once, from_on=switched.from_on)
        patient = access.patient(self.caller, wanted.get("patient"), now=now)
        proof = access.proof(patient, wanted["proof"]) if "proof" in wanted else None
        members = access.patients(self.caller, wanted.get("members", []), now=now)
        today = subscriptions.today(patient, now=now)
        price = quoting.price_for(patient, wanted["price"], on=today)
        quote = quoting.quote(
            patient=patient, payer=self.caller, price=price, members=members, today=today, proof=proof
        )
        self.shows(patient.pk, *(member.pk for member in members))
        return shown_quote(quote, at_once=True, from_on=today)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - asked and answered anew
        return self.answer(parse(self.Wanted, request.data))


class MembershipsView(Endpoint):
    shown_as = AccessEvent.What.MEMBERSHIPS

    class Wanted(Bought):
        payment_method = serializers.UUIDField(
            required=False, help_text="A card of yours. Left out, the invoice is to be paid by hand."
        )
        accept_due = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1, help_text=ACCEPT)

    class MembershipsPage(serializers.Serializer[Any]):
        results = MembershipShown(many=True)
        next = serializers.URLField(allow_null=True)

    @extend_schema(
        operation_id="join",
        summary="Join: buy a membership",
        request=Wanted,
        examples=[
            OpenApiExample("for yourself", request_only=True, value={"price": 1, "accept_due": 19_900}),
            OpenApiExample("joined", response_only=True, status_codes=["201"], value=MEMBERSHIP),
        ],
        responses={201: MembershipShown, **problems(*BUYING, AmountChanged, UnpaidBefore)},
    )
    def post(self, request: Request) -> Response:
        wanted = parse(self.Wanted, request.data)
        now = timezone.now()
        patient = access.patient(self.caller, wanted.get("patient"), now=now)
        proof = access.proof(patient, wanted["proof"]) if "proof" in wanted else None
        members = access.patients(self.caller, wanted.get("members", []), now=now)
        method = access.method(self.caller, wanted["payment_method"]) if "payment_method" in wanted else None
        made = enrolling.join(
            patient=patient,
            payer=self.caller,
            price=quoting.price_for(patient, wanted["price"], on=subscriptions.today(patient, now=now)),
            members=members,
            proof=proof,
            method=method,
            accept_due=wanted.get("accept_due"),
            actor=self.caller,
            now=now,
        )
        return Response(answer(self, made), status=201)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        return answer(self, access.subscription(self.caller, uuid.UUID(body["id"]), now=timezone.now()))

    @extend_schema(
        operation_id="list_memberships",
        summary="Your memberships and your dependents', and those you pay for, the newest first",
        examples=[
            OpenApiExample(
                "one", response_only=True, status_codes=["200"], value={"results": [MEMBERSHIP], "next": None}
            )
        ],
        responses=MembershipsPage,
    )
    def get(self, _request: Request) -> Response:
        today = people.today_of(self.caller, now=timezone.now())
        paid = list(access.subscriptions(self.caller, on=today).order_by("-id")[:MOST])
        held = subscriptions.last_grants_of(paid)
        given = list(access.grants(self.caller, on=today).order_by("-id")[:MOST])
        self.shows(*(grant.patient_id for grant in given))
        for one in paid:
            self.shows(one.patient_id, *(grant.patient_id for grant in held[one.pk]))
        invited = invited_to(held)
        results = [shown(one, held[one.pk], viewer=self.caller, invited=invited.get(one.pk, {})) for one in paid]
        results += [shown_grant(grant, today=today, viewer=self.caller) for grant in given]
        return Response({"results": results, "next": None})


def answer(view: Endpoint, subscription: Subscription) -> dict[str, Any]:
    """A membership, as the answer of a call that fetched or changed it."""
    body, patients = with_grants(subscription, viewer=view.caller)
    view.shows(*patients)
    return body


class MembershipView(Endpoint):
    shown_as = AccessEvent.What.MEMBERSHIPS

    @extend_schema(
        operation_id="read_membership",
        summary="One membership",
        examples=[OpenApiExample("one", response_only=True, status_codes=["200"], value=MEMBERSHIP)],
        responses={200: MembershipShown, **problems(NotFound)},
    )
    def get(self, _request: Request, membership_id: uuid.UUID) -> Response:
        now = timezone.now()
        today = people.today_of(self.caller, now=now)
        grant: Membership | None = access.grants(self.caller, on=today).filter(pk=membership_id).first()
        if grant is not None:
            self.shows(grant.patient_id)
            return Response(shown_grant(grant, today=today, viewer=self.caller))
        return Response(answer(self, access.subscription(self.caller, membership_id, now=now)))


class Change(Endpoint):
    """Something that the payer does with a membership: `do`. The answer is the membership as it is then."""

    shown_as = AccessEvent.What.MEMBERSHIPS
    Wanted: ClassVar[type[Shape]]

    def do(self, subscription: Subscription, wanted: dict[str, Any], common: dict[str, Any]) -> Subscription:
        raise NotImplementedError

    def post(self, request: Request, membership_id: uuid.UUID) -> Response:
        wanted = parse(self.Wanted, request.data)
        now = timezone.now()
        found = access.subscription_to_change(self.caller, membership_id, now=now)
        return Response(answer(self, self.do(found, wanted, common_of(self, found, now))))

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        return answer(self, access.subscription(self.caller, uuid.UUID(body["id"]), now=timezone.now()))


def common_of(view: Endpoint, subscription: Subscription, now: Any) -> dict[str, Any]:
    return {"subscription_id": subscription.pk, "actor": view.caller, "now": now}


class Nothing(Shape):
    """No fields."""


class Agreed(Shape):
    accept_due = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1, help_text=ACCEPT)


Handler = TypeVar("Handler", bound=Callable[..., Response])


def changes(
    operation_id: str, summary: str, request: type[Shape] | None, *refusals: type[Refused]
) -> Callable[[Handler], Handler]:
    """How a change is described."""
    described: Callable[[Handler], Handler] = extend_schema(
        operation_id=operation_id,
        summary=summary,
        request=request,
        examples=[OpenApiExample("changed", response_only=True, status_codes=["200"], value=MEMBERSHIP)],
        responses={200: MembershipShown, **problems(*CHANGING, *refusals)},
    )
    return described


class SwitchView(Change):
    class Wanted(Agreed):
        price = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="Id of a price.")

    @changes(
        "switch_membership",
        "Switch to another price: now where it is for longer, else at the next renewal",
        Wanted,
        PriceNotOnSale,
        ProofRequired,
        NoFamilyPrice,
        OtherSwitch,
        AmountChanged,
        UnpaidBefore,
    )
    def post(self, request: Request, membership_id: uuid.UUID) -> Response:
        return super().post(request, membership_id)

    def do(self, subscription: Subscription, wanted: dict[str, Any], common: dict[str, Any]) -> Subscription:
        today = subscriptions.today(subscription.patient, now=common["now"])
        held = (subscription.price_id, subscription.next_price_id)
        if wanted["price"] in held:  # theirs to go back to, though it is sold no more
            price = Price.objects.select_related("plan").get(pk=wanted["price"])
        else:
            price = quoting.price_on_sale(wanted["price"], on=today)
        return changing.switch(price=price, accept_due=wanted.get("accept_due"), **common)


class PauseView(Change):
    Wanted = Nothing

    @changes("pause_membership", "Pause at the end of the period", None)
    def post(self, request: Request, membership_id: uuid.UUID) -> Response:
        return super().post(request, membership_id)

    def do(self, subscription: Subscription, wanted: dict[str, Any], common: dict[str, Any]) -> Subscription:  # noqa: ARG002
        return changing.pause(**common)


class ResumeView(Change):
    Wanted = Agreed

    @changes(
        "resume_membership", "Take a pause or a cancellation back", Agreed, ProofRequired, AmountChanged, UnpaidBefore
    )
    def post(self, request: Request, membership_id: uuid.UUID) -> Response:
        return super().post(request, membership_id)

    def do(self, subscription: Subscription, wanted: dict[str, Any], common: dict[str, Any]) -> Subscription:  # noqa: ARG002
        return changing.resume(accept_due=wanted.get("accept_due"), **common)


class CancelView(Change):
    class Wanted(Shape):
        reason = serializers.CharField(required=False, max_length=200, default="")
        at_once = serializers.BooleanField(
            required=False, default=False, help_text="With credit for unused days: where somebody else pays by now."
        )

    @changes("cancel_membership", "Cancel: theirs to the end of what is paid", Wanted, NotPaidByOthers)
    def post(self, request: Request, membership_id: uuid.UUID) -> Response:
        return super().post(request, membership_id)

    def do(self, subscription: Subscription, wanted: dict[str, Any], common: dict[str, Any]) -> Subscription:  # noqa: ARG002
        end = changing.stop if wanted["at_once"] else changing.cancel
        return end(reason=wanted["reason"], **common)


class PaymentMethodView(Change):
    class Wanted(Shape):
        payment_method = serializers.UUIDField(help_text="A card of yours.")

    @changes(
        "change_membership_payment_method",
        "Pay with another card from now on; what is overdue is charged to it at once",
        Wanted,
    )
    def post(self, request: Request, membership_id: uuid.UUID) -> Response:
        return super().post(request, membership_id)

    def do(self, subscription: Subscription, wanted: dict[str, Any], common: dict[str, Any]) -> Subscription:  # noqa: ARG002
        return changing.pay_with(method=access.method(self.caller, wanted["payment_method"]), **common)


class MembersView(Change):
    class Wanted(Agreed):
        patient = serializers.UUIDField(help_text="Whom you act for.")

    @changes(
        "add_member",
        "Add a further member, for the days that are left of the period",
        Wanted,
        TooManyMembers,
        AlreadyMember,
        MemberTwice,
        NoFamilyPrice,
        AmountChanged,
    )
    def post(self, request: Request, membership_id: uuid.UUID) -> Response:
        return super().post(request, membership_id)

    def do(self, subscription: Subscription, wanted: dict[str, Any], common: dict[str, Any]) -> Subscription:  # noqa: ARG002
        (member,) = access.patients(self.caller, [wanted["patient"]], now=common["now"])
        return changing.add_member(member=member, accept_due=wanted.get("accept_due"), **common)


class MemberView(Endpoint):
    """By who pays; an adult who was invited leaves by the membership that they see, as their own `patient`."""

    shown_as = AccessEvent.What.MEMBERSHIPS

    @extend_schema(
        operation_id="remove_member",
        summary="Have a further member leave at the end of the period",
        responses={200: MembershipShown, **problems(*CHANGING, NotAMember)},
        examples=[OpenApiExample("changed", response_only=True, status_codes=["200"], value=MEMBERSHIP)],
    )
    def delete(self, _request: Request, membership_id: uuid.UUID, patient_id: uuid.UUID) -> Response:
        now = timezone.now()
        mine = access.place_in_a_family(self.caller, membership_id, patient_id)
        if mine is not None and mine.subscription is not None:
            changing.remove_member(member=patient_id, **common_of(self, mine.subscription, now))
            mine.refresh_from_db(fields=["during"])
            self.shows(patient_id)
            today = people.today_of(self.caller, now=now)
            return Response(shown_grant(mine, today=today, viewer=self.caller))
        found = access.subscription_to_change(self.caller, membership_id, now=now)
        changed = changing.remove_member(member=patient_id, **common_of(self, found, now))
        return Response(answer(self, changed))
