"""Lists that come in pages, each beginning behind the last row of the one before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from clinics import cursors
from clinics.shapes import Shape

ROW = TypeVar("ROW")


class Paged(Shape):
    """The parameters of a list that comes in pages."""

    limit = serializers.IntegerField(min_value=1, max_value=200, default=50, help_text="How many at most.")
    cursor = serializers.CharField(
        required=False, max_length=cursors.LONGEST, help_text="From `next`; do not make one up."
    )


def page(
    request: Request,
    rows: QuerySet[Any, ROW],
    *,
    asked: Mapping[str, Any],
    by: Sequence[str],
    show: Callable[[ROW], Any],
) -> dict[str, Any]:
    """One page of `rows`, as `{results, next}`, ordered by the columns `by`: together unique, `-` for descending.

    `asked` is what was parsed by a shape of `Paged`; `show` makes JSON of a row (a model or a mapping). The next page
    begins after the last row of this one, whatever was added or removed in between. Raises BadCursor.
    """
    rows = rows.order_by(*by)
    if "cursor" in asked:
        rows = rows.filter(after(by, last_of(request, asked["cursor"], by)))
    found = list(rows[: asked["limit"] + 1])
    shown = found[: asked["limit"]]
    following = None
    if len(found) > len(shown):
        values = [plain(shown[-1], column.removeprefix("-")) for column in by]
        following = next_link(request, cursors.encode({"list": request.path, "by": [*by], "after": values}))
    return {"results": [show(row) for row in shown], "next": following}


def next_link(request: Request, cursor: str) -> str:
    """The address of the next page: this one's, with `cursor`."""
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def last_of(request: Request, cursor: str, by: Sequence[str]) -> list[Any]:
    """The values of the last row of the page before. Raises BadCursor when the cursor is not this list's."""
    place = cursors.decode(cursor)
    values = place.get("after")
    if place.get("list") != request.path or place.get("by") != [*by] or not isinstance(values, list):
        raise cursors.BadCursor
    return values


def after(by: Sequence[str], values: Iterable[Any]) -> Q:
    """The condition of standing behind the row with `values`. Its first part alone is what an index serves."""
    first, condition, same = Q(), Q(), Q()
    for column, value in zip(by, values, strict=True):
        name, beyond = (column[1:], "lt") if column.startswith("-") else (column, "gt")
        first = first or Q(**{f"{name}__{beyond}e": value})
        condition |= same & Q(**{f"{name}__{beyond}": value})
        same &= Q(**{name: value})
    return first & condition


def plain(row: Any, column: str) -> Any:
    """The value of a row's column as JSON."""
    value = getattr(row, column) if isinstance(row, Model) else row[column]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, int | float | str) else str(value)
