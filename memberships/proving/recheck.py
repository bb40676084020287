"""Asking verifiers again before a discount renews: long enough before, so that whoever loses it is told in time."""

import logging
import time
from collections import Counter
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from memberships import subscriptions
from memberships.models import Price, Proof, Subscription
from memberships.proving.port import Unanswered
from memberships.proving.prove import UnknownVerifier, verifier_of

log = logging.getLogger(__name__)

# How long before a renewal its proof is asked for again.
AHEAD = {Price.Interval.MONTH: timedelta(days=6), Price.Interval.YEAR: timedelta(days=40)}
# A verifier that is away takes nobody's discount before so many days after the renewal.
PATIENCE = timedelta(days=7)
TURN = 60.0  # seconds
GIVE_UP = 3  # answers that did not come, after which a verifier is left alone until the next turn


def recheck_due(*, now: datetime, turn: float = TURN) -> int:
    """Ask again for the proofs of memberships that renew soon. Returns how many lapsed.

    Safe to run twice and at once: what was asked for a moment ago is not due any more.
    """
    end = time.monotonic() + turn
    lapsed = 0
    silent: Counter[str] = Counter()
    for subscription in candidates(now):
        proof = subscription.proof
        renewal = unconfirmed(subscription, today=subscriptions.today(subscription.patient, now=now))
        if proof is None or renewal is None:
            continue
        is_late = subscriptions.today(subscription.patient, now=now) >= renewal + PATIENCE
        if silent[proof.verifier] >= GIVE_UP:
            lapsed += is_late and lapse(proof, now=now)
        elif ask(proof, now=now):
            silent[proof.verifier] = 0
            lapsed += not Proof.objects.filter(pk=proof.pk, status=Proof.Status.VERIFIED).exists()
        else:
            silent[proof.verifier] += 1
            lapsed += is_late and lapse(proof, now=now)
        if time.monotonic() >= end:
            break
    return lapsed


def candidates(now: datetime) -> list[Subscription]:
    """Memberships whose discount is proved, renewing soon or renewed unconfirmed, those asked longest ago first."""
    soon = now.date() + max(AHEAD.values()) + timedelta(days=1)
    proved = Subscription.objects.filter(status__in=Subscription.LIVE, proof__status=Proof.Status.VERIFIED)
    unconfirmed_of = [
        Q(interval=interval, proof__verified_at__lt=F("period_start") - ahead) for interval, ahead in AHEAD.items()
    ]
    near = proved.annotate(interval=Coalesce("next_price__interval", "price__interval")).filter(
        Q(period_end__lte=soon) | Q(period__gt=0) & reduce(or_, unconfirmed_of)
    )
    return list(near.select_related("patient", "price", "next_price", "proof").order_by("proof__verified_at", "pk"))


def unconfirmed(subscription: Subscription, *, today: date) -> date | None:
    """The day of the renewal, past or near, for which the proof was not confirmed in time; None where there is none."""
    proof, price = subscription.proof, subscription.next_price or subscription.price
    if proof is None:
        return None
    ahead = AHEAD[Price.Interval(price.interval)]
    confirmed = proof.verified_at.date()
    if subscription.period > 0 and confirmed < subscription.period_start - ahead:
        return subscription.period_start
    if today < subscription.period_end - ahead:
        return None
    is_over = proof.holds_until is not None and confirmed < proof.holds_until <= today
    return subscription.period_end if confirmed < subscription.period_end - ahead or is_over else None


def ask(proof: Proof, *, now: datetime) -> bool:
    """Ask a proof's verifier, and keep what it says. Returns whether it said anything. Not in a transaction."""
    try:
        verdict = verifier_of(proof.verifier).check(proof.reference, now=now)
    except (Unanswered, UnknownVerifier) as error:
        log.warning("Verifier %s: %s", proof.verifier, error)
        return False
    except Exception as error:
        # Whatever is wrong with one proof, the others are asked for.
        log.exception("A proof cannot be asked for: %s", type(error).__name__)
        return False
    if verdict.is_eligible:
        held = Proof.objects.filter(pk=proof.pk, status=Proof.Status.VERIFIED)
        held.update(verified_at=now, holds_until=verdict.holds_until)
    else:
        lapse(proof, now=now)
    return True


def lapse(proof: Proof, *, now: datetime) -> bool:
    """Let a proof hold no more. Returns whether that is news."""
    held = Proof.objects.filter(pk=proof.pk, status=Proof.Status.VERIFIED, verified_at=proof.verified_at)
    return bool(held.update(status=Proof.Status.LAPSED, lapsed_at=now))
