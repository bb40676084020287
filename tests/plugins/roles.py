"""The database role that the code under test runs as: it owns nothing, as in production (docs/operations.md).

The tests' database is its owner's, who makes, migrates and empties it: whoever the server was started for, or whom
DATABASE_URL names. For each run the owner makes a lesser role, which DATABASE_URL names from then on; the owner is in
OWNER_DATABASE_URL (tests/owner.py). An owner who may make no roles is given both addresses.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from psycopg import errors, sql

OWNER = "OWNER_DATABASE_URL"
PREFIX = "sameday_tests"


@contextmanager
def lesser(owner: str) -> Iterator[dict[str, str]]:
    """A role for as long as the block takes: its DATABASE_URL, and the owner's."""
    # With the run's pid, by which a later one knows that it was killed (drop_left), and a word: several machines may
    # share a server.
    name, password = f"{PREFIX}_{os.getpid()}_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    try:
        with connected(owner) as connection:
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), password)
            connection.execute(statement)
    except errors.InsufficientPrivilege:
        raise pytest.UsageError(
            f"The owner in DATABASE_URL may make no role for the tests: grant CREATEROLE, or set {OWNER} to the owner "
            "and DATABASE_URL to a role on the same server that owns nothing."
        ) from None
    try:
        yield {"DATABASE_URL": named(owner, name, password), OWNER: owner}
    finally:
        # A database that is kept (--reuse-db) still has rights for it.
        with connected(owner) as connection, suppress(errors.DependentObjectsStillExist):
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def named(url: str, user: str, password: str) -> str:
    """The address `url` for somebody else."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """To the database that Django, too, makes the tests' own from: the one in `url` may not be there."""
    with psycopg.connect(urlsplit(url)._replace(path="/postgres").geturl(), autocommit=True) as connection:
        yield connection


def drop_left(connection: psycopg.Connection) -> None:
    """Drop what killed runs of this machine left: first their databases, then their roles."""
    databases = connection.execute(r"SELECT datname FROM pg_database WHERE datname ~ '^test_sameday_\d+(_gw\d+)?$'")
    for (name,) in databases.fetchall():
        if not psutil.pid_exists(int(name.split("_")[2])):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    roles = connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ %s", [rf"^{PREFIX}_\d+_[0-9a-f]+$"])
    for (name,) in roles.fetchall():
        if not psutil.pid_exists(int(name.split("_")[2])):
            with suppress(errors.DependentObjectsStillExist):
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
