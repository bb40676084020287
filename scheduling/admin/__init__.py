"""Hours, closures, visits and booking for those who call, in the admin, and what stands on its first page."""

from scheduling.admin import (  # noqa: F401 - they register
    appointments,
    closures,
    hours,
    hours_days,
    hours_visit_types,
    patients,
    reminders,
    time_off,
    today,
    usage,
)
