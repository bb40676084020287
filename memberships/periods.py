"""The periods of a subscription, from its anchor date alone. Pure: no clock, no records.

Period n of a monthly price anchored on 31 January begins on the 31st, or the last day, of the n-th month after: 28
February, 31 March. It never drifts, for it is not computed from the period before (Stripe's billing_cycle_anchor).
"""

import calendar
from datetime import date
from typing import NamedTuple

MONTHS = {"month": 1, "year": 12}


class Period(NamedTuple):
    """The days [start, end) of a period."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def left_from(self, day: date) -> int:
        """How many of its days are left on `day`, that day among them."""
        return max(0, min(self.days, (self.end - day).days))


def start_of(anchor: date, interval: str, number: int) -> date:
    """The first day of period `number`: the anchor's day of the month, or the month's last day where it has none."""
    months = anchor.year * 12 + anchor.month - 1 + MONTHS[interval] * number
    year, month = divmod(months, 12)
    return date(year, month + 1, min(anchor.day, calendar.monthrange(year, month + 1)[1]))


def period(anchor: date, interval: str, number: int) -> Period:
    """The days of period `number`, 0 being the one that begins on the anchor."""
    return Period(start_of(anchor, interval, number), start_of(anchor, interval, number + 1))
