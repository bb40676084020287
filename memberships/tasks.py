"""What memberships do by themselves. Each task may run twice and at once; what one misses the next finds."""

from celery import shared_task
from django.utils import timezone

from memberships import charging, methods, provider_events, proving, refunding, rosters
from memberships.billing import dunning, renewing
from memberships.employers import granting, inviting, offering

SENDERS = {
    "charges": charging.send_due,
    "refunds": refunding.send_due,
    "events": provider_events.take_in_due,
}


@shared_task
def announce_renewals() -> int:
    """Tell payers of renewals that are near: 15 to 45 days before."""
    return renewing.announce(now=timezone.now())


@shared_task
def renew_memberships() -> int:
    """Bill the periods that begin, and end or pause what was to. Each hour: days begin at other hours elsewhere."""
    return renewing.run(now=timezone.now())


@shared_task
def pursue_invoices() -> int:
    """Try failed payments again, remind of open invoices, and give up those that are long overdue."""
    return dunning.run(now=timezone.now())


@shared_task
def work_on_rosters() -> None:
    """Read, match and apply the rosters that wait for it: large ones, and those of a worker that was lost."""
    rosters.work_off(clock=timezone.now)


@shared_task
def bring_benefits_in_step() -> None:
    """Let those who have claimed be entitled to what roster and contract say now."""
    granting.bring_in_step(now=timezone.now())


@shared_task
def offer_choices() -> int:
    """Ask those who pay themselves, and whom an employer begins to pay for, what becomes of that."""
    return offering.begin(now=timezone.now())


@shared_task
def send_invitations() -> None:
    """Write to those on a roster whom their employer asks to invite."""
    inviting.send_invitations(now=timezone.now())


@shared_task
def send_payments(what: str) -> int:
    """Send what is due of `what` to payment providers, and ask after what is unclear."""
    return SENDERS[what](clock=timezone.now)


@shared_task
def catch_up_with_payments() -> None:
    """Take in what payment providers told, and what never came."""
    provider_events.catch_up(now=timezone.now())


@shared_task
def forget_payment_methods() -> None:
    """Have cards that were removed kept by their provider no longer."""
    methods.forget_removed()


@shared_task
def recheck_proofs() -> int:
    """Ask again whether those whose discount renews soon are still eligible."""
    return proving.recheck_due(now=timezone.now())
