"""What is told of a membership's money, to who pays it, by e-mail: in the transaction of what happens."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Sum

from clinics import messages
from clinics.models import User
from memberships.models import Invoice, Price, Refund, Subscription

# Unpaid for so long after it was due, an invoice ends its membership.
GRACE = timedelta(days=21)


class Told(StrEnum):
    """What is told: the name of a template."""

    JOINED = "membership_joined"
    PAYMENT_DUE = "membership_payment_due"
    PAYMENT_FAILED = "membership_payment_failed"
    RENEWAL = "membership_renewal"
    RENEWED = "membership_renewed"
    CANCELLED = "membership_cancelled"
    PAUSED = "membership_paused"
    CHANGED = "membership_changed"
    ENDED = "membership_ended"
    REFUNDED = "membership_refunded"
    CREDITED = "membership_credited"


def about(subscription: Subscription) -> str:
    return f"subscription:{subscription.pk}"


def tell(payer: User, what: Told, *, about: str, once: str, now: datetime, **context: Any) -> None:
    """`once` says of which happening it is told: the same one is told once."""
    said = {name: value.isoformat() if isinstance(value, date) else value for name, value in context.items()}
    messages.queue(
        to=payer, template=what, about=about, dedupe_key=f"{what}:{once}", context=said, now=now, channels=("email",)
    )


def joined(subscription: Subscription, *, members: int, now: datetime) -> None:
    """With so many further members, whom the amount is for, too."""
    price, family = subscription.price, subscription.family_price
    tell(
        subscription.payer,
        Told.JOINED,
        about=about(subscription),
        once=f"{subscription.pk}:{subscription.anchor_on}",
        now=now,
        plan=price.plan.name,
        amount=price.amount + (family.amount if family else 0) * members,
        interval=price.interval,
        renews_on=subscription.period_end,
        is_trial=subscription.period < 0,
    )


def payment_due(invoice: Invoice, *, reminder: int, now: datetime) -> None:
    """An invoice to be paid by hand; `reminder` counts from 0, the invoice itself."""
    tell(
        invoice.payer,
        Told.PAYMENT_DUE,
        about=f"invoice:{invoice.pk}",
        once=f"{invoice.pk}:{reminder}",
        now=now,
        number=str(invoice),
        amount=invoice.due,
        due_on=invoice.due_on,
        is_reminder=reminder > 0,
        ends_on=invoice.due_on + GRACE,
    )


def payment_failed(invoice: Invoice, *, retry_on: date | None, now: datetime) -> None:
    tell(
        invoice.payer,
        Told.PAYMENT_FAILED,
        about=f"invoice:{invoice.pk}",
        once=f"{invoice.pk}:{invoice.attempts}",
        now=now,
        number=str(invoice),
        amount=invoice.due,
        retry_on=retry_on,
        ends_on=invoice.due_on + GRACE,
    )


def renewal_ahead(subscription: Subscription, *, price: Price, amount: int, is_lapsed: bool, now: datetime) -> None:
    """That it will renew, for what and when, long enough before. `amount`: of all its members together."""
    tell(
        subscription.payer,
        Told.RENEWAL,
        about=about(subscription),
        once=f"{subscription.pk}:{subscription.period_end}:{price.pk}",
        now=now,
        plan=price.plan.name,
        interval=price.interval,
        amount=amount,
        was=subscription.price.amount,
        is_dearer=price.amount > subscription.price.amount,
        is_lapsed=is_lapsed,
        renews_on=subscription.period_end,
    )


def renewed(subscription: Subscription, invoice: Invoice, *, now: datetime) -> None:
    tell(
        subscription.payer,
        Told.RENEWED,
        about=about(subscription),
        once=str(invoice.pk),
        now=now,
        plan=subscription.price.plan.name,
        number=str(invoice),
        amount=invoice.total,
        renews_on=subscription.period_end,
    )


def changed(subscription: Subscription, *, price: Price, amount: int, from_on: date, now: datetime) -> None:
    """`amount`: of all its members together."""
    tell(
        subscription.payer,
        Told.CHANGED,
        about=about(subscription),
        once=f"{subscription.pk}:{now.isoformat()}",
        now=now,
        plan=price.plan.name,
        amount=amount,
        interval=price.interval,
        from_on=from_on,
        renews_on=subscription.period_end,
    )


def stops(subscription: Subscription, what: Told, *, now: datetime) -> None:
    """That it is cancelled or pauses, at the end of its period, and what of it is still to be paid."""
    still_open = subscription.invoices.filter(status=Invoice.Status.OPEN)
    tell(
        subscription.payer,
        what,
        about=about(subscription),
        once=f"{subscription.pk}:{now.isoformat()}",
        now=now,
        ends_on=subscription.period_end,
        owed=still_open.aggregate(sum=Sum("due"))["sum"] or 0,
    )


def ended(subscription: Subscription, *, on: date, now: datetime) -> None:
    tell(
        subscription.payer,
        Told.ENDED,
        about=about(subscription),
        once=str(subscription.pk),
        now=now,
        ends_on=on,
        is_unpaid=subscription.end_reason == Subscription.EndReason.UNPAID,
    )


def credited(invoice: Invoice, *, amount: int, key: str, now: datetime) -> None:
    """Money came that nothing was due for any more. Needs the invoice's payer loaded."""
    tell(
        invoice.payer,
        Told.CREDITED,
        about=f"invoice:{invoice.pk}",
        once=key,
        now=now,
        number=str(invoice),
        amount=amount,
    )


def refunded(refund: Refund, *, now: datetime) -> None:
    """Needs its charge, the invoice and its payer loaded."""
    invoice = refund.charge.invoice
    tell(
        invoice.payer,
        Told.REFUNDED,
        about=f"invoice:{invoice.pk}",
        once=str(refund.pk),
        now=now,
        number=str(invoice),
        amount=refund.amount,
    )
