"""What goes wrong is in the log, once, and says nothing of anybody."""

import io
import logging
import subprocess
import sys

import pytest
from django.conf import settings
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
    assert "ERROR django.request: Internal Server Error: /api/v1/plans" in served.stderr
    assert "memberships/api.py" in served.stderr
    assert "Pat" not in served.stderr
    assert "a local variable" not in served.stderr


@pytest.mark.slow
def test_production_is_silent_about_a_callers_mistakes():
    served = serve("/api/v1/me", "/api/v1/nothing", "/api/v1/clinics?near=Pat", "/auth/app/v1/auth/session")

    assert set(served.stdout.split()) <= {"400", "401", "404"}
    assert "Pat" not in served.stderr
    assert " django." not in served.stderr


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
    text = logged(refused.value)
    assert address not in text
    assert "psycopg.errors.UniqueViolation: duplicate key value" in text
    assert "django.db.utils.IntegrityError: duplicate key value" in text


def test_it_ends_where_exceptions_lead_to_each_other():
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one

    assert logged(one).count("ValueError") == 2
