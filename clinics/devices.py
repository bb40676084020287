"""Where an account is signed in, for its owner to see and to end."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from clinics.models import Session, User
from clinics.refusals import NotFound

MOST_SHOWN = 100
# In this order: Edge and Opera say Chrome, too, and Chrome says Safari.
BROWSERS = [
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Safari", r"Safari/"),
]
SYSTEMS = [
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("Mac", r"Macintosh|Mac OS X"),
    ("Chromebook", r"CrOS"),
    ("Linux", r"Linux"),
]


@dataclass(frozen=True, slots=True)
class Device:
    """One session, in words. `id` is neither the key that signs in nor its digest."""

    id: uuid.UUID
    name: str
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


def signed_in(user: User, *, this: uuid.UUID, now: datetime) -> list[Device]:
    """Where `user` is signed in, the last used first; `this` is the session that asks."""
    found = Session.objects.filter(user=user, expire_date__gt=now).order_by("-last_seen_at", "id")[:MOST_SHOWN]
    return [
        Device(
            session.id,
            named(session.user_agent),
            session.address,
            session.created_at,
            session.last_seen_at,
            session.id == this,
        )
        for session in found
    ]


def sign_out(user: User, session: uuid.UUID) -> None:
    """End one session of `user`, by the next request. Raises NotFound."""
    if not Session.objects.filter(user=user, id=session).delete()[0]:
        raise NotFound


def sign_out_elsewhere(user: User, *, this: uuid.UUID) -> None:
    """End every session of `user` but `this`."""
    Session.objects.filter(user=user).exclude(id=this).delete()


def named(user_agent: str) -> str:
    """What somebody would call it: `Firefox on Windows`. An app's own name where it is no browser."""
    browser = next((name for name, marks in BROWSERS if re.search(marks, user_agent)), "")
    system = next((name for name, marks in SYSTEMS if re.search(marks, user_agent)), "")
    if not browser:
        browser = re.sub(r"[^A-Za-z0-9 ._-]", "", user_agent.partition("/")[0])[:40].strip()
    return " on ".join(part for part in (browser, system) if part) or "Unknown device"
