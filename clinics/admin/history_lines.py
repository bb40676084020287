"""What became of a record: who changed what when, from what to what, as the database's triggers kept it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import ForeignKey, Model
from pghistory import core

from clinics.admin import clock
from clinics.models import User

MOST = 100  # changes on one page
KINDS = {"insert": "added", "update": "changed", "delete": "removed"}
NONE = "–"  # noqa: RUF001
SYSTEM = "the system"
NOTHING = "none"


class Field(NamedTuple):
    """A part of a change: what it is called, and what it was and is. A sentence of its own has neither."""

    name: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One change. `fields` of a row that was added say what it was then."""

    at: datetime
    zone: tzinfo
    by: str
    what: str
    fields: list[Field] = field(default_factory=list)

    @property
    def when(self) -> str:
        """On the clinic's clock."""
        return clock.when(self.at, self.zone)


def told(what: str, fields: list[Field]) -> list[Field]:
    """`fields` without what goes without saying: that there was nothing before what was added, or is after."""
    if what == "added":
        return [Field(name, "" if old == NOTHING else old, new) for name, old, new in fields]
    if what == "removed":
        return [Field(name, "", old) if new == NOTHING else Field(name, old, new) for name, old, new in fields]
    return fields


def history_of(model: type[Model]) -> Any:
    """The model of what rows of `model`, which is tracked, became. Raises LookupError."""
    kept = core.event_models(tracks_model=model)
    if not kept:
        raise LookupError(f"{model.__name__} is not tracked")
    return kept[0]


def lines(row: Model, zone: tzinfo) -> list[Line] | None:
    """The latest MOST changes of `row`, newest first, in as many statements as it refers to tables; None: none kept."""
    try:
        kept = history_of(type(row))
    except LookupError:
        return None
    found = list(kept.objects.filter(pgh_obj_id=row.pk).order_by("-pgh_id")[: MOST + 1])
    return changes(found, zone)[:MOST]


def changes(events: list[Any], zone: tzinfo, *, names: tuple[str, ...] = ()) -> list[Line]:
    """What one row became, as lines: `events` are its own, newest first. Of its fields those of `names`, or all."""
    if not events:
        return []
    columns = [
        column
        for column in type(events[0])._meta.concrete_fields  # noqa: SLF001 - Django documents it
        if not column.name.startswith("pgh_") and (not names or column.name in names)
    ]
    called, who = names_in(events, columns), Actors(events)
    listed = []
    for number, event in enumerate(events):
        before = events[number + 1] if number + 1 < len(events) else None
        changed = [
            Field(
                words(column), shown(before, column, called, zone) if before else "", shown(event, column, called, zone)
            )
            for column in columns
            if (
                getattr(event, column.attname) != getattr(before, column.attname)
                if before
                else getattr(event, column.attname) not in (None, "", [])
            )
        ]
        what = KINDS.get(event.pgh_label, event.pgh_label)
        listed.append(Line(event.pgh_created_at, zone, who.of(event), what, [] if what == "removed" else changed))
    return listed


class Actors:
    """Who did what `events` tell of, in one statement."""

    def __init__(self, events: Iterable[Any]) -> None:
        ids = {UUID(event.pgh_context["user"]) for event in events if (event.pgh_context or {}).get("user")}
        self.emails = {str(pk): email for pk, email in User.objects.filter(pk__in=ids).values_list("pk", "email")}

    def of(self, event: Any) -> str:
        return self.emails.get(str((event.pgh_context or {}).get("user", "")), SYSTEM)


def names_in(events: list[Any], fields: list[Any]) -> dict[tuple[str, Any], str]:
    """What the rows that these refer to are called, by field and key."""
    names = {}
    for column in fields:
        if isinstance(column, ForeignKey):
            keys = {getattr(event, column.attname) for event in events} - {None}
            for one in column.related_model._base_manager.filter(pk__in=keys):  # noqa: SLF001 - Django documents it
                names[column.name, one.pk] = str(one)
    return names


def shown(event: Any, column: Any, names: dict[tuple[str, Any], str], zone: tzinfo) -> str:
    value = getattr(event, column.attname)
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(column, ForeignKey):
        return names.get((column.name, value), str(value))
    if hasattr(value, "lower") and hasattr(value, "upper") and not isinstance(value, str):
        return f"{edge(value.lower, zone)} to {edge(value.upper, zone)}"
    return ", ".join(map(str, value)) if isinstance(value, list) else edge(value, zone)


def edge(value: Any, zone: tzinfo) -> str:
    """An instant on the clinic's clock, a day as it is written, anything else as it is; the end of what has none."""
    if isinstance(value, datetime):
        return clock.when(value, zone)
    if isinstance(value, date):
        return clock.day(value)
    return "…" if value is None else str(value)


def words(column: Any) -> str:
    return str(column.verbose_name).capitalize()
