"""Quiet hours: what people did not just cause themselves reaches them between 8:00 and 20:00, where they live."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

BEGIN, END = time(20), time(8)


def quiet_until(at: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours end that `at` falls into, or None where it falls into none. Half-open: 20:00 is quiet."""
    local = at.astimezone(zone)
    if END <= local.time() < BEGIN:
        return None
    day = local.date() + timedelta(days=1 if local.time() >= BEGIN else 0)
    return datetime.combine(day, END, zone).astimezone(at.tzinfo)
