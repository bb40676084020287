"""Which visits stay when an employer stops paying, and what they cost: told with the end itself.

A visit keeps what pays for it and the price that was said when it was booked, whatever ends later. Only one that is
moved is priced anew.
"""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from memberships.employers import telling
from memberships.employers.telling import Booked
from memberships.models import BenefitGrant
from scheduling.models import Appointment
from scheduling.templatetags import visits


def tell(*, now: datetime) -> int:
    """Tell of the benefits that end, with the visits that stay. Returns how many ends were told."""
    return telling.tell_endings(now=now, booked=staying)


def staying(grants: list[BenefitGrant]) -> dict[UUID, list[Booked]]:
    """The booked visits that `grants` pay for on days after their end, soonest first, by membership. One statement."""
    ends = {grant.membership_id: grant.membership.during.upper for grant in grants}
    booked = Appointment.objects.filter(membership__in=ends, booked_at__isnull=False, status__in=Appointment.LIVE)
    found: dict[UUID, list[Booked]] = defaultdict(list)
    for visit in booked.select_related("clinic").order_by("starts_at", "pk"):
        start = visit.starts_at.astimezone(visit.clinic.zone)
        if visit.membership_id is not None and start.date() >= ends[visit.membership_id]:
            clock = {language: visits.clock(start, language) for language in visits.CLOCK}
            found[visit.membership_id].append(Booked(start.date(), clock, visit.price or 0))
    return found
