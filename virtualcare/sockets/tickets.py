"""Tickets: what opens one socket, within a minute, for one user in one session.

Browsers send a socket no header of ours, and a cookie would let any page open it: so a call that is authenticated
answers with an address that holds a ticket. It is signed under the SECRET_KEY, holds no secret of the session, is bound
to its path, and is spent by its first use as far as Valkey is there to remember (`virtualcare.sockets.hub`).
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing

from clinics.models import User

GOOD_FOR = timedelta(seconds=60)  # to connect: the socket may stay open for as long as its user may hear


class BadTicket(Exception):
    """Forged, too old, or for another path."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who may open a socket. `digest` is what a spent ticket is remembered by."""

    user: uuid.UUID
    session: uuid.UUID
    digest: str


def consult_path(consult: uuid.UUID) -> str:
    return f"/ws/consults/{consult}"


CLINICIAN_PATH = "/ws/clinician"


def url_for(session: uuid.UUID, user: User, path: str) -> str:
    """The address at which `user` opens the socket `path` once, within GOOD_FOR: `Endpoint.session` is the session.

    Whether they may is looked at when they come. The address is a secret for that minute: it belongs in an answer that
    nobody keeps, and in no log.
    """
    content = [user.pk.hex, session.hex, secrets.token_urlsafe(9)]
    return f"{settings.SOCKETS_URL}{path}?ticket={signing.dumps(content, salt=salt(path))}"


def opened(ticket: str, path: str) -> Ticket:
    """Whose ticket for `path` this is. Raises BadTicket."""
    try:
        user, session, _ = signing.loads(ticket, salt=salt(path), max_age=GOOD_FOR)
        return Ticket(uuid.UUID(user), uuid.UUID(session), hashlib.sha256(ticket.encode()).hexdigest()[:32])
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise BadTicket from error


def salt(path: str) -> str:
    return f"virtualcare.sockets.tickets:{path}"
