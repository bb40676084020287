"""What those who have claimed are entitled to, kept in step with the roster and the contract.

What has been stays: a grant is ended today at the earliest, whatever day the roster names, and the visits that it paid
for keep what paid for them. A roster changes people, and this follows by a sweep: so a request of the sponsor's takes
as long whether or not somebody has claimed.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics import messages, people
from memberships.employers import contracts, coverage
from memberships.employers.coverage import Span
from memberships.models import (
    BenefitClaim,
    BenefitGrant,
    Membership,
    SponsorContract,
    SponsoredPeriod,
    SponsoredPerson,
)

BATCH = 100  # people of a transaction
DAY = timedelta(days=1)


def about(membership: UUID) -> str:
    """What messages about the end of a grant are about."""
    return f"benefit:{membership}"


def bring_in_step(*, now: datetime) -> int:
    """Look at all whom a roster or contract changed, a batch at a time. Returns how many people there were."""
    done = 0
    while True:
        with transaction.atomic():
            stale = SponsoredPerson.objects.filter(stale_since__isnull=False).order_by("stale_since", "pk")
            batch = list(stale.select_for_update(skip_locked=True, no_key=True)[:BATCH])
            follow(batch, now=now)
            SponsoredPerson.objects.filter(pk__in=[person.pk for person in batch]).update(stale_since=None)
        done += len(batch)
        if len(batch) < BATCH:
            return done


def follow(persons: list[SponsoredPerson], *, now: datetime) -> None:
    """Have what was claimed for `persons` be what they are entitled to now, in the caller's transaction."""
    by_person = {person.pk: person for person in persons}
    claims = BenefitClaim.objects.select_for_update(no_key=True).filter(person__in=by_person, ended_at__isnull=True)
    live = list(claims.order_by("pk"))
    if not live:
        return
    periods = periods_of([claim.person_id for claim in live])
    terms = terms_of([by_person[claim.person_id].employer_id for claim in live])
    for claim in live:
        person = by_person[claim.person_id]
        reconcile(claim, person, spans(person, periods[person.pk], terms[person.employer_id]), now=now)


def spans(person: SponsoredPerson, periods: list[tuple[date, date | None]], terms: list[coverage.Terms]) -> list[Span]:
    return coverage.spans(
        relationship=person.relationship, birth_date=person.birth_date, periods=periods, contracts=terms
    )


def is_anything_left(found: list[Span], *, today: date) -> bool:
    """Whether any day of `found` is not over."""
    return any(span.after is None or span.after > today for span in found)


def periods_of(persons: list[UUID]) -> dict[UUID, list[tuple[date, date | None]]]:
    found: dict[UUID, list[tuple[date, date | None]]] = defaultdict(list)
    for period in SponsoredPeriod.objects.filter(person__in=persons):
        found[period.person_id].append((period.during.lower, period.during.upper))
    return found


def terms_of(employers: list[UUID]) -> dict[UUID, list[coverage.Terms]]:
    found: dict[UUID, list[coverage.Terms]] = defaultdict(list)
    for contract in SponsorContract.objects.filter(employer__in=set(employers)):
        found[contract.employer_id].append(contracts.terms(contract))
    return found


def reconcile(claim: BenefitClaim, person: SponsoredPerson, wanted: list[Span], *, now: datetime) -> None:
    """Make, lengthen, shorten and end a claim's grants, so that from today on they are the days of `wanted`."""
    today = people.today_at_home(now)
    grants = BenefitGrant.objects.filter(claim=claim).select_related("membership")
    standing = sorted(grants, key=lambda grant: grant.membership.during.lower)
    open_ones = [grant for grant in standing if lasts_after(grant.membership.during, today)]
    for span in [span for span in wanted if span.after is None or span.after > today]:
        first = max(span.first, today)
        kept = next((grant for grant in open_ones if fits(grant, span, today)), None)
        if kept is None:
            make(claim, person, span, first)
            continue
        open_ones.remove(kept)
        begun = kept.membership.during.lower
        set_days(kept, begun if begun <= today else first, span.after, span.conversion, now=now)
    for grant in open_ones:
        begun = grant.membership.during.lower
        if begun <= today:
            set_days(grant, begun, max(today, begun + DAY), grant.conversion_id, now=now)
        else:
            # It never came to be. As a day that is over it entitles to nothing, and whatever was booked on it stays.
            set_days(grant, today - DAY, today, None, now=now)
            BenefitGrant.objects.filter(pk=grant.pk).update(told_until=today)


def fits(grant: BenefitGrant, span: Span, today: date) -> bool:
    """Whether a grant that is not over can be the one of `span`: on its plan, and begun where that has begun."""
    begun = grant.membership.during.lower <= today
    return grant.membership.plan_id == span.plan and (not begun or span.first <= today)


def lasts_after(during: DateRange, day: date) -> bool:
    return during.upper is None or during.upper > day


def make(claim: BenefitClaim, person: SponsoredPerson, span: Span, first: date) -> None:
    membership = Membership.objects.create(
        patient_id=claim.patient_id,
        plan_id=span.plan,
        source=Membership.Source.EMPLOYER,
        sponsor_id=person.employer_id,
        during=DateRange(first, span.after),
    )
    BenefitGrant.objects.create(membership=membership, claim=claim, conversion_id=span.conversion)


def set_days(grant: BenefitGrant, first: date, after: date | None, conversion: int | None, *, now: datetime) -> None:
    """Change the days of a grant, where they are others. What was to be told of its end is taken back."""
    during = grant.membership.during
    if conversion != grant.conversion_id:
        BenefitGrant.objects.filter(pk=grant.pk).update(conversion=conversion)
    if (during.lower, during.upper) == (first, after):
        return
    Membership.objects.filter(pk=grant.membership_id).update(during=DateRange(first, after))
    if during.upper != after:
        messages.withdraw(about=about(grant.membership_id), now=now)


def release(claim: BenefitClaim, *, now: datetime) -> None:
    """End a claim: what it grants ends today, and somebody else may be who the roster means."""
    with transaction.atomic():
        held = BenefitClaim.objects.select_for_update(no_key=True).select_related("person").get(pk=claim.pk)
        if held.ended_at is not None:
            return
        BenefitClaim.objects.filter(pk=claim.pk).update(ended_at=now)
        reconcile(held, held.person, [], now=now)
