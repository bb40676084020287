"""Making the roster what a file says, family by family.

Nothing here asks who has claimed: what people are entitled to follows by a sweep (employers.granting), so that what HR
sees takes as long for whoever it is about.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from memberships.models import Roster

TASK = "memberships.tasks.bring_benefits_in_step"
PAGE = 500  # families

FAMILIES = """
SELECT DISTINCT member_number FROM memberships_rosterrow
WHERE roster_id = %s AND action IN ('add', 'change', 'end') AND applied_at IS NULL AND member_number > %s
ORDER BY member_number LIMIT %s
"""
# Who else came to the same family's rows waits here, and then finds them applied.
LOCK = """
SELECT id FROM memberships_rosterrow
WHERE roster_id = %(roster)s AND member_number = %(family)s AND action IN ('add', 'change', 'end')
  AND applied_at IS NULL ORDER BY id FOR UPDATE
"""
ROWS = "r.id = ANY(%(rows)s)"
NAME_NEW = f"""
UPDATE memberships_rosterrow r SET person_id = gen_random_uuid() WHERE {ROWS} AND person_id IS NULL
"""  # noqa: S608 - made of its own constants alone
MAKE = f"""
INSERT INTO memberships_sponsoredperson
  (id, employer_id, member_number, relationship, first_name, last_name, first_key, last_key, birth_date, email,
   stale_since, created_at)
SELECT person_id, %(employer)s, member_number, relationship, first_name, last_name, first_key, last_key, birth_date,
       email, NULL, %(now)s
FROM memberships_rosterrow r WHERE {ROWS} AND before IS NULL
"""  # noqa: S608 - made of its own constants alone
CHANGE = f"""
UPDATE memberships_sponsoredperson p
SET relationship = r.relationship, first_name = r.first_name, last_name = r.last_name, first_key = r.first_key,
    last_key = r.last_key, birth_date = r.birth_date, email = r.email, stale_since = %(now)s
FROM memberships_rosterrow r WHERE {ROWS} AND p.id = r.person_id AND r.before IS NOT NULL
"""  # noqa: S608 - made of its own constants alone
# Periods that are not to be, and what the changed one grows over.
CLEAR = f"""
DELETE FROM memberships_sponsoredperiod d USING memberships_rosterrow r
WHERE {ROWS} AND d.person_id = r.person_id
  AND CASE WHEN r.ends_on < r.starts_on THEN lower(d.during) = (r.before ->> 'starts_on')::date
           WHEN lower(d.during) = (r.before ->> 'starts_on')::date THEN false
           ELSE d.during && daterange(r.starts_on, r.ends_on + 1) END
"""  # noqa: S608 - made of its own constants alone
CORRECT = f"""
UPDATE memberships_sponsoredperiod d SET during = daterange(r.starts_on, r.ends_on + 1)
FROM memberships_rosterrow r
WHERE {ROWS} AND d.person_id = r.person_id AND lower(d.during) = (r.before ->> 'starts_on')::date
"""  # noqa: S608 - made of its own constants alone
BEGIN = f"""
INSERT INTO memberships_sponsoredperiod (id, person_id, during)
SELECT gen_random_uuid(), r.person_id, daterange(r.starts_on, r.ends_on + 1)
FROM memberships_rosterrow r
WHERE {ROWS} AND r.before ->> 'starts_on' IS NULL AND (r.ends_on IS NULL OR r.ends_on >= r.starts_on)
"""  # noqa: S608 - made of its own constants alone
MARK = f"""
UPDATE memberships_rosterrow r SET applied_at = %(now)s WHERE {ROWS}
"""  # noqa: S608 - made of its own constants alone
STEPS = (NAME_NEW, MAKE, CHANGE, CLEAR, CORRECT, BEGIN, MARK)


def families(roster: Roster) -> Iterator[str]:
    """The member numbers of the families that are still to be changed."""
    last = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(FAMILIES, [roster.pk, last, PAGE])
            page = [number for (number,) in cursor.fetchall()]
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]


def apply(roster: Roster, member_number: str, *, now: datetime) -> None:
    """Change one family as `roster` says, in the caller's transaction. Done twice it is done once."""
    asked: dict[str, Any] = {"roster": roster.pk, "family": member_number}
    with connection.cursor() as cursor:
        cursor.execute(LOCK, asked)
        rows = [row for (row,) in cursor.fetchall()]
        for step in STEPS if rows else ():
            cursor.execute(step, {**asked, "rows": rows, "employer": roster.employer_id, "now": now})
