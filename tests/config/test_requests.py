"""Each request leaves one line, which tells nothing of anybody (promise 37)."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from clinics.models import Patient
from config import logs
from tests import calls

CANARY = "Zanzibarquist"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that the processes of a server would write, as they would write it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Formatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def sign_in(patient: Patient) -> str:
    assert patient.user
    return calls.sign_in(patient.user)


def requests_in(written: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in lines if line["logger"] == "config.requests"]


def test_it_writes_one_line_for_a_request(written, pat: Patient):
    answer = Client().get("/api/v1/me", headers={"X-Session-Token": sign_in(pat)})

    (line,) = requests_in(written)
    assert answer.status_code == 200
    assert (line["method"], line["route"], line["status"]) == ("GET", "api/v1/me", 200)
    assert line["ms"] > 0
    assert line["request_id"] == answer["X-Request-ID"]
    assert len(line["user"]) == 16
    assert set(line) == {"event", "at", "level", "logger", "method", "route", "status", "ms", "user", "request_id"}


def test_it_knows_a_caller_again_and_nobody_from_it(written, pat: Patient, stranger: Patient):
    for patient in (pat, pat, stranger):
        Client().get("/api/v1/me", headers={"X-Session-Token": sign_in(patient)})

    first, again, other = (line["user"] for line in requests_in(written))
    assert first == again != other
    assert str(pat.user.pk) not in written.getvalue()


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [("partner-7f3a.1", True), ("short", False), ("a" * 65, False), ('x"} {"event": "forged"', False), ("", False)],
)
def test_it_takes_a_sane_id_from_the_caller_alone(written, given: str, is_taken: bool):
    answer = Client().get("/api/v1/me", headers={"X-Request-ID": given})

    assert (answer["X-Request-ID"] == given) is is_taken
    assert answer.json()["request_id"] == answer["X-Request-ID"]


def test_it_says_why_a_request_was_refused(written):
    Client().get("/api/v1/me")

    (line,) = requests_in(written)
    assert (line["status"], line["code"]) == (401, "not_authenticated")


def test_it_writes_nothing_of_what_was_asked_or_told(written, world):
    """Names, addresses, bodies, query strings, tokens and secret addresses are nowhere, whatever the level."""
    user = world.patient.user
    token = sign_in(world.patient)
    client = Client(raise_request_exception=False, headers={"X-Session-Token": token, "User-Agent": CANARY})
    secrets = {CANARY, token, user.email, world.patient.family_name, str(world.patient.pk), str(user.pk)}

    client.get("/api/v1/me")
    client.get(f"/api/v1/clinics?near={CANARY}")
    client.get(f"/api/v1/{CANARY}?{CANARY}={CANARY}")
    client.get(f"/calendar/{CANARY}.ics")
    client.get(f"/v/{CANARY}")
    client.post("/api/v1/holds", {"slot": CANARY, "reason": CANARY}, content_type="application/json")
    client.post("/api/v1/holds", f'{{"slot": {CANARY}', content_type="application/json")
    client.post(
        "/auth/app/v1/auth/login",
        {"email": f"{CANARY}@example.com", "password": CANARY},
        content_type="application/json",
    )

    assert len(requests_in(written)) == 8
    assert [secret for secret in secrets if secret in without_sql(written)] == []


def without_sql(written: io.StringIO) -> str:
    """Django logs statements for a developer at DEBUG, where DEBUG is on: never in production. The rest must hold."""
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    return json.dumps([line for line in lines if line["logger"] != "django.db.backends"])
