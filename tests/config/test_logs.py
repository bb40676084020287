"""What goes wrong is in the log, once, and says nothing of anybody."""

import io
import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from clinics.models import User
from config import logs
from tests.config.test_production import PRODUCTION, ROOT

SERVED = """
import django
django.setup()
from django.test import Client
from memberships import plans

def broken(**_):
    reason = "a local variable"
    raise RuntimeError("plans are broken\\nKey (name)=(Pat)")

plans.on_sale_summary = broken
client = Client(raise_request_exception=False)
for path in %s:
    answer = client.get(path, secure=True, headers={"Host": "care.example"})
    print(answer.status_code)
"""


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def serve(*paths: str) -> subprocess.CompletedProcess[str]:
    """Ask for `paths` of a server in production, whose list of plans is broken and which has no database."""
    code = SERVED % repr(list(paths))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**PRODUCTION, "DJANGO_SETTINGS_MODULE": "config.settings", "PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


@pytest.mark.slow
def test_production_tells_of_a_fault_once():
    served = serve("/api/v1/plans")

    assert served.stdout == "500\n"
    assert served.stderr.count("Traceback (most recent call last):") == 1
    assert served.stderr.count("RuntimeError: plans are broken") == 1
    failed = next(line for line in lines(served.stderr) if line["logger"] == "django.request")
    assert (failed["level"], failed["event"], failed["route"]) == ("error", "A request failed", "api/v1/plans")
    assert "memberships/api/plans.py" in served.stderr
    assert "Pat" not in served.stderr
    assert "a local variable" not in served.stderr


@pytest.mark.slow
def test_production_is_silent_about_a_callers_mistakes():
    served = serve("/api/v1/me", "/api/v1/nothing", "/api/v1/clinics?near=Pat", "/auth/app/v1/auth/session")

    assert set(served.stdout.split()) <= {"400", "401", "404"}
    assert "Pat" not in served.stderr
    assert not [line for line in lines(served.stderr) if line["logger"].startswith("django")]


def test_with_a_file_for_everything_the_screen_is_left_to_what_goes_wrong(tmp_path):
    file = tmp_path / "demo.log"
    code = (
        "import logging, logging.config; from config import logs; "
        f"logging.config.dictConfig(logs.to_stderr('config', plain=True, everything_in={str(file)!r})); "
        "log = logging.getLogger('config.demo'); log.info('all is well'); log.error('all is lost')"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "all is well" not in done.stderr
    assert "ERROR config.demo: all is lost" in done.stderr
    assert [line.split()[-1] for line in file.read_text().splitlines()] == ["well", "lost"]


def test_it_is_set_up_here_as_in_production():
    assert logs.to_stderr("config", *settings.OURS) == settings.LOGGING


def logged(error: Exception) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Formatter())
    log = logging.Logger("here")  # noqa: LOG001 - one of its own
    log.addHandler(handler)
    log.error("It failed", exc_info=error)
    return stream.getvalue()


def test_it_does_not_repeat_a_row_that_postgresql_refused(db: None):
    address = "pat" + "@example.com"
    User.objects.create_user(address, None)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        User.objects.create_user(address, None)

    assert address in str(refused.value)
    text = json.loads(logged(refused.value))["exception"]
    assert address not in text
    assert "psycopg.errors.UniqueViolation: duplicate key value" in text
    assert "django.db.utils.IntegrityError: duplicate key value" in text


def test_it_ends_where_exceptions_lead_to_each_other():
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one

    assert logged(one).count("ValueError") == 2


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("Mail to pat@example.com came back", "Mail to [address] came back"),
        ("GET https://api.example/messages?To=%2B15550100 failed", "GET https://api.example/messages?[query] failed"),
        ("Not found: /calendar/abcDEF.ics", "Not found: /calendar/[secret]"),
        ("Not found: /family/abcDEF", "Not found: /family/[secret]"),
        ("POST /v/abcDEF", "POST /v/[secret]"),
        ("No route to +12025550143", "No route to [telephone]"),
        ("One line\nKey (name)=(Pat)", "One line"),
    ],
)
def test_it_leaves_out_what_people_are_found_by(sentence: str, kept: str):
    assert logs.said(sentence) == kept


@pytest.mark.parametrize("error", [ValueError("invalid date: 'Pat'"), KeyError("Pat"), ValidationError("Pat")])
def test_it_does_not_repeat_what_exceptions_quote(error: Exception):
    text = logged(error)

    assert type(error).__name__ in text
    assert "Pat" not in text


def test_it_names_a_failed_task_without_its_arguments():
    record = logging.LogRecord(
        "celery.app.trace", logging.ERROR, "", 0, "Task %(name)s raised unexpected: %(exc)s", (), None
    )
    record.data = {"name": "clinics.tasks.send", "id": "1", "exc": "Error('Pat')", "args": "('Pat',)", "kwargs": "{}"}

    line = logs.Formatter().format(record)

    assert "Pat" not in line
    assert json.loads(line)["task"] == "clinics.tasks.send"


def test_it_writes_for_people_on_a_laptop():
    record = logging.LogRecord("config.requests", logging.INFO, "", 0, "request", (), None)
    vars(record).update(method="GET", route="api/v1/me", status=200, ms=3.1)

    assert logs.Formatter(plain=True).format(record).endswith(" 200 GET api/v1/me ms=3.1")
