"""What a membership costs before anybody buys it: the lines of its first invoice, and when it renews."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Q

from clinics.models import Patient, User
from clinics.refusals import Refused
from memberships import ledger, periods, plans, subscriptions
from memberships.billing import issuing
from memberships.billing.issuing import Line
from memberships.employers import converting
from memberships.models import InvoiceLine, Membership, Plan, Price, Proof, Subscription
from memberships.periods import Period
from memberships.subscriptions import MOST_MEMBERS


class PriceNotOnSale(Refused):
    code = "price_not_on_sale"
    detail = "This price is not on sale. Choose one of those below."

    def help(self) -> dict[str, Any]:
        return {"plans": plans.on_sale_summary(on=self.extra["on"])}


class ProofRequired(Refused):
    code = "proof_required"
    status = 403
    detail = "This price is for people whose eligibility is verified: send proof of it first, at me/proofs."


class ProofHoldsNoMore(Refused):
    """The proof that was named was not taken, or holds no more."""

    code = "proof_holds_no_more"
    status = 403
    detail = "This proof holds no more. Send a new one, at me/proofs, or leave it out to use the newest that holds."


class AlreadyMember(Refused):
    code = "already_member"
    detail = (
        "There is a membership of theirs already, or they are family in somebody's. Change that one, or wait until it "
        "has ended."
    )


class TooManyMembers(Refused):
    code = "too_many_members"
    detail = f"A membership has at most {MOST_MEMBERS} further members."


class MemberTwice(Refused):
    code = "member_twice"
    status = 400
    detail = "Name each further member once, and not the one whose membership it is."


class NoFamilyPrice(Refused):
    code = "no_family_price"
    detail = "There is no price for further members at this interval today."


class AmountChanged(Refused):
    """What is due now is not what the caller agreed to."""

    code = "amount_changed"
    detail = "What is due is not the amount you accepted. Look at the quote again."


@dataclass(frozen=True, slots=True)
class Quote:
    """What would be billed. `due_now` in cents, after `credit` is used up; `renews_on` for `renews_at` cents."""

    price: Price
    family: Price | None
    lines: list[Line]
    period: Period
    renews_on: date
    renews_at: int
    credit: int
    due_now: int
    trial: bool = False
    from_on: date | None = None
    notes: list[str] = field(default_factory=list)


def price_on_sale(price_id: int, *, on: date) -> Price:
    """The price `price_id`, if people can choose it on `on`. Raises PriceNotOnSale."""
    price = Price.objects.select_related("plan").filter(pk=price_id).first()
    chosen = (Plan.Audience.ANYONE, Plan.Audience.DISCOUNTED)
    if price is None or not price.plan.on_sale or price.plan.audience not in chosen:
        raise PriceNotOnSale(on=on)
    if price.from_on > on or subscriptions.newest_price(price.plan_id, price.interval, on=on) != price:
        raise PriceNotOnSale(on=on)
    return price


def price_for(patient: Patient, price_id: int, *, on: date) -> Price:
    """The price `price_id`, if `patient` can choose it on `on`: one on sale, or what they were offered when an employer
    stopped paying for them. Raises PriceNotOnSale.
    """
    try:
        return price_on_sale(price_id, on=on)
    except PriceNotOnSale:
        for grant in converting.offers([patient.pk], on=on):
            if grant.conversion is not None and grant.conversion_id == price_id:
                return grant.conversion
        raise


def proof_for(price: Price, patient: Patient, *, on: date, named: Proof | None = None) -> Proof | None:
    """The verified proof by which `patient` gets this price on `on`: None where it needs none.

    The one `named`, or the newest that holds. Raises ProofRequired, and ProofHoldsNoMore for one named.
    """
    if price.plan.audience != Plan.Audience.DISCOUNTED:
        return None
    proof = valid_proof(patient, on=on, named=named)
    if proof is None:
        raise ProofRequired if named is None else ProofHoldsNoMore
    return proof


def valid_proof(patient: Patient, *, on: date, named: Proof | None = None) -> Proof | None:
    held = Proof.objects.filter(patient=patient, status=Proof.Status.VERIFIED)
    if named is not None:
        held = held.filter(pk=named.pk)
    return held.filter(Q(holds_until__isnull=True) | Q(holds_until__gt=on)).order_by("-verified_at", "-pk").first()


def family_of(price: Price, members: Sequence[Patient], patient: Patient, *, on: date) -> Price | None:
    """What each of `members` costs beside `price`. Raises TooManyMembers, MemberTwice, NoFamilyPrice, AlreadyMember."""
    ids = [member.pk for member in members]
    if len(set(ids)) < len(ids) or patient.pk in ids:
        raise MemberTwice
    if len(ids) > MOST_MEMBERS:
        raise TooManyMembers
    require_free(members, on=on)
    if not ids:
        return None
    try:
        return subscriptions.family_price(price.interval, on=on)
    except Price.DoesNotExist:
        raise NoFamilyPrice from None


def require_free(members: Sequence[Patient], *, on: date) -> None:
    """Raises AlreadyMember where one of them pays for a membership, or is paid for as family of somebody.

    So it is of who is to be family once a first payment comes: two heads' would both come.
    """
    ids = [member.pk for member in members]
    paying = Subscription.objects.filter(patient__in=ids).exclude(status=Subscription.Status.ENDED)
    as_family = Membership.objects.filter(
        Q(during__upper_inf=True) | Q(during__endswith__gt=on), patient__in=ids, source=Membership.Source.FAMILY
    )
    to_be_family = InvoiceLine.objects.filter(
        patient__in=ids, invoice__subscription__status=Subscription.Status.INCOMPLETE
    )
    if ids and (paying.exists() or as_family.exists() or to_be_family.exists()):
        raise AlreadyMember


def quote(
    *,
    patient: Patient,
    payer: User,
    price: Price,
    members: Sequence[Patient],
    today: date,
    proof: Proof | None = None,
) -> Quote:
    """What `patient` would pay for joining today, with `members`, by the `proof` named. Changes nothing.

    Raises what `proof_for` and `family_of` do.
    """
    require_free([patient], on=today)
    proof_for(price, patient, on=today, named=proof)
    family = family_of(price, members, patient, on=today)
    full = price.amount + (family.amount if family else 0) * len(members)
    trial = timedelta(days=price.trial_days) if price.trial_days and never_was_a_member(patient) else timedelta(0)
    anchor = today + trial
    if trial:
        first = Period(today, anchor)
        return Quote(price, family, [], first, anchor, full, 0, 0, trial=True, notes=notes(patient, on=today))
    first = periods.period(anchor, price.interval, 0)
    lines = issuing.membership_lines(price, family, patient=patient, members=members, period=first)
    return due(price, family, lines, first, payer=payer, renews_at=full, notes=notes(patient, on=today))


def due(
    price: Price,
    family: Price | None,
    lines: list[Line],
    period: Period,
    *,
    payer: User,
    renews_at: int,
    notes: list[str] | None = None,
) -> Quote:
    """A quote whose lines are due now, less the payer's credit."""
    total = sum(line.amount for line in lines)
    credit = max(0, min(total, ledger.credit_of(payer)))
    return Quote(price, family, lines, period, period.end, renews_at, credit, max(0, total - credit), notes=notes or [])


def never_was_a_member(patient: Patient) -> bool:
    """Trials are for who was never a member by payments of their own."""
    of_theirs = (Membership.Source.SELF_PAID, Membership.Source.FAMILY)
    was_member = Membership.objects.filter(patient=patient, source__in=of_theirs).exists()
    return not was_member and not Subscription.objects.filter(patient=patient).exists()


def notes(patient: Patient, *, on: date) -> list[str]:
    """What somebody should know before they buy."""
    covering = Membership.objects.filter(
        patient=patient, during__contains=on, source__in=[Membership.Source.EMPLOYER, Membership.Source.COMPLIMENTARY]
    ).select_related("sponsor")
    return [
        f"{grant.sponsor.name if grant.sponsor else 'Sameday'} pays for a membership of yours already."
        for grant in covering
    ]
