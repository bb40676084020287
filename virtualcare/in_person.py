"""Booking a visit in person from inside a consult: the clinician finds a time near the patient and takes it for them.

It is the patient's own booking, made by somebody else: what they could book and for their price, whoever works at the
clinic. Where a membership covers it, it is booked at once. Where it has a price nobody agrees to that but who pays: the
time is held, and the patient told to accept it (`POST appointments`, as for any hold).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from clinics import messages, places
from clinics.models import Clinician, User
from clinics.refusals import Refused
from memberships import money
from scheduling import booking, slots
from scheduling.models import Appointment
from scheduling.slots import Found, Search, Slot
from virtualcare import care, chat, following, wording
from virtualcare.models import Consult

# Long enough to see a message and agree to a price; anybody else's slot for no longer.
HOLD_FOR = timedelta(minutes=15)
WITHIN_MILES = 50
PER_CLINIC = 5  # the next so many of each of the nearest clinics
Status = Appointment.Status


class AlreadyBooked(Refused):
    code = "already_booked"
    detail = "Another visit was booked from this consult. Cancel or release it first, or leave it at that."


class TooLongAgo(Refused):
    code = "consult_too_long_ago"
    detail = f"A visit is booked from a consult until {following.DAYS} days after it. The patient can book one as ever."


@dataclass(frozen=True, slots=True)
class Taken:
    """A visit that was booked from a consult, or with `expires_at` a hold that waits for the patient to agree to its
    price. `is_new`: by this call.
    """

    visit: Appointment
    expires_at: datetime | None
    is_new: bool


def search(*, consult: Consult, visit_type: str, now: datetime) -> list[Found]:
    """Free starts today and tomorrow, by the clinics' clocks, near where the patient is, for the patient.

    By start and distance, the next PER_CLINIC of each of the nearest clinics within WITHIN_MILES. Raises
    care.NotInHand, TooLongAgo, and places.UnknownPlace for a ZIP code that is none.
    """
    require_open(consult, now=now)
    wanted = Search(
        visit_type=visit_type,
        asked_at=now,
        near=places.parse_near(consult.postal_code),
        within=places.metres(WITHIN_MILES),
        patient=consult.patient_id,
        per_clinic=PER_CLINIC,
    )
    return slots.search(wanted, now=now)


def book(*, consult: Consult, clinician: Clinician, slot: Slot, actor: User, now: datetime) -> Taken:
    """Take `slot` for the patient of a consult which is with `clinician`, and tell them and the chat.

    Again it is what was taken then. Raises AlreadyBooked for another slot while that stands; care.NoLongerYours,
    care.NotInHand, TooLongAgo; and what booking.hold and booking.book raise: nothing is taken then.
    """
    with transaction.atomic():
        was = care.locked(consult, clinician)
        require_open(was, now=now)
        standing = taken_from(was)
        if standing is not None:
            if slot_of(standing.visit) != slot:
                raise AlreadyBooked(appointment=str(standing.visit.pk))
            return standing
        visit, expires_at = booking.hold(
            patient=was.patient,
            slot=slot,
            actor=actor,
            source=Appointment.Source.CONSULT,
            hold_for=HOLD_FOR,
            now=now,
        )
        Consult.objects.filter(pk=was.pk).update(booked=visit)
        if visit.price:
            ask_to_accept(was, visit, expires_at, now=now)
            chat.system(consult=was, body=words(was, "visit_held", visit, expires_at), now=now)
            return Taken(visit, expires_at, is_new=True)
        visit = booking.book(held=visit, reason="", accept_price=visit.price, actor=actor, now=now)
        chat.system(consult=was, body=words(was, "visit_booked", visit, None), now=now)
    return Taken(visit, None, is_new=True)


def require_open(consult: Consult, *, now: datetime) -> None:
    """Raises care.NotInHand and TooLongAgo unless a visit may be booked from `consult` now."""
    if consult.status not in care.IN_HAND:
        raise care.NotInHand(status_now=consult.status)
    if consult.status == Consult.Status.COMPLETED and not following.is_open(consult, now=now):
        raise TooLongAgo


def taken_from(consult: Consult) -> Taken | None:
    """What was booked or held from `consult` and still stands: neither cancelled, run out nor over."""
    if consult.booked_id is None:
        return None
    visit = Appointment.objects.with_what_it_shows().get(pk=consult.booked_id)
    if visit.status == Status.HELD:
        live = {hold.pk: hold for hold in booking.live_holds([visit.patient_id])}
        return Taken(visit, live[visit.pk].expires_at, is_new=False) if visit.pk in live else None  # type: ignore[attr-defined]
    return Taken(visit, None, is_new=False) if visit.status in Appointment.LIVE else None


def slot_of(visit: Appointment) -> Slot:
    return Slot(visit.clinician_id, visit.clinic_id, visit.visit_type_id, visit.starts_at)


def ask_to_accept(consult: Consult, visit: Appointment, expires_at: datetime, *, now: datetime) -> None:
    """Tell the patient that a time is held for them, until when and for what price."""
    messages.queue(
        to=consult.patient,
        template="consult_visit_held",
        about=following.about(consult),
        dedupe_key=f"consult_visit_held:{visit.pk}",
        context={
            **following.context(consult, now=now),
            "start": visit.local_start.isoformat(),
            "until": expires_at.astimezone(visit.clinic.zone).isoformat(),
            "clinic": visit.clinic.name,
            "amount": visit.price,
        },
        expires_at=expires_at,
        now=now,
    )


def words(consult: Consult, what: str, visit: Appointment, expires_at: datetime | None) -> str:
    """What the chat says of it, in the patient's language: when and where, and nothing of why."""
    values = {
        "who": consult.clinician.name if consult.clinician else "",
        "start": visit.local_start,
        "until": expires_at.astimezone(visit.clinic.zone) if expires_at else None,
        "clinic": visit.clinic.name,
        "price": money.dollars(visit.price or 0),
    }
    return wording.said(consult, what, values)
