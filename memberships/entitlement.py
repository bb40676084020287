"""Who may have what, and what pays for it: the one gate in front of every visit."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from clinics.models import Patient
from clinics.refusals import Refused
from memberships import plans
from memberships.models import Membership, VisitPrice

PER_VISIT = "per_visit"


class MembershipRequired(Refused):
    """Neither a live membership nor an accepted per-visit price covers the visit's date."""

    code = "membership_required"
    status = 403
    detail = "This visit needs a membership on its date. Join one of these plans."

    def help(self) -> dict[str, Any]:
        return {**self.extra, "plans": plans.on_sale_summary(on=self.extra["on"]), "on": self.extra["on"].isoformat()}


class PriceChanged(Refused):
    """The price that the caller accepted is not the one that holds."""

    code = "price_changed"
    status = 409
    detail = "The price of this visit is not the one you accepted. Send the price below as accept_price to agree to it."


class UnknownBenefit(Refused):
    """What is no benefit, which a plan for all of them would seem to cover."""

    code = "unknown_benefit"
    status = 400
    detail = "There is no such benefit: send the code of a type of visit, text or video."


# Whether a code is a benefit; apps above that have benefits of their own add how to know them.
BENEFITS: list[Callable[[str], bool]] = [{"text", "video"}.__contains__]


def require_benefit(code: str) -> None:
    """Raises UnknownBenefit where nothing has this code: no type of visit, text nor video."""
    if not any(has(code) for has in BENEFITS):
        raise UnknownBenefit


PAYS = {"complimentary": "Sameday pays", "family": "the family's membership pays", "self_paid": "you pay"}


def why_covered(plan: str, source: str, sponsor: str = "") -> str:
    """The sentence that says which plan covers something, and who pays for it."""
    payer = f"{sponsor} pays" if sponsor else PAYS.get(source, "the employer pays")
    return f"Covered by {plan}: {payer} for it."


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What pays for one use of a benefit on one day.

    `price` is what the patient pays, in cents of US dollars: 0 when covered. `paid_by` is the kind of membership, or
    PER_VISIT. `because` says why in a sentence.
    """

    price: int
    paid_by: str
    because: str
    membership_id: uuid.UUID | None = None
    sponsor: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A grant or a per-visit price with the days on which it holds, [first, after), open where None."""

    kind: str
    membership_id: uuid.UUID | None
    source: str
    plan: str
    first: date | None
    after: date | None
    amount: int
    sponsor: str = ""

    def holds_on(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.after is None or day < self.after)


@dataclass(frozen=True, slots=True)
class Terms:
    """All that decides who pays for `benefit`, for asking about many days with one query."""

    benefit: str
    lines: tuple[_Line, ...]

    def on(self, day: date) -> Entitlement | None:
        """What pays on `day`, or None where only a membership would do and there is none."""
        live = [line for line in self.lines if line.holds_on(day)]
        grants = [line for line in live if line.kind == "grant"]
        if grants:
            best = min(grants, key=lambda line: (Membership.PRECEDENCE.index(line.source), str(line.membership_id)))
            because = why_covered(best.plan, best.source, best.sponsor)
            return Entitlement(0, best.source, because, best.membership_id, sponsor=best.sponsor)
        for line in live:
            return Entitlement(
                line.amount, PER_VISIT, "No membership covers this date, so it costs what a single visit costs."
            )
        return None

    def nearest(self, day: date) -> str:
        """Which membership ended last before `day` or begins next, in a sentence; empty where there is none."""
        grants = [line for line in self.lines if line.kind == "grant"]
        ended = [(line.after, line.plan) for line in grants if line.after is not None and line.after <= day]
        coming = [(line.first, line.plan) for line in grants if line.first is not None and line.first > day]
        said = []
        if ended:
            after, plan = max(ended)
            said.append(f"{plan} ended before {after:%B} {after.day}, {after.year}.")
        if coming:
            first, plan = min(coming)
            said.append(f"{plan} begins on {first:%B} {first.day}, {first.year}.")
        return " ".join(said)

    def require(self, day: date) -> Entitlement:
        """What pays on `day`. Raises MembershipRequired where nothing does."""
        found = self.on(day)
        if found is None:
            raise MembershipRequired(benefit=self.benefit, on=day)
        return found

    def settle(self, day: date, *, accept_price: int | None) -> Entitlement:
        """What pays on `day`, with the patient's agreement to a per-visit price of `accept_price` cents.

        Raises MembershipRequired where neither a membership nor an accepted price covers the day, and PriceChanged
        where they accepted another price than the one that holds. Accepting a price on a covered day is harmless.
        """
        found = self.require(day)
        if found.paid_by != PER_VISIT or accept_price == found.price:
            return found
        if accept_price is not None:
            raise PriceChanged(price=found.price)
        raise MembershipRequired(
            "This visit needs a membership on its date, or your agreement to its price: send it as accept_price.",
            benefit=self.benefit,
            on=day,
            price=found.price,
        )


def terms(*, patient_id: uuid.UUID | None, benefit: str) -> Terms:
    """What `benefit` (a visit type's code, text or video) takes for this patient, or for anybody without membership
    when None.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 'grant', m.id, m.source, p.name, lower(m.during), upper(m.during), 0, coalesce(o.name, '')
            FROM memberships_membership m JOIN memberships_plan p ON p.code = m.plan_id
            LEFT JOIN clinics_organization o ON o.id = m.sponsor_id
            WHERE m.patient_id = %(patient)s AND (%(benefit)s = ANY (p.benefits) OR '*' = ANY (p.benefits))
            UNION ALL
            SELECT 'price', NULL, '', '', lower(during), upper(during), amount, ''
            FROM memberships_visitprice WHERE benefit = %(benefit)s
            """,
            {"patient": patient_id, "benefit": benefit},
        )
        return Terms(benefit, tuple(_Line(*row) for row in cursor.fetchall()))


def explained(*, patient: Patient, benefit: str, on: date) -> dict[str, Any]:
    """Who pays for one use of `benefit` by `patient` on `on`, and why, in JSON and in a sentence for everybody.

    Where no membership covers the day it says which one did last, or will next.
    """
    held = terms(patient_id=patient.pk, benefit=benefit)
    found = held.on(on)
    covered = found is not None and found.paid_by != PER_VISIT
    payers = {Membership.Source.COMPLIMENTARY: "Sameday", Membership.Source.SELF_PAID: "you"}
    payer = "" if found is None else found.sponsor or payers.get(found.paid_by, "you")  # type: ignore[call-overload]
    said = (
        found.because
        if found is not None
        else "No membership covers this date, and this kind of visit is for members only."
    )
    return {
        "entitled": covered,
        "source": found.paid_by if found is not None else None,
        "payer": payer or None,
        "price": found.price if found is not None else None,
        "explanation": said if covered else " ".join(filter(None, [said, held.nearest(on)])),
    }


def visit_prices(*, on: date) -> dict[str, int]:
    """The per-visit price, in cents, of each benefit that has one on the day `on`."""
    return dict(VisitPrice.objects.filter(during__contains=on).values_list("benefit", "amount"))


def resolve(*, patient: Patient, benefit: str, on: date) -> Entitlement:
    """What pays for one use of `benefit` by `patient` on the day `on`: a live membership, else the per-visit price.

    Several live grants: the one that costs the patient least pays (employer, complimentary, family, self-paid).
    Raises MembershipRequired where only a membership would do and there is none.
    """
    return terms(patient_id=patient.pk, benefit=benefit).require(on)


def settle(*, patient: Patient, benefit: str, on: date, accept_price: int | None) -> Entitlement:
    """What pays, as `resolve` has it, with the patient's agreement to a per-visit price: see Terms.settle."""
    return terms(patient_id=patient.pk, benefit=benefit).settle(on, accept_price=accept_price)
