"""A message as an e-mail: from the clinic's brand at our address, with one Message-ID however often it is sent."""

import re
from email.utils import formataddr, formatdate, parseaddr
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.message import sanitize_address

from clinics.transports import Outgoing
from clinics.transports.conversing import Mail

# As Django's EmailMessage writes it, in a tenth of its time: see `is_plain`.
PLAIN = """\
Content-Type: text/plain; charset="utf-8"
MIME-Version: 1.0
Content-Transfer-Encoding: 7bit
Subject: {subject}
From: {sender}
To: {to}
Date: {date}
Message-ID: {id}
Auto-Submitted: auto-generated

{body}"""
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
# A header's line is folded from 78 letters on (RFC 5322, section 2.1.1), its name among them.
SUBJECT = re.compile(r"[!-~]+( [!-~]+)*")
HEADER_FITS = 66
LINE_FITS = 998


def written(outgoing: Outgoing) -> Mail:
    """The mail. Raises ValueError where it cannot be written."""
    sender = sender_of(outgoing.brand, our_address())
    content = plain(outgoing, sender) if is_plain(outgoing, sender) else full(outgoing, sender)
    return Mail.of(sender=our_address(), to=bare(outgoing.to), content=content)


def is_plain(outgoing: Outgoing, sender: str) -> bool:
    """Whether it is a mail of nothing but short lines in ASCII, whose headers are what they say. Most are."""
    return (
        not outgoing.attachments
        and len(outgoing.subject) <= HEADER_FITS
        and SUBJECT.fullmatch(outgoing.subject) is not None
        and len(sender) <= HEADER_FITS
        and sender.isascii()
        and sender.isprintable()
        and len(outgoing.to) <= HEADER_FITS
        and PLAIN_ADDRESS.fullmatch(outgoing.to) is not None
        and outgoing.body.isascii()
        and "\r" not in outgoing.body
        and max(map(len, outgoing.body.split("\n"))) <= LINE_FITS
    )


def plain(outgoing: Outgoing, sender: str) -> bytes:
    text = PLAIN.format(
        subject=outgoing.subject, sender=sender, to=outgoing.to, date=formatdate(), id=message_id(outgoing),
        body=outgoing.body,
    )  # fmt: skip
    return text.replace("\n", "\r\n").encode("ascii")


def full(outgoing: Outgoing, sender: str) -> bytes:
    """Whatever is in it. Raises ValueError where it cannot be written."""
    message = EmailMessage(
        outgoing.subject,
        outgoing.body,
        sender,
        [outgoing.to],
        headers={"Message-ID": message_id(outgoing), "Auto-Submitted": "auto-generated"},
    )
    for attachment in outgoing.attachments:
        message.attach(attachment["name"], attachment["content"], attachment["type"])
    made: Any = message.message()
    content: bytes = made.as_bytes(linesep="\r\n")
    return content


def message_id(outgoing: Outgoing) -> str:
    return f"<{outgoing.id}@{our_address().rpartition('@')[2]}>"


def our_address() -> str:
    return address_in(settings.DEFAULT_FROM_EMAIL)


@lru_cache
def address_in(setting: str) -> str:
    return bare(parseaddr(setting)[1])


@lru_cache(maxsize=512)
def sender_of(brand: str, address: str) -> str:
    return formataddr((one_line(brand), address))


def bare(address: str) -> str:
    """An address as servers are told it. Raises ValueError where it is none."""
    if PLAIN_ADDRESS.fullmatch(address):
        return address
    return parseaddr(sanitize_address(address, settings.DEFAULT_CHARSET))[1]


def one_line(text: str) -> str:
    return " ".join(text.split())
