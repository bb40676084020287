"""Shifts, the time that is taken, and appointments."""

from scheduling.models.appointments import Appointment, AppointmentChange, CancellationPolicy
from scheduling.models.claims import Claim
from scheduling.models.feeds import CalendarFeed
from scheduling.models.reminders import Reminder
from scheduling.models.shifts import (
    Closure,
    DayByHand,
    OpeningHoursChange,
    Shift,
    ShiftChange,
    TimeOffChange,
    WeeklyHours,
)
from scheduling.models.usage import UsageReport
from scheduling.models.visit_types import RemindBefore, VisitType

__all__ = [
    "Appointment",
    "AppointmentChange",
    "CalendarFeed",
    "CancellationPolicy",
    "Claim",
    "Closure",
    "DayByHand",
    "OpeningHoursChange",
    "RemindBefore",
    "Reminder",
    "Shift",
    "ShiftChange",
    "TimeOffChange",
    "UsageReport",
    "VisitType",
    "WeeklyHours",
]
