"""What is asked and booked. Plain data: the processes of a run hand it to each other."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Question:
    """A search: its address, and the statement that it comes down to, as the application itself sends it."""

    name: str
    path: str
    sql: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visit:
    """A free slot, and the signed-in patient who is to have it."""

    slot: str
    token: str
    user: uuid.UUID
    patient: uuid.UUID
    membership: uuid.UUID
    clinician: uuid.UUID
    clinic: uuid.UUID
    rooms: list[uuid.UUID]
    visit_type: int
    start: datetime
    end: datetime
    taken_until: datetime
    """The end with the turnover, which is the clinician's alone."""


@dataclass(frozen=True, slots=True)
class Board:
    """All of a run. No two visits want the same time of the same clinician, so every one must be accepted."""

    questions: list[Question]
    spread: list[Visit]
    """At many clinics."""
    clinic: list[Visit]
    """All at one clinic."""
    clinician: list[Visit]
    """All with one clinician."""
    counts: dict[str, int]
    """What the database holds."""


@dataclass(frozen=True, slots=True)
class Round:
    """An order to the load process: ask `question`, or book `visits`, with so many clients at once.

    It ends after `seconds`, after `most` pieces of work, or when all visits are booked.
    """

    through: Literal["http", "sql"]
    database_url: str
    port: int
    clients: int
    seconds: float
    question: Question | None = None
    visits: list[Visit] = field(default_factory=list)
    most: int = 100_000


@dataclass(slots=True)
class Outcome:
    """What came of a round. Times are in seconds."""

    elapsed: float = 0.0
    cpu: float = 0.0
    """CPU time of the load process itself."""
    took: list[float] = field(default_factory=list)
    """Of each search, or of each hold and booking together."""
    booked: list[float] = field(default_factory=list)
    """Of each booking alone, without the hold before it."""
    refused: list[str] = field(default_factory=list)
    """What was answered where it was not success."""
