"""E-mail by a real SMTP server, one that takes commands one by one and one that takes many at once (PIPELINING)."""

import email
import email.policy
import socket
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import LazySettings

from clinics.transports import Became, Outgoing, smtp
from config import embedded


class Handler:
    """Takes mail, and answers addresses by their names."""

    def __init__(self, *extensions: str) -> None:
        self.extensions = extensions
        self.taken: list[Any] = []
        self.connections: set[Any] = set()

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(f"250-{name}" for name in self.extensions), responses[-1]]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        self.connections.add(session.peer)
        name = address.partition("@")[0]
        if name in ("550", "450", "421"):
            return f"{name} no"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        name = envelope.rcpt_tos[0].partition("@")[0]
        self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        if name == "lost":
            server.transport.abort()
        return {"data550": "554 no", "data450": "452 later"}.get(name, "250 OK")


@pytest.fixture(params=[(), ("PIPELINING",)], ids=["one by one", "pipelined"])
def server(settings: LazySettings, request: pytest.FixtureRequest) -> Iterator[Handler]:
    handler = Handler(*request.param)
    port = embedded.free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    configure(settings, port)
    yield handler
    controller.stop()


def configure(settings: LazySettings, port: int, timeout: float = 60) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, timeout
    settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = False, ""
    settings.DEFAULT_FROM_EMAIL = "Sameday <care@sameday.example>"


def outgoing(to: str = "pat", **fields: Any) -> Outgoing:
    values = {"brand": "Sameday with Avon Health", "subject": "Your visit", "body": "Olá, soon.\n", **fields}
    return Outgoing(id=fields.pop("id", None) or uuid.uuid4(), attempt=1, to=f"{to}@example.com", **values)


def send(*batch: Outgoing) -> list[Became]:
    with smtp.Sender() as sender:
        return [outcome.became for _, outcome in sender.send(batch)]


def test_it_is_taken(server: Handler):
    one = outgoing(attachments=[{"name": "visit.ics", "type": "text/calendar; method=PUBLISH", "content": "BEGIN:é"}])

    assert send(one) == [Became.SENT]
    (mail,) = server.taken
    assert mail["From"] == "Sameday with Avon Health <care@sameday.example>"
    assert (mail["To"], mail["Subject"]) == ("pat@example.com", "Your visit")
    assert mail["Message-ID"] == f"<{one.id}@sameday.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, attached = mail.iter_parts()
    assert text.get_content() == "Olá, soon.\r\n"
    assert (attached.get_filename(), attached.get_content_type()) == ("visit.ics", "text/calendar")
    assert attached["Content-Type"].params["method"] == "PUBLISH"
    assert attached.get_content().strip() == "BEGIN:é"


def test_it_has_one_id_however_often_it_is_sent(server: Handler):
    one = outgoing()
    send(one)
    send(one)

    assert len({mail["Message-ID"] for mail in server.taken}) == 1


@pytest.mark.parametrize(
    ("name", "became"),
    [("550", "refused"), ("450", "later"), ("421", "later"), ("data550", "refused"), ("data450", "later")],
)
def test_it_knows_a_no_for_good(server: Handler, name: str, became: str):
    """And goes on with the others."""
    assert [one.value for one in send(outgoing(name), outgoing())] == [became, "sent"]


def test_it_takes_one_connection_for_many(server: Handler):
    assert set(send(*[outgoing() for _ in range(50)])) == {Became.SENT}
    assert len(server.connections) == 1


def test_it_stops_when_the_connection_is_lost(server: Handler):
    """The message may have been taken: it is sent again, under its Message-ID. The others were not tried."""
    assert send(outgoing(), outgoing("lost"), outgoing()) == [Became.SENT, Became.LATER, Became.UNTRIED]


def test_it_tries_nothing_where_nobody_listens(settings: LazySettings):
    configure(settings, embedded.free_port())

    assert send(outgoing(), outgoing()) == [Became.UNTRIED] * 2


def test_it_waits_for_no_server_that_hangs(settings: LazySettings):
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        configure(settings, deaf.getsockname()[1], timeout=0.5)

        assert send(outgoing(), outgoing(), outgoing()) == [Became.UNTRIED] * 3


def test_it_writes_no_header_that_a_name_smuggles_in(server: Handler):
    one = outgoing(brand="Avon\r\nBcc: evil@example.com")

    assert send(one) == [Became.SENT]
    assert server.taken[0]["Bcc"] is None
    assert send(outgoing(subject="a\r\nBcc: evil@example.com"), outgoing()) == [Became.REFUSED, Became.SENT]
