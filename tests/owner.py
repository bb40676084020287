"""The owner of the tests' tables, for what tests alone do: empty them, take a constraint away, outdate a statement.

Everything else runs as the application's role, threads and other processes too (tests/plugins/roles.py). What is done
here is done on a connection of its own, which does not see what a test's transaction has not committed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.db import connections

from tests.plugins import roles

# Some tests take these away, so that what they start finds servers of its own.
ADDRESS, APPLICATIONS_ADDRESS = os.environ[roles.OWNER], os.environ["DATABASE_URL"]


def credentials(url: str) -> dict[str, Any]:
    told = dj_database_url.parse(url)
    return {"USER": told["USER"], "PASSWORD": told["PASSWORD"]}


OWNER, APPLICATION = credentials(ADDRESS), credentials(APPLICATIONS_ADDRESS)


def log_in_as(who: dict[str, Any]) -> None:
    """Connections that are made from now on, in any thread, are of OWNER or APPLICATION."""
    connections["default"].close()
    connections.settings["default"].update(who)


@contextmanager
def acting() -> Iterator[None]:
    """This thread's connection is the owner's for as long as the block takes. What it does is there to stay, so this
    is for tests without a transaction around them.
    """
    applications = connections["default"]
    owners = applications.copy()
    owners.settings_dict.update(OWNER)
    connections["default"] = owners
    try:
        yield
    finally:
        connections["default"] = applications
        owners.close()


@contextmanager
def deadlocks_found_at_once() -> Iterator[None]:
    """Connections that the application makes in the block look for a deadlock after 20 ms, not a second.

    PostgreSQL lets superusers alone say so: in the embedded server the owner is one.
    """
    database = connections["default"].settings_dict["NAME"]
    whose = f'ALTER ROLE "{APPLICATION["USER"]}" IN DATABASE "{database}"'
    with acting(), connections["default"].cursor() as cursor:
        cursor.execute(f"{whose} SET deadlock_timeout = '20ms'")
    try:
        yield
    finally:
        with acting(), connections["default"].cursor() as cursor:
            cursor.execute(f"{whose} RESET deadlock_timeout")


def address() -> str:
    """The tests' database for its owner, as a DATABASE_URL."""
    return of(ADDRESS)


def applications_address() -> str:
    """The tests' database for the application, as a DATABASE_URL: for processes that a test starts."""
    return of(APPLICATIONS_ADDRESS)


def of(url: str) -> str:
    return urlsplit(url)._replace(path=f"/{connections['default'].settings_dict['NAME']}").geturl()
