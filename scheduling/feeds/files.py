"""iCalendar files (RFC 5545, published as RFC 5546 has it).

Times are in UTC. A visit happens once, so that no rule of a zone is needed to repeat it, and every calendar shows UTC
on its own reader's clock; a VTIMEZONE is a second place for a zone's rules to be wrong.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

import icalendar
from django.conf import settings

from scheduling.models import Appointment

CONTENT_TYPE = "text/calendar; charset=utf-8; method=PUBLISH"
PRODUCT = "-//Sameday//Sameday//EN"
REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One visit, in the words that a calendar shows. The same visit always has the same `id`, and so UID."""

    id: uuid.UUID
    sequence: int
    changed_at: datetime
    start: datetime
    end: datetime
    is_cancelled: bool
    summary: str
    description: str
    place: str
    address: str
    point: tuple[float, float]
    url: str


def calendar_of(visit: Appointment, *, now: datetime) -> str:
    """`visit` as an iCalendar file, with its latest SEQUENCE and STATUS: a calendar that has it already changes it.

    It names nobody, so that it is right for whoever may see the visit. Needs the visit's clinic loaded; takes one
    statement. `now` is when the file is made (DTSTAMP).
    """
    last = visit.changes.order_by("-id").values_list("at", flat=True).first()
    return file_of([entry(visit, changed_at=last or now)], made_at=now)


def entry(visit: Appointment, *, changed_at: datetime, whose: str = "") -> Entry:
    """`visit` in words; `whose` visit it is, as in `Mia's`, is said by name or not at all. Needs its clinic loaded."""
    clinic = visit.clinic
    is_cancelled = visit.status == Appointment.Status.CANCELLED
    what = f"{whose} visit at {clinic.name}" if whose else f"Visit at {clinic.name}"
    return Entry(
        id=visit.pk,
        sequence=visit.sequence,
        changed_at=changed_at,
        start=visit.starts_at,
        end=visit.ends_at,
        is_cancelled=is_cancelled,
        summary=f"Cancelled: {what}" if is_cancelled else what,
        description=description(clinic.phone.as_national, is_cancelled=is_cancelled),
        place=clinic.name,
        address=f"{clinic.brand}, {clinic.street}, {clinic.city}, {clinic.state} {clinic.postal_code}",
        point=(clinic.latitude, clinic.longitude),
        url=f"{settings.FRONTEND_URL}/appointments/{visit.pk}" if settings.FRONTEND_URL else "",
    )


def description(phone: str, *, is_cancelled: bool) -> str:
    """What to do about the visit."""
    if is_cancelled:
        return f"This visit is cancelled. To book another, open Sameday or call {phone}."
    return f"To move or cancel this visit, open Sameday or call {phone}."


def file_of(entries: Iterable[Entry], *, made_at: datetime | None = None, name: str = "") -> str:
    """`entries` as one iCalendar file; with `name` as a feed, whose readers look again every REFRESH.

    Without `made_at` each entry is stamped (DTSTAMP) with its last change: the file is the same until one changes.
    """
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("method", "PUBLISH")
    if name:
        # RFC 7986, beside what was said for the same before it.
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", icalendar.vDuration(REFRESH))
    for visit in entries:
        calendar.add_component(event(visit, stamp=made_at or visit.changed_at))
    written: bytes = calendar.to_ical()
    return written.decode()


def event(visit: Entry, *, stamp: datetime) -> icalendar.Event:
    """The VEVENT of a visit, with what RFC 5546 (3.2.1) asks of one that is published."""
    found = icalendar.Event()
    found.add("uid", str(visit.id))
    found.add("dtstamp", stamp.astimezone(UTC))
    found.add("last-modified", visit.changed_at.astimezone(UTC))
    found.add("sequence", visit.sequence)
    found.add("dtstart", visit.start.astimezone(UTC))
    found.add("dtend", visit.end.astimezone(UTC))
    found.add("status", "CANCELLED" if visit.is_cancelled else "CONFIRMED")
    found.add("transp", "TRANSPARENT" if visit.is_cancelled else "OPAQUE")
    found.add("class", "PRIVATE")
    found.add("summary", visit.summary)
    found.add("description", visit.description)
    found.add("location", visit.address)
    found.add("geo", visit.point)
    found.add("organizer", organizer(visit.place))
    if visit.url:
        found.add("url", visit.url)
    return found


def organizer(name: str) -> icalendar.vCalAddress:
    """The clinic, by the address that our mail comes from."""
    address = icalendar.vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    address.params["CN"] = name
    return address
