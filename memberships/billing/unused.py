"""What was billed for days that are not used: the lines of the period in force, and their share of what is left."""

from datetime import date
from uuid import UUID

from memberships.billing import settling
from memberships.billing.issuing import Line
from memberships.models import Invoice, InvoiceLine, Subscription
from memberships.money import share
from memberships.periods import Period

BILLED = (InvoiceLine.Kind.MEMBERSHIP, InvoiceLine.Kind.FAMILY)


def lines_of_period(subscription: Subscription) -> list[InvoiceLine]:
    """What was billed for the period in force, and is not void: each with its invoice and credit notes."""
    return list(
        InvoiceLine.objects.filter(
            invoice__subscription=subscription, kind__in=BILLED, during__endswith=subscription.period_end, amount__gt=0
        )
        .exclude(invoice__status__in=[Invoice.Status.VOID, Invoice.Status.UNCOLLECTIBLE])
        .select_related("invoice")
        .prefetch_related("invoice__credit_notes")
        .order_by("id")
    )


def unused_of(line: InvoiceLine, *, on: date) -> int:
    """What of a line is for days from `on` on, in cents, less what was credited of it."""
    if line.during is None or line.during.lower is None or line.during.upper is None:
        return 0
    period = Period(line.during.lower, line.during.upper)
    credited = sum(note.amount for note in line.invoice.credit_notes.all() if note.line_id == line.pk)
    return max(0, share(line.amount, period.left_from(on), period.days) - credited)


def unused_lines(subscription: Subscription, *, on: date) -> list[Line]:
    """Lines that give back what the period in force was billed for and is not used from `on` on.

    What support has credited of an invoice as a whole is not given back once more.
    """
    left: dict[UUID, int] = {}
    given = []
    for line in lines_of_period(subscription):
        invoice = line.invoice
        left.setdefault(invoice.pk, settling.charged(invoice) - settling.taken_back(invoice))
        amount = min(unused_of(line, on=on), left[invoice.pk])
        if amount > 0 and line.during is not None:
            left[invoice.pk] -= amount
            given.append(
                Line(
                    kind=InvoiceLine.Kind.UNUSED,
                    description=f"Unused days of {line.description}"[:160],
                    amount=-amount,
                    patient=line.patient_id,
                    price=line.price,
                    during=Period(max(on, line.during.lower), line.during.upper),
                )
            )
    return given
