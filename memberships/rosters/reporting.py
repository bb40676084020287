"""Telling what a roster says and would change: line by line, and its errors as a file for a spreadsheet."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import QuerySet

from memberships.models import Roster, RosterRow
from memberships.rosters.reading import COLUMNS, ERRORS

FACTS = ("relationship", "first_name", "last_name", "birth_date", "email", "starts_on", "ends_on")
# A spreadsheet takes what begins so for a formula, and does what it says (OWASP, CSV injection).
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
MOST_ERRORS = 10_000  # of a file: whoever has more has another file to send


def rows(roster: Roster, *, action: str = "") -> QuerySet[RosterRow]:
    """What a roster changes: its lines, and who is missing. Without `action` all but what stays as it is."""
    found = RosterRow.objects.filter(roster=roster)
    return found.filter(action=action) if action else found.exclude(action__in=["", RosterRow.Action.UNCHANGED])


def shown(row: RosterRow) -> dict[str, Any]:
    """A row as JSON: who it is about, from what to what it changes them, or what is wrong with it."""
    before = row.before or {}
    after = {name: plain(getattr(row, name)) for name in FACTS}
    was_on = bool(before.get("starts_on"))
    changed = {
        name: {"from": before.get(name) or None, "to": after[name]}
        for name in FACTS
        if before and (was_on or not name.endswith("_on")) and (before.get(name) or None) != after[name]
    }
    return {
        "line": row.line,
        "action": row.action,
        "member_number": row.member_number,
        **after,
        "changed": changed if row.action != RosterRow.Action.ERROR else {},
        "error": problem(row) if row.action == RosterRow.Action.ERROR else None,
    }


def problem(row: RosterRow) -> dict[str, str]:
    return {"code": row.error, "column": row.column, "detail": ERRORS.get(row.error, row.error)}


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value or None


def errors_file(roster: Roster) -> Iterator[str]:
    """The lines that could not be taken, as CSV: where, what is wrong, and what stood there."""
    yield line(["line", "column", "error", "detail", *COLUMNS])
    found = rows(roster, action=RosterRow.Action.ERROR).order_by("line", "id")
    for row in found[:MOST_ERRORS]:
        stood = [str(cell) if cell is not None else "" for cell in row.raw or []]
        yield line([str(row.line or ""), row.column, row.error, ERRORS.get(row.error, ""), *stood])


def line(cells: list[str]) -> str:
    into = io.StringIO()
    csv.writer(into).writerow([harmless(cell) for cell in cells])
    return into.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: what looks like one begins with an apostrophe."""
    return f"'{cell}" if cell.lstrip(" '\"\ufeff\u00a0").startswith(FORMULAS) or cell.startswith(FORMULAS) else cell
