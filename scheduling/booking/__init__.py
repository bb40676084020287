"""Holding, booking, moving and cancelling visits. What is promised here is kept by PostgreSQL: see `claims`."""

from scheduling.booking.cancelling import NotCancellable, cancel, policy_for
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
from scheduling.booking.visits import NotMovable, OtherVisitType, OverbookReason, book, overbook, reschedule
from scheduling.booking.wanted import PatientBusy, SlotNotOffered, SlotRefused, SlotTaken

__all__ = [
    "MOST_HOLDS",
    "HoldExpired",
    "HoldExtended",
    "NotCancellable",
    "NotHeld",
    "NotMovable",
    "OtherVisitType",
    "OverbookReason",
    "PatientBusy",
    "SlotNotOffered",
    "SlotRefused",
    "SlotTaken",
    "TooManyHolds",
    "book",
    "cancel",
    "expire_holds",
    "extend",
    "hold",
    "live_holds",
    "overbook",
    "policy_for",
    "release",
    "reschedule",
]
