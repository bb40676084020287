"""Reading a feed: which visits it tells of, and how much of them.

A patient's own feed has their visits and those of the children they act for, by first name; of a child who has come to
the age at which a parent's sight shrinks, time and place alone. A clinician's has time and place of the visits they
see at work, and no word of whom: their calendar is at home and on a phone, and so nobody's record is read by it.
"""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from clinics import people
from scheduling import access
from scheduling.feeds.files import Entry, entry, file_of
from scheduling.models import Appointment, AppointmentChange, CalendarFeed
from scheduling.models.visit_types import LONGEST_VISIT

# How long visits stay that are over, and visits that were cancelled after being so.
BACK = timedelta(weeks=4)
MOST = 500
# A feed's row is written this often at most where it reads as before.
NOTED_EVERY = timedelta(minutes=15)
# Part of every ETag: count it up when the same entries come to be written otherwise.
FORM = 1
NAMES = {CalendarFeed.Kind.VISITS: "Sameday visits", CalendarFeed.Kind.WORK: "Sameday at work"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a feed tells now. `tag` is of this content alone; since `content_at` it has been the same."""

    name: str
    entries: list[Entry]
    tag: str
    content_at: datetime
    patients: frozenset[uuid.UUID]  # whom the entries can be known to be of: nobody at work

    def text(self) -> str:
        """The file. Writing it takes longer than all else, and is not needed where the reader has it already."""
        return file_of(self.entries, name=self.name)


def read(feed: CalendarFeed, *, now: datetime) -> Reading:
    """What `feed` tells now, noted as read. Needs its account loaded, and that one's patient."""
    visits, whose = told(feed, now=now)
    found = [entry(visit, changed_at=changed_at(visit), whose=whose(visit)) for visit in visits]
    name = NAMES[CalendarFeed.Kind(feed.kind)]
    tag = hashlib.sha256(repr((FORM, name, settings.DEFAULT_FROM_EMAIL, found)).encode()).hexdigest()
    patients = frozenset(visit.patient_id for visit in visits if feed.kind != CalendarFeed.Kind.WORK)
    return Reading(name, found, tag, note(feed, tag, now=now), patients)


def note(feed: CalendarFeed, tag: str, *, now: datetime) -> datetime:
    """Write down that `feed` was read and how it reads; returns since when it does.

    Last-Modified counts seconds: two contents never share one. The row is left as it is where its address is a new one
    by now.
    """
    content_at = feed.content_at
    row = CalendarFeed.objects.filter(pk=feed.pk, digest=feed.digest)
    if content_at is None or feed.content != tag:
        content_at = max(now, content_at + timedelta(seconds=1)) if content_at else now
        row.update(fetched_at=now, content=tag, content_at=content_at)
    elif feed.fetched_at is None or now - feed.fetched_at >= NOTED_EVERY:
        row.update(fetched_at=now)
    return content_at


def told(feed: CalendarFeed, *, now: datetime) -> tuple[list[Appointment], "Whose"]:
    """The visits that `feed` tells of, in order, and a function that says whose each is.

    Those ahead, the next ones first, then those that are over or were cancelled since BACK: MOST at most.
    """
    visits, whose = (at_work if feed.kind == CalendarFeed.Kind.WORK else of_family)(feed, now=now)
    last = AppointmentChange.objects.filter(appointment=OuterRef("pk")).order_by("-id").values("at")[:1]
    since = now - BACK
    among = (
        visits.annotate(changed_at=Subquery(last))
        .filter(booked_at__isnull=False, starts_at__gt=since - LONGEST_VISIT, ends_at__gt=since)
        .exclude(status=Appointment.Status.CANCELLED, changed_at__lte=since)
        .select_related("clinic", "patient")
    )
    ahead = list(among.filter(ends_at__gt=now).order_by("starts_at", "id")[:MOST])
    over = list(among.filter(ends_at__lte=now).order_by("-starts_at", "-id")[: MOST - len(ahead)])
    return [*reversed(over), *ahead], whose


def changed_at(visit: Appointment) -> datetime:
    """When the last thing happened to a visit of `told`."""
    at: datetime | None = visit.changed_at  # type: ignore[attr-defined]
    return at or visit.created_at


Visits = QuerySet[Appointment]
Whose = Callable[[Appointment], str]


def of_family(feed: CalendarFeed, *, now: datetime) -> tuple[Visits, Whose]:
    """The visits of the account's patient and of those it acts for today."""
    family = access.family(feed.user, now=now)

    def whose(visit: Appointment) -> str:
        child = visit.patient
        if child.pk not in family.proxies or not family.reads_reason(child.pk):
            return ""
        return f"{child.preferred_name or child.given_name}'s"

    return Appointment.objects.of(family.patients), whose


def at_work(feed: CalendarFeed, *, now: datetime) -> tuple[Visits, Whose]:
    """The visits that the account's clinician has where they work today."""
    visible = Appointment.objects.visible_to(feed.user, on=people.today_of(feed.user, now=now))
    return visible.filter(clinician__user=feed.user), lambda _visit: ""
