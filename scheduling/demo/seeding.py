"""Making the demo network, and bringing it up to today."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from scheduling import shifts
from scheduling.demo import bookings, network, offer, past, patients, paying, sponsored, staff
from scheduling.demo.network import SITES

BIG = [
    "clinics_calendar",
    "clinics_patient",
    "clinics_registration",
    "memberships_membership",
    "memberships_rosterrow",
    "memberships_sponsoredperson",
    "scheduling_appointment",
    "scheduling_appointmentchange",
    "scheduling_claim",
    "scheduling_shift",
]


class Seeded(NamedTuple):
    """What a run added."""

    shifts: int
    visits: int


def seed(*, now: datetime, say: Callable[[str], None] = lambda _: None) -> Seeded:
    """Make what is missing of the demo: places, people and offer once, shifts and bookings up to today each time.

    The same people with the same ids every time. Safe to run again: nothing is added twice, nothing that people changed
    is changed back.
    """
    say("The network, its staff and its patients …")
    with transaction.atomic():
        network.plant(now=now)
        offer.plant()
        staff.plant()
        patients.plant()
        past.plant(now=now)
        paying.plant(now=now)
        sponsored.plant(now=now)
    say("Shifts 90 days ahead …")
    clinicians = [staff.clinician_key(site, number) for site in SITES for number in range(site.clinicians)]
    added = shifts.extend(now=now, clinicians=clinicians)
    say("Bookings …")
    visits = bookings.top_up(now=now)
    analyze()
    return Seeded(added, visits)


def analyze() -> None:
    """Tell the planner what the big tables hold now."""
    with connection.cursor() as cursor:
        for table in BIG:
            cursor.execute(f"ANALYZE {table}")
