"""Single uses of a benefit that no membership covers: billed once each, at the price that was agreed to."""

from datetime import date, datetime

from clinics.models import Patient, User
from memberships import methods
from memberships.billing import issuing, notices
from memberships.billing.issuing import Line
from memberships.models import Invoice, InvoiceLine


def bill(
    *, payer: User, patient: Patient, description: str, amount: int, about: str, on: date, now: datetime
) -> Invoice | None:
    """Bill what `about` names, once, for `amount` cents on the day `on`: to the payer's newest card, or by hand.

    Nothing where it costs nothing or was billed before. Part of the caller's transaction.
    """
    if not amount or InvoiceLine.objects.filter(about=about, kind=InvoiceLine.Kind.USE).exists():
        return None
    line = Line(kind=InvoiceLine.Kind.USE, description=description, amount=amount, patient=patient.pk, about=about)
    card = methods.of(payer).first()
    invoice = issuing.issue(payer=payer, kind=Invoice.Kind.FEE, lines=[line], on=on, now=now, card=card)
    if invoice is not None and invoice.due and card is None:
        notices.payment_due(invoice, reminder=0, now=now)
    return invoice
