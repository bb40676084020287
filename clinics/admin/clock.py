"""Times as the admin writes them: on a clinic's clock, with the name of its zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from django.contrib.admin import display
from django.db.models import Field

from clinics.admin.work import Work
from clinics.models import Clinic


def zone_of(at: Work, row: Any = None) -> tzinfo:
    """The zone to show a record's times in: its clinic's, or that of the first clinic of who is at work, or UTC."""
    clinic = row if isinstance(row, Clinic) else getattr(row, "clinic", None)
    clinic = clinic if isinstance(clinic, Clinic) else next(iter(at.clinics.values()), None)
    return clinic.zone if clinic else UTC


def column(field: "Field[Any, Any]", zone_of: Callable[[Any], tzinfo]) -> Callable[[Any], str | None]:
    """A list's column of the instants in `field`, each on the clock of its row."""

    @display(description=str(field.verbose_name).capitalize(), ordering=field.name)
    def shown(row: Any) -> str | None:
        at = getattr(row, field.name)
        return when(at, zone_of(row)) if at else None

    return shown


def when(at: datetime, zone: tzinfo) -> str:
    """Such as `Nov 24, 2026, 09:00 EST`."""
    local = at.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M %Z}"


def span(start: datetime, end: datetime, zone: tzinfo) -> str:
    """Such as `Nov 24, 2026, 09:00 to 12:00 EST`, with both days where it ends on another."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    if first.date() == last.date():
        return f"{day(first.date())}, {first:%H:%M} to {last:%H:%M %Z}"
    return f"{day(first.date())}, {first:%H:%M} to {when(end, zone)}"


def day(on: date) -> str:
    """Such as `Nov 24, 2026`."""
    return f"{on:%b} {on.day}, {on.year}"
