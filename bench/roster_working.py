"""The process that takes a roster in and works it out, as a worker does: `python -m bench.roster_working first 999`."""

import json
import resource
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from typing import IO

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - after the settings

from clinics import people  # noqa: E402
from clinics.models import Organization, User  # noqa: E402
from memberships import rosters  # noqa: E402
from memberships.models import Roster  # noqa: E402
from memberships.rosters import diffing, matching, working  # noqa: E402

HEADER = "member_number,relationship,first_name,last_name,birth_date,email,starts_on,ends_on\n"
NAMES = ["Ana", "Ben", "Cia", "Dan"]
RELATIONS = ["employee", "spouse", "child", "child"]
# The first roster is put on the roster by itself, as applying it would: that is not what is measured.
PEOPLE = """
INSERT INTO memberships_sponsoredperson
  (id, employer_id, member_number, relationship, first_name, last_name, first_key, last_key, birth_date, email,
   created_at)
SELECT gen_random_uuid(), %s, member_number, relationship, first_name, last_name, first_key, last_key, birth_date,
       email, now()
FROM memberships_rosterrow WHERE roster_id = %s
"""
PERIODS = """
INSERT INTO memberships_sponsoredperiod (id, person_id, during)
SELECT gen_random_uuid(), id, daterange('2026-01-01', NULL) FROM memberships_sponsoredperson
"""


def write(into: IO[bytes], count: int, *, changed: bool) -> None:
    """Families of four, one of them twins."""
    into.write(HEADER.encode())
    for number in range(count):
        family, place = divmod(number, 4)
        last = f"Family{family}" if not changed or number % 100 else f"Other{family}"
        born = f"{1980 + 10 * min(place, 3) - (place == 3) * 10}-0{1 + family % 9}-1{place % 3}"
        mail = f"e{number}@works.example" if place == 0 else ""
        into.write(f"{100000 + family},{RELATIONS[place]},{NAMES[place]},{last},{born},{mail},2026-01-01,\n".encode())
    into.flush()


class Watch(threading.Thread):
    """What another connection sees of the progress."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[int] = set()
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.wait(0.05):
            self.seen |= set(Roster.objects.filter(status="received").values_list("rows_read", flat=True)) - {0}
        connection.close()


def main(what: str, count: int) -> None:
    employer, _ = Organization.objects.get_or_create(slug="works", defaults={"kind": "employer", "name": "Works"})
    hr, _ = User.objects.get_or_create(email="hr@example.com")
    now = datetime.now(UTC)
    took: dict[str, float] = {}
    with tempfile.TemporaryFile() as file:
        write(file, count, changed=what == "next")
        began = time.monotonic()
        roster = rosters.receive(
            employer=employer, content=file, kind="full", as_of=people.today_at_home(now), by=hr, now=now
        )
        took["received"] = time.monotonic() - began
    watch = Watch()
    watch.start()
    lease = working.take(now=now)
    assert lease
    for step in ("parsed", "matched", "diffed"):
        began = time.monotonic()
        run(step, roster, lease, now)
        took[step] = time.monotonic() - began
    watch.is_over.set()
    watch.join()
    roster.refresh_from_db()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    diff = {name: getattr(roster, name) for name in Roster.COUNTS.values()}
    told = {"what": f"{what} roster", "people": count, "diff": diff, "seen": len(watch.seen), "megabytes": peak}
    sys.stdout.write(json.dumps(told | took))
    if what == "first":
        settle(employer, roster)


def run(step: str, roster: Roster, lease: working.Lease, now: datetime) -> None:
    """One step, as working.prepare does it."""
    if step == "parsed":
        working.parse(roster, lease, clock=lambda: datetime.now(UTC))
        return
    with transaction.atomic():
        if step == "matched":
            matching.match(roster)
            lease.step(now=now, status="matched")
        else:
            diffing.diff(roster)
            names = (*Roster.COUNTS.values(), "people_before", "held_because")
            lease.step(now=now, status="diffed", **{name: getattr(roster, name) for name in names})


def settle(employer: Organization, roster: Roster) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PEOPLE, [employer.pk, roster.pk])
        cursor.execute(PERIODS)
        Roster.objects.filter(pk=roster.pk).update(status="applied", applied_at=roster.received_at)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
