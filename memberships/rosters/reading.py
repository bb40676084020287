"""What a roster says of each person, whatever the format: a reader gives lines, and here they are checked.

A reader is a function of a file, its encoding and the employer's mapping that yields a `Line` for each person, in
text, by the names of COLUMNS. One for CSV is in csv_file; one for X12 834 will give the same.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO, Any, Protocol

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from clinics.models.patients import years_before
from clinics.refusals import Refused
from memberships.models import Relationship, RosterMapping

COLUMNS = (
    "member_number", "relationship", "first_name", "last_name", "birth_date", "email", "starts_on", "ends_on",
)  # fmt: skip
REQUIRED = COLUMNS[:5]
LONGEST = {"member_number": 40, "first_name": 60, "last_name": 60, "email": 254}
YEARS = range(1900, 2200)
OLDEST = 130  # years: older birth dates are typing errors
ISO = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[ T]00:00(?::00)?)?", re.ASCII)
WRITTEN = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})", re.ASCII)
# What files call them, besides the words that an employer maps; the codes are those of X12 834 (INS02).
RELATIONSHIPS = {
    **dict.fromkeys(["employee", "self", "subscriber", "ee", "18"], Relationship.EMPLOYEE),
    **dict.fromkeys(
        ["spouse", "husband", "wife", "partner", "domesticpartner", "lifepartner", "sp", "01", "53"],
        Relationship.SPOUSE,
    ),
    **dict.fromkeys(["child", "son", "daughter", "stepchild", "ch", "19", "17"], Relationship.CHILD),
    **dict.fromkeys(["other", "dependent", "otherdependent", "dep", "g8"], Relationship.OTHER),
}
# What is wrong with a line, for whoever corrects it.
ERRORS = {
    "missing": "This is missing.",
    "too_long": "This is too long.",
    "bad_text": "This has letters that cannot be printed.",
    "bad_date": "This is no date: write YYYY-MM-DD.",
    "unlikely_date": "This date cannot be.",
    "bad_email": "This is no e-mail address.",
    "bad_relationship": "This is none of employee, spouse, child and other, nor a word that is mapped to one.",
    "ends_before_start": "The last day is before the first.",
    "columns": "The line has another number of columns than the first one.",
    "quotes": "A quotation mark in this line is not closed.",
    "line_too_long": "The line is too long.",
    "duplicate": "This person is in the file already.",
    "number_reused": "This member number belongs to somebody else, by name and birth date.",
    "no_subscriber": "There is no employee with this member number.",
    "subscriber_ended": "The employee's last day is before this one's first.",
    "changed_since": "This person has been changed since: it is left as it is.",
}


class BadHeader(Refused):
    """A file whose first line does not say what its columns are."""

    code = "bad_roster"
    status = 400
    detail = "The first line must name the columns: " + ", ".join(COLUMNS) + "."


@dataclass(frozen=True, slots=True)
class Line:
    """What stands in one line. `values` are texts by COLUMNS, or else `error` (of ERRORS) says why there are none."""

    number: int
    values: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    raw: list[str] = field(default_factory=list)


class Reader(Protocol):
    """Raises BadHeader."""

    def __call__(self, content: IO[bytes], *, encoding: str, mapping: Mapping[str, Any]) -> Iterator[Line]: ...


@dataclass(slots=True)
class Row:
    """A line that was checked: what RosterRow keeps of it. With an `error`, as much as could be made out."""

    line: int
    member_number: str = ""
    relationship: str = ""
    first_name: str = ""
    last_name: str = ""
    first_key: str = ""
    last_key: str = ""
    birth_date: date | None = None
    email: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    error: str = ""
    column: str = ""
    raw: list[str] | None = None


class Wrong(Exception):
    """A value that cannot be read. Never leaves this module."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def checked(line: Line, *, mapping: Mapping[str, Any], today: date) -> Row:
    """What a line says. Every column is read, so that a line with an error still tells whose it is, if it can."""
    row = Row(line.number)
    if line.error:
        row.error = line.error
    for column in COLUMNS:
        try:
            setattr(row, column, value_of(column, line.values.get(column, ""), mapping=mapping, today=today))
        except Wrong as wrong:
            if not row.error:
                row.error, row.column = wrong.error, column
    if row.starts_on and row.ends_on and row.ends_on < row.starts_on and not row.error:
        row.error, row.column = "ends_before_start", "ends_on"
    row.first_key, row.last_key = folded(row.first_name), folded(row.last_name)
    if row.error:
        row.raw = [*line.raw] or [line.values.get(column, "") for column in COLUMNS]
    return row


def value_of(column: str, text: str, *, mapping: Mapping[str, Any], today: date) -> Any:
    """The value of one column. Raises Wrong."""
    text = " ".join(text.split())
    if not text:
        if column in REQUIRED:
            raise Wrong("missing")
        return None if column.endswith("_on") else ""
    if not text.isprintable():
        raise Wrong("bad_text")
    if len(text) > LONGEST.get(column, 60):
        raise Wrong("too_long")
    if column == "relationship":
        return relationship_of(text, mapping.get("relationships", {}))
    if column.endswith(("_date", "_on")):
        day = date_of(text, mapping.get("dates", RosterMapping.Dates.MONTH_FIRST))
        if column == "birth_date" and not years_before(today, OLDEST) <= day <= today:
            raise Wrong("unlikely_date")
        return day
    if column == "email":
        try:
            validate_email(text)
        except ValidationError:
            raise Wrong("bad_email") from None
        return text.lower()
    if column != "member_number" and not folded(text):
        raise Wrong("bad_text")
    return text


def relationship_of(text: str, mapped: Mapping[str, str]) -> str:
    """Raises Wrong."""
    word = folded(text)
    ours = {folded(theirs): relationship for theirs, relationship in mapped.items()}.get(word) or RELATIONSHIPS.get(
        word
    )
    if ours is None:
        raise Wrong("bad_relationship")
    return str(ours)


def date_of(text: str, order: str) -> date:
    """A date as YYYY-MM-DD, YYYYMMDD, or with month and day in the employer's order. Raises Wrong."""
    if found := ISO.fullmatch(text):
        year, month, day = map(int, found.groups())
    elif found := WRITTEN.fullmatch(text):
        first, second, year = map(int, found.groups())
        month, day = (first, second) if order == RosterMapping.Dates.MONTH_FIRST else (second, first)
    else:
        raise Wrong("bad_date")
    try:
        read = datetime(year, month, day).date()  # noqa: DTZ001 - a date
    except ValueError:
        raise Wrong("bad_date") from None
    if read.year not in YEARS:
        raise Wrong("unlikely_date")
    return read


def folded(text: str) -> str:
    """A name as it is compared: without case, accents, blanks and marks."""
    plain = text if text.isascii() else unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain.casefold() if letter.isalnum())[:120]
