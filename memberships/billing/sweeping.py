"""Going through what is due, one row a transaction, so that a row that fails keeps no other from its turn."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import DateField, F, Func, Value

log = logging.getLogger(__name__)
MOST = 5_000  # in one run; the rest has its turn with the next


def each(ids: Iterable[UUID], do: Callable[[UUID], bool], *, what: str) -> int:
    """Do what is to be done with each. Returns with how many something was done."""
    done = 0
    for pk in ids:
        try:
            done += do(pk)
        except Exception:
            # The next run tries again; meanwhile the others go on.
            log.exception("Could not %s: %s", what, pk)
    return done


def local_date(now: datetime, zone: str) -> Func:
    """SQL for the date at `now` where a patient lives; `zone` is the path of their time zone's name."""
    return Func(Func(F(zone), Value(now), function="timezone"), function="date", output_field=DateField())
