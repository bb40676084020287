"""Rosters as CSV (RFC 4180): each line by itself, so that one with a mark that is not closed spoils no other."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import IO, Any

from memberships.rosters.reading import COLUMNS, REQUIRED, BadHeader, Line, folded

LONGEST_LINE = 8_000  # letters
MOST_COLUMNS = 200
DELIMITERS = (",", ";", "\t", "|")
NOTHING = " \t\r\ufeff" + "".join(DELIMITERS)  # of what an empty line of a spreadsheet is made


def lines(content: IO[bytes], *, encoding: str, mapping: Mapping[str, Any]) -> Iterator[Line]:
    """The people of a file whose first line names its columns, in any order. Raises BadHeader.

    Nothing at all is a file without anybody. Columns that nobody asked for are passed over, empty lines too.
    """
    text = io.TextIOWrapper(content, encoding=encoding, errors="replace", newline=None)
    places: dict[str, int] = {}
    delimiter, width = ",", 0
    for number, written in enumerate(whole_lines(text), start=1):
        if written is None:
            if not places:
                raise BadHeader
            yield Line(number, error="line_too_long")
        elif not written.strip(NOTHING):
            continue
        elif not places:
            delimiter, header = header_of(written)
            places, width = places_of(header, mapping.get("columns", {})), len(header)
        else:
            yield line(number, written, places=places, delimiter=delimiter, width=width)


def line(number: int, written: str, *, places: Mapping[str, int], delimiter: str, width: int) -> Line:
    cells = cells_of(written, delimiter)
    if cells is None:
        cells = [cell.strip('"') for cell in written.split(delimiter)]
        return Line(number, values_of(cells[:1], places), error="quotes", raw=cells[:MOST_COLUMNS])
    if len(cells) != width:
        # As many as are surely where they belong, so that whose line it is can be told.
        return Line(number, values_of(cells[:width], places), error="columns", raw=cells[:MOST_COLUMNS])
    return Line(number, values_of(cells, places), raw=cells)


def values_of(cells: list[str], places: Mapping[str, int]) -> dict[str, str]:
    return {column: cells[place] for column, place in places.items() if place < len(cells)}


def whole_lines(text: io.TextIOWrapper) -> Iterator[str | None]:
    """Each line; None for one that is longer than LONGEST_LINE."""
    while written := text.readline(LONGEST_LINE):
        if written.endswith("\n") or len(written) < LONGEST_LINE:
            yield written.rstrip("\n")
            continue
        while (more := text.readline(LONGEST_LINE)) and not more.endswith("\n"):
            pass
        yield None


def cells_of(written: str, delimiter: str) -> list[str] | None:
    """The cells of a line; None where its marks make no sense."""
    if '"' not in written:
        return written.split(delimiter)
    try:
        return next(csv.reader([written], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def header_of(written: str) -> tuple[str, list[str]]:
    """What separates the columns, and their names. Raises BadHeader."""
    delimiter = max(DELIMITERS, key=written.count)
    cells = cells_of(written, delimiter)
    if cells is None or len(cells) > MOST_COLUMNS:
        raise BadHeader
    return delimiter, cells


def places_of(header: list[str], called: Mapping[str, str]) -> dict[str, int]:
    """Where each of COLUMNS stands. Raises BadHeader where one that is needed is not there, or one is there twice."""
    names = [folded(name) for name in header]
    places = {}
    missing = []
    for column in COLUMNS:
        wanted = folded(called.get(column, column))
        if names.count(wanted) > 1:
            raise BadHeader(f"The first line names {called.get(column, column)} twice.")
        if wanted in names:
            places[column] = names.index(wanted)
        elif column in REQUIRED:
            missing.append(called.get(column, column))
    if missing:
        raise BadHeader(f"The first line names no column {', '.join(missing)}. {BadHeader.detail}")
    return places
