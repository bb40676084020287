"""Identifiers."""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): unique anywhere and ascending in time, so that new rows land on one side of an index."""
    return uuid7()
