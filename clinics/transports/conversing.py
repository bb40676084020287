"""Giving mails to a server over one connection (RFC 5321).

Where the server takes PIPELINING (RFC 2920) a mail costs one wait in place of four: its envelope goes with the last
line of the mail before it. The text itself goes only when the server has asked for it, so that of all mails one at most
is in doubt when a connection is lost.
"""

import smtplib
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Self

HANGS_UP = 421
ASKS_FOR_TEXT = 354


class Step(Enum):
    """What the server answers to."""

    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    TEXT = "DATA"
    END = "."


# The answers that let a mail go on; 251: the server forwards it.
YES = {Step.SENDER: {250}, Step.RECIPIENT: {250, 251}, Step.TEXT: {ASKS_FOR_TEXT}, Step.END: {250}}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it goes over the wire."""

    sender: bytes
    to: bytes
    content: bytes
    """Its lines end with CRLF."""

    @classmethod
    def of(cls, *, sender: str, to: str, content: bytes) -> Self:
        """Raises ValueError for addresses that would be more than addresses, or need letters beyond ASCII."""
        if "\r" in sender + to or "\n" in sender + to:
            raise ValueError("An address holds the end of a line.")
        return cls(sender.encode("ascii"), to.encode("ascii"), content)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that settles a mail: to which step, and its code."""

    step: Step
    code: int

    @property
    def is_taken(self) -> bool:
        return self.step is Step.END and self.code in YES[Step.END]


class Conversation:
    """What is said over `server`, a connection that is ready for mail. Raises OSError where it is not."""

    def __init__(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        self.server = server
        self.is_pipelined = server.has_extn("pipelining")
        self.wants_size = server.has_extn("size")
        self.announced: Mail | None = None
        """A mail whose envelope the server was sent already."""

    @property
    def is_over(self) -> bool:
        return self.server.sock is None

    def give(self, mail: Mail, following: Mail | None = None) -> Answer:
        """Give the server `mail`; what it answered in the end. `following` is the one that will be given next.

        Raises OSError when the connection is lost: then `mail` may have been taken, and `following` was not.
        """
        refusal = self.announce(mail)
        if refusal is not None:
            return refusal
        text = ended(mail.content)
        if self.is_pipelined and following is not None:
            text += b"".join(self.envelope(following))
            self.announced = following
        self.server.send(text)
        return Answer(Step.END, self.hear())

    def announce(self, mail: Mail) -> Answer | None:
        """Say from whom a mail is, and to whom. Returns None where the server asks for its text, else why not."""
        is_sent, self.announced = self.announced is mail, None
        commands = self.envelope(mail)
        if self.is_pipelined and not is_sent:
            self.server.send(b"".join(commands))
        refusal: Answer | None = None
        code = 0
        for step, command in zip((Step.SENDER, Step.RECIPIENT, Step.TEXT), commands, strict=True):
            if not self.is_pipelined:
                if refusal is not None:
                    break
                self.server.send(command)
            code = self.hear()
            if code not in YES[step]:
                refusal = refusal or Answer(step, code)
            if self.is_over:
                return refusal
        if refusal is not None:
            self.begin_anew(is_text_awaited=code == ASKS_FOR_TEXT)
        return refusal

    def begin_anew(self, *, is_text_awaited: bool) -> None:
        """After a refusal. A server that asks for the text all the same has nobody to give it to (RFC 2920, 3.1)."""
        with suppress(smtplib.SMTPServerDisconnected):
            if is_text_awaited:
                self.server.send(b".\r\n")
                self.hear()
            self.server.rset()

    def envelope(self, mail: Mail) -> tuple[bytes, bytes, bytes]:
        size = b" SIZE=%d" % len(mail.content) if self.wants_size else b""
        return b"MAIL FROM:<%s>%s\r\n" % (mail.sender, size), b"RCPT TO:<%s>\r\n" % mail.to, b"DATA\r\n"

    def hear(self) -> int:
        """The code of the next answer. After 421 the server hangs up, and so do we."""
        code, _ = self.server.getreply()
        if code == HANGS_UP:
            self.server.close()
        return code

    def break_off(self) -> None:
        """Hang up without a word where the server may take it for the text of a mail."""
        if self.announced is not None:
            self.server.close()


def ended(content: bytes) -> bytes:
    """A mail's lines with the dot that ends them; those that begin with one get another (RFC 5321, section 4.5.2)."""
    lines = content.replace(b"\n.", b"\n..")
    if lines.startswith(b"."):
        lines = b"." + lines
    return lines + (b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n")
