"""Secret addresses in messages: whoever opens one may do one thing, without signing in.

A token is 128 bits of an HMAC of the link's id, so that a message can be written again from its row; the database holds
its digest alone, and a copy of it opens nothing. GET shows and POST acts, for mail scanners follow links.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from clinics.ids import new_id
from clinics.models import Link, Patient
from clinics.refusals import NotFound

KEPT_FOR = timedelta(days=30)  # after its time is over
BATCH = 2_000


def make(*, purpose: str, about: str, patient: Patient, expires_at: datetime) -> Link:
    """Make a link to do `purpose` with `about`, until `expires_at`. Costs one statement."""
    link = planned(purpose=purpose, about=about, patient=patient, expires_at=expires_at)
    link.save(force_insert=True)
    return link


def planned(*, purpose: str, about: str, patient: Patient | UUID, expires_at: datetime) -> Link:
    """A link that is not stored yet: many of them are by one `save_all`."""
    pk = new_id()
    return Link(
        pk=pk,
        purpose=purpose,
        about=about,
        patient_id=patient if isinstance(patient, UUID) else patient.pk,
        digest=digest(derived(pk)),
        expires_at=expires_at,
    )


def save_all(links: Iterable[Link]) -> None:
    """Store `planned` links, in one statement."""
    Link.objects.bulk_create(links)


def token(link: Link) -> str:
    """The 22 characters that open `link`."""
    return derived(link.pk)


def address(link: Link) -> str:
    """The address that opens `link`: PUBLIC_URL/<purpose>/<token>."""
    return address_of(link.purpose, link.pk)


def address_of(purpose: str, link_id: UUID) -> str:
    """The address of the link `link_id`, without looking it up."""
    return f"{settings.PUBLIC_URL}/{purpose}/{derived(link_id)}"


def find(token: str, *, purpose: str, now: datetime) -> Link:
    """The link that `token` opens, with its patient. Raises NotFound when it is unknown, another's, used or over."""
    link = (
        Link.objects.select_related("patient")
        .filter(digest=digest(token), purpose=purpose, used_at__isnull=True, expires_at__gt=now)
        .first()
    )
    if link is None:
        raise NotFound
    return link


def use(link: Link, *, now: datetime) -> None:
    """Use `link` up, in the transaction of what it does. Raises NotFound when it is used already, or over."""
    if not Link.objects.filter(pk=link.pk, used_at__isnull=True, expires_at__gt=now).update(used_at=now):
        raise NotFound


def withdraw(*, about: str, now: datetime) -> int:
    """Use up all links about something that is not so any more. Returns how many there were."""
    return Link.objects.filter(about=about, used_at__isnull=True).update(used_at=now)


def derived(link_id: UUID) -> str:
    mac = hmac.digest(settings.LINKS_KEY.encode(), b"sameday.link:" + link_id.bytes, "sha256")
    return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def digest(token: str) -> str:
    return hashlib.sha256(f"sameday.link:{token}".encode()).hexdigest()


def purge(*, now: datetime) -> int:
    """Delete links whose time has long been over, in batches. Returns how many there were."""
    purged = 0
    while True:
        over: QuerySet[Link] = Link.objects.filter(expires_at__lt=now - KEPT_FOR).order_by("expires_at")[:BATCH]
        batch, _ = Link.objects.filter(pk__in=over.values("pk")).delete()
        purged += batch
        if batch < BATCH:
            return purged
