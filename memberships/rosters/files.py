"""Files as they came: kept in parts, never changed, read as a stream."""

import codecs
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from memberships.models import Roster, RosterPart
from memberships.rosters import csv_file
from memberships.rosters.reading import Reader

PART = 1024 * 1024  # bytes
READERS: dict[str, Reader] = {"csv": csv_file.lines}
# What spreadsheets and others are known by.
MAGIC = {
    b"PK\x03\x04": "a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "an archive",
}


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a file on the way through it. `binary` says what it is, where it is no text."""

    sha256: str
    size: int
    lines: int
    encoding: str
    ends_whole: bool
    binary: str = ""


def look(content: IO[bytes]) -> Looked:
    """Go through a file once. It is UTF-8 (with or without a mark) where all of it is, otherwise Latin-1."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    size = lines = 0
    is_utf8, binary, last = True, "", b"\n"
    content.seek(0)
    while part := content.read(PART):
        if not size:
            binary = next((what for magic, what in MAGIC.items() if part.startswith(magic)), "")
        if b"\0" in part:
            binary = binary or "no text"
        digest.update(part)
        size += len(part)
        lines += part.count(b"\n") or part.count(b"\r")
        last = part[-1:]
        if is_utf8:
            try:
                decoder.decode(part)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    content.seek(0)
    encoding = "utf-8-sig" if is_utf8 else "latin-1"
    return Looked(digest.hexdigest(), size, lines, encoding, last in b"\r\n", binary)


def beginning(content: IO[bytes]) -> IO[bytes]:
    """As much of a file as its first lines take."""
    content.seek(0)
    return io.BytesIO(content.read(PART // 16))


def keep(roster: Roster, content: IO[bytes]) -> None:
    """Store a file, a part at a time."""
    content.seek(0)
    number = 0
    while part := content.read(PART):
        RosterPart.objects.create(roster=roster, number=number, content=part)
        number += 1


class Parts(io.RawIOBase):
    """A stored file as a stream: one part is in memory at a time."""

    def __init__(self, roster: Roster) -> None:
        super().__init__()
        self.parts = self.stored(roster)
        self.rest = memoryview(b"")

    def stored(self, roster: Roster) -> Iterator[memoryview]:
        for number in range(-(-roster.size // PART)):
            part = RosterPart.objects.filter(roster=roster, number=number).values_list("content", flat=True).get()
            yield memoryview(part)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.rest:
            self.rest = next(self.parts, memoryview(b""))
        size = min(len(buffer), len(self.rest))
        buffer[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size


def opened(roster: Roster) -> IO[bytes]:
    """The file of a roster, to be read from its beginning."""
    return io.BufferedReader(Parts(roster), PART)
