"""What somebody is offered to go on with when their employer stops paying, and for how long it is theirs to take."""

from datetime import date, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from memberships.models import BenefitGrant

AHEAD = timedelta(days=30)  # of the end: as soon as it is told
OPEN_FOR = timedelta(days=60)  # after it


def ending(*, on: date, ended_within: timedelta, ends_within: timedelta = AHEAD) -> QuerySet[BenefitGrant]:
    """Grants that end soon, or did a while ago. Where another one of the same claim follows at once, nothing ends."""
    following = BenefitGrant.objects.filter(
        claim=OuterRef("claim"), membership__during__startswith=OuterRef("membership__during__endswith")
    )
    return BenefitGrant.objects.filter(
        ~Exists(following),
        claim__ended_at__isnull=True,
        membership__during__endswith__gt=on - ended_within,
        membership__during__endswith__lte=on + ends_within,
    )


def offers(patients: list[UUID], *, on: date) -> QuerySet[BenefitGrant]:
    """The grants of `patients` whose conversion can be taken on `on`, the one that ends last first."""
    found = ending(on=on, ended_within=OPEN_FOR).filter(membership__patient__in=patients, conversion__isnull=False)
    return found.select_related("membership", "conversion__plan").order_by("-membership__during__endswith", "pk")


def last_day(grant: BenefitGrant) -> date:
    """The last day on which the conversion of a grant that ends can be taken."""
    end: date = grant.membership.during.upper
    return end + OPEN_FOR - timedelta(days=1)
