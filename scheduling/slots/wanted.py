"""What is looked for."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from clinics.places import Point
from clinics.refusals import Refused

MOST_CLINICS = 50
DAYS = 2
MOST_DAYS = 14
# Where a window is empty, the next free start is looked for this far behind it, a week at a time.
WEEKS_AHEAD = 13
FIRST = uuid.UUID(int=0)


class Nowhere(Refused):
    code = "nowhere"
    status = 400
    detail = "Say where to look: near, clinic or clinician."


class WindowTooLong(Refused):
    code = "window_too_long"
    status = 400
    detail = f"A search covers at most {MOST_DAYS} days, and ends after it begins. Move `from` and `to` together."


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in the order of a search: start, distance in metres, clinic, clinician."""

    start: datetime
    metres: int = -1
    clinic: uuid.UUID = FIRST
    clinician: uuid.UUID = FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for, as asked at `asked_at`.

    The window: `days` local days of each clinic beginning with `first_day` (None: the day of `asked_at`), or the
    instants [from_at, until_at). `near` without `within` metres sorts by distance. `part_of_day` is [from, until) on
    the clinic's clock.
    """

    visit_type: str
    asked_at: datetime
    near: Point | None = None
    within: int | None = None
    clinics: tuple[uuid.UUID, ...] = ()
    clinicians: tuple[uuid.UUID, ...] = ()
    first_day: date | None = None
    days: int | None = DAYS
    from_at: datetime | None = None
    until_at: datetime | None = None
    language: str | None = None
    gender: str | None = None
    part_of_day: tuple[time | None, time | None] = (None, None)
    patient: uuid.UUID | None = None
    staff: bool = False
    per_clinic: int | None = None

    def __post_init__(self) -> None:
        if not (self.near or self.clinics or self.clinicians):
            raise Nowhere
        if self.days is not None:
            if not 1 <= self.days <= MOST_DAYS:
                raise WindowTooLong
        elif not (
            self.from_at and self.until_at and timedelta() < self.until_at - self.from_at <= timedelta(days=MOST_DAYS)
        ):
            raise WindowTooLong
