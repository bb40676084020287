"""What the user of an open socket may hear and do now: looked at when they come, and again for as long as they stay."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clinics import second_factor, sessions
from clinics.models import Clinician, User
from virtualcare import access
from virtualcare.models import Consult, Modality
from virtualcare.sockets.tickets import Ticket


class SessionOver(Exception):
    """The session that the ticket was given in has ended, or lacks its second step."""


class Role(StrEnum):
    PATIENT = "patient"  # or who acts for them
    CLINICIAN = "clinician"  # who has the consult now
    READER = "reader"  # a clinician who had it


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's part in a consult. Signals of a call are for those who are `in_call`: one of its two sides, while it is
    held by video.
    """

    role: Role
    in_call: bool = False


def signed_in(ticket: Ticket) -> User:
    """The user of a ticket. Raises SessionOver."""
    found = sessions.live(ticket.session)
    if found is None or found.user.pk != ticket.user or second_factor.is_lacking(found):
        raise SessionOver
    return found.user


def in_consult(ticket: Ticket, consult_id: uuid.UUID, *, now: datetime) -> Standing:
    """What the user of a ticket is in a consult. Raises SessionOver, and NotFound for who takes no part in it."""
    user = signed_in(ticket)
    consult = access.taken_part(user, consult_id, now=now)
    role = role_in(consult, user, now=now)
    is_held = consult.status == Consult.Status.ACTIVE and consult.modality == Modality.VIDEO
    return Standing(role, in_call=is_held and role is not Role.READER)


def role_in(consult: Consult, user: User, *, now: datetime) -> Role:
    if consult.clinician is not None and consult.clinician.user_id == user.pk:
        # Whom it is offered to again after they had it once has not taken it yet.
        return Role.READER if consult.status == Consult.Status.OFFERED else Role.CLINICIAN
    return Role.PATIENT if access.is_patients(user, consult, now=now) else Role.READER


def as_clinician(ticket: Ticket) -> Clinician:
    """The clinician whose ticket this is. Raises SessionOver and NotAClinician."""
    return access.clinician(signed_in(ticket))
