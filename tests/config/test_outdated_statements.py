"""Connections that prepare statements outlive a migration."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import time_machine
from django.db import NotSupportedError, connection, connections, transaction
from django.test import Client
from rest_framework.response import Response

from clinics import edge, faults, people
from clinics.models import Patient
from config.postgresql import base
from scheduling import booking
from scheduling.models import Appointment
from tests import cast, owner
from tests.calls import Caller
from tests.cast import NOW, at
from tests.scheduling import acts
from tests.signing import PASSWORD, App

pytestmark = pytest.mark.django_db(transaction=True)

ALTERED = [
    ("clinics_patient", "city"),
    ("clinics_user", "password"),
    ("clinics_clinic", "city"),
    ("mfa_authenticator", "type"),
    ("scheduling_appointment", "reason"),
]


def alter(*, by: int) -> None:
    """Make columns longer on another connection, as a migration does while servers run."""
    with psycopg.connect(owner.address(), autocommit=True) as other:
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

    warm(lambda: edge.again(work))
    migrate()
    tries.clear()

    assert edge.again(work).data == "2 Main St"


class TestWhatNobodyDoesAgain:
    """A task, a command, a page, or allauth's signing in and up."""

    def test_it_goes_through_at_once(self, pat: Patient, migrate: Any):
        warm(lambda: in_a_transaction(pat))
        migrate()

        assert in_a_transaction(pat) == pat

    def test_it_goes_through_on_a_connection_that_has_prepared_the_same(self, pat: Patient, migrate: Any):
        with faults.repeated():
            warm(lambda: in_a_transaction(pat))
        migrate()

        assert in_a_transaction(pat) == pat

    def test_it_would_fail_once_if_its_statements_were_prepared(self, pat: Patient, migrate: Any):
        with faults.repeated():
            warm(lambda: in_a_transaction(pat))
            migrate()

            with pytest.raises(NotSupportedError):
                in_a_transaction(pat)
            assert in_a_transaction(pat) == pat

    def test_it_signs_in_by_a_recovery_code(self, migrate: Any):
        people.open_account(email="ann@example.com", password=PASSWORD)
        app = App()
        app.sign_in()
        app.set_up_totp()
        codes = app.codes()

        def sign_in() -> Any:
            elsewhere = App()
            elsewhere.sign_in()
            return elsewhere.call("POST", "/auth/2fa/authenticate", {"code": codes.pop()})

        warm(sign_in)
        with just_before("FOR UPDATE", migrate):
            last = sign_in()

        assert last.status_code == 200

    def test_it_sweeps(self, pat: Patient, migrate: Any):
        office = cast.make_visit_type("office")
        avon = cast.make_place("Avon")
        cast.make_shift(avon, at(9), at(17), office)
        with time_machine.travel(NOW, tick=False):

            def sweep() -> None:
                acts.age(acts.hold(pat, avon.slot(at(10), office)))
                booking.expire_holds(now=NOW)

            warm(sweep)
            with just_before("FOR NO KEY UPDATE SKIP LOCKED", migrate):
                sweep()

        assert set(Appointment.objects.values_list("status", flat=True)) == {"expired"}


@contextmanager
def just_before(words: str, migrate: Callable[[], None]) -> Iterator[None]:
    """Lets a migration come before the first statement with these `words`, and after all that goes before it."""
    came = []

    def execute_then(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if words in sql and not came:
            came.append(sql)
            migrate()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(execute_then):
        yield
    assert came


def in_a_transaction(pat: Patient) -> Patient:
    with transaction.atomic():
        return Patient.objects.get(pk=pat.pk)


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
