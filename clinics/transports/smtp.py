"""E-mail by SMTP, many over one connection. A message has one Message-ID however often it is sent, so that a mailbox
can tell that it is the same one.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Self

from django.core.mail.backends.smtp import EmailBackend

from clinics.transports import Became, Found, Outcome, Outgoing, mails
from clinics.transports.conversing import Answer, Conversation, Mail, Step


class Sender:
    def __init__(self) -> None:
        # Django's, for how it connects: by TLS, signed in, as the settings say.
        self.backend: Any = EmailBackend()
        self.conversation: Conversation | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def open(self) -> Conversation:
        """The conversation that is under way, or another where the server hung up. Raises OSError."""
        if self.conversation is not None and self.conversation.is_over:
            self.close()
        if self.conversation is None:
            self.backend.open()
            self.conversation = Conversation(self.backend.connection)
        return self.conversation

    def close(self) -> None:
        if self.conversation is not None:
            self.conversation.break_off()
            self.conversation = None
        with suppress(OSError):
            self.backend.close()

    def send(self, batch: Sequence[Outgoing]) -> Iterator[tuple[Outgoing, Outcome]]:
        ready = [written(outgoing) for outgoing in batch]
        following = [*(mail if isinstance(mail, Mail) else None for mail in ready[1:]), None]
        reason = ""
        for outgoing, mail, next_mail in zip(batch, ready, following, strict=True):
            if isinstance(mail, Outcome):
                yield outgoing, mail
            elif reason:
                yield outgoing, Outcome(Became.UNTRIED, error=reason)
            else:
                outcome, reason = self.try_to_send(mail, next_mail)
                yield outgoing, outcome

    def try_to_send(self, mail: Mail, following: Mail | None) -> tuple[Outcome, str]:
        """What became of a mail, and why the rest of a batch is better not tried now."""
        try:
            conversation = self.open()
        except OSError as error:
            self.close()
            reason = f"No connection to the mail server: {type(error).__name__}."
            return Outcome(Became.UNTRIED, error=reason), reason
        try:
            return understood(conversation.give(mail, following)), ""
        except OSError as error:
            # Whether it was taken is not known: sent again, it has the same Message-ID.
            self.close()
            reason = f"The mail server went away: {type(error).__name__}."
            return Outcome(Became.LATER, error=reason), reason

    def find(self, *, to: str, fingerprint: str, since: datetime) -> list[Found]:  # noqa: ARG002 - SMTP has no look-up
        return []


def written(outgoing: Outgoing) -> Mail | Outcome:
    """The mail, or what becomes of a message that cannot be one."""
    try:
        return mails.written(outgoing)
    except ValueError as error:
        return Outcome(Became.REFUSED, error=f"It cannot be written: {type(error).__name__}.")


def understood(answer: Answer) -> Outcome:
    """What a mail server's answer means: a 5xx is for good (RFC 5321, section 4.2.1). Its words may name people."""
    if answer.is_taken:
        return Outcome(Became.SENT)
    if answer.step is Step.SENDER:
        # That is ours to put right, and no message's fault.
        return Outcome(Became.LATER, error=f"The mail server refused our address ({answer.code}).")
    what = "the recipient" if answer.step is Step.RECIPIENT else "the message"
    became = Became.REFUSED if answer.code >= 500 else Became.LATER
    return Outcome(became, error=f"The mail server refused {what} ({answer.code}).")
