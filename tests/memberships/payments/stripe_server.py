"""Stripe as its library sees it, over `bank`: what it answers, and how it remembers an Idempotency-Key."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from memberships.payments import stripe as adapter
from tests.memberships.payments.bank import SECRET, Away, Bank, Charge, Dispute, Lost, No, Refund, Told

bank = Bank()  # another one for each test
answers: dict[str, tuple[str, dict[str, str], int]] = {}  # by Idempotency-Key: what was asked, and its answer

STATUSES = {
    "succeeded": "succeeded",
    "failed": "requires_payment_method",
    "asks": "requires_payment_method",
    "waits": "processing",
    "cancelled": "canceled",
}
STAGES = {
    "inquiry": "warning_needs_response",
    "open": "needs_response",
    "won": "won",
    "lost": "lost",
    "closed": "warning_closed",
}
KINDS = {
    "charge.succeeded": "payment_intent.succeeded",
    "charge.failed": "payment_intent.payment_failed",
    "charge.asks": "payment_intent.payment_failed",
    "charge.waits": "payment_intent.processing",
    "charge.cancelled": "payment_intent.canceled",
    "refund.pending": "refund.created",
    "refund.succeeded": "refund.created",
    "refund.failed": "refund.failed",
    "dispute.open": "charge.dispute.created",
    "dispute.inquiry": "charge.dispute.created",
    "dispute.won": "charge.dispute.closed",
    "dispute.lost": "charge.dispute.closed",
    "dispute.closed": "charge.dispute.closed",
}
OBJECTS = {"charge": "payment_intent", "refund": "refund", "dispute": "dispute"}


def Provider() -> adapter.Provider:  # noqa: N802 - as adapters are named
    return adapter.Provider(http_client=Server())


def client_token(card_id: str) -> str:
    """What Stripe's own client code hands to our client: the SetupIntent."""
    return card_id.replace("pm_", "seti_")


def signed(event: Told, *, at: Any = None, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """An event as it is delivered: body and headers."""
    body = json.dumps(of_event(event))
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int((at or event.at).timestamp()))
    return body.encode(), {"Stripe-Signature": header}


class Server(stripe.HTTPClient):
    name = "server"

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> tuple[str, int, Any]:
        path, query = urlsplit(url).path.removeprefix("/v1"), urlsplit(url).query
        asked = dict(parse_qsl(post_data if method == "post" else query))
        try:
            body, status = bank.call(lambda: self.answer(method, path, asked, headers))
        except Away as error:
            raise stripe.APIConnectionError("No connection.") from error
        except Lost as error:
            raise stripe.APIConnectionError("No answer.") from error
        return json.dumps(body), status, {"request-id": "req_1"}

    def close(self) -> None:
        pass

    def answer(self, method: str, path: str, asked: dict[str, str], headers: Mapping[str, str]) -> Any:
        key = headers.get("Idempotency-Key", "")
        said = json.dumps([path, asked], sort_keys=True)
        if method == "post" and key in answers:
            known, body, status = answers[key]
            return (body, status) if known == said else problem(400, "", "idempotency_error")
        try:
            body, status = self.route(method, path, asked)
        except No as error:
            body, status = problem(400, str(error))
        except KeyError:
            body, status = problem(404, "resource_missing")
        if method == "post" and key:
            answers[key] = (said, body, status)
        return body, status

    def route(self, method: str, path: str, asked: dict[str, str]) -> tuple[dict[str, Any], int]:
        kind, _, rest = path.strip("/").partition("/")
        pk, _, action = rest.partition("/")
        match (method, kind, action):
            case ("post", "customers", _):
                return {"object": "customer", "id": f"cus_{asked['metadata[user]']}"}, 200
            case ("post", "setup_intents", _):
                card = bank.add_card(asked["customer"].removeprefix("cus_"))
                return setup(card.id) | {"status": "requires_payment_method"}, 200
            case ("get", "setup_intents", _):
                return setup(bank.cards[pk.replace("seti_", "pm_")].id), 200
            case ("get", "payment_methods", _):
                return method_of(pk), 200
            case ("post", "payment_methods", "detach"):
                bank.cards[pk].gone = True
                return method_of(pk), 200
            case ("post", "payment_intents", ""):
                return self.charge(asked)
            case ("post", "payment_intents", "cancel"):
                return of_charge(bank.cancel(pk)), 200
            case ("get", "payment_intents", _):
                return self.read(pk, asked, [of_charge(one) for one in bank.charges.values()], path)
            case ("post", "refunds", ""):
                refund = bank.refund(
                    key=asked.get("metadata[refund]", ""),
                    charge=asked["payment_intent"],
                    amount=int(asked["amount"]),
                )
                return of_refund(refund), 200
            case ("get", "refunds", _):
                return self.read(pk, asked, [of_refund(one) for one in bank.refunds.values()], path)
            case ("get", "disputes", _):
                return of_dispute(bank.disputes[pk]), 200
            case ("get", "events", _):
                return self.read(pk, asked, [of_event(one) for one in bank.told], path)
        return problem(404, "unknown_route")

    def charge(self, asked: dict[str, str]) -> tuple[dict[str, Any], int]:
        assert asked["confirm"] == asked["off_session"] == "true", asked
        assert asked["currency"] == "usd", asked
        card = bank.cards.get(asked["payment_method"])
        if card is None or asked["customer"] != f"cus_{card.user}":
            return problem(400, "resource_missing")
        made = bank.charge(key=asked["metadata[charge]"], amount=int(asked["amount"]), card=asked["payment_method"])
        if made.status in ("failed", "asks"):
            body, _ = problem(402, error_of(made)["code"], "card_error")
            body["error"] |= {"payment_intent": of_charge(made), "decline_code": made.failure}
            return body, 402
        return of_charge(made), 200

    def read(self, pk: str, asked: dict[str, str], rows: list[Any], path: str) -> tuple[dict[str, Any], int]:
        """One by its id, or a page of those that fit, newest first."""
        if pk:
            return next(row for row in rows if row["id"] == pk), 200
        fit = [row for row in reversed(rows) if row["created"] >= int(asked.get("created[gte]", 0))]
        for name in ("customer", "payment_intent"):
            fit = [row for row in fit if name not in asked or row.get(name) == asked[name]]
        types = [value for name, value in asked.items() if re.fullmatch(r"types\[\d+\]", name)]
        fit = [row for row in fit if not types or row["type"] in types]
        ids = [row["id"] for row in fit]
        begin = ids.index(asked["starting_after"]) + 1 if "starting_after" in asked else 0
        # However many are asked for, three come at once, so that pages are turned.
        page = fit[begin : begin + 3]
        return {"object": "list", "url": f"/v1{path}", "has_more": len(fit) > begin + 3, "data": page}, 200


def problem(status: int, code: str, kind: str = "invalid_request_error") -> tuple[dict[str, Any], int]:
    return {"error": {"type": kind, "code": code, "message": "It says why."}}, status


def setup(card: str) -> dict[str, Any]:
    pk = card.replace("pm_", "seti_")
    said = {"object": "setup_intent", "id": pk, "client_secret": f"secret_{card}", "status": "succeeded"}
    return said | {"payment_method": card}


def method_of(pk: str) -> dict[str, Any]:
    card = bank.cards[pk]
    customer = {"object": "customer", "id": f"cus_{card.user}", "metadata": {"user": card.user}}
    shown = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2029}
    return {"object": "payment_method", "id": pk, "customer": None if card.gone else customer, "card": shown}


def error_of(charge: Charge) -> dict[str, Any]:
    if charge.failure in ("authentication_required", "payment_intent_authentication_failure"):
        return {"type": "card_error", "code": charge.failure}
    return {"type": "card_error", "code": "card_declined", "decline_code": charge.failure}


def of_charge(charge: Charge) -> dict[str, Any]:
    is_waiting = charge.status in ("failed", "asks")
    return {
        "object": "payment_intent",
        "id": charge.id,
        "amount": charge.amount,
        "created": int(charge.at.timestamp()),
        "customer": f"cus_{bank.cards[charge.card].user}",
        "status": STATUSES[charge.status],
        "client_secret": charge.secret,
        "metadata": {"charge": charge.key} if charge.key else {},
        "last_payment_error": error_of(charge) if is_waiting else None,
        "cancellation_reason": None,
    }


def of_refund(refund: Refund) -> dict[str, Any]:
    return {
        "object": "refund",
        "id": refund.id,
        "amount": refund.amount,
        "created": int(bank.now.timestamp()),
        "payment_intent": refund.charge,
        "status": refund.status,
        "failure_reason": "expired_or_canceled_card" if refund.status == "failed" else None,
        "metadata": {"refund": refund.key} if refund.key else {},
    }


def of_dispute(dispute: Dispute) -> dict[str, Any]:
    return {
        "object": "dispute",
        "id": dispute.id,
        "amount": dispute.amount,
        "reason": dispute.reason,
        "status": STAGES[dispute.stage],
        "payment_intent": dispute.charge,
        "evidence_details": {"due_by": int(bank.now.timestamp()) + 86_400},
    }


def of_event(event: Told) -> dict[str, Any]:
    about = {"object": OBJECTS[event.about], "id": event.object_id}
    return {
        "object": "event",
        "id": event.id,
        "type": KINDS[event.kind],
        "created": int(event.at.timestamp()),
        "data": {"object": about},
    }
