"""Confirming and cancelling by whoever has the link of a message, without signing in.

A link is for one act on a visit at one time, until it begins. It is good for what was told, so a link of a visit that
was moved since leads to that news alone.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from clinics import links
from clinics.models import Link
from clinics.refusals import NotFound
from scheduling import booking, notices
from scheduling.booking import NotCancellable, NotConfirmable, VisitMoved
from scheduling.models import Appointment, AppointmentChange, CancellationPolicy

LINK = AppointmentChange.Via.LINK


class State(StrEnum):
    """What can be done with a link."""

    OPEN = "open"
    DONE = "done"
    MOVED = "moved"
    CANCELLED = "cancelled"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link asks about a visit, with all it shows loaded; and what cancelling it now costs."""

    link: Link
    visit: Appointment
    state: State
    fee_from_hours: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state == State.OPEN


def look(*, token: str, purpose: str, now: datetime) -> Asked:
    """What there is to do with the link. Changes nothing, for mail scanners open links. Raises NotFound."""
    link = Link.objects.filter(digest=links.digest(token), purpose=purpose).first()
    if link is None:
        raise NotFound
    pk, sequence = notices.visit_and_sequence(link)
    visit = Appointment.objects.with_what_it_shows().filter(pk=pk, patient=link.patient_id).first()
    if visit is None:
        raise NotFound
    state = state_of(link, visit, sequence, now=now)
    fee = late_fee(visit, now=now) if state == State.OPEN and purpose == notices.CANCEL else None
    return Asked(link, visit, state, fee)


def state_of(link: Link, visit: Appointment, sequence: int, *, now: datetime) -> State:
    if visit.status == Appointment.Status.CANCELLED:
        return State.DONE if link.purpose == notices.CANCEL else State.CANCELLED
    if visit.status != Appointment.Status.BOOKED or visit.starts_at <= now or link.expires_at <= now:
        return State.OVER
    if visit.sequence != sequence:
        return State.MOVED
    if link.purpose == notices.CONFIRM and visit.confirmed_at is not None:
        return State.DONE
    return State.OPEN if link.used_at is None else State.OVER


def late_fee(visit: Appointment, *, now: datetime) -> int | None:
    """From how many hours before on cancelling `visit` costs a fee, where it does so now; otherwise None."""
    policy: CancellationPolicy | None = booking.policy_for(visit)
    if policy is None or not booking.is_late(visit, policy, now=now):
        return None
    return policy.free_until_hours_before


def act(asked: Asked, *, now: datetime) -> Asked:
    """Do what the link is for, once; a second time does no harm. Returns how it stands then."""
    link, (_, sequence) = asked.link, notices.visit_and_sequence(asked.link)
    if asked.is_open:
        try:
            with transaction.atomic():
                if link.purpose == notices.CONFIRM:
                    confirm(asked.visit, via=LINK, sequence=sequence, now=now)
                else:
                    cancel(asked.visit, via=LINK, sequence=sequence, now=now)
                links.use(link, now=now)
        except (NotFound, NotConfirmable, NotCancellable, VisitMoved):
            # Somebody was faster: what became of the visit is what there is to say.
            pass
    return look(token=links.token(link), purpose=link.purpose, now=now)


def confirm(visit: Appointment, *, via: AppointmentChange.Via, sequence: int, now: datetime) -> Appointment:
    """Confirm `visit` for its patient's side, not signed in."""
    return booking.confirm(
        visit=visit, actor=None, source=Appointment.Source.PATIENT, via=via, sequence=sequence, now=now
    )


def cancel(visit: Appointment, *, via: AppointmentChange.Via, sequence: int, now: datetime) -> Appointment:
    """Cancel `visit` for its patient's side, not signed in: late, it costs what it costs."""
    return booking.cancel(
        visit=visit, reason="", actor=None, source=Appointment.Source.PATIENT, via=via, sequence=sequence, now=now
    )
