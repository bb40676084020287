"""Taking a file in: what it is, whether it was here before, and where it stands in line."""

from datetime import date, datetime, timedelta
from typing import IO

from django.db import IntegrityError, transaction

from clinics.faults import violates
from clinics.models import Organization, User
from clinics.refusals import Refused
from memberships.models import Roster
from memberships.rosters import files, mapping, working

LARGEST = 32 * 1024 * 1024  # bytes
MOST_LINES = 300_000
# As many lines are worked on in the request that sends them.
AT_ONCE = 1_000
FAR = timedelta(days=100)


class NotText(Refused):
    code = "roster_not_text"
    status = 400
    detail = "This is no CSV file. Save the roster as “CSV UTF-8” and send that."


class RosterTooLong(Refused):
    code = "roster_too_long"
    status = 413
    detail = f"A roster has at most {LARGEST // 1024 // 1024} MB and {MOST_LINES:,} lines."


class RosterSeen(Refused):
    code = "roster_seen"
    detail = "This very file is the last that was sent: see roster. Nothing is done twice."


class RosterOlder(Refused):
    code = "roster_older"
    detail = "A later roster has been applied: see roster. An older one would take back what came after it."


class RosterOpen(Refused):
    code = "roster_open"
    detail = "Another roster waits: see roster. Approve or reject it first."


class BadDay(Refused):
    code = "bad_roster_day"
    status = 400
    detail = f"A roster speaks of a day at most {FAR.days} days from today."


def receive(
    *,
    employer: Organization,
    content: IO[bytes],
    kind: str,
    as_of: date,
    by: User,
    now: datetime,
    today: date | None = None,
) -> Roster:
    """Take in a roster of `employer` that speaks of the day `as_of`, and work out what it would change.

    One of more than AT_ONCE lines is worked on by a worker: its status tells how far it is. Raises NotText,
    RosterTooLong, BadHeader, BadDay, RosterSeen, RosterOlder and RosterOpen.
    """
    seen = files.look(content)
    if seen.binary:
        raise NotText(f"This is {seen.binary}. Save the roster as “CSV UTF-8” and send that.")
    if seen.size > LARGEST or seen.lines > MOST_LINES:
        raise RosterTooLong
    if abs(as_of - (today or as_of)) > FAR:
        raise BadDay
    called = mapping.as_json(mapping.mapping_of(employer))
    # Whether its first line can be read, before anything is kept.
    next(files.READERS["csv"](files.beginning(content), encoding=seen.encoding, mapping=called), None)
    with transaction.atomic():
        is_repeated = is_known(employer, seen.sha256, as_of)
        roster = Roster(
            employer=employer,
            kind=kind,
            as_of=as_of,
            sha256=seen.sha256,
            size=seen.size,
            encoding=seen.encoding,
            mapping=called,
            is_cut=not seen.ends_whole,
            is_repeated=is_repeated,
            uploaded_by=by,
            received_at=now,
            rows_expected=seen.lines,
        )
        insert(roster)
        files.keep(roster, content)
        if seen.lines <= AT_ONCE:
            working.work_out(roster, now=now)
        else:
            working.ask_for_work()
    return roster


def insert(roster: Roster) -> None:
    """Store a roster. Raises RosterOpen where another of the employer's waits."""
    try:
        with transaction.atomic():
            roster.save(force_insert=True)
    except IntegrityError as error:
        if not violates(error, "roster_one_open"):
            raise
        waiting = Roster.objects.open().filter(employer=roster.employer_id).values_list("pk", flat=True).first()
        raise RosterOpen(roster=str(waiting) if waiting else None) from error


def is_known(employer: Organization, sha256: str, as_of: date) -> bool:
    """Whether the very same file was applied, and another after it. Raises RosterSeen, RosterOlder."""
    applied = Roster.objects.filter(employer=employer, status=Roster.Status.APPLIED).exclude(kind=Roster.Kind.UNDO)
    standing = list(applied.exclude(undone_by__status=Roster.Status.APPLIED).order_by("-applied_at", "-id")[:1])
    waiting = Roster.objects.open().filter(employer=employer)
    for same in [*standing, *waiting]:
        if same.sha256 == sha256:
            raise RosterSeen(roster=str(same.pk), status=same.status)
    later = applied.exclude(undone_by__status=Roster.Status.APPLIED).filter(as_of__gt=as_of).order_by("-as_of").first()
    if later is not None:
        raise RosterOlder(roster=str(later.pk), as_of=later.as_of.isoformat())
    return applied.filter(sha256=sha256).exclude(undone_by__status=Roster.Status.APPLIED).exists()
