"""Cards that people pay with: their provider keeps them, we keep its name for them and what may be shown."""

import logging
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from clinics.models import User
from memberships import payments, subscriptions
from memberships.models import PaymentMethod, Subscription
from memberships.payments.port import ProviderAway, Unavailable

log = logging.getLogger(__name__)


def of(user: User) -> QuerySet[PaymentMethod]:
    """The cards of `user`, the newest first."""
    return PaymentMethod.objects.filter(user=user, removed_at__isnull=True).order_by("-created_at", "-pk")


def set_up(*, user: User) -> str:
    """Let the client of `user` take in a card at the provider: the secret with which it does. Not in a transaction.

    Raises CardsNotTaken, ProviderAway.
    """
    known = PaymentMethod.objects.filter(user=user, provider=settings.PAYMENT_PROVIDER).exclude(token="")
    latest = known.order_by("-created_at").first()
    try:
        return payments.current().setup(user=user.pk, known=latest.token if latest else "")
    except Unavailable as error:
        raise ProviderAway from error


def save(*, user: User, token: str) -> PaymentMethod:
    """Keep the card that a client set up, once, however often it is told. Not in a transaction.

    Raises BadToken, CardsNotTaken, ProviderAway.
    """
    provider = payments.current()
    try:
        saved = provider.save(token, user=user.pk)
    except Unavailable as error:
        raise ProviderAway from error
    with transaction.atomic():
        # Two at once would each keep it. What is encrypted cannot be unique.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        for known in of(user).filter(provider=provider.name):
            if known.token == saved.token:
                return known
        return PaymentMethod.objects.create(
            user=user,
            provider=provider.name,
            token=saved.token,
            brand=saved.brand[:20],
            last4=saved.last4[:4],
            expires_on=saved.expires_on,
        )


def remove(*, method: PaymentMethod, now: datetime) -> None:
    """Charge a card no more. Memberships that it paid for are then paid by invoice, until they have another one."""
    with transaction.atomic():
        # First, for it locks the card: a membership that is to be paid with it now is found below, or finds it removed.
        PaymentMethod.objects.filter(pk=method.pk, removed_at__isnull=True).update(removed_at=now)
        for pk in Subscription.objects.filter(method=method).order_by("pk").values_list("pk", flat=True):
            subscriptions.locked(pk)
            Subscription.objects.filter(pk=pk, method=method).update(method=None)


def forget_removed() -> int:
    """Have removed cards forgotten by their provider, and forget their tokens, once no charge is under way.

    Returns how many. What fails is tried again by the next sweep.
    """
    forgotten = 0
    removed = PaymentMethod.objects.filter(removed_at__isnull=False).exclude(token="")
    for method in removed.exclude(charges__status="pending"):
        try:
            payments.of(method.provider).forget(method.token)
        except Exception as error:
            log.warning("A card cannot be forgotten yet: %s", type(error).__name__)
            continue
        forgotten += PaymentMethod.objects.filter(pk=method.pk).update(token="")
    return forgotten
