"""An invoice as its payer reads it, on a screen or on paper: one reading for both."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from memberships import payments
from memberships.models import Charge, CreditNote, Invoice, InvoiceLine, Refund

# What a payer may be told of why a card was declined. Stripe asks to say of a lost or stolen card, and of suspected
# fraud, no more than that it was declined (docs.stripe.com/declines/codes).
TOLD = frozenset({
    "authentication_timed_out", "card_not_supported", "expired_card", "incorrect_cvc", "incorrect_number",
    "insufficient_funds", "method_removed", "not_needed", "payment_intent_authentication_failure", "processing_error",
})  # fmt: skip
NOTHING, BY_HAND, BY_CARD = "nothing", "by_hand", "card"


@dataclass(frozen=True, slots=True)
class Payment:
    """A charge, with what has gone back of it or is to, in cents."""

    charge: Charge
    refunded: int

    @property
    def failure(self) -> str:
        code = self.charge.failure
        return code if not code or code in TOLD else "card_declined"


@dataclass(frozen=True, slots=True)
class Action:
    """What the payer's client needs to let them do what their bank asks for."""

    client_secret: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Statement:
    """`how`: whether it is paid by card or by hand, if anything is due; `action`: what a charge waits for."""

    invoice: Invoice
    lines: Sequence[InvoiceLine]
    notes: Sequence[CreditNote]
    payments: Sequence[Payment]
    how: str
    instructions: str
    action: Action | None

    @property
    def patients(self) -> set[UUID]:
        """Whom it names."""
        return {line.patient_id for line in self.lines if line.patient_id is not None}

    @property
    def used(self) -> int:
        """What earlier credit has paid of it, in cents: neither due, nor credited, nor paid."""
        return sum(entry.amount for entry in self.invoice.entries.all() if entry.key.endswith(":credit"))


def read(invoice: Invoice) -> Statement:
    """All of an invoice. Takes five statements, however long it is."""
    charges = list(invoice.charges.select_related("method").order_by("created_at", "pk"))
    gone = dict(
        Refund.objects.filter(charge__in=charges, status__in=[Refund.Status.PENDING, Refund.Status.SUCCEEDED])
        .values_list("charge")
        .annotate(sum=Sum("amount"))
    )
    waiting = next((one for one in charges if one.status == Charge.Status.PENDING and one.client_secret), None)
    action = Action(waiting.client_secret, payments.of(waiting.provider).public_key) if waiting else None
    how = NOTHING if not invoice.due else BY_HAND if payments.current().by_hand else BY_CARD
    return Statement(
        invoice=invoice,
        lines=list(invoice.lines.all()),
        notes=list(invoice.credit_notes.all()),
        payments=[Payment(charge, gone.get(charge.pk, 0)) for charge in charges],
        how=how,
        instructions=settings.PAYMENT_INSTRUCTIONS if how != NOTHING else "",
        action=action,
    )
