"""Pages for people: where this server says what it is, and the mailbox of the demo."""

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

A_PAGE = 20
# Django's file backend ends each mail with a line of dashes, and begins a file for each connection.
END_OF_MAIL = b"\n" + b"-" * 79 + b"\n"

DEMO_PASSWORD = "sameday-demo"  # noqa: S105 - invented people
DEMO_LOGINS = [
    ("patient@example.com", "a member near Avon, Ohio"),
    ("parent@example.com", "a member with two children"),
    ("frontdesk@example.com", "front desk of the Avon clinic"),
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
    """`GET /demo/messages`: the mail that the demo sent, newest first. Only in the demo, where nobody is real."""
    if not settings.DEMO:
        raise Http404
    files = Paginator(newest_first(Path(settings.EMAIL_FILE_PATH)), A_PAGE).get_page(request.GET.get("page"))
    mails = [mail for path in files.object_list for mail in read(path)]
    response = render(request, "clinics/messages.html", {"mails": mails, "page": files})
    response["Cache-Control"] = "no-store"
    return response


def newest_first(folder: Path) -> list[Path]:
    """The files of mail. Their names begin with the time, but only to the second."""
    return sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def read(path: Path) -> list[Mail]:
    """The mails of one file, newest first."""
    mails = [part for part in path.read_bytes().split(END_OF_MAIL) if part.strip()]
    return [understood(part) for part in reversed(mails)]


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
