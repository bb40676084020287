"""Adding further members of the family to a membership, and removing them."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from clinics.models import Patient, User
from clinics.refusals import Refused
from memberships import enrolling, quoting, subscriptions, transitions
from memberships.billing import issuing, notices, settling, unused
from memberships.changing.stopping import require_paid_by_others
from memberships.models import Invoice, Membership, Price, Subscription
from memberships.money import share
from memberships.quoting import AmountChanged, NoFamilyPrice, TooManyMembers
from memberships.subscriptions import MOST_MEMBERS
from memberships.transitions import Action

Status = Subscription.Status


class NotAMember(Refused):
    code = "not_a_member"
    status = 404
    detail = "They are no further member of this membership."


def add_member(
    *, subscription_id: UUID, member: Patient, accept_due: int | None, actor: User, now: datetime
) -> Subscription:
    """Add `member` from today on, for their share of the period's days that are left; in a trial for nothing.

    Somebody who is a member already stays one; who was removed and has not left yet is back, for nothing, or where they
    were to leave before the period's end (it began anew meanwhile) for the days from then on.
    Raises NotInThisState, TooManyMembers, AlreadyMember, NoFamilyPrice, AmountChanged.
    """
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        transitions.after(Action.ADD, subscription.status)
        enrolling.lock_members([member])
        today = subscriptions.today(subscription.patient, now=now)
        live = subscriptions.live_grants(subscription, on=today)
        theirs = next((grant for grant in live if grant.patient_id == member.pk), None)
        if theirs is not None and theirs.head_id is None:
            raise quoting.MemberTwice
        if theirs is not None and is_stopped(theirs, subscription, on=today):
            raise quoting.AlreadyMember  # their last day was given back already: from tomorrow on
        if theirs is not None and theirs.removed_at is None:
            return subscription
        staying = [grant for grant in live if grant.head_id is not None and grant.removed_at is None]
        if len(staying) >= MOST_MEMBERS:
            raise TooManyMembers
        family, amount = quote_member(subscription, now=now)
        subscriptions.change(subscription, Action.ADD, actor=actor, now=now, detail=str(member.pk), family_price=family)
        if theirs is not None and theirs.during.upper == subscription.period_end:
            Membership.objects.filter(pk=theirs.pk).update(removed_at=None)
            subscriptions.reopen_grants(subscription, ended=subscription.period_end)
            return subscription
        first = today
        if theirs is not None:
            first = theirs.during.upper
        else:
            quoting.require_free([member], on=today)
        head = next(grant for grant in live if grant.head_id is None and grant.during.upper is None)
        period = subscriptions.period_of(subscription)
        if first != today:
            amount = 0 if subscription.period < 0 else share(family.amount, period.left_from(first), period.days)
        if accept_due is not None and accept_due != amount:
            raise AmountChanged(due_now=amount)
        subscriptions.entitle_member(subscription, member, head=head, first=first)
        lines = [issuing.member_line(family, member, amount=amount, period=period._replace(start=first))]
        invoice = issuing.issue(
            payer=subscription.payer,
            kind=Invoice.Kind.CHANGE,
            lines=lines if amount else [],
            on=today,
            now=now,
            subscription=subscription,
        )
        if invoice is not None and invoice.due and subscription.method is None:
            notices.payment_due(invoice, reminder=0, now=now)
        return subscription


def quote_member(subscription: Subscription, *, now: datetime) -> tuple[Price, int]:
    """What a further member costs a period, and the cents that are due for its days that are left: in a trial none.

    Raises NoFamilyPrice.
    """
    price = price_of(subscription, now=now)
    period = subscriptions.period_of(subscription)
    today = subscriptions.today(subscription.patient, now=now)
    return price, 0 if subscription.period < 0 else share(price.amount, period.left_from(today), period.days)


def price_of(subscription: Subscription, *, now: datetime) -> Price:
    """What a further member costs: as those who are there already, else as sold today. Raises NoFamilyPrice."""
    if subscription.family_price is not None:
        return subscription.family_price
    try:
        today = subscriptions.today(subscription.patient, now=now)
        return subscriptions.family_price(subscription.price.interval, on=today)
    except Price.DoesNotExist:
        raise NoFamilyPrice from None


def remove_member(*, subscription_id: UUID, member: UUID, actor: User, now: datetime) -> Subscription:
    """Have a member leave at the end of the period, which is paid for. Removing them again changes nothing.

    Raises NotAMember, NotInThisState.
    """
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        grant = grant_of(subscription, member)
        if grant.removed_at is not None:
            return subscription
        subscriptions.change(subscription, Action.REMOVE, actor=actor, now=now, detail=str(member))
        Membership.objects.filter(pk=grant.pk).update(removed_at=now)
        subscriptions.end_grant(grant, on=subscription.period_end)
        return subscription


def stop_member(*, subscription_id: UUID, member: UUID, actor: User, now: datetime) -> Subscription:
    """Have a member leave at once, with what is unused given back: for whom an employer, or we, pay by now.

    As with `stop`: what was not paid yet is owed less by it, what was paid becomes the payer's credit. Stopping again
    changes nothing. Raises NotAMember, NotPaidByOthers, NotInThisState.
    """
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        grant = grant_of(subscription, member)
        today = subscriptions.today(subscription.patient, now=now)
        if grant.during.upper is not None and (
            grant.during.upper <= today or is_stopped(grant, subscription, on=today)
        ):
            return subscription
        require_paid_by_others(member, on=today)
        lines = [line for line in unused.lines_of_period(subscription) if line.patient_id == member]
        back = [(line, unused.unused_of(line, on=today)) for line in lines]
        subscriptions.change(subscription, Action.REMOVE, actor=actor, now=now, detail=str(member))
        Membership.objects.filter(pk=grant.pk).update(removed_at=now)
        subscriptions.end_grant(grant, on=today)
        for line, amount in back:
            if amount:
                settling.credit(line.invoice_id, amount=amount, line=line, reason="Unused days", actor=actor, now=now)
        return subscription


def grant_of(subscription: Subscription, member: UUID) -> Membership:
    """The newest grant of a further member. Raises NotAMember."""
    for grant in subscriptions.last_grants(subscription):
        if grant.patient_id == member and grant.head_id is not None:
            return grant
    raise NotAMember


def is_stopped(grant: Membership, subscription: Subscription, *, on: date) -> bool:
    """Whether a member left at once on the day `on` or before, with what was unused given back: nothing is theirs to
    come back to. Who leaves with a period still has days of it.
    """
    is_last_day = grant.during.upper is not None and grant.during.upper <= on + timedelta(days=1)
    return grant.removed_at is not None and is_last_day and grant.during.upper != subscription.period_end
