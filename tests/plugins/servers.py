"""PostgreSQL and Valkey for the tests, whoever starts them: `make test`, `.venv/bin/pytest tests/x.py`, an editor.

Loaded by name (see pyproject.toml), because the addresses must be in the environment before Django reads its
settings. The run's own process borrows the servers in .sameday/test; its xdist workers inherit the addresses.
Several runs at once share the servers, and the last one stops them; SAMEDAY_KEEP_SERVERS=1 leaves them running,
which saves a second a run. DATABASE_URL and REDIS_URL, when set, are used instead; DATABASE_URL is then the owner's of
the tables to be, who makes the role that the code under test runs as (tests/plugins/roles.py).
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from config import embedded
from tests.plugins import roles

FOLDER = Path(__file__).resolve().parent.parent.parent / ".sameday" / "test"
borrowed = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    os.environ.update(SAMEDAY_MODE="test", SAMEDAY_DATA=str(FOLDER), DJANGO_SETTINGS_MODULE="config.settings")
    os.environ.setdefault("SECRET_KEY", "for-tests-only")
    ours = set(embedded.ADDRESSES) - set(embedded.given())
    os.environ.update(borrowed.enter_context(embedded.lent(FOLDER, fast=True)))
    if "DATABASE_URL" in ours:
        os.environ["DATABASE_URL"] = of_this_run(os.environ["DATABASE_URL"])
    if roles.OWNER not in os.environ:  # xdist's workers inherit it
        os.environ.update(borrowed.enter_context(roles.lesser(os.environ["DATABASE_URL"])))
    yield


def pytest_unconfigure() -> None:
    borrowed.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """The cores this process may use; at most eight, for each opens forty connections at times."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, 8)


def of_this_run(url: str) -> str:
    """The address of a database named for this run, so that two runs at once don't meet.

    Django makes and drops test_sameday_<pid>; what a killed run left of its own is dropped here.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        roles.drop_left(connection)
    return urlsplit(url)._replace(path=f"/sameday_{os.getpid()}").geturl()
