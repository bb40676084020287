"""What became of single days, in words: shifts by hand, closures, and time off."""

from datetime import date, tzinfo
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from clinics.admin import clock, history_lines
from clinics.admin.history_lines import NOTHING, SYSTEM, Actors, Field, Line, history_of, told
from clinics.models import Clinic, User
from scheduling.models import Closure, ShiftChange, TimeOffChange, VisitType

A_PAGE = 50


def shifts(clinic: Clinic, number: str | None) -> tuple[list[Line], Page[Any]]:
    """A page of what staff did to shifts of `clinic` by hand, the last first."""
    found = ShiftChange.objects.filter(clinic=clinic).select_related("clinician", "actor").order_by("-id")
    page = Paginator(found, A_PAGE).get_page(number)
    types = dict(VisitType.objects.values_list("pk", "name"))
    return [shift_line(change, clinic.zone, types) for change in page.object_list], page


def shift_line(change: ShiftChange, zone: tzinfo, types: dict[int, str]) -> Line:
    was, will = change.before, change.after
    first = (was or will).lower.astimezone(zone).date()
    name = f"{change.clinician.name} on {first:%A}, {clock.day(first)}"
    fields = [Field(name, hours(was, zone, first), hours(will, zone, first))]
    if set(change.types_before) != set(change.types_after):
        fields.append(Field("Visits", offered(change.types_before, types), offered(change.types_after, types)))
    what = "changed" if was and will else "added" if will else "removed"
    return Line(change.at, zone, name_of(change.actor), what, told(what, fields))


def hours(during: Any, zone: tzinfo, on: date) -> str:
    """The clock times of a shift; with the day, where that is not `on`."""
    if during is None:
        return NOTHING
    start, end = during.lower.astimezone(zone), during.upper.astimezone(zone)
    day = "" if start.date() == on else f"{clock.day(start.date())}, "
    return f"{day}{start:%H:%M}–{end:%H:%M}"  # noqa: RUF001


def offered(kinds: list[int], types: dict[int, str]) -> str:
    return ", ".join(sorted(types.get(pk, "?") for pk in kinds)) or NOTHING


def closures(clinics: QuerySet[Clinic], number: str | None) -> tuple[list[Line], Page[Any]]:
    """A page of what became of the closures of `clinics`, the last first: that of one stands in one line each."""
    kept = history_of(Closure).objects.filter(clinic__in=clinics.values("pk")).order_by("-pgh_id")
    page = Paginator(kept, A_PAGE).get_page(number)
    events = list(page.object_list)
    at = {clinic.pk: clinic for clinic in clinics.filter(pk__in={event.clinic_id for event in events})}
    who = Actors(events)
    listed = []
    for event in events:
        clinic = at[event.clinic_id]
        fields = [Field(clinic.name, new=clock.span(event.during.lower, event.during.upper, clinic.zone))]
        fields.append(Field("Reason", new=event.reason))
        what = history_lines.KINDS[event.pgh_label]
        listed.append(Line(event.pgh_created_at, clinic.zone, who.of(event), what, fields))
    return listed, page


def time_off(calendars: QuerySet[Any], zone: tzinfo, number: str | None) -> tuple[list[Line], Page[Any]]:
    """A page of the time off that was entered and given back on `calendars` (ids), the last first.

    A room's is on the clock of its clinic, a clinician's, who may work at several, in `zone`.
    """
    found = TimeOffChange.objects.filter(calendar__in=calendars).order_by("-id")
    found = found.select_related("actor", "calendar__clinician", "calendar__room__clinic")
    page = Paginator(found, A_PAGE).get_page(number)
    listed = []
    for change in page.object_list:
        room = getattr(change.calendar, "room", None)
        clock_of = room.clinic.zone if room else zone
        fields = [Field(whose(change), new=clock.span(change.during.lower, change.during.upper, clock_of))]
        if change.reason:
            fields.append(Field("Reason", new=change.reason))
        what = "added" if change.what == TimeOffChange.What.ENTERED else "removed"
        listed.append(Line(change.at, clock_of, name_of(change.actor), what, fields))
    return listed, page


def whose(row: Any) -> str:
    """The clinician or the room, with its clinic, whose calendar a claim or a change of one is on."""
    room = getattr(row.calendar, "room", None)
    return f"{room.name}, {room.clinic.name}" if room else str(row.calendar.clinician.name)


def name_of(user: User | None) -> str:
    return user.email if user else SYSTEM
