"""Hours, closures and visits in the admin."""

from scheduling.admin import closures, hours, hours_days, time_off  # noqa: F401 - they register
