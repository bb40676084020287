"""The secret addresses of feeds.

A secret is 192 bits of an HMAC of the feed's random nonce, under a key that is not in the database (LINKS_KEY): an
answer that was lost can be given again without being stored, and a copy of the database reads nobody's calendar. Only
its digest is looked for, so that another LINKS_KEY ends no feed.
"""

import base64
import hashlib
import hmac
import uuid
from datetime import datetime

from django.conf import settings

from clinics.models import Clinician, User
from clinics.refusals import NotFound, Refused
from scheduling.models import CalendarFeed

Kind = CalendarFeed.Kind


class NotClinician(Refused):
    code = "no_clinician_record"
    detail = "This account is no clinician's: it has no visits at work."


def make(*, user: User, kind: CalendarFeed.Kind, now: datetime) -> CalendarFeed:
    """Give `user` a feed of `kind` with a new address. The one before, if any, is unknown from this moment on.

    Of two at once the later stands. Raises NotClinician.
    """
    if kind == Kind.WORK and not Clinician.objects.filter(user=user).exists():
        raise NotClinician
    nonce = uuid.uuid4()
    feed = CalendarFeed(user=user, kind=kind, nonce=nonce, digest=digest(derived(nonce)), made_at=now)
    CalendarFeed.objects.bulk_create(
        [feed],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["nonce", "digest", "made_at", "fetched_at", "content", "content_at"],
    )
    return feed


def of(*, user: User, kind: CalendarFeed.Kind) -> CalendarFeed | None:
    """The feed of `kind` that `user` has, if any."""
    return CalendarFeed.objects.filter(user=user, kind=kind).first()


def end(*, user: User, kind: CalendarFeed.Kind) -> None:
    """Take a feed away, where there is one."""
    CalendarFeed.objects.filter(user=user, kind=kind).delete()


def find(secret: str) -> CalendarFeed:
    """The feed at the address with `secret`, with its account and that one's patient.

    Raises NotFound when it is unknown, has another address by now, or its account is switched off.
    """
    found = (
        CalendarFeed.objects.select_related("user__patient").filter(digest=digest(secret), user__is_active=True).first()
    )
    if found is None:
        raise NotFound
    return found


def address(feed: CalendarFeed) -> str:
    """Where `feed` is read. Raises NotFound where that cannot be said again, for LINKS_KEY is another one by now."""
    secret = derived(feed.nonce)
    if not hmac.compare_digest(digest(secret), feed.digest):
        raise NotFound
    return f"{settings.PUBLIC_URL}/calendar/{secret}.ics"


def derived(nonce: uuid.UUID) -> str:
    mac = hmac.digest(settings.LINKS_KEY.encode(), b"sameday.calendar:" + nonce.bytes, "sha256")
    return base64.urlsafe_b64encode(mac[:24]).decode()


def digest(secret: str) -> str:
    return hashlib.sha256(f"sameday.calendar:{secret}".encode()).hexdigest()
