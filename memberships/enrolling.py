"""Joining: buying a membership for oneself or a dependent, with further members of the family."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from clinics.models import Patient, User
from clinics.refusals import Refused
from memberships import quoting, subscriptions
from memberships.billing import issuing, notices
from memberships.models import Invoice, PaymentMethod, Price, Proof, Subscription, SubscriptionChange
from memberships.quoting import AlreadyMember, AmountChanged
from memberships.transitions import Action

Status = Subscription.Status


class UnpaidBefore(Refused):
    code = "unpaid_before"
    detail = "An invoice of yours is overdue or was never paid. Pay by card, or call us."


def join(
    *,
    patient: Patient,
    payer: User,
    price: Price,
    members: Sequence[Patient],
    proof: Proof | None = None,
    method: PaymentMethod | None,
    accept_due: int | None,
    actor: User,
    now: datetime,
) -> Subscription:
    """Buy a membership at `price` for `patient`, paid by `payer`. All or nothing.

    With a card (`method`) it begins when the first payment succeeds, unless a trial comes first; the charge is sent
    after the transaction. Without one it begins at once, on an invoice to be paid within issuing.TERMS. `proof`: of
    those of the patient the one to take, where the price needs one. `accept_due`: what the payer agreed to pay now, in
    cents, if they said so.
    Raises AmountChanged, UnpaidBefore, and what quoting.quote does.
    """
    today = subscriptions.today(patient, now=now)
    try:
        with transaction.atomic():
            # Joining twice at once, and as family of somebody: one after the other.
            lock_members([patient, *members])
            issuing.lock_payer(payer)
            quoted = quoting.quote(patient=patient, payer=payer, price=price, members=members, today=today, proof=proof)
            if accept_due is not None and accept_due != quoted.due_now:
                raise AmountChanged(due_now=quoted.due_now)
            if method is None and quoted.due_now:
                require_paid_before(payer, now=now)
            waits = method is not None and quoted.due_now > 0
            subscription = Subscription.objects.create(
                patient=patient,
                payer=payer,
                price=price,
                family_price=quoted.family,
                proof=quoting.proof_for(price, patient, on=today, named=proof),
                method=method,
                status=Status.TRIAL if quoted.trial else Status.INCOMPLETE if waits else Status.ACTIVE,
                anchor_on=quoted.period.end if quoted.trial else quoted.period.start,
                period=-1 if quoted.trial else 0,
                period_start=quoted.period.start,
                period_end=quoted.period.end,
            )
            SubscriptionChange.objects.create(
                subscription=subscription, at=now, action=Action.JOIN, actor=actor, to_status=subscription.status
            )
            invoice = issuing.issue(
                payer=payer,
                kind=Invoice.Kind.PERIOD,
                lines=quoted.lines,
                on=today,
                now=now,
                subscription=subscription,
                period=0,
            )
            if not waits:
                subscriptions.entitle(subscription, members=list(members), first=quoted.period.start)
                notices.joined(subscription, members=len(members), now=now)
                if invoice is not None and invoice.due:
                    notices.payment_due(invoice, reminder=0, now=now)
            return subscription
    except IntegrityError as error:
        if "subscription_one_alive" in str(error):
            raise AlreadyMember from error
        raise


def lock_members(patients: Sequence[Patient]) -> None:
    """Take the patients' rows, in one order, so that nobody is made a member twice at once."""
    ids = sorted(patient.pk for patient in patients)
    list(Patient.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))


def require_paid_before(payer: User, *, now: datetime) -> None:
    """Raises UnpaidBefore where an invoice was given up, or is overdue: no more is given on trust.

    Nor to who used a membership until after its invoice was due, and cancelled: they owe it no more, but did not pay.
    """
    theirs = Invoice.objects.filter(payer=payer)
    overdue = Q(status=Invoice.Status.OPEN, due_on__lt=now.date())
    left = Q(status=Invoice.Status.VOID, settled_at__date__gt=F("due_on"), subscription__memberships__isnull=False)
    if theirs.filter(Q(status=Invoice.Status.UNCOLLECTIBLE) | overdue | left).exists():
        raise UnpaidBefore
