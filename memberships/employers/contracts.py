"""What an employer pays for, by versions: a row is never changed, a new one from a later day goes before it."""

from datetime import date, datetime, timedelta

from django.db import transaction

from clinics.models import Organization, User
from clinics.refusals import Refused
from memberships.employers import coverage
from memberships.models import Plan, Price, SponsorContract, SponsoredPerson


class BadContract(Refused):
    code = "bad_contract"
    status = 400
    detail = "A contract is with an employer, on a plan for employers, and its grace is at most a year."


class ContractPlanned(Refused):
    code = "contract_planned"
    detail = "A version from this day on, or a later one, is there already: versions follow one another."


class ContractInThePast(Refused):
    code = "contract_in_the_past"
    status = 400
    detail = "A new version begins today or later: until then the one before it held."


def agree(
    *,
    employer: Organization,
    from_on: date,
    plan: Plan,
    covers: str,
    amount: int,
    interval: str,
    end_rule: str,
    actor: User | None,
    today: date,
    now: datetime,
    dependents_until_age: int = 26,
    grace_days: int = 0,
    conversion: Price | None = None,
) -> SponsorContract:
    """Add a version of the employer's contract that holds from `from_on` on. `amount` is in cents, for each person.

    The first one may begin in the past. Who has claimed is brought in step by the next sweep. Raises BadContract,
    ContractPlanned, ContractInThePast.
    """
    is_known = covers in SponsorContract.Covers.values and end_rule in SponsorContract.EndRule.values
    if employer.kind != Organization.Kind.EMPLOYER or plan.audience != Plan.Audience.EMPLOYER or not is_known:
        raise BadContract
    if grace_days > 366 or interval not in Price.Interval.values:
        raise BadContract
    with transaction.atomic():
        # Two versions at once would each find the other's place free.
        Organization.objects.select_for_update(no_key=True).get(pk=employer.pk)
        latest = SponsorContract.objects.filter(employer=employer).order_by("-from_on").first()
        if latest is not None and latest.from_on >= from_on:
            raise ContractPlanned
        if latest is not None and from_on < today:
            raise ContractInThePast
        made = SponsorContract.objects.create(
            employer=employer,
            from_on=from_on,
            plan=plan,
            covers=covers,
            dependents_until_age=dependents_until_age,
            amount=amount,
            interval=interval,
            end_rule=end_rule,
            grace_days=grace_days,
            conversion=conversion,
            created_by=actor,
            created_at=now,
        )
        SponsoredPerson.objects.filter(employer=employer, stale_since__isnull=True).update(stale_since=now)
        return made


def end(*, employer: Organization, last_day: date, actor: User | None, today: date, now: datetime) -> SponsorContract:
    """Let the employer's contract be over after `last_day`: a last version that covers nobody, otherwise as before.

    Raises BadContract where there is none, ContractPlanned, ContractInThePast.
    """
    latest = SponsorContract.objects.filter(employer=employer).order_by("-from_on").first()
    if latest is None:
        raise BadContract("There is no contract to end.")
    return agree(
        employer=employer,
        from_on=last_day + timedelta(days=1),
        plan=latest.plan,
        covers=SponsorContract.Covers.NOBODY,
        amount=latest.amount,
        interval=latest.interval,
        end_rule=latest.end_rule,
        actor=actor,
        today=today,
        now=now,
        dependents_until_age=latest.dependents_until_age,
        grace_days=latest.grace_days,
        conversion=latest.conversion,
    )


def versions(employer: Organization) -> list[SponsorContract]:
    """Oldest first."""
    return list(SponsorContract.objects.filter(employer=employer).select_related("plan").order_by("from_on"))


def in_force(contracts: list[SponsorContract], *, on: date) -> SponsorContract | None:
    """The version that holds on `on`, of `versions`."""
    held = [contract for contract in contracts if contract.from_on <= on]
    return held[-1] if held else None


def terms(contract: SponsorContract) -> coverage.Terms:
    return coverage.Terms(
        from_on=contract.from_on,
        covers=contract.covers,
        dependents_until_age=contract.dependents_until_age,
        end_rule=contract.end_rule,
        grace_days=contract.grace_days,
        plan=contract.plan_id,
        conversion=contract.conversion_id,
    )
