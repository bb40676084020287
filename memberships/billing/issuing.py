"""Issuing an invoice: its lines, what credit pays of it, and its attempt to be collected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateRange

from clinics import people
from clinics.models import Patient, User
from memberships import ledger, payments
from memberships.ledger import Account
from memberships.models import Charge, Invoice, InvoiceLine, PaymentMethod, Price, Subscription
from memberships.periods import Period

# Without a card: that long to pay by hand.
TERMS = timedelta(days=14)
Kind = InvoiceLine.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing to bill: `amount` in cents, negative for what is given back, for the days [start, end) of `during`."""

    kind: InvoiceLine.Kind
    description: str
    amount: int
    patient: UUID | None = None
    price: Price | None = None
    during: Period | None = None
    about: str = ""


def issue(
    *,
    payer: User,
    kind: Invoice.Kind,
    lines: list[Line],
    on: date,
    now: datetime,
    subscription: Subscription | None = None,
    period: int | None = None,
    card: PaymentMethod | None = None,
) -> Invoice | None:
    """Bill `lines` to `payer` on the day `on`, or nothing where there are none.

    The payer's credit pays as much of it as it can. What is left is charged to `card`, or the subscription's, at
    once, or is to be paid by hand within TERMS. A total below 0 becomes credit. Part of the caller's transaction; the
    charge is sent after it. Raises IntegrityError for a `period` that was billed before.
    """
    if not lines:
        return None
    lock_payer(payer)
    total = sum(line.amount for line in lines)
    method = card or (subscription.method if subscription is not None else None)
    # It may be below 0: paid back at the provider itself, after it was used.
    used = min(total, max(0, ledger.credit_of(payer))) if total > 0 else 0
    due = max(total, 0) - used
    invoice = Invoice.objects.create(
        payer=payer,
        subscription=subscription,
        kind=kind,
        anchor_on=subscription.anchor_on if subscription is not None and period is not None else None,
        period=period,
        status=Invoice.Status.OPEN if due else Invoice.Status.PAID,
        total=total,
        due=due,
        issued_on=on,
        due_on=on if method else on + TERMS,
        settled_at=None if due else now,
    )
    invoice.refresh_from_db(fields=["number"])
    InvoiceLine.objects.bulk_create([as_row(line, invoice) for line in lines])
    book(invoice, used=used, now=now)
    if due and method is not None:
        collect(invoice, method=method, now=now)
    return invoice


def lock_payer(payer: User) -> None:
    """Two invoices at once would each use up the same credit. Whoever quotes what is due, to bill it, locks before."""
    User.objects.select_for_update(no_key=True).get(pk=payer.pk)


def as_row(line: Line, invoice: Invoice) -> InvoiceLine:
    return InvoiceLine(
        invoice=invoice,
        kind=line.kind,
        description=line.description,
        amount=line.amount,
        patient_id=line.patient,
        price=line.price,
        during=DateRange(*line.during) if line.during else None,
        about=line.about,
    )


def book(invoice: Invoice, *, used: int, now: datetime) -> None:
    """Book an invoice: as revenue that is to be received, or given back as credit; and the credit it uses."""
    name = f"invoice:{invoice.pk}"
    to, of = (Account.RECEIVABLE, Account.REVENUE) if invoice.total > 0 else (Account.REVENUE, Account.CREDIT)
    ledger.post(invoice, key=name, debit=to, credit=of, amount=abs(invoice.total), memo="Billed", now=now)
    ledger.post(
        invoice,
        key=f"{name}:credit",
        debit=Account.CREDIT,
        credit=Account.RECEIVABLE,
        amount=used,
        memo="Paid by credit",
        now=now,
    )


def collect(invoice: Invoice, *, method: PaymentMethod, now: datetime) -> Charge:
    """Have what is due of an open invoice charged: a row that a sweep sends. Needs the invoice's lock, or a new one.

    Raises IntegrityError where a charge is under way.
    """
    payments.at_once("charges")
    return Charge.objects.create(
        invoice=invoice, method=method, provider=method.provider, amount=invoice.due, next_at=now
    )


def membership_lines(
    price: Price, family: Price | None, *, patient: Patient, members: Sequence[Patient], period: Period
) -> list[Line]:
    """A whole period of a membership: the head's price and, for each of `members`, that of `family`."""
    head = Line(
        kind=Kind.MEMBERSHIP,
        description=f"{price.plan.name}, a {price.interval}",
        amount=price.amount,
        patient=patient.pk,
        price=price,
        during=period,
    )
    return [head, *(member_line(family, member, amount=family.amount, period=period) for member in members if family)]


def member_line(family: Price, member: Patient, *, amount: int, period: Period) -> Line:
    """A further member, for all of a period or what is left of it. An adult's record is not the payer's: no name."""
    is_adult = member.age_on(period.start) >= people.OF_AGE
    return Line(
        kind=Kind.FAMILY,
        description=f"{family.plan.name}: {'an adult' if is_adult else member.preferred_name or member.given_name}",
        amount=amount,
        patient=member.pk,
        price=family,
        during=period,
    )
