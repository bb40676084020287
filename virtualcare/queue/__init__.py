"""The queue of people waiting for care: PostgreSQL owns its order, its places and its claims.

    consult = queue.enter(patient=…, actor=…, acuity=3, now=now, **fields)
    offered = queue.claim_next(clinician=…, actor=…, now=now)
    queue.accept(consult=offered, clinician=…, actor=…, now=now)

Locks are taken in one order everywhere: rows of Duty by clinician, then the consult.
"""

from virtualcare.queue.claiming import OFFERED_FOR, PASSED_OVER_AFTER, OfferOpen, claim_next, may_take
from virtualcare.queue.colleagues import who_could_take
from virtualcare.queue.ending import complete, escalate, leave, wrap_up
from virtualcare.queue.entering import TARGET_WAIT, AlreadyOpen, enter
from virtualcare.queue.keeping import CLOSED_AFTER, NUDGED_AFTER, close, nudge, page
from virtualcare.queue.offers import (
    AlreadyInACall,
    CapacityReached,
    NotLicensedThere,
    OfferOver,
    OwnCase,
    accept,
    decline,
    time_out_offers,
)
from virtualcare.queue.records import ConsultChanged, about
from virtualcare.queue.transferring import CannotTakeOver, NoteNeeded, transfer

__all__ = [
    "CLOSED_AFTER",
    "NUDGED_AFTER",
    "OFFERED_FOR",
    "PASSED_OVER_AFTER",
    "TARGET_WAIT",
    "AlreadyInACall",
    "AlreadyOpen",
    "CannotTakeOver",
    "CapacityReached",
    "ConsultChanged",
    "NotLicensedThere",
    "NoteNeeded",
    "OfferOpen",
    "OfferOver",
    "OwnCase",
    "about",
    "accept",
    "claim_next",
    "close",
    "complete",
    "decline",
    "enter",
    "escalate",
    "leave",
    "may_take",
    "nudge",
    "page",
    "time_out_offers",
    "transfer",
    "who_could_take",
    "wrap_up",
]
