"""Whom each line means: set by set, so that a hundred thousand take seconds. Raises nothing: what fits nobody is new.

People are told apart by their family's member number, and in it by first name and birth date, so that twins are two.
"""

from typing import Any

from django.db import connection

from memberships.models import Roster

# Somebody twice in one file: the first line counts.
DUPLICATES = """
UPDATE memberships_rosterrow SET action = 'error', error = 'duplicate', "column" = 'member_number',
       raw = jsonb_build_array(member_number, relationship, first_name, last_name, birth_date)
WHERE id IN (
  SELECT id FROM (
    SELECT id, row_number() OVER (
      PARTITION BY member_number, relationship = 'employee',
                   CASE WHEN relationship = 'employee' THEN '' ELSE first_key END,
                   CASE WHEN relationship = 'employee' THEN NULL ELSE birth_date END
      ORDER BY line) AS place
    FROM memberships_rosterrow WHERE roster_id = %(roster)s AND action = ''
  ) AS numbered WHERE place > 1)
"""
EMPLOYEES = """
UPDATE memberships_rosterrow r SET person_id = p.id
FROM memberships_sponsoredperson p
WHERE r.roster_id = %(roster)s AND r.action = '' AND r.relationship = 'employee'
  AND p.employer_id = %(employer)s AND p.member_number = r.member_number AND p.relationship = 'employee'
"""
# A number that now names somebody else must not hand on what was claimed by it.
REUSED = """
UPDATE memberships_rosterrow r
SET action = 'error', error = 'number_reused', "column" = 'member_number', person_id = NULL,
    raw = jsonb_build_array(r.member_number, r.relationship, r.first_name, r.last_name, r.birth_date)
FROM memberships_sponsoredperson p
WHERE r.roster_id = %(roster)s AND r.action = '' AND r.person_id = p.id AND r.relationship = 'employee'
  AND r.birth_date <> p.birth_date AND (r.first_key <> p.first_key OR r.last_key <> p.last_key)
"""
DEPENDENTS = """
UPDATE memberships_rosterrow r SET person_id = p.id
FROM memberships_sponsoredperson p
WHERE r.roster_id = %(roster)s AND r.action = '' AND r.relationship <> 'employee'
  AND p.employer_id = %(employer)s AND p.member_number = r.member_number AND p.relationship <> 'employee'
  AND p.first_key = r.first_key AND p.birth_date = r.birth_date
"""
# A first name written out or shortened, or a birth date put right: where nobody else in the family may be meant.
CORRECTED = """
WITH fits AS (
  SELECT r.id AS row_id, p.id AS person_id,
         count(*) OVER (PARTITION BY r.id) AS people, count(*) OVER (PARTITION BY p.id) AS lines
  FROM memberships_rosterrow r
  JOIN memberships_sponsoredperson p
    ON p.employer_id = %(employer)s AND p.member_number = r.member_number AND p.relationship = r.relationship
  WHERE r.roster_id = %(roster)s AND r.action = '' AND r.relationship <> 'employee' AND r.person_id IS NULL
    AND NOT EXISTS (
      SELECT FROM memberships_rosterrow other WHERE other.roster_id = r.roster_id AND other.person_id = p.id
        AND other.member_number = r.member_number)
    AND (p.birth_date = r.birth_date
           AND (starts_with(p.first_key, r.first_key) OR starts_with(r.first_key, p.first_key))
         OR p.first_key = r.first_key AND p.last_key = r.last_key)
)
UPDATE memberships_rosterrow r SET person_id = fits.person_id
FROM fits WHERE r.id = fits.row_id AND fits.people = 1 AND fits.lines = 1
"""
# A dependent's employee stands in the file, before or behind, or is on the roster and not to be ended by this file.
ALONE = """
UPDATE memberships_rosterrow r SET action = 'error', error = 'no_subscriber', "column" = 'member_number',
       raw = jsonb_build_array(r.member_number, r.relationship, r.first_name, r.last_name, r.birth_date)
WHERE r.roster_id = %(roster)s AND r.action = '' AND r.relationship <> 'employee'
  AND NOT EXISTS (
    SELECT FROM memberships_rosterrow e
    WHERE e.roster_id = r.roster_id AND e.member_number = r.member_number AND e.relationship = 'employee'
      AND e.action = '')
  AND NOT (
    (%(kind)s = 'changes' OR EXISTS (
      SELECT FROM memberships_rosterrow e
      WHERE e.roster_id = r.roster_id AND e.member_number = r.member_number AND e.action = 'error'
        AND e.relationship IN ('employee', '')))
    AND EXISTS (
      SELECT FROM memberships_sponsoredperson p JOIN memberships_sponsoredperiod d ON d.person_id = p.id
      WHERE p.employer_id = %(employer)s AND p.member_number = r.member_number AND p.relationship = 'employee'
        AND (upper_inf(d.during) OR upper(d.during) > %(as_of)s)))
"""
STEPS = (DUPLICATES, EMPLOYEES, REUSED, DEPENDENTS, CORRECTED, ALONE)


def match(roster: Roster) -> None:
    """Find whom each line of `roster` means, in the caller's transaction."""
    with connection.cursor() as cursor:
        plan_for_many(cursor)
        for step in STEPS:
            cursor.execute(step, arguments(roster))


def arguments(roster: Roster) -> dict[str, Any]:
    return {
        "roster": roster.pk,
        "employer": roster.employer_id,
        "as_of": roster.as_of,
        "kind": roster.kind,
    }


def plan_for_many(cursor: Any) -> None:
    """For the transaction: what was just read in is in no statistics; taken for few rows it would be looped over."""
    cursor.execute("SET LOCAL enable_nestloop = off")
    cursor.execute("SET LOCAL work_mem = '32MB'")
