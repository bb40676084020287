"""Texts by Twilio's API: what each answer means, and a Twilio that takes what it does not say (promise 13)."""

import hashlib
import math
import uuid
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from django.conf import LazySettings

from clinics.messages import sending
from clinics.models import Message, Patient
from clinics.transports import Became, Outcome, Outgoing, Unavailable, twilio
from tests.cast import NOW
from tests.clinics.messages.conftest import PHONE, queue, text

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def account(settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://care.example"
    settings.TWILIO = {
        "ACCOUNT_SID": "AC1", "AUTH_TOKEN": "token", "API_KEY": "SK1", "API_KEY_SECRET": "secret",
        "MESSAGING_SERVICE_SID": "MG1", "FROM": "",
    }  # fmt: skip


class FakeTwilio:
    """Takes texts, and lists them. `answers` says how the next ones are answered, whatever it did with them."""

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = []
        self.asked: list[httpx.Request] = []
        self.answers: list[Answer] = []
        self.takes = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.method == "GET":
            to = request.url.params["To"]
            return httpx.Response(200, json={"messages": [one for one in self.listed[::-1] if one["to"] == to]})
        form = {name: value for name, (value,) in parse_qs(request.content.decode()).items()}
        sid = f"SM{len(self.listed)}"
        if self.takes:
            self.listed.append(
                {
                    "sid": sid,
                    "to": form["To"],
                    "body": form["Body"],
                    "status": "delivered",
                    "direction": "outbound-api",
                    "date_created": format_datetime(NOW),
                    "error_code": None,
                }
            )
        if self.answers:
            return self.answers.pop(0)(request)
        return httpx.Response(201, json={"sid": sid, "status": "accepted"})


def dropped(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError("gone", request=request)


def hung(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("late", request=request)


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def says(code: int, /, **body: Any) -> Answer:
    return lambda request: httpx.Response(code, json=body)


OUTGOING = Outgoing(uuid.UUID(int=7), 2, PHONE, "Sameday", "", "Hello & bye")


def send(answer: Answer) -> Outcome:
    with twilio.Sender(httpx.MockTransport(answer)) as sender:
        ((_, outcome),) = sender.send([OUTGOING])
        return outcome


def test_it_asks_as_twilio_wants_it():
    fake = FakeTwilio()

    outcome = send(fake)

    assert (outcome.became, outcome.provider_id) == (Became.SENT, "SM0")
    (request,) = fake.asked
    assert str(request.url) == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert request.headers["Authorization"] == httpx.BasicAuth("SK1", "secret")._auth_header
    assert parse_qs(request.content.decode()) == {
        "To": [PHONE],
        "Body": ["Hello & bye"],
        "MessagingServiceSid": ["MG1"],
        "StatusCallback": [f"https://care.example/webhooks/twilio/status?message={OUTGOING.id}&attempt=2"],
    }


def test_it_sends_from_a_number_by_the_accounts_own_token(settings: LazySettings):
    settings.TWILIO = settings.TWILIO | {
        "API_KEY": "", "API_KEY_SECRET": "", "MESSAGING_SERVICE_SID": "", "FROM": "+14405550000",
    }  # fmt: skip
    fake = FakeTwilio()
    send(fake)

    (request,) = fake.asked
    assert request.headers["Authorization"] == httpx.BasicAuth("AC1", "token")._auth_header
    assert parse_qs(request.content.decode())["From"] == ["+14405550000"]


@pytest.mark.parametrize(
    ("answer", "became"),
    [
        (says(201, sid="SM1", status="queued"), Became.SENT),
        (says(201), Became.UNCLEAR),
        (lambda request: httpx.Response(201, content=b"<html>"), Became.UNCLEAR),
        (says(400, code=21211), Became.REFUSED),
        (says(400, code=21610), Became.STOPPED),
        (lambda request: httpx.Response(400, content=b"["), Became.REFUSED),
        (says(401), Became.UNTRIED),
        (says(404), Became.UNTRIED),
        (says(429), Became.LATER),
        (lambda request: httpx.Response(302, headers={"Location": "https://evil.example"}), Became.LATER),
        (says(500), Became.UNCLEAR),
        (says(503), Became.UNCLEAR),
        (dropped, Became.UNCLEAR),
        (hung, Became.UNCLEAR),
        (refused, Became.UNTRIED),
    ],
)
def test_it_knows_what_an_answer_means(answer: Answer, became: Became):
    outcome = send(answer)

    assert outcome.became is became
    assert PHONE not in outcome.error


class TestLookUp:
    @staticmethod
    def find(fake: Answer, **wanted: Any) -> list[str]:
        fingerprint = hashlib.sha256(b"Hello & bye").hexdigest()
        with twilio.Sender(httpx.MockTransport(fake)) as sender:
            options = {"to": PHONE, "fingerprint": fingerprint, "since": NOW, **wanted}
            return [found.provider_id for found in sender.find(**options)]

    def test_it_finds_what_was_taken(self):
        fake = FakeTwilio()
        send(fake)

        assert self.find(fake) == ["SM0"]
        assert self.find(fake, to="+14405550199") == []
        assert self.find(fake, fingerprint="other") == []
        assert self.find(fake, since=NOW + timedelta(minutes=2)) == []

    @pytest.mark.parametrize(
        "answer",
        [says(500), says(401), says(200), says(200, messages=[{}]), says(200, messages=3), hung, refused],
    )
    def test_it_says_when_it_cannot_know(self, answer: Answer):
        with pytest.raises(Unavailable):
            self.find(answer)


@pytest.mark.django_db
class TestOnce:
    """Whatever becomes of Twilio's answer, it takes a text once."""

    @pytest.mark.parametrize("answer", [dropped, hung, says(500), says(201)])
    @pytest.mark.parametrize("takes", [True, False])
    def test_it_sends_once(
        self,
        pat: Patient,
        settings: LazySettings,
        monkeypatch: pytest.MonkeyPatch,
        test_templates: None,
        answer: Answer,
        takes: bool,
    ):
        fake = FakeTwilio()
        fake.answers, fake.takes = [answer], takes
        sender = twilio.Sender
        monkeypatch.setattr(twilio, "Sender", lambda: sender(httpx.MockTransport(fake)))
        settings.TRANSPORTS = {"sms": "clinics.transports.twilio"}
        settings.SENDING_RATES = {"sms": math.inf}
        text(pat)
        queue(pat)
        message = Message.objects.filter(channel="sms")

        sending.send_due("sms", clock=lambda: NOW)
        assert message.get().status == "unclear"
        fake.takes = True
        for minute in (0, 1, 2, 5):
            sending.send_due("sms", clock=lambda minute=minute: NOW + timedelta(minutes=minute))

        assert len(fake.listed) == 1
        assert message.get().status == ("delivered" if takes else "sent")
        assert message.get().provider_id == "SM0"
