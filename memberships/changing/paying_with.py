"""Changing the card that a membership is paid with."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from clinics.models import User
from clinics.refusals import NotFound
from memberships import subscriptions, transitions
from memberships.billing import issuing, settling
from memberships.models import Charge, PaymentMethod, Subscription
from memberships.transitions import Action


def pay_with(*, subscription_id: UUID, method: PaymentMethod, actor: User, now: datetime) -> Subscription:
    """Have a membership paid with `method`, a card of its payer, from now on.

    What is overdue of it is charged to that card at once, unless a payment of it is under way. The same card again
    changes nothing but that. Raises NotInThisState for one that has ended, NotFound for a card that is removed by now.
    """
    with transaction.atomic():
        hold_card(method)
        subscription = subscriptions.locked(subscription_id)
        transitions.after(Action.PAY_WITH, subscription.status)
        if subscription.method_id != method.pk:
            subscriptions.change(
                subscription, Action.PAY_WITH, actor=actor, now=now, detail=str(method), method_id=method.pk
            )
        today = subscriptions.today(subscription.patient, now=now)
        for invoice in settling.open_invoices(subscription):
            is_under_way = invoice.charges.filter(status=Charge.Status.PENDING).exists()
            if invoice.due_on <= today and not is_under_way:
                issuing.collect(invoice, method=method, now=now)
        return subscriptions.locked(subscription_id)


def hold_card(method: PaymentMethod) -> None:
    """Keep a card from being removed until the transaction ends. The first lock that is taken. Raises NotFound."""
    kept = PaymentMethod.objects.select_for_update(no_key=True).filter(pk=method.pk, removed_at__isnull=True)
    if kept.first() is None:
        raise NotFound
