"""When somebody is paid for: from their days on the roster and the contract's versions. Pure: no clock, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """A version of a contract: SponsorContract, as far as it decides when somebody is paid for."""

    from_on: date
    covers: str
    dependents_until_age: int
    end_rule: str
    grace_days: int
    plan: str
    conversion: int | None = None

    def covers_a(self, relationship: str) -> bool:
        return self.covers == "family" or (self.covers == "employees" and relationship == "employee")

    def after(self, last_day: date) -> date:
        """The first day without, for somebody whose last day on the roster is `last_day`."""
        if self.end_rule == "month":
            return (last_day.replace(day=1) + timedelta(days=32)).replace(day=1)
        return last_day + DAY + timedelta(days=self.grace_days if self.end_rule == "grace" else 0)


@dataclass(frozen=True, slots=True)
class Span:
    """Unbroken days on one plan, [first, after); without end where `after` is None."""

    first: date
    after: date | None
    plan: str
    conversion: int | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Days on the roster under one version."""

    first: date
    after: date | None
    terms: Terms


def spans(
    *,
    relationship: str,
    birth_date: date,
    periods: Iterable[tuple[date, date | None]],
    contracts: Sequence[Terms],
) -> list[Span]:
    """The days on which somebody is entitled by their employer, in order.

    `periods` are their days on the roster, [first, after); `contracts` the versions, each until the next one. Where
    days on the roster end (by the roster, by age, by the contract), the version of the last day says how much longer;
    somebody who is back by then was never away.
    """
    pieces = merged(_pieces(relationship, birth_date, periods, contracts))
    found: list[Span] = []
    for number, piece in enumerate(pieces):
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        after = piece.after
        if after is not None and (following is None or following.first > after):
            after = piece.terms.after(after - DAY)
            if following is not None:
                after = min(after, following.first)
        last = found[-1] if found else None
        if last is not None and last.after == piece.first and last.plan == piece.terms.plan:
            found[-1] = replace(last, after=after, conversion=piece.terms.conversion)
        else:
            found.append(Span(piece.first, after, piece.terms.plan, piece.terms.conversion))
    return found


def _pieces(
    relationship: str,
    birth_date: date,
    periods: Iterable[tuple[date, date | None]],
    contracts: Sequence[Terms],
) -> list[_Piece]:
    versions = sorted(contracts, key=lambda terms: terms.from_on)
    found = []
    for first, after in sorted(periods, key=lambda period: period[0]):
        for number, terms in enumerate(versions):
            if not terms.covers_a(relationship):
                continue
            ends = [after, versions[number + 1].from_on if number + 1 < len(versions) else None]
            if relationship in ("child", "other"):
                ends.append(birthday(birth_date, terms.dependents_until_age))
            known = [end for end in ends if end is not None]
            begins, end = max(first, terms.from_on), min(known) if known else None
            if end is None or begins < end:
                found.append(_Piece(begins, end, terms))
    return found


def merged(pieces: list[_Piece]) -> list[_Piece]:
    """In order, and of those under one version that touch or overlap one."""
    found: list[_Piece] = []
    for piece in sorted(pieces, key=lambda one: one.first):
        last = found[-1] if found else None
        if last is not None and last.terms == piece.terms and (last.after is None or piece.first <= last.after):
            ends = last.after is None or piece.after is None
            found[-1] = replace(last, after=None if ends else max(last.after, piece.after))  # type: ignore[type-var]
        else:
            found.append(piece)
    return found


def birthday(born: date, age: int) -> date:
    """The day on which somebody is `age` years old. Born on 29 February: 1 March in common years (Patient.age_on)."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)
