"""Rosters: who an employer pays for, as it tells us in files.

    received → parsed → matched → diffed → (dry run shown) → approved → applied family by family
                                                           ↘ rejected

Each step is safe twice and is taken up where it was left: small files in the request that sends them, others by a
worker (working). `receive` takes a file in, `approve`, `reject` and `undo` decide, `reporting` tells.
"""

from memberships.rosters.deciding import NotToDecide, NotToUndo, SecondPersonNeeded, approve, reject, undo
from memberships.rosters.mapping import BadMapping, mapping_of, set_mapping
from memberships.rosters.reading import BadHeader
from memberships.rosters.receiving import LARGEST, NotText, RosterOlder, RosterOpen, RosterSeen, receive
from memberships.rosters.working import work_off

__all__ = [
    "LARGEST",
    "BadHeader",
    "BadMapping",
    "NotText",
    "NotToDecide",
    "NotToUndo",
    "RosterOlder",
    "RosterOpen",
    "RosterSeen",
    "SecondPersonNeeded",
    "approve",
    "mapping_of",
    "receive",
    "reject",
    "set_mapping",
    "undo",
    "work_off",
]
