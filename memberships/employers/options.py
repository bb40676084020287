"""What can be done with a membership that an employer pays for by now, too, and what each costs or gives back."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from memberships import subscriptions
from memberships.billing import renewing, unused
from memberships.models import BenefitOffer, Invoice, Subscription
from memberships.money import dollars
from memberships.transitions import MATRIX, Action

DAY = timedelta(days=1)
Choice = BenefitOffer.Choice
Status = Subscription.Status


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose, with what it costs or gives back. Amounts in cents of US dollars.

    `from_on`: from when it holds. `by`: the last day on which it does what it says, where there is one. `costs` is what
    is charged on `from_on`. `credit` becomes the payer's credit, `owed_less` comes off an invoice that is not paid yet.
    """

    code: str
    detail: str
    from_on: date
    by: date | None = None
    costs: int = 0
    credit: int = 0
    owed_less: int = 0


def of(offer: BenefitOffer, *, today: date) -> list[Option]:
    """What can be chosen today, and what it costs or gives back."""
    subscription = Subscription.objects.select_related(
        "price__plan", "next_price__plan", "family_price", "patient", "payer", "proof"
    ).get(pk=offer.subscription_id)
    if subscription.patient_id == offer.patient_id:
        return of_all(subscription, today=today)
    return of_one(subscription, offer, today=today)


def of_all(subscription: Subscription, *, today: date) -> list[Option]:
    """Of a whole membership."""
    status, renews = subscription.status, subscription.period_end
    costs = 0
    if status in (Status.PAUSING, Status.CANCELLING):
        what = "pauses" if status == Status.PAUSING else "ends"
        said = f"It stays as it is: it {what} on {written(renews)}, and nothing more is charged."
    else:
        ahead = renewing.renewal_of(subscription, on=renews)
        costs = ahead.amount(len(subscriptions.staying_members(subscription)))
        said = f"It goes on, and you go on paying: {dollars(costs)} on {written(renews)}, when it renews."
    found = [Option(Choice.KEEP, said, renews, costs=costs)]
    if status != Status.PAUSING and status in MATRIX[Action.PAUSE]:
        said = (
            f"It pauses on {written(renews)}, instead of renewing. Nothing is charged from then on until you resume."
            f" Choose it by {written(renews - DAY)}."
        )
        found.append(Option(Choice.PAUSE, said, renews, by=renews - DAY))
    if status in MATRIX[Action.STOP]:
        found.append(cancelling(today, *given_back(subscription, None, on=today)))
    elif status == Status.PAST_DUE:
        owed = sum(invoice.due for invoice in subscription.invoices.filter(status=Invoice.Status.OPEN))
        found.append(cancelling(today, 0, owed))
    return found


def of_one(subscription: Subscription, offer: BenefitOffer, *, today: date) -> list[Option]:
    """Of one further member of a family's membership."""
    renews = subscription.period_end
    price = subscription.family_price
    goes_on = subscription.status not in (Status.PAUSING, Status.CANCELLING)
    costs = price.amount if price and goes_on else 0
    said = f"It goes on with the family's membership: {dollars(costs)} on {written(renews)}, when it renews."
    if not goes_on:
        said = f"It stays as it is, and ends with the family's on {written(renews)}."
    leaving = (
        f"It ends on {written(renews)}, instead of renewing, and nothing is charged for it from then on."
        f" Choose it by {written(renews - DAY)}."
    )
    return [
        Option(Choice.KEEP, said, renews, costs=costs),
        *([Option(Choice.LEAVE, leaving, renews, by=renews - DAY)] if goes_on else []),
        cancelling(today, *given_back(subscription, offer.patient_id, on=today)),
    ]


def cancelling(today: date, credit: int, owed_less: int) -> Option:
    said = "It ends today."
    if credit:
        said += f" {dollars(credit)} for the days that are left is given back as credit."
    if owed_less:
        said += f" {dollars(owed_less)} less is owed of what is not paid yet."
    if credit or owed_less:
        said += " Each day later it is less."
    return Option(Choice.CANCEL, said, today, credit=credit, owed_less=owed_less)


def given_back(subscription: Subscription, member: UUID | None, *, on: date) -> tuple[int, int]:
    """What ending on `on` gives back of it all, or of what is for `member`: as credit, and off what is not paid yet."""
    owed: dict[UUID, int] = {}
    credit = less = 0
    for line in unused.lines_of_period(subscription):
        if member is not None and line.patient_id != member:
            continue
        amount = unused.unused_of(line, on=on)
        unpaid = min(amount, owed.setdefault(line.invoice_id, line.invoice.due))
        owed[line.invoice_id] -= unpaid
        credit, less = credit + amount - unpaid, less + unpaid
    return credit, less


def written(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
