"""Nothing that tells of a patient is in a log or the name of a key, in any test (promise 37).

Every line that the code under test logs is written as production writes it (config.logs), and looked through for what
invented people are known by (tests/canaries.py): names, addresses, telephones, dates of birth, reasons; so are the
names of keys in Valkey, and in Django's cache. The test fails in whose time it was found.
"""

import logging
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.core.cache.backends.base import BaseCache

from config import logs
from tests import canaries

# Keys live for minutes. Valkey is shared with the run's other processes: one look in a while is enough.
EVERY = 10.0  # seconds


class Watch(logging.Handler):
    """Looks through what is logged, and the names of keys, and remembers what should not be there."""

    def __init__(self, valkey: str) -> None:
        super().__init__()
        self.setFormatter(logs.Formatter())
        self.server = redis.Redis.from_url(valkey)
        self.looked_at = 0.0
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # Django logs statements for a developer at DEBUG, where DEBUG is on: never in production.
        if record.name != "django.db.backends":
            self.look(f"the log of {record.name}", self.format(record))

    def look(self, where: str, text: str) -> None:
        if told := canaries.found_in(text):
            self.found.append(f"{', '.join(sorted(set(told)))} in {where}: {text}")

    def look_at_keys(self) -> None:
        """Those that Valkey holds now: names alone."""
        self.looked_at = time.monotonic()
        for key in self.server.scan_iter(count=10_000):
            self.look("a key in Valkey", key.decode(errors="replace"))

    def take(self) -> list[str]:
        """What was found since, which is forgotten."""
        found, self.found = self.found, []
        return found


WATCH = pytest.StashKey[Watch]()
PATCHED = pytest.StashKey[pytest.MonkeyPatch]()


def pytest_configure(config: pytest.Config) -> None:
    watch = config.stash[WATCH] = Watch(os.environ["REDIS_URL"])
    patched = config.stash[PATCHED] = pytest.MonkeyPatch()
    made = BaseCache.make_and_validate_key

    def watched(cache: BaseCache, key: Any, version: int | None = None) -> str:
        name: str = made(cache, key, version)
        watch.look("a key of the cache", name)
        return name

    patched.setattr(BaseCache, "make_and_validate_key", watched)


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[PATCHED].undo()
    config.stash[WATCH].server.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Listens for as long as the test takes. Anew for each: some set logging up, which forgets who listens."""
    root, watch = logging.getLogger(), item.config.stash[WATCH]
    root.addHandler(watch)
    try:
        return (yield)
    finally:
        root.removeHandler(watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    watch = item.config.stash[WATCH]
    if nextitem is None or time.monotonic() > watch.looked_at + EVERY:
        watch.look_at_keys()
    if found := watch.take():
        pytest.fail("What tells of a patient came out:\n" + "\n".join(found), pytrace=False)


@pytest.fixture
def watch(request: pytest.FixtureRequest) -> Watch:
    """The run's own."""
    return request.config.stash[WATCH]
