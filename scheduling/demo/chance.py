"""Chance that falls the same way every time, and ids made of names: a second run finds what the first one made."""

import random
import uuid

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://example.com/sameday/demo")


def key(*name: object) -> uuid.UUID:
    """The id of what is called `name` in the demo."""
    return uuid.uuid5(NAMESPACE, "/".join(map(str, name)))


def chance(*name: object) -> random.Random:
    """A source of chance of its own for `name`."""
    return random.Random("/".join(map(str, name)))  # noqa: S311 - invented people, no secrets
