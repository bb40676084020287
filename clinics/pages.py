"""Pages for people: where this server says what it is, and the mailbox of the demo."""

import email
import email.policy
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from clinics.messages import rendering
from clinics.models import Message

A_PAGE = 20
# Django's file backend ends each mail with a line of dashes, and begins a file for each connection.
END_OF_MAIL = b"\n" + b"-" * 79 + b"\n"

DEMO_PASSWORD = "sameday-demo"  # noqa: S105 - invented people
DEMO_LOGINS = [
    ("patient@example.com", "a member near Avon, Ohio"),
    ("parent@example.com", "a member with two children"),
    ("frontdesk@example.com", "front desk of the Avon clinic"),
    ("manager@example.com", "manager of the Avon clinic"),
    ("clinician@example.com", "a physician"),
    ("clinician2@example.com", "another one"),
    ("hr@example.com", "an employer's benefit staff"),
    ("partner@example.com", "a health system's staff"),
    ("admin@example.com", "the operator"),
    ("patient01@example.com … patient40@example.com", "members near 44011"),
]


@dataclass(frozen=True, slots=True)
class Mail:
    sent: str
    to: str
    subject: str
    body: str
    message: Message | None = None  # where it came from the outbox


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """`GET /`: what this is."""
    return render(
        request,
        "clinics/landing.html",
        {"is_demo": settings.DEMO, "logins": DEMO_LOGINS, "password": DEMO_PASSWORD},
    )


@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    """`GET /demo/messages`: what the demo sent, newest first. Only in the demo, where nobody is real."""
    if not settings.DEMO:
        raise Http404
    sources = [*files_in(Path(settings.EMAIL_FILE_PATH)), *sent_messages()]
    newest_first = sorted(sources, key=itemgetter(0), reverse=True)
    page = Paginator(newest_first, A_PAGE).get_page(request.GET.get("page"))
    mails = [mail for _, source in page.object_list for mail in read(source)]
    response = render(request, "clinics/messages.html", {"mails": mails, "page": page})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def attachment(request: HttpRequest, message_id: uuid.UUID, number: int) -> HttpResponse:  # noqa: ARG001 - as every view
    """`GET /demo/messages/<id>/<number>`: what was attached to a message of the demo."""
    message = Message.objects.filter(pk=message_id).first() if settings.DEMO else None
    if message is None or number >= len(message.attachments):
        raise Http404
    attached = message.attachments[number]
    return HttpResponse(
        attached["content"],
        content_type=attached["type"],
        headers={"Content-Disposition": content_disposition_header(True, attached["name"]) or "attachment"},
    )


def files_in(folder: Path) -> list[tuple[datetime, Path | uuid.UUID]]:
    """The files of mail, with their times: their names say these only to the second."""
    return [(datetime.fromtimestamp(path.stat().st_mtime, UTC), path) for path in folder.glob("*.log")]


def sent_messages() -> list[tuple[datetime, Path | uuid.UUID]]:
    """The messages that were sent, with their times."""
    sent = Message.objects.filter(sent_at__isnull=False, cleared_at__isnull=True)
    return [(at, pk) for at, pk in sent.values_list("sent_at", "pk") if at is not None]


def read(source: Path | uuid.UUID) -> list[Mail]:
    """A message, or the mails of one file, newest first."""
    if isinstance(source, uuid.UUID):
        return [written(message) for message in Message.objects.filter(pk=source)]
    mails = [part for part in source.read_bytes().split(END_OF_MAIL) if part.strip()]
    return [understood(part) for part in reversed(mails)]


def written(message: Message) -> Mail:
    """What a message said."""
    text = rendering.write(
        template=message.template, channel=message.channel, language=message.language, context=message.context
    )
    at = message.sent_at or message.due_at
    subject = text.subject or "SMS"
    return Mail(f"{at:%a, %d %b %Y %H:%M:%S %z}", message.address, subject, text.body, message)


def understood(raw: bytes) -> Mail:
    """What a mail says, in plain text."""
    message: Any = email.message_from_bytes(raw.lstrip(), _class=EmailMessage, policy=email.policy.default)
    body = message.get_body(("plain",))
    return Mail(
        sent=str(message["date"]),
        to=str(message["to"]),
        subject=str(message["subject"]),
        body=body.get_content() if body else "",
    )
