"""What is said over a connection, to servers that do as a test tells them (RFC 5321, and RFC 2920 for PIPELINING)."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest

from clinics.transports.conversing import Answer, Conversation, Mail, Step, ended

TEXT = b"Subject: a\r\n\r\nb\r\n"
HELLO = {"EHLO": "250-server\r\n250-PIPELINING\r\n250 SIZE 1000"}


class Server:
    """Answers each command in turn as `script` says, by its first word, and else 250. Nothing at all: it hangs up.

    `heard` is what it was told, texts as one line each, and `waits` how often it had to wait for more.
    """

    def __init__(self, script: dict[str, list[str] | str]) -> None:
        self.script = {"DATA": "354", "QUIT": "221", **script}
        self.heard: list[str] = []
        self.waits = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)

    def serve(self) -> None:
        with closing(self.listener.accept()[0]) as connection:
            connection.settimeout(60)
            connection.sendall(b"220 server\r\n")
            buffer, is_text = b"", False
            while True:
                mark = b"\r\n.\r\n" if is_text and not buffer.startswith(b".\r\n") else b"\r\n"
                if mark not in buffer:
                    self.waits += 1
                    try:
                        more = connection.recv(65536)
                    except ConnectionResetError:  # whoever has hung up left an answer unread
                        return
                    if not more:
                        return
                    buffer += more
                    continue
                line, _, buffer = buffer.partition(mark)
                word = "." if is_text else line.split(b" ")[0].decode().upper().strip()
                self.heard.append("." if is_text else line.decode())
                said = self.script.get(word, "250")
                answer = said if isinstance(said, str) else said.pop(0) if said else "250"
                if not answer:
                    return
                is_text = word == "DATA" and answer == "354"
                with suppress(OSError):  # whoever has hung up reads no answer
                    connection.sendall(answer.encode() + b"\r\n" if answer[3:4] else f"{answer} said\r\n".encode())


@contextmanager
def talking(**script: Any) -> Iterator[tuple[Server, Conversation]]:
    """A server, and a conversation with it: `END` stands for the dot that ends a text."""
    script = {"." if word == "END" else word: answers for word, answers in script.items()}
    server = Server(HELLO | script)
    server.thread.start()
    client = smtplib.SMTP("127.0.0.1", server.listener.getsockname()[1], timeout=60)
    try:
        yield server, Conversation(client)
    finally:
        client.close()
        server.thread.join(60)
        server.listener.close()
    assert not server.thread.is_alive()


def mails(count: int) -> list[Mail]:
    return [
        Mail.of(sender="care@sameday.example", to=f"p{number}@example.com", content=TEXT) for number in range(count)
    ]


def given(conversation: Conversation, these: list[Mail]) -> list[tuple[str, int]]:
    """Give one after the other; the step and code that settled each."""
    answers = [conversation.give(mail, following) for mail, following in zip(these, [*these[1:], None], strict=True)]
    return [(answer.step.value, answer.code) for answer in answers]


@pytest.mark.parametrize(("hello", "waits"), [(HELLO["EHLO"], 2 + 11), ("250 server", 2 + 40)])
def test_ten_mails_cost_a_wait_each_and_to_others_four(hello: str, waits: int) -> None:
    with talking(EHLO=hello) as (server, conversation):
        assert given(conversation, mails(10)) == [(".", 250)] * 10

    # EHLO and the end; then each envelope with the text before it, but the first.
    assert server.waits == waits
    assert [line for line in server.heard if line.startswith("RCPT")] == [
        f"RCPT TO:<p{number}@example.com>" for number in range(10)
    ]


def test_it_says_how_long_a_mail_is_to_those_who_ask() -> None:
    with talking() as (server, conversation):
        given(conversation, mails(1))

    assert server.heard[1] == f"MAIL FROM:<care@sameday.example> SIZE={len(TEXT)}"


@pytest.mark.parametrize("text", ["503", "354"])
def test_a_refused_recipient_costs_the_others_nothing(text: str) -> None:
    """A server that asks for a text that it has nobody to give to is given none."""
    with talking(RCPT=["250", "550", "250"], DATA=["354", text, "354"], END=["250", *["554"] * (text == "354")]) as (
        server,
        conversation,
    ):
        assert given(conversation, mails(3)) == [(".", 250), ("RCPT", 550), (".", 250)]

    assert server.heard.count("rset") == 1
    assert server.heard.count(".") == (3 if text == "354" else 2)


def test_a_refused_sender_is_told_from_a_refused_recipient() -> None:
    with talking(MAIL="451", RCPT="503", DATA="503") as (_, conversation):
        assert given(conversation, mails(2)) == [("MAIL", 451)] * 2


def test_a_refused_text_costs_the_next_mail_nothing() -> None:
    with talking(END=["554", "250"]) as (_, conversation):
        assert given(conversation, mails(2)) == [(".", 554), (".", 250)]


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "END"])
def test_it_hangs_up_with_the_server(step: str) -> None:
    with talking(**{step: "421"}) as (server, conversation):
        answer = conversation.give(*mails(2))

        assert answer == Answer(Step("." if step == "END" else step), 421)
        assert conversation.is_over
    assert "quit" not in server.heard


def test_one_mail_at_most_is_in_doubt() -> None:
    """Gone after a text: the next mail's envelope is with the server already, and its text is not."""
    with talking(END=["250", ""]) as (server, conversation):
        first, second, third = mails(3)
        assert conversation.give(first, second).is_taken

        with pytest.raises(OSError, match="closed"):
            conversation.give(second, third)
        assert conversation.is_over

    assert server.heard.count(".") == 2


def test_a_mail_that_was_announced_is_not_taken_when_it_is_broken_off() -> None:
    """Were the connection ended as usual, QUIT would be read as the beginning of its text."""
    with talking() as (server, conversation):
        conversation.give(*mails(2))

        conversation.break_off()

        assert conversation.is_over
    assert server.heard.count(".") == 1


def test_a_connection_that_is_done_with_is_ended_as_usual() -> None:
    with talking() as (_, conversation):
        given(conversation, mails(2))

        conversation.break_off()

        assert not conversation.is_over


@pytest.mark.parametrize("address", ["a@example.com\r\nDATA", "a\n@example.com", "é@example.com"])
def test_an_address_is_no_more_than_one(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Mail.of(sender="care@sameday.example", to=address, content=TEXT)


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.\r\n.b\r\n..\r\n", b"a\r\n..\r\n..b\r\n...\r\n.\r\n"),
        (b"a.\r\n", b"a.\r\n.\r\n"),
    ],
)
def test_no_line_of_a_text_ends_it(content: bytes, sent: bytes) -> None:
    assert ended(content) == sent
