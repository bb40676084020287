"""Approving, rejecting and undoing rosters."""

from datetime import datetime

from django.db import connection, transaction

from clinics.models import User
from clinics.refusals import Refused
from memberships.models import Roster
from memberships.rosters import diffing, receiving, working
from memberships.rosters.diffing import FACTS, LATEST
from memberships.rosters.matching import arguments

# In one request as many rows are applied.
AT_ONCE = 1_000


class NotToDecide(Refused):
    code = "roster_not_to_decide"
    detail = "This roster is not to be decided on: see its status."


class SecondPersonNeeded(Refused):
    code = "second_person_needed"
    status = 403
    detail = "This roster is held: somebody else than who sent it has to approve it."


class NotToUndo(Refused):
    code = "roster_not_to_undo"
    detail = "Only a roster that was applied can be undone, and once."


# The rows of a roster the other way round, each for who is still as that left them.
UNDO = f"""
WITH {LATEST}, was AS (
  SELECT o.*, o.ends_on < o.starts_on AS took_away, o.before ->> 'starts_on' IS NULL AS began
  FROM memberships_rosterrow o
  WHERE o.roster_id = %(undone)s AND o.applied_at IS NOT NULL
), turned AS (
  SELECT was.*, p.member_number AS number,
         CASE WHEN was.began THEN was.starts_on ELSE (was.before ->> 'starts_on')::date END AS to_start,
         CASE WHEN was.began THEN was.starts_on - 1 ELSE (was.before ->> 'ends_on')::date END AS to_end,
         (p.relationship, p.first_name, p.last_name, p.birth_date, p.email)
           = (was.relationship, was.first_name, was.last_name, was.birth_date, was.email)
         AND CASE WHEN coalesce(was.took_away, false) THEN l.starts IS NULL OR l.after <= was.starts_on
                  ELSE l.starts = was.starts_on AND l.after - 1 IS NOT DISTINCT FROM was.ends_on END AS is_same,
         {
    FACTS.format(
        starts="CASE WHEN NOT coalesce(was.took_away, false) THEN was.starts_on END",
        ends="CASE WHEN NOT coalesce(was.took_away, false) THEN was.ends_on END",
    )
} AS until_now
  FROM was JOIN memberships_sponsoredperson p ON p.id = was.person_id LEFT JOIN latest l ON l.person_id = p.id
)
INSERT INTO memberships_rosterrow
  (roster_id, line, person_id, member_number, relationship, first_name, last_name, first_key, last_key, birth_date,
   email, starts_on, ends_on, action, before, error, "column", raw)
SELECT %(roster)s, line, person_id, number,
       coalesce(before ->> 'relationship', relationship), coalesce(before ->> 'first_name', first_name),
       coalesce(before ->> 'last_name', last_name), coalesce(before ->> 'first_key', first_key),
       coalesce(before ->> 'last_key', last_key),
       coalesce((before ->> 'birth_date')::date, birth_date), coalesce(before ->> 'email', email),
       to_start, to_end,
       CASE WHEN NOT coalesce(is_same, false) THEN 'error' WHEN took_away THEN 'add'
            WHEN to_end IS NOT NULL AND (ends_on IS NULL OR to_end < ends_on) THEN 'end' ELSE 'change' END,
       until_now, CASE WHEN coalesce(is_same, false) THEN '' ELSE 'changed_since' END, '',
       CASE WHEN NOT coalesce(is_same, false)
            THEN jsonb_build_array(number, relationship, first_name, last_name, birth_date) END
FROM turned ORDER BY line, id
"""  # noqa: S608 - made of its own constants alone


def approve(*, roster: Roster, actor: User, now: datetime) -> Roster:
    """Let a roster whose dry run was shown be applied: a small one at once, others by a worker.

    Raises NotToDecide, and SecondPersonNeeded for one that is held and was sent by `actor`.
    """
    if roster.status != Roster.Status.DIFFED:
        raise NotToDecide
    if roster.is_held and roster.uploaded_by_id == actor.pk:
        raise SecondPersonNeeded
    with transaction.atomic():
        waiting = Roster.objects.filter(pk=roster.pk, status=Roster.Status.DIFFED)
        if not waiting.update(status=Roster.Status.APPROVED, decided_by=actor, decided_at=now):
            raise NotToDecide
        working.ask_for_work()
    roster.refresh_from_db()
    if (roster.adds or 0) + (roster.changes or 0) + (roster.ends or 0) <= AT_ONCE:
        working.finish(roster, now=now)
    return roster


def reject(*, roster: Roster, actor: User, now: datetime) -> Roster:
    """Do nothing of what a roster says, before it is approved. Raises NotToDecide."""
    open_ones = Roster.objects.open().filter(pk=roster.pk).exclude(status=Roster.Status.APPROVED)
    if not open_ones.update(status=Roster.Status.REJECTED, decided_by=actor, decided_at=now):
        raise NotToDecide
    roster.refresh_from_db()
    return roster


def undo(*, roster: Roster, actor: User, now: datetime) -> Roster:
    """Make a roster that takes back what `roster` changed, to be approved as any other.

    Who was changed since is left as they are, and named among its errors. Raises NotToUndo, RosterOpen.
    """
    with transaction.atomic():
        done = Roster.objects.select_for_update(no_key=True).get(pk=roster.pk)
        if done.status != Roster.Status.APPLIED:
            raise NotToUndo
        if Roster.objects.filter(undoes=done).exclude(status=Roster.Status.REJECTED).exists():
            raise NotToUndo
        made = Roster(
            employer_id=done.employer_id,
            kind=Roster.Kind.UNDO,
            undoes=done,
            as_of=done.as_of,
            sha256=f"undo:{done.pk}",
            size=0,
            uploaded_by=actor,
            received_at=now,
            status=Roster.Status.MATCHED,
        )
        receiving.insert(made)
        with connection.cursor() as cursor:
            asked = arguments(made)
            cursor.execute(UNDO, {"undone": done.pk, "roster": asked["roster"], "employer": asked["employer"]})
        diffing.count(made)
        made.status = Roster.Status.DIFFED
        made.save(update_fields=[*Roster.COUNTS.values(), "people_before", "held_because", "status"])
    return made
