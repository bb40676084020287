"""Stripe, by its own library (docs.stripe.com/api): SetupIntents take in cards, PaymentIntents charge them.

A token is `<customer>/<payment method>`; the customer's metadata name the user, and nothing else about them. A charge
is a PaymentIntent whose metadata name our row; the row's id is the Idempotency-Key, too. Stripe forgets such keys
after a day, so what is unclear is looked up in its lists first, which are never behind (its search is).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import stripe
from django.conf import settings

from memberships.payments.port import (
    About,
    BadToken,
    Became,
    ChargeNews,
    ChargeWanted,
    DisputeNews,
    Event,
    Forged,
    News,
    Outcome,
    RefundNews,
    RefundWanted,
    Saved,
    Stage,
    Unavailable,
)

T = TypeVar("T")

TIMEOUT = 15.0  # seconds, of each call
TOLERANCE = timedelta(minutes=5)  # of an event's signature
SKEW = timedelta(minutes=5)  # between Stripe's clock and ours
CURRENCY = "usd"
UNCLEAR, ABSENT = Outcome(Became.UNCLEAR), Outcome(Became.ABSENT)
ABOUT = {"payment_intent": About.CHARGE, "refund": About.REFUND, "dispute": About.DISPUTE}
# docs.stripe.com/api/events/types: all that are asked for.
KINDS = [
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
]
# docs.stripe.com/api/disputes/object. `warning_…` are inquiries: nothing is taken yet.
STAGES = {
    "warning_needs_response": Stage.INQUIRY,
    "warning_under_review": Stage.INQUIRY,
    "warning_closed": Stage.CLOSED,
    "prevented": Stage.CLOSED,
    "needs_response": Stage.OPEN,
    "under_review": Stage.OPEN,
    "appeal_needs_response": Stage.OPEN,
    "appeal_under_review": Stage.OPEN,
    "won": Stage.WON,
    "lost": Stage.LOST,
}
# What says that a call was understood, and moved nothing.
REFUSED = (stripe.CardError, stripe.InvalidRequestError)


class Provider:
    name = "stripe"
    by_hand = False

    def __init__(self, http_client: stripe.HTTPClient | None = None) -> None:
        self.public_key = settings.STRIPE["PUBLISHABLE_KEY"]
        self.api = stripe.StripeClient(
            settings.STRIPE["SECRET_KEY"],
            http_client=http_client or stripe.RequestsClient(timeout=TIMEOUT),
            # What is unclear is asked after by a sweep, not meanwhile.
            max_network_retries=0,
        ).v1

    # Cards

    def setup(self, *, user: UUID, known: str) -> str:
        def begin() -> str:
            customer = (
                known.partition("/")[0]
                or self.api.customers.create(
                    {"metadata": {"user": str(user)}}, {"idempotency_key": f"customer-{user}"}
                ).id
            )
            intent = self.api.setup_intents.create(
                {"customer": customer, "usage": "off_session", "allowed_payment_method_types": ["card"]}
            )
            return intent.client_secret or ""

        try:
            return reached(begin)
        except REFUSED as error:
            raise Unavailable("Stripe begins no set-up.") from error

    def save(self, token: str, *, user: UUID) -> Saved:
        def read() -> stripe.PaymentMethod:
            method = token
            if token.startswith("seti_"):
                intent = self.api.setup_intents.retrieve(token)
                if intent.status != "succeeded":
                    raise BadToken
                method = str(intent.payment_method)
            return self.api.payment_methods.retrieve(method, {"expand": ["customer"]})

        if not (token.isascii() and token.replace("_", "").isalnum()):
            raise BadToken
        try:
            found = plain(reached(read))
        except REFUSED as error:
            raise BadToken from error
        customer, card = found.get("customer"), found.get("card")
        # A card belongs to whom it was set up for, whoever names it.
        if not card or not customer or (customer.get("metadata") or {}).get("user") != str(user):
            raise BadToken
        return Saved(
            f"{customer['id']}/{found['id']}",
            card["brand"],
            card["last4"],
            ends_on(card["exp_year"], card["exp_month"]),
        )

    def forget(self, token: str) -> None:
        with suppress(*REFUSED):  # gone already
            reached(lambda: self.api.payment_methods.detach(method_of(token)))

    # Charges

    def charge(self, wanted: ChargeWanted) -> Outcome:
        try:
            intent = self.api.payment_intents.create(
                {
                    "amount": wanted.amount,
                    "currency": CURRENCY,
                    "customer": customer_of(wanted.token),
                    "payment_method": method_of(wanted.token),
                    "allowed_payment_method_types": ["card"],
                    "confirm": True,
                    "off_session": True,
                    "description": wanted.description,
                    "metadata": {"charge": str(wanted.key)},
                },
                {"idempotency_key": str(wanted.key)},
            )
        except stripe.CardError as error:
            # What was declined has its PaymentIntent beside the error.
            said = error.json_body["error"] if isinstance(error.json_body, dict) else {}
            declined = said.get("payment_intent")
            return outcome_of(declined) if declined else Outcome(Became.FAILED, failure=error.code or "card_error")
        except stripe.InvalidRequestError as error:
            return Outcome(Became.FAILED, failure=error.code or "invalid_request")
        except stripe.StripeError:
            return UNCLEAR
        return outcome_of(plain(intent))

    def find_charge(self, wanted: ChargeWanted, *, provider_id: str) -> Outcome:
        if provider_id:
            return outcome_of(plain(reached(lambda: self.api.payment_intents.retrieve(provider_id))))
        since = int((wanted.since - SKEW).timestamp())
        listed = reached(
            lambda: list(
                self.api.payment_intents.list(
                    {"customer": customer_of(wanted.token), "created": {"gte": since}, "limit": 100}
                ).auto_paging_iter()
            )
        )
        return next((outcome_of(one) for one in map(plain, listed) if key_of(one, "charge") == wanted.key), ABSENT)

    def cancel_charge(self, provider_id: str) -> Outcome:
        try:
            return outcome_of(plain(reached(lambda: self.api.payment_intents.cancel(provider_id))))
        except stripe.InvalidRequestError:
            # It was too late for that: it has succeeded, is under way, or was cancelled before.
            return outcome_of(plain(reached(lambda: self.api.payment_intents.retrieve(provider_id))))

    # Refunds

    def refund(self, wanted: RefundWanted) -> Outcome:
        try:
            refund = self.api.refunds.create(
                {
                    "payment_intent": wanted.charge,
                    "amount": wanted.amount,
                    "metadata": {"refund": str(wanted.key)},
                },
                {"idempotency_key": str(wanted.key)},
            )
        except REFUSED as error:
            return Outcome(Became.FAILED, failure=error.code or "invalid_request")
        except stripe.StripeError:
            return UNCLEAR
        return refunded(plain(refund))

    def find_refund(self, wanted: RefundWanted, *, provider_id: str) -> Outcome:
        if provider_id:
            return refunded(plain(reached(lambda: self.api.refunds.retrieve(provider_id))))
        listed = reached(
            lambda: list(self.api.refunds.list({"payment_intent": wanted.charge, "limit": 100}).auto_paging_iter())
        )
        return next((refunded(one) for one in map(plain, listed) if key_of(one, "refund") == wanted.key), ABSENT)

    # Events

    def event(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        try:
            given = headers.get("Stripe-Signature", "")
            stripe.WebhookSignature.verify_header(body, given, settings.STRIPE["WEBHOOK_SECRET"])
            signed = next(part[2:] for part in given.split(",") if part.startswith("t="))
            if abs(now - datetime.fromtimestamp(int(signed), UTC)) > TOLERANCE:
                raise Forged
            return event_of(json.loads(body))
        except (stripe.SignatureVerificationError, ValueError, TypeError, LookupError, OverflowError) as error:
            raise Forged from error

    def events(self, *, since: datetime) -> Iterable[Event]:
        listed = reached(
            lambda: list(
                self.api.events.list(
                    {"created": {"gte": int(since.timestamp())}, "types": KINDS, "limit": 100}
                ).auto_paging_iter()
            )
        )
        return [event_of(plain(one)) for one in listed]

    def fetch(self, about: About, object_id: str) -> News | None:
        try:
            if about is About.CHARGE:
                intent = plain(reached(lambda: self.api.payment_intents.retrieve(object_id)))
                return ChargeNews(key_of(intent, "charge"), outcome_of(intent))
            if about is About.REFUND:
                refund = plain(reached(lambda: self.api.refunds.retrieve(object_id)))
                of = id_of(refund["payment_intent"])
                return RefundNews(key_of(refund, "refund"), of, refund["amount"], refunded(refund))
            if about is About.DISPUTE:
                return dispute_of(plain(reached(lambda: self.api.disputes.retrieve(object_id))))
        except REFUSED:
            pass  # there is no such thing any more
        return None


def reached(call: Callable[[], T]) -> T:
    """The answer of a call that asks. Raises Unavailable, and as Stripe's own errors that it was refused."""
    try:
        return call()
    except REFUSED:
        raise
    except stripe.StripeError as error:
        raise Unavailable(f"Stripe cannot be asked: {type(error).__name__}.") from error


def plain(found: stripe.StripeObject) -> dict[str, Any]:
    """What Stripe answered, all the way down."""
    told: dict[str, Any] = found.to_dict()
    return told


def outcome_of(intent: dict[str, Any]) -> Outcome:
    """What the status of a PaymentIntent means (docs.stripe.com/payments/paymentintents/lifecycle)."""
    error = intent.get("last_payment_error") or {}
    match intent["status"]:
        case "succeeded":
            return Outcome(Became.SUCCEEDED, intent["id"])
        case "processing" | "requires_capture":
            return Outcome(Became.PENDING, intent["id"])
        case "canceled":
            return Outcome(Became.FAILED, intent["id"], intent.get("cancellation_reason") or "canceled")
        case "requires_payment_method" if error and error.get("code") != "authentication_required":
            return Outcome(
                Became.FAILED, intent["id"], error.get("decline_code") or error.get("code") or "card_declined"
            )
    # The bank wants to see the payer; or it was never confirmed, which they can do, too.
    return Outcome(Became.ACTION, intent["id"], client_secret=intent.get("client_secret") or "")


def refunded(refund: dict[str, Any]) -> Outcome:
    became = {"succeeded": Became.SUCCEEDED, "failed": Became.FAILED, "canceled": Became.FAILED}
    status = refund["status"] or "pending"
    failure = (refund.get("failure_reason") or status) if status in ("failed", "canceled") else ""
    return Outcome(became.get(status, Became.PENDING), refund["id"], failure)


def dispute_of(dispute: dict[str, Any]) -> DisputeNews:
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeNews(
        provider_id=dispute["id"],
        charge=id_of(dispute["payment_intent"]),
        amount=dispute["amount"],
        reason=dispute["reason"],
        # One that is new to us is looked at by a person.
        stage=STAGES.get(dispute["status"], Stage.INQUIRY),
        answer_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
    )


def event_of(event: dict[str, Any]) -> Event:
    """Raises KeyError or TypeError for what is no event."""
    about = event["data"]["object"]
    return Event(
        str(event["id"]), str(event["type"]), ABOUT.get(about["object"], About.OTHER), str(about.get("id", ""))
    )


def key_of(of: dict[str, Any], name: str) -> UUID | None:
    """Our row, as metadata name it."""
    try:
        return UUID((of.get("metadata") or {}).get(name, ""))
    except ValueError:
        return None


def id_of(of: Any) -> str:
    """Of an object that is named by its id, or stands there in full."""
    return of if isinstance(of, str) else str(of["id"]) if of else ""


def customer_of(token: str) -> str:
    return token.partition("/")[0]


def method_of(token: str) -> str:
    return token.partition("/")[2]


def ends_on(year: int, month: int) -> date:
    """A card is valid to the end of its month."""
    return date(year + month // 12, month % 12 + 1, 1)
