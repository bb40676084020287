"""What is told of a visit, written in the transaction of what happens to it: booked, moved, cancelled, or near.

Nothing here says why somebody comes, to whom, or what kind of visit it is, and nobody is called by their last name.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from clinics import links, messages
from clinics.messages import Wanted
from clinics.models import Link, Message, Patient, Proxy
from scheduling import feeds
from scheduling.models import Appointment

# What the links in messages are for: also the names of their pages.
CONFIRM, CANCEL = "confirm", "cancel"
ICS = "text/calendar; method=PUBLISH"


class Told(StrEnum):
    """What is told: the name of a template."""

    BOOKED = "visit_booked"
    MOVED = "visit_moved"
    CANCELLED = "visit_cancelled"
    REMINDER = "visit_reminder"


def booked(visit: Appointment, *, now: datetime) -> None:
    """Tell that `visit` is booked. Needs all it shows loaded, as do the others here."""
    tell(visit, Told.BOOKED, now=now)


def moved(visit: Appointment, *, now: datetime) -> None:
    """Tell that `visit` was moved. What was not sent yet about the time before is not sent any more."""
    messages.withdraw(about=about(visit), now=now)
    tell(visit, Told.MOVED, now=now)


def cancelled(visit: Appointment, *, now: datetime) -> None:
    """Tell that `visit` is cancelled, and nothing else about it any more."""
    messages.withdraw(about=about(visit), now=now)
    tell(visit, Told.CANCELLED, now=now)


def tell(visit: Appointment, what: Told, *, now: datetime) -> None:
    made = [] if what == Told.CANCELLED else planned_links(visit)
    links.save_all(made)
    messages.queue(
        to=visit.patient,
        template=what,
        about=about(visit),
        dedupe_key=f"{what}:{visit.pk}:{visit.sequence}",
        context=context(visit, made, now=now),
        expires_at=visit.ends_at,
        attachments=[{"name": "visit.ics", "type": ICS, "content": feeds.calendar_of(visit, now=now)}],
        now=now,
    )


def reminder(visit: Appointment, made: Iterable[Link], *, key: str, until: datetime, now: datetime) -> Wanted:
    """What reminds of `visit`, of use before `until`."""
    return Wanted(
        to=visit.patient,
        template=Told.REMINDER,
        about=about(visit),
        dedupe_key=key,
        context=context(visit, made, now=now),
        expires_at=until,
        kind=Message.Kind.REMINDER,
    )


def about(visit: Appointment) -> str:
    """What messages about `visit` are known by, to be withdrawn with it."""
    return f"appointment:{visit.pk}"


def about_this_time(visit: Appointment) -> str:
    """What links are about: the visit as it is now. Once it is moved they lead to nothing but that news."""
    return f"{about(visit)}:{visit.sequence}"


def visit_and_sequence(link: Link) -> tuple[UUID, int]:
    """The visit that `link` is about, and its sequence when the link was made."""
    _, visit, sequence = link.about.split(":")
    return UUID(visit), int(sequence)


def planned_links(visit: Appointment) -> list[Link]:
    """Links to confirm and to cancel `visit` until it begins, to be stored."""
    return [
        links.planned(
            purpose=purpose, about=about_this_time(visit), patient=visit.patient_id, expires_at=visit.starts_at
        )
        for purpose in (CONFIRM, CANCEL)
    ]


def context(visit: Appointment, made: Iterable[Link], *, now: datetime) -> dict[str, Any]:
    """What templates may say of a visit."""
    clinic = visit.clinic
    return {
        "child": first_name_of_child(visit.patient, now=now),
        "start": visit.local_start.isoformat(),
        "clinic": clinic.name,
        "address": f"{clinic.street}, {clinic.city}, {clinic.state} {clinic.postal_code}",
        "phone": clinic.phone.as_national,
        "is_confirmed": visit.confirmed_at is not None,
        "is_late": visit.is_late_cancellation,
        "links": {link.purpose: str(link.pk) for link in made},
    }


def first_name_of_child(patient: Patient, *, now: datetime) -> str:
    """What to call somebody under age, about whom parents are told who may have several; otherwise nothing.

    A teenager with an account of their own is told themself.
    """
    is_child = patient.user_id is None and patient.age_on(now.date()) < Proxy.ENDS_AT_AGE
    return (patient.preferred_name or patient.given_name) if is_child else ""
