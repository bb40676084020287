"""What became of a record: who changed what when, from what to what, as the database's triggers kept it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import ForeignKey, Model
from pghistory import core

from clinics.models import User

MOST = 100  # changes on one page
KINDS = {"insert": "added", "update": "changed", "delete": "removed"}


@dataclass(frozen=True, slots=True)
class Line:
    """One change. `fields` are name, old and new; of a row that was added what it was then."""

    at: datetime
    by: str
    what: str
    fields: list[tuple[str, str, str]]


def lines(row: Model) -> list[Line] | None:
    """The latest MOST changes of `row`, newest first, in as many statements as it refers to tables; None: none kept."""
    kept = core.event_models(tracks_model=type(row))
    if not kept:
        return None
    fields = [field for field in kept[0]._meta.concrete_fields if not field.name.startswith("pgh_")]  # noqa: SLF001
    found = list(kept[0].objects.filter(pgh_obj_id=row.pk).order_by("-pgh_id")[: MOST + 1])  # type: ignore[attr-defined]
    names = names_in(found, fields)
    who = {str(pk): email for pk, email in User.objects.filter(pk__in=actors(found)).values_list("pk", "email")}
    listed = []
    for number, event in enumerate(found[:MOST]):
        before = found[number + 1] if number + 1 < len(found) else None
        changed = [
            (words(field), shown(before, field, names) if before else "", shown(event, field, names))
            for field in fields
            if (
                getattr(event, field.attname) != getattr(before, field.attname)
                if before
                else getattr(event, field.attname) not in (None, "", [])
            )
        ]
        actor = str((event.pgh_context or {}).get("user", ""))
        what = KINDS.get(event.pgh_label, event.pgh_label)
        listed.append(
            Line(event.pgh_created_at, who.get(actor, "the system"), what, [] if what == "removed" else changed)
        )
    return listed


def actors(events: list[Any]) -> set[UUID]:
    return {UUID(event.pgh_context["user"]) for event in events if (event.pgh_context or {}).get("user")}


def names_in(events: list[Any], fields: list[Any]) -> dict[tuple[str, Any], str]:
    """What the rows that these refer to are called, by field and key."""
    names = {}
    for field in fields:
        if isinstance(field, ForeignKey):
            keys = {getattr(event, field.attname) for event in events} - {None}
            for one in field.related_model._base_manager.filter(pk__in=keys):  # noqa: SLF001 - Django documents it
                names[field.name, one.pk] = str(one)
    return names


def shown(event: Any, field: Any, names: dict[tuple[str, Any], str]) -> str:
    value = getattr(event, field.attname)
    if value is None or value == "":
        return "–"  # noqa: RUF001
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(field, ForeignKey):
        return names.get((field.name, value), str(value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if hasattr(value, "lower") and hasattr(value, "upper") and not isinstance(value, str):
        return f"{value.lower or '…'} to {value.upper or '…'}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def words(field: Any) -> str:
    return str(field.verbose_name).capitalize()
