"""Holding, booking, confirming, moving and cancelling visits. PostgreSQL keeps what is promised here: see `claims`."""

from scheduling.booking.cancelling import NotCancellable, cancel, is_late, policy_for
from scheduling.booking.confirming import NotConfirmable, confirm
from scheduling.booking.holds import (
    MOST_HOLDS,
    HoldExpired,
    HoldExtended,
    NotHeld,
    TooManyHolds,
    expire_holds,
    extend,
    hold,
    live_holds,
    release,
)
from scheduling.booking.records import VisitMoved
from scheduling.booking.visits import NotMovable, OtherVisitType, OverbookReason, book, overbook, reschedule
from scheduling.booking.wanted import PatientBusy, SlotNotOffered, SlotRefused, SlotTaken

__all__ = [
    "MOST_HOLDS",
    "HoldExpired",
    "HoldExtended",
    "NotCancellable",
    "NotConfirmable",
    "NotHeld",
    "NotMovable",
    "OtherVisitType",
    "OverbookReason",
    "PatientBusy",
    "SlotNotOffered",
    "SlotRefused",
    "SlotTaken",
    "TooManyHolds",
    "VisitMoved",
    "book",
    "cancel",
    "confirm",
    "expire_holds",
    "extend",
    "hold",
    "is_late",
    "live_holds",
    "overbook",
    "policy_for",
    "release",
    "reschedule",
]
