"""What became of weekly and opening hours, in words: the rows of one change are one line, and what stayed is left out.

A change takes rows away, ends them and adds others, also for blocks that stay: by the rows alone nobody would see
what was changed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from clinics.admin import clock
from clinics.admin.history_lines import NOTHING, Actors, Field, Line, history_of, told
from clinics.models import Clinic, OpeningHours
from scheduling.admin.hours_forms import as_words
from scheduling.admin.hours_shown import weekday
from scheduling.models import VisitType, WeeklyHours

A_PAGE = 25  # changes
AS_THEY_WERE = Field("Set again as they were")


class Block(NamedTuple):
    """A block of a weekday, whoever's it is. Opening hours have no types of visits."""

    clinic: UUID
    weekday: int
    starts: time
    ends: time
    types: tuple[int, ...] = ()


@dataclass
class Net:
    """What one change did to blocks: which went and which came, each with the day on which."""

    gone: dict[Block, date | None] = field(default_factory=dict)
    came: dict[Block, date | None] = field(default_factory=dict)
    from_on: date | None = None

    @property
    def stayed(self) -> set[Block]:
        return set(self.gone) & set(self.came)

    @property
    def what(self) -> str:
        gone, came = set(self.gone) - self.stayed, set(self.came) - self.stayed
        return "added" if came and not gone else "removed" if gone and not came else "changed"

    def fields(self, names: dict[UUID, str], types: dict[int, str]) -> list[Field]:
        """Each weekday at each clinic of which something went or came, as it was and as it is."""
        days: dict[tuple[int, str], tuple[list[Block], list[Block]]] = defaultdict(lambda: ([], []))
        for number, blocks in enumerate((self.gone, self.came)):
            for block in sorted(set(blocks) - self.stayed):
                days[block.weekday, names.get(block.clinic, "")][number].append(block)
        found = []
        for (number, clinic), (gone, came) in sorted(days.items()):
            # The types of visits are told where nothing else changed.
            told = types if clocks(gone) == clocks(came) else {}
            name = f"{weekday(number)} at {clinic}" if clinic else weekday(number)
            found.append(Field(name, said(gone, told), said(came, told)))
        return found

    def moved(self, names: dict[UUID, str]) -> list[Field]:
        """Blocks that stayed, but for the day from which they hold."""
        return [
            Field(
                f"{weekday(block.weekday)} at {names.get(block.clinic, '')}, {as_words(block.starts, block.ends)}",
                f"from {clock.day(before)}",
                f"from {clock.day(after)}",
            )
            for block in sorted(self.stayed)
            if (before := self.gone[block]) and (after := self.came[block]) and before != after
        ]


def weekly(clinician: UUID, clinics: QuerySet[Clinic], number: str | None) -> tuple[list[Line], Page[Any]]:
    """A page of the changes of a clinician's hours at `clinics`, the last first."""
    kept = history_of(WeeklyHours).objects.filter(clinician=clinician, clinic__in=clinics.values("pk"))
    groups, page = by_change(kept, number)
    names, zones = {}, {}
    for clinic in clinics.filter(pk__in={event.clinic_id for group in groups for event in group}):
        names[clinic.pk], zones[clinic.pk] = clinic.name, clinic.zone
    types = dict(VisitType.objects.values_list("pk", "name"))
    befores, who = before_of(kept, groups), Actors(event for group in groups for event in group)
    listed = []
    for group in groups:
        net = net_of_weekly(group, befores)
        since = [Field(f"From {clock.day(net.from_on)} on")] if net.from_on else []
        changed = [*net.fields(names, types), *net.moved(names)] or [AS_THEY_WERE]
        listed.append(line(group, zones[group[0].clinic_id], who, net.what, [*since, *changed]))
    return listed, page


def net_of_weekly(group: list[Any], befores: dict[int, Any]) -> Net:
    net = Net()

    def goes(event: Any, on: date | None, *, held_from: date | None) -> None:
        net.gone[block_of(event)] = held_from
        net.from_on = net.from_on or on

    for event in group:
        if event.pgh_label == "insert":
            net.came[block_of(event)] = event.during.lower
            net.from_on = event.during.lower
        elif event.pgh_label == "delete":
            goes(event, event.during.lower, held_from=event.during.lower)
        else:
            before = befores.get(event.pgh_id)
            if before is not None and block_of(before) != block_of(event):
                goes(before, None, held_from=None)
                net.came[block_of(event)] = None
            elif event.during.upper is None:
                net.came[block_of(event)] = None
            else:
                # Cut short, it ends; what follows it, if it stays, begins on that day.
                goes(event, event.during.upper, held_from=event.during.upper)
    return net


def opening(clinic: Clinic, number: str | None) -> tuple[list[Line], Page[Any]]:
    """A page of the changes of a clinic's opening hours, the last first."""
    kept = history_of(OpeningHours).objects.filter(clinic=clinic.pk)
    groups, page = by_change(kept, number)
    befores, who = before_of(kept, groups), Actors(event for group in groups for event in group)
    listed = []
    for group in groups:
        net = Net()
        for event in group:
            if event.pgh_label != "insert":
                old = event if event.pgh_label == "delete" else befores.get(event.pgh_id, event)
                net.gone[doors(old)] = None
            if event.pgh_label != "delete":
                net.came[doors(event)] = None
        listed.append(line(group, clinic.zone, who, net.what, net.fields({}, {}) or [AS_THEY_WERE]))
    return listed, page


def by_change(kept: QuerySet[Any], number: str | None) -> tuple[list[list[Any]], Page[Any]]:
    """A page of changes, the last first, each with what its rows became: those of one transaction are one."""
    moments = kept.values_list("pgh_created_at", flat=True).distinct()
    page = Paginator(moments.order_by("-pgh_created_at"), A_PAGE).get_page(number)
    groups: dict[datetime, list[Any]] = {moment: [] for moment in page.object_list}
    for event in kept.filter(pgh_created_at__in=list(groups)).order_by("pgh_id"):
        groups[event.pgh_created_at].append(event)
    return list(groups.values()), page


def before_of(kept: QuerySet[Any], groups: Iterable[list[Any]]) -> dict[int, Any]:
    """What the rows that were updated were before, by the id of the event."""
    updates = [event for group in groups for event in group if event.pgh_label == "update"]
    earlier: dict[Any, list[Any]] = defaultdict(list)
    for event in kept.filter(pgh_obj_id__in={event.pgh_obj_id for event in updates}).order_by("pgh_id"):
        earlier[event.pgh_obj_id].append(event)
    found = {}
    for event in updates:
        befores = [one for one in earlier[event.pgh_obj_id] if one.pgh_id < event.pgh_id]
        if befores:
            found[event.pgh_id] = befores[-1]
    return found


def line(group: list[Any], zone: tzinfo, who: Actors, what: str, fields: list[Field]) -> Line:
    return Line(group[0].pgh_created_at, zone, who.of(group[0]), what, told(what, fields))


def block_of(event: Any) -> Block:
    return Block(event.clinic_id, event.weekday, event.starts, event.ends, tuple(sorted(event.visit_types)))


def doors(event: Any) -> Block:
    return Block(event.clinic_id, event.weekday, event.opens, event.closes)


def clocks(blocks: list[Block]) -> Counter[tuple[time, time]]:
    return Counter((block.starts, block.ends) for block in blocks)


def said(blocks: list[Block], types: dict[int, str]) -> str:
    """Such as `08:00-12:00, 13:00-17:00`."""
    return (
        ", ".join(
            as_words(block.starts, block.ends)
            + (f" ({', '.join(sorted(types.get(pk, '?') for pk in block.types))})" if types and block.types else "")
            for block in blocks
        )
        or NOTHING
    )
