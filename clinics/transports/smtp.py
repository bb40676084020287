"""E-mail by SMTP, many over one connection. A message has one Message-ID however often it is sent, so that a mailbox
can tell that it is the same one.
"""

import smtplib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any, Self

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from clinics.transports import Became, Found, Outcome, Outgoing

HANGS_UP = 421


class Sender:
    def __init__(self) -> None:
        self.connection: Any = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        with suppress(OSError):
            self.connection.close()

    def send(self, batch: Sequence[Outgoing]) -> Iterator[tuple[Outgoing, Outcome]]:
        reason = ""
        for outgoing in batch:
            if reason:
                yield outgoing, Outcome(Became.UNTRIED, error=reason)
                continue
            outcome, reason = self.try_to_send(outgoing)
            yield outgoing, outcome

    def try_to_send(self, outgoing: Outgoing) -> tuple[Outcome, str]:
        """What became of a message, and why the rest of a batch is better not tried now."""
        try:
            self.connection.open()
        except OSError as error:
            self.close()
            reason = f"No connection to the mail server: {type(error).__name__}."
            return Outcome(Became.UNTRIED, error=reason), reason
        try:
            self.connection.send_messages([written(outgoing)])
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()), (550, b""))
            self.close_after(code)
            return refused(code, "the recipient"), ""
        except smtplib.SMTPSenderRefused as error:
            # That is ours to put right, and no message's fault.
            self.close_after(error.smtp_code)
            return Outcome(Became.LATER, error=f"The mail server refused our address ({error.smtp_code})."), ""
        except smtplib.SMTPResponseException as error:
            self.close_after(error.smtp_code)
            return refused(error.smtp_code, "the message"), ""
        except OSError as error:
            # Whether it was taken is not known: sent again, it has the same Message-ID.
            self.close()
            reason = f"The mail server went away: {type(error).__name__}."
            return Outcome(Became.LATER, error=reason), reason
        except ValueError as error:
            return Outcome(Became.REFUSED, error=f"It cannot be written: {type(error).__name__}."), ""
        return Outcome(Became.SENT), ""

    def close_after(self, code: int) -> None:
        """After 421 the server has hung up: the next message gets a connection of its own."""
        if code == HANGS_UP:
            self.close()

    def find(self, *, to: str, fingerprint: str, since: datetime) -> list[Found]:  # noqa: ARG002 - SMTP has no look-up
        return []


def refused(code: int, what: str) -> Outcome:
    """What a mail server's no means: 5xx is for good (RFC 5321, section 4.2.1). Its words may name people."""
    became = Became.REFUSED if code >= 500 else Became.LATER
    return Outcome(became, error=f"The mail server refused {what} ({code}).")


def written(outgoing: Outgoing) -> EmailMessage:
    """The e-mail, from the clinic's brand at our address. Raises ValueError where it cannot be written."""
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    message = EmailMessage(
        outgoing.subject,
        outgoing.body,
        formataddr((one_line(outgoing.brand), address)),
        [outgoing.to],
        headers={"Message-ID": message_id(outgoing), "Auto-Submitted": "auto-generated"},
    )
    for attachment in outgoing.attachments:
        message.attach(attachment["name"], attachment["content"], attachment["type"])
    return message


def message_id(outgoing: Outgoing) -> str:
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return f"<{outgoing.id}@{address.rpartition('@')[2]}>"


def one_line(text: str) -> str:
    return " ".join(text.split())
