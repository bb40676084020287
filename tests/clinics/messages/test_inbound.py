"""What people text us (promise 17), and what Twilio tells (promise 42)."""

import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from clinics import messages, sms
from clinics.messages import claiming, sending
from clinics.models import InboundSms, Message, Patient, SmsOptOut
from clinics.transports import Became
from tests.cast import NOW, at_the_same_time
from tests.clinics.messages.conftest import PHONE, queue, text
from tests.clinics.messages.provider import Provider

pytestmark = pytest.mark.django_db


def said(body: str, number: str = "1", phone: str = PHONE) -> InboundSms | None:
    return messages.inbound(from_number=phone, body=body, provider_id=f"SM{number}", now=NOW)


def answers() -> list[str]:
    return list(Message.objects.filter(kind="answer").order_by("pk").values_list("template", flat=True))


def send() -> int:
    return sending.send_due("sms", clock=lambda: NOW)


class TestWords:
    @pytest.mark.parametrize("word", ["STOP", "stop!", "Unsubscribe", "cancel", "End.", "quit", "opt-out", "Revoke"])
    def test_it_stops_at_once(self, pat: Patient, provider: Provider, word: str):
        text(pat)
        queue(pat)

        assert said(word) is None
        assert Message.objects.get(channel="sms", template="test").status == "suppressed"
        assert answers() == ["sms_stopped"]
        assert send() == 1
        assert {message.channel for message in queue(pat, dedupe_key="2")} == {"email"}

    def test_it_confirms_once(self, pat: Patient):
        said("STOP")
        said("stop", "2")

        assert answers() == ["sms_stopped"]
        assert SmsOptOut.objects.count() == 1

    def test_it_says_how_to_cancel_a_visit_to_whom_it_stops_for_cancel(self, provider: Provider):
        said("Cancel")
        said("STOP", "2", "+14405550102")
        send()

        # Both at once: which goes first is nothing to go by.
        first, second = sorted(provider.taken, key=lambda taken: taken.to != "+14405550102", reverse=True)
        assert "cancel a visit" in first.body
        assert "cancel" not in second.body

    def test_it_helps_also_after_stop(self, provider: Provider):
        said("stop")
        said("help", "2")
        send()

        assert answers() == ["sms_stopped", "sms_help"]
        assert len(provider.taken) == 2

    def test_it_starts_again(self, pat: Patient):
        text(pat)
        said("stop")
        said("Start", "2")

        assert answers() == ["sms_stopped", "sms_started"]
        assert "sms" in {message.channel for message in queue(pat)}

    def test_it_starts_at_yes_only_after_stop(self):
        assert said("YES").body == "YES"
        said("stop", "2")
        assert said("yes", "3") is None
        assert answers() == ["sms_stopped", "sms_started"]

    def test_it_leaves_the_rest_to_others(self):
        left = said("C")

        assert (left.phone, left.body) == (PHONE, "C")
        assert answers() == []

    def test_it_answers_in_their_language(self, pat: Patient, provider: Provider):
        text(pat)
        Patient.objects.filter(pk=pat.pk).update(language="es")
        said("stop")
        send()

        assert "Responda START" in provider.taken[0].body

    def test_it_takes_in_a_text_once(self):
        assert said("C")
        assert said("C") is None
        assert said("HELP", "2") is said("HELP", "2") is None
        assert answers() == ["sms_help"]

    def test_it_takes_in_rubbish(self):
        for number, body in enumerate(["", "\0", "\ud800", "x" * 5_000, "💊"]):
            said(body, str(number))
        assert said("C", "") is None or InboundSms.objects.exists()
        assert messages.inbound(from_number="", body="STOP", provider_id="SM", now=NOW) is None

    def test_it_answers_for_others(self, provider: Provider):
        left = said("C")
        assert left is not None
        for _ in range(2):
            messages.answer(inbound=left, template="test", context={"brand": "Avon"}, now=NOW)
        send()

        assert [(one.to, one.body) for one in provider.taken] == [(PHONE, "Hello from Avon")]


@pytest.mark.django_db(transaction=True)
def test_it_takes_in_a_text_once_of_many_at_once():
    left = at_the_same_time(lambda _: said("C") is not None, range(6))
    stopped = at_the_same_time(lambda number: said("STOP", f"s{number}"), range(6))

    assert sorted(left) == [False] * 5 + [True]
    assert stopped == [None] * 6
    assert answers() == ["sms_stopped"]


class Twilio:
    """Twilio, calling our webhook."""

    URL = "https://care.example"

    def __init__(self, token: str) -> None:
        self.token, self.client = token, Client()

    def tells(self, path: str, fields: dict[str, str], signature: str | None = None) -> int:
        url = self.URL + path
        made = sms.signature(url=url, fields=fields.items(), auth_token=self.token)
        headers = {"X-Twilio-Signature": made if signature is None else signature}
        return self.client.post(path, fields, headers=headers, secure=True).status_code


@pytest.fixture
def twilio(settings: LazySettings) -> Twilio:
    settings.PUBLIC_URL = Twilio.URL
    settings.TWILIO = {**settings.TWILIO, "AUTH_TOKEN": "secret"}
    return Twilio("secret")


class TestStatus:
    @pytest.fixture
    def sent(self, pat: Patient, provider: Provider) -> Message:
        text(pat)
        queue(pat)
        send()
        return Message.objects.get(channel="sms")

    @staticmethod
    def tell(twilio: Twilio, *statuses: str, sid: str = "SM1", path: str = "/webhooks/twilio/status") -> set[int]:
        return {twilio.tells(path, {"MessageSid": sid, "MessageStatus": one, "ErrorCode": "30003"}) for one in statuses}

    @pytest.mark.parametrize(
        ("told", "status"),
        [
            (["sent", "delivered"], "delivered"),
            (["delivered", "sent", "queued"], "delivered"),
            (["delivered", "delivered"], "delivered"),
            (["sent", "undelivered"], "failed"),
            (["undelivered", "sent"], "failed"),
            (["failed", "delivered"], "failed"),
            (["nonsense", ""], "sent"),
        ],
    )
    def test_it_ends_as_twilio_does_in_any_order(self, twilio: Twilio, sent: Message, told: list[str], status: str):
        assert self.tell(twilio, *told) == {204}

        sent.refresh_from_db()
        assert sent.status == status
        assert sent.error == ("Twilio's error 30003." if status == "failed" else "")

    def test_it_believes_no_forgery(self, twilio: Twilio, sent: Message):
        fields = {"MessageSid": "SM1", "MessageStatus": "failed"}
        path = "/webhooks/twilio/status"
        other = sms.signature(url=f"https://evil.example{path}", fields=fields.items(), auth_token="secret")

        assert [twilio.tells(path, fields, signature) for signature in ("", "x", "é", other)] == [403] * 4
        sent.refresh_from_db()
        assert sent.status == "sent"

    def test_it_believes_nothing_without_a_token(self, twilio: Twilio, sent: Message, settings: LazySettings):
        settings.TWILIO = {**settings.TWILIO, "AUTH_TOKEN": ""}
        twilio.token = ""

        assert self.tell(twilio, "failed") == {403}

    def test_it_tells_of_a_text_that_was_unclear(self, twilio: Twilio, pat: Patient, provider: Provider):
        text(pat)
        queue(pat)
        provider.script = [Became.UNCLEAR]
        send()
        message = Message.objects.get(channel="sms")

        self.tell(twilio, "delivered", sid="SM9", path=f"/webhooks/twilio/status?message={message.pk}&attempt=1")

        message.refresh_from_db()
        assert (message.status, message.provider_id) == ("delivered", "SM9")

    def test_it_tells_before_the_worker_has_recorded(self, twilio: Twilio, pat: Patient, provider: Provider):
        text(pat)
        queue(pat)
        message = Message.objects.get(channel="sms")
        provider.during = lambda: self.tell(
            twilio, "sent", sid="SM1", path=f"/webhooks/twilio/status?message={message.pk}&attempt=1"
        )
        send()

        message.refresh_from_db()
        assert (message.status, message.provider_id) == ("sent", "SM1")

    def test_it_tells_nothing_of_another_attempt(self, twilio: Twilio, pat: Patient, provider: Provider):
        text(pat)
        queue(pat)
        (outgoing,) = claiming.claim("sms", now=NOW).outgoing

        self.tell(twilio, "failed", sid="SM9", path=f"/webhooks/twilio/status?message={outgoing.id}&attempt=7")

        assert Message.objects.get(channel="sms").status == "sending"

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"MessageSid": "x" * 10_000, "MessageStatus": "sent"},
            {"MessageSid": "S\0M", "MessageStatus": "sent"},
            {"MessageSid": "SMé", "MessageStatus": "delivered", "ErrorCode": "x" * 999},
        ],
    )
    @pytest.mark.parametrize("query", ["", "?message=x&attempt=-1", f"?message={uuid.UUID(int=0)}&attempt=99999999999"])
    def test_it_takes_rubbish_quietly(self, twilio: Twilio, sent: Message, fields: dict[str, str], query: str):
        assert twilio.tells(f"/webhooks/twilio/status{query}", fields) == 204
        sent.refresh_from_db()
        assert sent.status == "sent"

    def test_it_takes_signed_posts_alone(self, twilio: Twilio):
        assert twilio.client.get("/webhooks/twilio/status", secure=True).status_code == 405
        body: Any = {"content_type": "multipart/form-data; boundary=x", "data": b"garbage"}
        assert twilio.client.post("/webhooks/twilio/status", secure=True, **body).status_code in (400, 403)

    def test_it_takes_few_statements(self, twilio: Twilio, sent: Message, django_assert_max_num_queries: Any):
        for told in ("sent", "delivered", "delivered"):
            with django_assert_max_num_queries(3):
                self.tell(twilio, told)
