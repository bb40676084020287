"""When to remind. Pure: no clock, no database.

The day before is a day on the wall: the visit's own time on the clinic's clock, also where that clock changes in
between and it is 23 or 25 hours. Two hours before is two hours (RFC 5545 §3.3.6 means days and hours so, too). Quiet
hours are the patient's: what would come at night comes the evening before instead, never later than it was due.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clinics import messages
from scheduling import intervals

# Where they go that would be due at night: early enough to be sent and delivered before the quiet hours.
EVENING = time(19, 30)
# A confirmation is reminder enough for this long.
AFTER_CONFIRMATION = timedelta(hours=2)

DURATION = re.compile(r"P(?:(?P<days>\d+)D|T(?P<hours>\d+)H)")


def before(start: datetime, kind: str, *, clinic: ZoneInfo) -> datetime:
    """The instant, in UTC, that lies `kind` (a RemindBefore) before `start`."""
    found = DURATION.fullmatch(kind)
    if found is None:
        raise ValueError(f"{kind!r} is no duration in days or hours, such as P1D or PT2H.")
    if found["hours"]:
        return start.astimezone(UTC) - timedelta(hours=int(found["hours"]))
    local = start.astimezone(clinic)
    return intervals.instant(local.date() - timedelta(days=int(found["days"])), local.time(), clinic)


def is_quiet(at: datetime, *, patient: ZoneInfo) -> bool:
    """Whether `at` is in the quiet hours of somebody whose clock is `patient`'s."""
    return messages.quiet_until(at, patient) is not None


def out_of_quiet_hours(at: datetime, *, patient: ZoneInfo) -> datetime:
    """`at`, or for a time in quiet hours EVENING before it."""
    morning = messages.quiet_until(at, patient)
    if morning is None:
        return at
    return intervals.instant(intervals.local_date(morning, patient) - intervals.DAY, EVENING, patient)


def due(
    start: datetime, kinds: Iterable[str], *, clinic: ZoneInfo, patient: ZoneInfo, confirmed_at: datetime
) -> dict[str, datetime]:
    """When to remind of a visit at `start` that is confirmed at `confirmed_at`, by kind; the first is due first.

    Left out is what is due within AFTER_CONFIRMATION, and all but one of those that quiet hours put at one time.
    """
    found: dict[str, datetime] = {}
    times = {kind: out_of_quiet_hours(before(start, kind, clinic=clinic), patient=patient) for kind in kinds}
    for kind, at in sorted(times.items(), key=lambda item: (item[1], before(start, item[0], clinic=clinic))):
        if at > confirmed_at + AFTER_CONFIRMATION and at not in found.values():
            found[kind] = at
    return found


def useful_until(start: datetime, kind: str) -> datetime:
    """Until when a reminder of a visit at `start` is worth sending, should it be late.

    One of some hours until the visit begins; one of some days until AFTER_CONFIRMATION before, as none is planned for a
    visit that is booked then.
    """
    return start if kind.startswith("PT") else start - AFTER_CONFIRMATION
