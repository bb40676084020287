"""Paying an open invoice with a card of one's choice."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from clinics.models import User
from clinics.refusals import Refused
from memberships import changing
from memberships.billing import issuing, settling
from memberships.models import Charge, Invoice, PaymentMethod, Subscription


class ChargeUnderWay(Refused):
    """A second charge, while nobody knows what becomes of the first."""

    code = "charge_under_way"
    detail = "A payment of this invoice is under way already. Its bank may be waiting for you."


class NoMembershipToKeep(Refused):
    """A card that is to be kept for a membership, with an invoice of none: of a fee, or of one that has ended."""

    code = "no_membership"
    detail = "This invoice is of no membership that goes on, which could be paid with this card: pay it without `keep`."


def pay(*, invoice_id: UUID, method: PaymentMethod, keep: bool = False, actor: User, now: datetime) -> None:
    """Have what is due of an invoice charged to `method`, at once; `keep`: and its membership paid with it from now on.

    Where it is kept, it is also if the charge fails: then it is tried again with this card. Raises NotOpen,
    ChargeUnderWay, NoMembershipToKeep, and NotFound for a card that was removed meanwhile.
    """
    with transaction.atomic():
        if keep:
            changing.hold_card(method)
        subscription, invoice = settling.locked_invoice(invoice_id)
        if invoice.status != Invoice.Status.OPEN:
            raise settling.NotOpen
        if invoice.charges.filter(status=Charge.Status.PENDING).exists():
            raise ChargeUnderWay
        issuing.collect(invoice, method=method, now=now)
        if keep:
            if subscription is None or subscription.status == Subscription.Status.ENDED:
                raise NoMembershipToKeep
            changing.pay_with(subscription_id=subscription.pk, method=method, actor=actor, now=now)
