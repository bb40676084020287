"""Connections that prepare statements outlive a migration."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import time_machine
from django.db import NotSupportedError, connection, connections, transaction
from django.test import Client
from rest_framework.response import Response

from clinics import edge
from clinics.models import Patient
from config.postgresql import base
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at

pytestmark = pytest.mark.django_db(transaction=True)

ALTERED = [("clinics_patient", "city"), ("clinics_user", "password"), ("clinics_clinic", "city")]


def alter(*, by: int) -> None:
    """Make columns longer on another connection, as a migration does while servers run."""
    address = connection.get_connection_params()
    with psycopg.connect(
        **{name: address[name] for name in ("dbname", "user", "password", "host", "port") if name in address},
        autocommit=True,
    ) as other:
        for table, column in ALTERED:
            row = other.execute(
                "SELECT character_maximum_length FROM information_schema.columns"
                " WHERE table_name = %s AND column_name = %s",
                [table, column],
            ).fetchone()
            assert row
            other.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({row[0] + by})")


@pytest.fixture
def pat() -> Patient:
    return cast.make_patient("Pat")


@pytest.fixture
def migrate() -> Iterator[Callable[[], None]]:
    """Called, it runs a migration, which is undone at the end."""
    done = []

    def run() -> None:
        done.append(1)
        alter(by=1)

    yield run
    alter(by=-len(done))


def warm(work: Callable[[], Any]) -> None:
    """Do `work` often enough that its statements are prepared."""
    for _ in range(4):
        work()


def test_it_reads_again(pat: Patient, migrate: Any):
    caller = Caller(pat.user)
    warm(lambda: caller.get("/me"))
    migrate()

    answers = [caller.get("/me") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 4


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
def test_it_writes_again(pat: Patient, migrate: Any, headers: dict[str, str]):
    with time_machine.travel(NOW, tick=False):
        office = cast.make_visit_type("office")
        avon = cast.make_place("Avon")
        cast.make_shift(avon, at(9), at(17), office)
        caller = Caller(pat.user)

        def hold(**more: str) -> Any:
            return caller.post("/holds", {"slot": avon.slot(at(10), office).id}, **more)

        warm(lambda: caller.delete(f"/holds/{hold().json()['id']}"))
        migrate()
        held = hold(**headers)

    assert held.status_code == 201, held.content


def test_it_does_a_transaction_again(pat: Patient, migrate: Any):
    tries = []

    def work() -> Response:
        tries.append(1)
        with transaction.atomic():
            Patient.objects.filter(pk=pat.pk).update(street=f"{len(tries)} Main St")
            return Response(Patient.objects.get(pk=pat.pk).street)

    warm(work)
    migrate()
    tries.clear()

    assert edge.again(work).data == "2 Main St"


def test_it_refuses_a_transaction_once_alone(pat: Patient, migrate: Any):
    """As in a task, or a page of allauth's, which nobody repeats."""

    def work() -> Patient:
        with transaction.atomic():
            return Patient.objects.get(pk=pat.pk)

    warm(work)
    migrate()

    with pytest.raises(NotSupportedError):
        work()
    assert work() == pat


def test_it_would_fail_for_ever_otherwise(pat: Patient, migrate: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections["default"], "execute_wrappers", [])
    warm(lambda: Patient.objects.get(pk=pat.pk))
    migrate()

    for _ in range(4):
        with pytest.raises(NotSupportedError):
            Patient.objects.get(pk=pat.pk)


def test_it_signs_in(pat: Patient, migrate: Any):
    def sign_in() -> Any:
        body = {"email": pat.email or "pat@example.com", "password": "not this one"}
        return Client().post("/auth/app/v1/auth/login", body, "application/json")

    warm(sign_in)
    migrate()

    assert sign_in().status_code == 400


def test_it_leaves_what_is_not_supported_alone(db: None):
    calls = []

    def execute(*_: Any) -> None:
        calls.append(1)
        raise NotSupportedError("no such feature")

    with pytest.raises(NotSupportedError):
        base.prepare_again(execute, "", None, False, {"connection": connection})
    assert len(calls) == 1
