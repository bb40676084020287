"""A provider of our own making over `bank`: it declines, delays, loses answers and refuses to pay back too much."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

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
from tests.memberships.payments.bank import SECRET, Away, Bank, Charge, Lost, No, Refund, Told

T = TypeVar("T")

bank = Bank()  # another one for each test
BECAME = {
    "succeeded": Became.SUCCEEDED,
    "failed": Became.FAILED,
    "cancelled": Became.FAILED,
    "asks": Became.ACTION,
    "waits": Became.PENDING,
    "pending": Became.PENDING,
}


def client_token(card_id: str) -> str:
    """What a client sends of a card that it set up."""
    return card_id


def signed(event: Told, *, at: datetime | None = None, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """An event as it is delivered: body and headers."""
    body = json.dumps(vars(event) | {"at": event.at.isoformat()}).encode()
    moment = str(int((at or event.at).timestamp()))
    return body, {"Fake-Signature": f"{moment}:{mac(moment, body, secret)}"}


def mac(moment: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


class Provider:
    name = "fake"
    by_hand = False
    public_key = "pk_fake"

    def setup(self, *, user: UUID, known: str) -> str:
        return asked(lambda: f"secret_{bank.add_card(user).id}")

    def save(self, token: str, *, user: UUID) -> Saved:
        card = asked(lambda: bank.cards.get(token))
        if card is None or card.gone or card.user != str(user):
            raise BadToken
        return Saved(card.id, "visa", "4242", date(2030, 1, 1))

    def forget(self, token: str) -> None:
        card = asked(lambda: bank.cards.get(token))
        if card is not None:
            card.gone = True

    def charge(self, wanted: ChargeWanted) -> Outcome:
        return tried(lambda: of_charge(bank.charge(key=str(wanted.key), amount=wanted.amount, card=wanted.token)))

    def find_charge(self, wanted: ChargeWanted, *, provider_id: str) -> Outcome:
        found = asked(lambda: [one for one in bank.charges.values() if one.key == str(wanted.key)])
        return of_charge(found[0]) if found else Outcome(Became.ABSENT)

    def cancel_charge(self, provider_id: str) -> Outcome:
        try:
            return of_charge(asked(lambda: bank.cancel(provider_id)))
        except No:
            return of_charge(bank.charges[provider_id])

    def refund(self, wanted: RefundWanted) -> Outcome:
        return tried(lambda: of_refund(bank.refund(key=str(wanted.key), charge=wanted.charge, amount=wanted.amount)))

    def find_refund(self, wanted: RefundWanted, *, provider_id: str) -> Outcome:
        found = asked(lambda: [one for one in bank.refunds.values() if one.key == str(wanted.key)])
        return of_refund(found[0]) if found else Outcome(Became.ABSENT)

    def event(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        moment, _, given = headers.get("Fake-Signature", "").partition(":")
        if not hmac.compare_digest(given.encode(), mac(moment, body, SECRET).encode()):
            raise Forged
        if abs(now - datetime.fromtimestamp(int(moment), UTC)) > timedelta(minutes=5):
            raise Forged
        said = json.loads(body)
        return Event(said["id"], said["kind"], About(said["about"]), said["object_id"])

    def events(self, *, since: datetime) -> Iterable[Event]:
        told = asked(lambda: [one for one in bank.told if one.at >= since])
        return [Event(one.id, one.kind, About(one.about), one.object_id) for one in told]

    def fetch(self, about: About, object_id: str) -> News | None:
        return asked(lambda: fetched(about, object_id))


def fetched(about: About, object_id: str) -> News | None:
    if about is About.CHARGE:
        charge = bank.charges[object_id]
        return ChargeNews(key_of(charge.key), of_charge(charge))
    if about is About.REFUND:
        refund = bank.refunds[object_id]
        return RefundNews(key_of(refund.key), refund.charge, refund.amount, of_refund(refund))
    if about is About.DISPUTE:
        found = bank.disputes[object_id]
        return DisputeNews(found.id, found.charge, found.amount, found.reason, Stage(found.stage), None)
    return None


def key_of(key: str) -> UUID | None:
    return UUID(key) if key else None


def of_charge(charge: Charge) -> Outcome:
    became = BECAME[charge.status]
    failure = charge.failure if became is Became.FAILED else ""
    return Outcome(became, charge.id, failure, charge.secret if became is Became.ACTION else "")


def of_refund(refund: Refund) -> Outcome:
    became = BECAME[refund.status]
    return Outcome(became, refund.id, "failed" if became is Became.FAILED else "")


def tried(work: Callable[[], Outcome]) -> Outcome:
    try:
        outcome: Outcome = bank.call(work)
        return outcome
    except No as error:
        return Outcome(Became.FAILED, failure=str(error))
    except (Away, Lost):
        return Outcome(Became.UNCLEAR)


def asked(work: Callable[[], T]) -> T:
    try:
        answer: T = bank.call(work)
        return answer
    except (Away, Lost) as error:
        raise Unavailable from error
