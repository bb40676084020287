"""The role that a run of the tests makes for itself (tests/plugins/roles.py)."""

from urllib.parse import urlsplit

import psycopg
import pytest

from tests import owner
from tests.plugins import roles

OWNERS = owner.ADDRESS


def exists(name: str) -> bool:
    with roles.connected(OWNERS) as connection:
        return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None


def test_it_is_there_for_as_long_as_the_run():
    with roles.lesser(OWNERS) as addresses:
        name = owner.credentials(addresses["DATABASE_URL"])["USER"]
        with roles.connected(addresses["DATABASE_URL"]) as connection:
            told = connection.execute(
                "SELECT current_user, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
            ).fetchone()

    assert told == (name, False, False, False)
    assert addresses[roles.OWNER] == OWNERS
    assert not exists(name)


def test_two_runs_have_one_each():
    with roles.lesser(OWNERS) as one, roles.lesser(OWNERS) as other:
        assert one["DATABASE_URL"] != other["DATABASE_URL"]


def test_an_owner_who_may_make_no_role_is_told_what_to_do():
    with (
        pytest.raises(pytest.UsageError, match="grant CREATEROLE, or set OWNER_DATABASE_URL"),
        roles.lesser(owner.APPLICATIONS_ADDRESS),
    ):
        pass


def test_one_that_still_has_rights_is_left(db: None):
    """As for a database that is kept."""
    database = urlsplit(owner.address()).path[1:]
    with roles.connected(OWNERS) as connection:
        with roles.lesser(OWNERS) as addresses:
            name = owner.credentials(addresses["DATABASE_URL"])["USER"]
            connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {name}")
        was_left = exists(name)
        connection.execute(f"REVOKE ALL ON DATABASE {database} FROM {name}")
        connection.execute(f"DROP ROLE {name}")

    assert was_left


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://me:secret@db.example:5433/sameday", "postgresql://app:word@db.example:5433/sameday"),
        (
            "postgresql://me@db.example/sameday?sslmode=require",
            "postgresql://app:word@db.example/sameday?sslmode=require",
        ),
        ("postgresql:///sameday", "postgresql://app:word@/sameday"),
    ],
)
def test_it_is_another_at_the_same_address(address: str, expected: str):
    assert roles.named(address, "app", "word") == expected


def test_it_keeps_to_the_tests_own_database(db: None):
    path = urlsplit(owner.applications_address()).path

    assert path.startswith("/test_")
    with psycopg.connect(owner.address()) as connection:
        assert connection.info.dbname == path[1:]
