"""What load balancers ask, and what strangers learn from it."""

import pytest
from django.db import connection
from django.test import Client

from config import metrics, probes

PLAIN = "text/plain"


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine."""
    monkeypatch.setattr(metrics, "STATEMENT_TIMEOUT", "60s")


def test_it_is_alive_without_a_database():
    """No mark for the database: a query would fail the test."""
    answer = Client().get("/healthz", headers={"Host": "10.0.0.7:8000"})

    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (200, b"ok\n", "no-store")


def test_it_is_ready_with_its_migrations(db: None):
    answer = Client().get("/readyz", headers={"Host": "10.0.0.7:8000"})

    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (200, b"ok\n", "no-store")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.usefixtures("as_owner")
def test_it_is_not_ready_before_a_migration():
    app, name = sorted(probes.needed())[0]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = %s AND name = %s", [app, name])

    answer = Client().get("/readyz")

    assert (answer.status_code, answer.content) == (503, b"not ready\n")


@pytest.mark.usefixtures("as_owner")
def test_it_stays_ready_with_a_newer_migration_than_it_knows():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('clinics', '9999_next', now())")

    assert Client().get("/readyz").status_code == 200


def test_it_is_not_ready_without_a_database(monkeypatch):
    monkeypatch.setattr(probes.transaction, "atomic", _raise)

    answer = Client().get("/readyz")

    assert (answer.status_code, answer.content) == (503, b"not ready\n")


def _raise() -> None:
    raise probes.Error("connection refused: secret host")


def test_it_is_not_ready_while_it_stops(db: None, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    client = Client()
    assert client.get("/readyz").status_code == 200

    (tmp_path / probes.DRAINING).touch()

    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_it_takes_no_other_method(path: str):
    assert Client().post(path).status_code == 405
