"""Hours to come in which nobody licensed is on call: each told of once, before it begins, to who can do something."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from clinics import messages, people
from clinics.messages import Wanted
from clinics.models import Clinic, StaffRole, User
from virtualcare import coverage
from virtualcare.coverage import HOUR
from virtualcare.models import CoverageAlert, Modality

# How long before an hour it is told of: enough to find somebody.
AHEAD = timedelta(hours=48)
# That an hour was told of is kept for so long after it.
KEPT = timedelta(days=90)
# Lines of one e-mail; the page in the admin shows all.
MOST_LINES = 30

# What two sweeps tell of at once, one of them does: the constraint says which.
TAKE = """
INSERT INTO virtualcare_coveragealert (state, modality, hour, alerted_at)
SELECT gap.state, gap.modality, gap.hour, %s
  FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS gap(state, modality, hour)
 ORDER BY gap.state, gap.modality, gap.hour
    ON CONFLICT ON CONSTRAINT coverage_alert_once DO NOTHING
RETURNING state, modality, hour
"""
Gap = tuple[str, str, datetime]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hours without a clinician, one after another: from `start` until `end`."""

    state: str
    modality: str
    start: datetime
    end: datetime

    @property
    def hours(self) -> int:
        return (self.end - self.start) // HOUR


def served(*, now: datetime) -> list[str]:
    """The states in which we promise a clinician at any hour: where clinics are open, and those of COVERAGE_STATES.

    Where else patients live shows on the page in the admin; an alarm that never ends is none.
    """
    today = now.date()
    is_open = Clinic.objects.filter(Q(closes_on__isnull=True) | Q(closes_on__gt=today), opens_on__lte=today)
    return sorted({*settings.COVERAGE_STATES, *is_open.values_list("state", flat=True).distinct()})


def coming(states: Collection[str], *, now: datetime) -> list[Gap]:
    """The hours without a clinician that begin within AHEAD, and the one that it is: one statement."""
    found = coverage.matrix(states=states, modalities=Modality.values, first=now, until=now + AHEAD)
    return [(state, modality, hour) for state, modality in found.counts for hour in found.gaps((state, modality))]


def tell(*, now: datetime) -> int:
    """Tell of the gaps to come of which nobody was told; returns how many hours that were.

    Safe to run twice, and at once.

    Each hour is marked in the transaction that queues the message about it. It goes to the managers of clinics in its
    state, or where there are none to those who run the server: one e-mail a person for everything that is new.
    """
    with transaction.atomic():
        gaps = coming(served(now=now), now=now)
        with connection.cursor() as cursor:
            cursor.execute(TAKE, [now, *([gap[part] for gap in gaps] for part in range(3))])
            new: list[Gap] = sorted(cursor.fetchall())
        if new:
            messages.queue_all(wanted(new, now=now), now=now)
        CoverageAlert.objects.filter(hour__lt=now - KEPT).delete()
    return len(new)


def wanted(gaps: list[Gap], *, now: datetime) -> list[Wanted]:
    """An e-mail for everybody who is to know of some of `gaps`."""
    states = {state for state, _, _ in gaps}
    zones = zones_of(states)
    lines: dict[User, list[Stretch]] = defaultdict(list)
    told = overseers(states)
    for stretch in stretches(gaps):
        for user in told[stretch.state]:
            lines[user].append(stretch)
    return [
        Wanted(
            to=user,
            template="coverage_gap",
            about="coverage",
            dedupe_key=f"coverage_gap:{now:%Y%m%d%H}:{digest(theirs)}:{user.pk}",
            context={
                "to_account": True,
                "hours": sum(stretch.hours for stretch in theirs),
                "gaps": [as_context(stretch, zones[stretch.state]) for stretch in theirs[:MOST_LINES]],
                "more": max(len(theirs) - MOST_LINES, 0),
            },
        )
        for user, theirs in lines.items()
    ]


def stretches(gaps: Iterable[Gap]) -> list[Stretch]:
    """Hours that follow one another as one, those that begin first before others."""
    found: list[Stretch] = []
    for state, modality, hour in sorted(gaps):
        last = found[-1] if found else None
        if last is not None and (last.state, last.modality, last.end) == (state, modality, hour):
            found[-1] = Stretch(state, modality, last.start, hour + HOUR)
        else:
            found.append(Stretch(state, modality, hour, hour + HOUR))
    return sorted(found, key=lambda one: (one.start, one.state, one.modality))


def as_context(stretch: Stretch, zone: ZoneInfo) -> dict[str, Any]:
    """A stretch on the clock of its state, for a template."""
    start, end = stretch.start.astimezone(zone), stretch.end.astimezone(zone)
    return {
        "state": stretch.state,
        "modality": stretch.modality,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "same_day": start.date() == end.date(),
        "zone": f"{end:%Z}",
    }


def digest(theirs: list[Stretch]) -> str:
    said = ";".join(f"{one.state}{one.modality}{one.start.isoformat()}{one.end.isoformat()}" for one in theirs)
    return sha256(said.encode()).hexdigest()[:16]


def zones_of(states: Iterable[str]) -> dict[str, ZoneInfo]:
    """The clock to tell times of a state by: that of a clinic there, or that of most clinics."""
    found = dict.fromkeys(states, people.HOME)
    for clinic in Clinic.objects.filter(state__in=list(found)).order_by("-name"):
        found[clinic.state] = clinic.zone
    return found


def overseers(states: Iterable[str]) -> dict[str, list[User]]:
    """Who is told of gaps in each state: managers of clinics there; without any, those who run the server."""
    operators = list(User.objects.filter(is_superuser=True, is_active=True).order_by("pk"))
    there: dict[str, dict[Any, User]] = {state: {} for state in states}
    clinics = Clinic.objects.filter(state__in=list(there))
    roles = StaffRole.objects.filter(
        Q(clinic__in=clinics) | Q(organization__clinics__in=clinics),
        role=StaffRole.Role.MANAGER,
        user__is_active=True,
    )
    roles = roles.select_related("user", "clinic", "organization").prefetch_related("organization__clinics")
    for role in roles.distinct():
        places = [role.clinic] if role.clinic else role.organization.clinics.all() if role.organization else []
        for place in places:
            if place.state in there:
                there[place.state][role.user.pk] = role.user
    return {state: list(users.values()) or operators for state, users in there.items()}
