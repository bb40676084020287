"""What a visit costs that was cancelled late or missed: billed with it, taken back with it, or waived."""

from datetime import datetime

from django.db import transaction

from clinics.models import User
from clinics.refusals import Refused
from memberships import fees
from memberships.fees import NoFee
from memberships.models import InvoiceLine
from scheduling.booking import records
from scheduling.models import Appointment


class WaiverReason(Refused):
    code = "waiver_reason_required"
    status = 400
    detail = "Say why the fee is waived."


def about(visit: Appointment) -> str:
    return f"appointment:{visit.pk}"


def bill(visit: Appointment, kind: InvoiceLine.Kind, code: str, *, now: datetime) -> None:
    """Bill the fee `code` for `visit`, on the day at its clinic. Part of the caller's transaction."""
    on = now.astimezone(visit.clinic.zone).date()
    fees.bill(patient=visit.patient, code=code, kind=kind, about=about(visit), on=on, now=now)


def take_back(visit: Appointment, *, actor: User, now: datetime) -> None:
    """Take back what was billed for `visit`, since it was not so. Part of the caller's transaction."""
    fees.waive(about=about(visit), reason="Taken back: it was not so.", actor=actor, now=now)


def waive(*, visit: Appointment, reason: str, actor: User, now: datetime) -> Appointment:
    """Waive what was billed for `visit`, by staff of its clinic, for a reason. What was paid becomes credit.

    Raises WaiverReason, NoFee where nothing is billed (any more), and NotFound where the visit was moved to a clinic
    at which `actor` does not work.
    """
    if not reason.strip():
        raise WaiverReason
    with transaction.atomic():
        was = records.locked(visit, staff=actor)
        if not fees.waive(about=about(was), reason=reason, actor=actor, now=now):
            raise NoFee
        return was
