"""Fees of visits: cancelled late, or missed. Part of the transaction of what they are for, and taken back with it."""

from datetime import date, datetime

from clinics.models import Patient, Proxy, User
from clinics.refusals import Refused
from memberships.billing import issuing, notices, settling
from memberships.billing.issuing import Line
from memberships.models import CreditNote, Fee, Invoice, InvoiceLine

Kind = InvoiceLine.Kind


class NoFee(Refused):
    code = "no_fee"
    detail = "There is no fee for this visit that could be waived."


def bill(*, patient: Patient, code: str, kind: InvoiceLine.Kind, about: str, on: date, now: datetime) -> Invoice | None:
    """Bill the fee `code` for what `about` names, on the day `on`: nothing where the code costs nothing.

    The patient's own account pays, or for a child the proxy's of longest standing; somebody without an account is not
    billed. What was billed and not waived is not billed again.
    """
    fee = Fee.objects.filter(code=code, during__contains=on).first() if code else None
    payer = payer_of(patient, on=on) if fee is not None else None
    if fee is None or payer is None or not fee.amount:
        return None
    before = lines(about)
    if any(line.kind == kind and is_owed(line) for line in before):
        return None
    line = Line(
        kind=kind,
        description=fee.name,
        amount=fee.amount,
        patient=patient.pk,
        about=about if not before else f"{about}#{len(before) + 1}",
    )
    invoice = issuing.issue(payer=payer, kind=Invoice.Kind.FEE, lines=[line], on=on, now=now)
    if invoice is not None and invoice.due:
        notices.payment_due(invoice, reminder=0, now=now)
    return invoice


def waive(*, about: str, reason: str, actor: User | None, now: datetime) -> list[CreditNote]:
    """Take back what was billed for what `about` names, for a reason; nothing where nothing was.

    What was paid already becomes the payer's credit.
    """
    notes = [settling.credit_rest(line, reason=reason, actor=actor, now=now) for line in lines(about)]
    return [note for note in notes if note is not None]


def lines(about: str) -> list[InvoiceLine]:
    """What was billed for it, oldest first: after a waiver once more as `about#2`."""
    found = InvoiceLine.objects.filter(about__startswith=about, kind__in=[Kind.LATE_CANCEL, Kind.NO_SHOW])
    return list(found.select_related("invoice").order_by("id"))


def is_owed(line: InvoiceLine) -> bool:
    """Whether it was not waived, nor paid back."""
    return settling.creditable(line.invoice, line) > 0


def payer_of(patient: Patient, *, on: date) -> User | None:
    if patient.user is not None:
        return patient.user
    proxy = Proxy.objects.active(on=on).filter(patient=patient).select_related("user").order_by("created_at").first()
    return proxy.user if proxy is not None else None
