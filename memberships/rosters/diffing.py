"""What a roster would change, person by person, and whether it takes a second person to let it."""

from django.db import connection

from memberships.models import Roster
from memberships.rosters.matching import arguments, plan_for_many

# From how many ends on, and of how many people, somebody else than the sender has to look (design, section 6).
MANY, SHARE = 5, 10  # people, per cent

# Each person's latest period. Of the periods of those hired again the earlier ones are over.
LATEST = """
latest AS (
  SELECT DISTINCT ON (d.person_id) d.person_id, lower(d.during) AS starts, upper(d.during) AS after
  FROM memberships_sponsoredperson p JOIN memberships_sponsoredperiod d ON d.person_id = p.id
  WHERE p.employer_id = %(employer)s
  ORDER BY d.person_id, lower(d.during) DESC)
"""
FACTS = """
jsonb_build_object('relationship', p.relationship, 'first_name', p.first_name, 'last_name', p.last_name,
                   'first_key', p.first_key, 'last_key', p.last_key, 'birth_date', p.birth_date, 'email', p.email,
                   'starts_on', {starts}, 'ends_on', {ends})
"""
NEW = """
UPDATE memberships_rosterrow
SET starts_on = coalesce(starts_on, least(%(as_of)s::date, ends_on)),
    action = CASE WHEN ends_on < starts_on THEN 'error' ELSE 'add' END
WHERE roster_id = %(roster)s AND action = '' AND person_id IS NULL AND (relationship = 'employee') = %(employees)s
"""
# Somebody known. A first day behind their latest period begins another one; any other corrects it. Without a first day
# they keep theirs, or begin on the roster's day where it is over.
KNOWN = f"""
WITH {LATEST}, meant AS (
  SELECT r.id, r.ends_on, l.starts, l.after,
         coalesce(r.starts_on, CASE
           WHEN l.starts IS NULL THEN least(%(as_of)s::date, r.ends_on)
           WHEN l.after IS NULL OR l.after > %(as_of)s OR r.ends_on < %(as_of)s THEN l.starts
           ELSE least(%(as_of)s::date, r.ends_on) END) AS starts_on
  FROM memberships_rosterrow r LEFT JOIN latest l ON l.person_id = r.person_id
  WHERE r.roster_id = %(roster)s AND r.action = '' AND r.person_id IS NOT NULL
    AND (r.relationship = 'employee') = %(employees)s
), told AS (
  SELECT *, starts IS NULL OR coalesce(starts_on >= after, false) AS is_new FROM meant
)
UPDATE memberships_rosterrow r
SET starts_on = told.starts_on,
    before = {
    FACTS.format(
        starts="CASE WHEN NOT told.is_new THEN told.starts END",
        ends="CASE WHEN NOT told.is_new THEN told.after - 1 END",
    )
},
    action = CASE
      WHEN told.ends_on < told.starts_on THEN 'error'
      WHEN told.is_new THEN 'add'
      WHEN told.ends_on IS NOT NULL AND (told.after IS NULL OR told.ends_on + 1 < told.after) THEN 'end'
      WHEN told.starts_on = told.starts AND told.ends_on + 1 IS NOT DISTINCT FROM told.after
       AND (r.relationship, r.first_name, r.last_name, r.birth_date, r.email)
         = (p.relationship, p.first_name, p.last_name, p.birth_date, p.email) THEN 'unchanged'
      ELSE 'change' END
FROM told, memberships_sponsoredperson p
WHERE r.id = told.id AND p.id = r.person_id
"""  # noqa: S608 - made of its own constants alone
BACKWARDS = """
UPDATE memberships_rosterrow
SET error = CASE WHEN "column" = 'starts_on' THEN 'subscriber_ended' ELSE 'ends_before_start' END,
    "column" = CASE WHEN "column" = 'starts_on' THEN 'starts_on' ELSE 'ends_on' END,
    raw = jsonb_build_array(member_number, relationship, first_name, last_name, birth_date, email, starts_on, ends_on)
WHERE roster_id = %(roster)s AND action = 'error' AND error = ''
"""
INSERT = """
INSERT INTO memberships_rosterrow
  (roster_id, person_id, member_number, relationship, first_name, last_name, first_key, last_key, birth_date, email,
   starts_on, ends_on, action, before, error, "column")
SELECT %(roster)s, p.id, p.member_number, p.relationship, p.first_name, p.last_name, p.first_key, p.last_key,
       p.birth_date, p.email
"""
# Who is missing in a full file ends on the day before it. A line that could not be read ends nobody whom it may mean:
# by its number, else by as much of a name as could be read, and where nothing could, nobody at all.
MISSING = f"""
WITH {LATEST}
{INSERT}, l.starts, greatest(%(as_of)s::date, l.starts) - 1, 'end',
       {FACTS.format(starts="l.starts", ends="l.after - 1")}, '', ''
FROM memberships_sponsoredperson p JOIN latest l ON l.person_id = p.id
WHERE (l.after IS NULL OR l.after > %(as_of)s)
  AND p.id NOT IN (
    SELECT person_id FROM memberships_rosterrow WHERE roster_id = %(roster)s AND person_id IS NOT NULL)
  AND p.member_number NOT IN (
    SELECT member_number FROM memberships_rosterrow WHERE roster_id = %(roster)s AND action = 'error')
  AND (p.last_key, p.first_key) NOT IN (
    SELECT last_key, first_key FROM memberships_rosterrow
    WHERE roster_id = %(roster)s AND action = 'error' AND member_number = '')
  AND p.last_key NOT IN (
    SELECT last_key FROM memberships_rosterrow
    WHERE roster_id = %(roster)s AND action = 'error' AND member_number = '' AND first_key = '')
  AND p.first_key NOT IN (
    SELECT first_key FROM memberships_rosterrow
    WHERE roster_id = %(roster)s AND action = 'error' AND member_number = '' AND last_key = '')
  AND NOT EXISTS (
    SELECT FROM memberships_rosterrow
    WHERE roster_id = %(roster)s AND action = 'error' AND error <> 'missing'
      AND member_number = '' AND first_key = '' AND last_key = '')
"""  # noqa: S608 - made of its own constants alone
# The last day of employees whom the file names, or ends, and then of those whom it does not: their dependents' too.
ENDING = """
ending AS (
  SELECT member_number, ends_on FROM memberships_rosterrow
  WHERE roster_id = %(roster)s AND relationship = 'employee' AND ends_on IS NOT NULL
    AND action IN ('add', 'change', 'end', 'unchanged'))
"""
WITH_EMPLOYEE = f"""
WITH {LATEST}, {ENDING}, leaving AS (
  SELECT * FROM ending
  UNION ALL
  SELECT p.member_number, l.after - 1
  FROM memberships_sponsoredperson p JOIN latest l ON l.person_id = p.id
  WHERE p.employer_id = %(employer)s AND p.relationship = 'employee' AND l.after IS NOT NULL
    AND p.id NOT IN (
      SELECT person_id FROM memberships_rosterrow WHERE roster_id = %(roster)s AND person_id IS NOT NULL))
UPDATE memberships_rosterrow r SET ends_on = e.ends_on, "column" = 'starts_on'
FROM leaving e
WHERE r.roster_id = %(roster)s AND r.relationship <> 'employee' AND r.member_number = e.member_number
  AND r.action = '' AND (r.ends_on IS NULL OR r.ends_on > e.ends_on)
"""  # noqa: S608 - made of its own constants alone
LEFT_BEHIND = f"""
WITH {LATEST}, {ENDING}
{INSERT}, l.starts, greatest(e.ends_on, l.starts - 1), 'end',
       {FACTS.format(starts="l.starts", ends="l.after - 1")}, '', ''
FROM memberships_sponsoredperson p JOIN latest l ON l.person_id = p.id
JOIN ending e ON e.member_number = p.member_number
WHERE p.relationship <> 'employee' AND (l.after IS NULL OR l.after > e.ends_on + 1)
  AND p.id NOT IN (
    SELECT person_id FROM memberships_rosterrow WHERE roster_id = %(roster)s AND person_id IS NOT NULL)
  AND p.member_number NOT IN (
    SELECT member_number FROM memberships_rosterrow WHERE roster_id = %(roster)s AND action = 'error')
"""  # noqa: S608 - made of its own constants alone
PEOPLE = f"""
WITH {LATEST}
SELECT count(*) FROM latest WHERE after IS NULL OR after > %(as_of)s
"""  # noqa: S608 - made of its own constants alone


def diff(roster: Roster) -> None:
    """Work out what `roster`, whose lines are matched, would change, in the caller's transaction."""
    missing = [MISSING] if roster.kind == Roster.Kind.FULL else []
    with connection.cursor() as cursor:
        plan_for_many(cursor)
        for step, employees in [(NEW, True), (KNOWN, True), (WITH_EMPLOYEE, True), (NEW, False), (KNOWN, False)]:
            cursor.execute(step, {**arguments(roster), "employees": employees})
        for step in [BACKWARDS, *missing, LEFT_BEHIND]:
            cursor.execute(step, arguments(roster))
    count(roster)


def count(roster: Roster) -> None:
    """Put on `roster` what it would change, and why it takes a second person. It is saved by the caller."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action, count(*), count(line) FROM memberships_rosterrow WHERE roster_id = %s GROUP BY action",
            [roster.pk],
        )
        found = {action: (rows, lines) for action, rows, lines in cursor.fetchall()}
        cursor.execute(PEOPLE, arguments(roster))
        [people] = cursor.fetchone()
    for action, name in Roster.COUNTS.items():
        setattr(roster, name, found.get(action, (0, 0))[0])
    read = sum(lines for action, (_, lines) in found.items() if action != "error")
    roster.people_before = people
    roster.held_because = held_because(
        is_empty=read == 0 and roster.kind != Roster.Kind.UNDO,
        is_cut=roster.is_cut and ends_badly(roster),
        people=people,
        adds=roster.adds or 0,
        ends=roster.ends or 0,
    )
    if roster.is_repeated:
        roster.held_because.append(Roster.Held.OLDER.value)


def held_because(*, is_empty: bool, is_cut: bool, people: int, adds: int, ends: int) -> list[str]:
    """Why a roster takes a second person: empty where it doesn't. `people` are those on the roster until then."""
    reasons = []
    if is_empty:
        reasons.append(Roster.Held.EMPTY)
    if ends >= MANY and ends * 100 > people * SHARE:
        reasons.append(Roster.Held.ENDS_MANY)
    if ends and (people - ends + adds) * 2 <= people:
        reasons.append(Roster.Held.HALVES)
    if is_cut:
        reasons.append(Roster.Held.TRUNCATED)
    return [reason.value for reason in reasons]


def ends_badly(roster: Roster) -> bool:
    """Whether the last line of the file could not be read."""
    last = roster.rows.filter(line__isnull=False).order_by("-line").values_list("action", flat=True).first()
    return last == "error"
