"""When clinicians see patients: weekly hours become shifts, and change.

A change of hours is shown first, as a Diff of shifts with the visits that would lose theirs, and done by accepting the
diff's digest. It never cancels a visit. Locks, in this order: clinics (SHARE to rely on their hours, NO KEY UPDATE to
change them), calendars, shifts.
"""

from scheduling.shifts.by_hand import (
    BadShift,
    NotYetOpen,
    ShiftsOverlap,
    add_shift,
    change_shift,
    preview_shift_change,
    preview_shift_removal,
    remove_shift,
)
from scheduling.shifts.diffs import Change, Diff, DiffChanged
from scheduling.shifts.expansion import DAYS_AHEAD, Planned
from scheduling.shifts.extending import extend
from scheduling.shifts.opening import change_opening_hours, preview_opening_hours
from scheduling.shifts.weekly import (
    BadHours,
    HoursOverlap,
    WeeklyBlock,
    change_weekly_hours,
    preview_weekly_hours,
)

__all__ = [
    "DAYS_AHEAD",
    "BadHours",
    "BadShift",
    "Change",
    "Diff",
    "DiffChanged",
    "HoursOverlap",
    "NotYetOpen",
    "Planned",
    "ShiftsOverlap",
    "WeeklyBlock",
    "add_shift",
    "change_opening_hours",
    "change_shift",
    "change_weekly_hours",
    "extend",
    "preview_opening_hours",
    "preview_shift_change",
    "preview_shift_removal",
    "preview_weekly_hours",
    "remove_shift",
]
