"""Controls of the watch over logs and keys (tests/plugins/leaks.py): what it is there for, it finds."""

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from clinics.models import Patient
from config import logs
from tests import calls, canaries
from tests.config.test_production import ROOT
from tests.plugins import leaks
from tests.plugins.leaks import Watch

VALKEY = os.environ.get("REDIS_URL", "")  # before `nothing_given`
LEAKING = """
import logging

def test_one_that_leaks():
    logging.getLogger("clinics").info("Booked for %s", "Canarino")

def test_one_that_does_not():
    logging.getLogger("clinics").info("Booked")

def test_one_that_leaks_by_an_exception():
    try:
        raise RuntimeError("No room for Canarino")
    except RuntimeError:
        logging.getLogger("scheduling").exception("It failed")
"""


@pytest.fixture
def elsewhere() -> Iterator[Watch]:
    """A watch over another database of the same server, where no other test is."""
    watch = Watch(urlsplit(VALKEY)._replace(path="/15").geturl())
    yield watch
    watch.server.flushdb()
    watch.server.close()


@pytest.mark.slow
def test_a_test_fails_by_what_it_logs(tmp_path):
    (tmp_path / "test_leaking.py").write_text(LEAKING)
    (tmp_path / "pytest.ini").write_text("[pytest]\nlog_level = INFO\n")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "tests.plugins.leaks", "-rA", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "REDIS_URL": VALKEY, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "3 passed, 2 errors" in done.stdout
    assert "Canarino in the log of clinics" in done.stdout
    assert "Canarino in the log of scheduling" in done.stdout


def test_it_listens_to_the_code_under_test(watch: Watch, pat: Patient, monkeypatch: pytest.MonkeyPatch):
    assert pat.user
    caller = Client(headers={"X-Session-Token": calls.sign_in(pat.user)})
    caller.get("/api/v1/me")
    before = watch.take()

    # What a careless line of ours would be: it tells the address of a request, where a digest should be.
    monkeypatch.setattr("config.requests.user_digest", lambda request: request.get_full_path())
    caller.get("/api/v1/me?name=Canarino")

    assert before == []
    assert "Canarino" in "".join(watch.take())


@pytest.mark.parametrize(
    "told",
    [
        "Canarino",
        "canarino",
        canaries.STREET,
        canaries.REASON,
        "a visit of Pat at nine",
        "pat-0a1b2c@example.com",
        "pat-0a1b2c%40example.com",
        "+12015550123",
        "(201) 555-0123",
        "1990-05-17",
        "5/17/1990",
        "datetime.date(1990, 5, 17)",
    ],
)
def test_it_knows_what_people_are_known_by(told: str):
    assert canaries.found_in(f"It is {told}, here") != []


@pytest.mark.parametrize(
    "told",
    [
        "api/v1/holds/<uuid:hold_id>",
        "2026-11-24T14:00:00Z",
        "3f0a6e6e-ad80-56be-1990-393788403da4",
        "a path, a pattern, an example.com",
        "smtp.example:587",
    ],
)
def test_it_does_not_see_people_everywhere(told: str):
    assert canaries.found_in(told) == []


def test_it_sees_the_names_of_keys_and_not_what_they_hold(elsewhere: Watch):
    elsewhere.server.set("rate:user:1", "Canarino")
    elsewhere.look_at_keys()
    before = elsewhere.take()

    elsewhere.server.set("rate:user:pat-0a1b2c@example.com", 1)
    elsewhere.look_at_keys()

    assert before == []
    (found,) = elsewhere.take()
    assert "a key in Valkey" in found


def test_it_sees_the_keys_of_the_cache(watch: Watch, db: None):
    cache.set("attempts:1", "Canarino", 60)
    before = watch.take()

    cache.set("attempts:pat-0a1b2c@example.com", 1, 60)

    assert before == []
    (found,) = watch.take()
    assert "a key of the cache" in found


def test_it_reads_what_production_would_write(watch: Watch):
    assert type(watch.formatter) is logs.Formatter
    assert leaks.EVERY < 60
