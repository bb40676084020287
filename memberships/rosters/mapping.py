"""How an employer's files call what we ask for, kept so that nobody maps columns twice."""

from collections.abc import Mapping
from typing import Any

from clinics.models import Organization
from clinics.refusals import Refused
from memberships.models import Relationship, RosterMapping
from memberships.rosters.reading import COLUMNS, REQUIRED, folded

MOST_WORDS = 50


class BadMapping(Refused):
    code = "bad_mapping"
    status = 400
    detail = (
        "Name each column of the file once, and for each of its words one of our relationships. What we need "
        "(" + ", ".join(REQUIRED) + ") stands in columns of its own."
    )


def mapping_of(employer: Organization) -> RosterMapping:
    """The employer's mapping; the plain one, not stored, where it has none."""
    return RosterMapping.objects.filter(employer=employer).first() or RosterMapping(employer=employer)


def set_mapping(
    *, employer: Organization, columns: Mapping[str, str], relationships: Mapping[str, str], dates: str
) -> RosterMapping:
    """Keep how the employer's files call our COLUMNS and relationships, and write dates. Raises BadMapping."""
    called = [folded(name) for name in columns.values()]
    if not set(columns) <= set(COLUMNS) or not all(called) or len(set(called)) < len(called):
        raise BadMapping
    # What is not mapped is called as we call it: a number that is read from the first names is no number.
    needed = [folded(columns.get(column, column)) for column in REQUIRED]
    if len(set(needed)) < len(needed):
        raise BadMapping
    if not set(relationships.values()) <= set(Relationship.values) or len(relationships) > MOST_WORDS:
        raise BadMapping
    if dates not in RosterMapping.Dates.values:
        raise BadMapping
    RosterMapping.objects.update_or_create(
        employer=employer,
        defaults={"columns": dict(columns), "relationships": dict(relationships), "dates": dates},
    )
    return mapping_of(employer)


def as_json(mapping: RosterMapping) -> dict[str, Any]:
    return {"columns": mapping.columns, "relationships": mapping.relationships, "dates": mapping.dates}
