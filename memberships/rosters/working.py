"""The way of a roster from received to diffed and from approved to applied, taken up wherever it was left.

Who works on one holds a lease, which each transaction renews: killed at any point, it is over after LEASE and the next
sweep goes on from what is stored. Reading goes on behind the last line that was kept; matching and diffing are one
transaction each; of applying each family is one.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from psycopg.types.json import Jsonb

from clinics import acting
from clinics.killing import point
from clinics.messages import kicking
from memberships.models import Roster
from memberships.rosters import applying, diffing, files, matching, reading
from memberships.rosters.reading import Row

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
TASK = "memberships.tasks.work_on_rosters"
LEASE = timedelta(minutes=2)
BATCH = 2_000  # lines of a transaction
COLUMNS = [field.name for field in fields(Row)]
COPY = f"""
COPY memberships_rosterrow (roster_id, {", ".join(f'"{name}"' for name in COLUMNS)}, action) FROM STDIN
"""


class Lost(Exception):
    """Somebody else works on it now, or it was rejected."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a roster. `key` None: in the transaction that made it, where nobody else sees it."""

    roster: uuid.UUID
    key: uuid.UUID | None = None

    def step(self, *, now: datetime, **changes: Any) -> None:
        """Change the roster and hold on to it, in the caller's transaction. Raises Lost."""
        mine = Roster.objects.filter(pk=self.roster).exclude(status=Roster.Status.REJECTED)
        if self.key is not None:
            mine = mine.filter(leased_by=self.key)
            changes |= {"leased_until": now + LEASE}
        if not mine.update(**changes):
            raise Lost


def ask_for_work() -> None:
    """Have a worker come soon, once the caller's transaction is committed."""
    transaction.on_commit(partial(kicking.ask, TASK))


def work_off(*, clock: Clock) -> int:
    """Work on all rosters that wait for it and that nobody has in hand. Returns on how many."""
    worked = 0
    while (lease := take(now=clock())) is not None:
        worked += 1
        try:
            work(lease, clock=clock)
        except Lost:
            log.info("A roster was taken from this worker, or rejected")
    return worked


def finish(roster: Roster, *, now: datetime) -> None:
    """Work on a small roster at once, unless a worker has it in hand already."""
    lease = Lease(roster.pk, uuid.uuid4())
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
    if Roster.objects.filter(free, pk=roster.pk).update(leased_by=lease.key, leased_until=now + LEASE):
        work(lease, clock=lambda: now)
    roster.refresh_from_db()


def take(*, now: datetime) -> Lease | None:
    """Take the roster that has waited longest."""
    with transaction.atomic():
        free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
        waiting = Roster.objects.filter(free, status__in=Roster.TO_WORK_ON).order_by("received_at")
        found = waiting.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True).first()
        if found is None:
            return None
        lease = Lease(found, uuid.uuid4())
        Roster.objects.filter(pk=found).update(leased_by=lease.key, leased_until=now + LEASE)
    return lease


def work(lease: Lease, *, clock: Clock) -> None:
    """Bring a roster as far as it comes without somebody's decision. Raises Lost."""
    roster = Roster.objects.select_related("decided_by").get(pk=lease.roster)
    if roster.status == Roster.Status.APPROVED:
        apply(roster, lease, clock=clock)
    else:
        prepare(roster, lease, clock=clock)
    Roster.objects.filter(pk=lease.roster, leased_by=lease.key).update(leased_by=None, leased_until=None)


def work_out(roster: Roster, *, now: datetime) -> None:
    """Do all up to the dry run for a small roster, in the transaction that takes it in."""
    prepare(roster, Lease(roster.pk), clock=lambda: now)
    roster.refresh_from_db()


def prepare(roster: Roster, lease: Lease, *, clock: Clock) -> None:
    Status = Roster.Status  # noqa: N806 - a class
    if roster.status == Status.RECEIVED:
        parse(roster, lease, clock=clock)
        point("parsed")
    if roster.status == Status.PARSED:
        with transaction.atomic():
            lease.step(now=clock(), status=Status.MATCHED)
            matching.match(roster)
        roster.status = Status.MATCHED
        point("matched")
    if roster.status == Status.MATCHED:
        with transaction.atomic():
            diffing.diff(roster)
            told = {name: getattr(roster, name) for name in (*Roster.COUNTS.values(), "people_before", "held_because")}
            lease.step(now=clock(), status=Status.DIFFED, **told)
        roster.status = Status.DIFFED
        point("diffed")


def parse(roster: Roster, lease: Lease, *, clock: Clock) -> None:
    """Read what is not read yet of a file, a batch of lines at a time."""
    content = files.opened(roster)
    lines = files.READERS[roster.format](content, encoding=roster.encoding, mapping=roster.mapping)
    today = roster.received_at.date()
    fresh = (line for line in lines if line.number > roster.rows_read)
    for batch in batches(fresh, BATCH):
        rows = [reading.checked(line, mapping=roster.mapping, today=today) for line in batch]
        with transaction.atomic():
            lease.step(now=clock(), rows_read=rows[-1].line)
            copy(roster, rows)
        point("parsing")
    with transaction.atomic():
        lease.step(now=clock(), status=Roster.Status.PARSED, rows_read=F("rows_expected"))
    roster.status = Roster.Status.PARSED


def batches(lines: Iterator[reading.Line], size: int) -> Iterator[list[reading.Line]]:
    while batch := list(islice(lines, size)):
        yield batch


def copy(roster: Roster, rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(COPY) as into:
        for row in rows:
            values = [getattr(row, name) for name in COLUMNS]
            values[-1] = Jsonb(row.raw) if row.raw is not None else None
            into.write_row([roster.pk, *values, "error" if row.error else ""])


def apply(roster: Roster, lease: Lease, *, clock: Clock) -> None:
    """Apply an approved roster, a family at a time, as the work of who approved it."""
    with acting.acting(roster.decided_by, via="roster"):
        for member_number in applying.families(roster):
            with transaction.atomic():
                lease.step(now=clock(), families_applied=F("families_applied") + 1)
                applying.apply(roster, member_number, now=clock())
            point("applying")
        with transaction.atomic():
            lease.step(now=clock(), status=Roster.Status.APPLIED, applied_at=clock())
            transaction.on_commit(partial(kicking.ask, applying.TASK))
