"""Promise 3: the same Idempotency-Key, the same answer, one row; also concurrently and after a crash."""

import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from clinics import idempotency
from clinics.idempotency import Answer
from clinics.models import IdempotencyKey, Patient, Proxy, User
from clinics.refusals import Refused
from tests import cast, owner
from tests.calls import Caller, sign_in
from tests.cast import at_the_same_time

CHILD = {"given_name": "Mia", "family_name": "Example", "birth_date": "2018-05-04"}


def add(caller: Caller, body: Any = CHILD, key: str = "one") -> Any:
    return caller.post("/me/dependents", body, **{"Idempotency-Key": key})


class TestTheSameRequestAgain:
    def test_it_gets_the_same_answer_and_does_nothing(self, pat: Any):
        caller = Caller(pat.user)

        first, second = add(caller), add(caller)

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert second["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.headers
        assert Proxy.objects.count() == 1

    def test_it_costs_two_statements(self, pat: Any, django_assert_num_queries: Any):
        with django_assert_num_queries(4):  # two of its own, and a savepoint for them within this test's transaction
            idempotency.once(user=pat.user, path="/", key="k", asked={}, work=lambda: Answer(201, {}))

    def test_it_knows_a_body_by_what_it_says(self, pat: Any):
        caller = Caller(pat.user)
        add(caller)

        again = add(caller, dict(reversed(CHILD.items())))

        assert again.status_code == 201
        assert again["Idempotent-Replayed"] == "true"

    def test_it_refuses_another_body(self, pat: Any):
        caller = Caller(pat.user)
        add(caller)

        other = add(caller, {**CHILD, "given_name": "Max"})

        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert Proxy.objects.count() == 1

    def test_it_is_another_request_of_another_caller(self, pat: Any, stranger: Any):
        add(Caller(pat.user))

        other = add(Caller(stranger.user))

        assert other.status_code == 201
        assert "Idempotent-Replayed" not in other.headers
        assert Proxy.objects.filter(user=stranger.user).count() == 1

    def test_it_keeps_no_refusal(self, pat: Any):
        caller = Caller(pat.user)

        refused = add(caller, {**CHILD, "birth_date": "1990-01-01"})
        invalid = add(caller, {**CHILD, "birth_date": "soon"})
        accepted = add(caller)

        assert [refused.json()["code"], invalid.json()["code"], accepted.status_code] == ["of_age", "invalid", 201]
        assert IdempotencyKey.objects.count() == 1

    @pytest.mark.parametrize("key", ["", "k" * 256, "two words", "ключ", "tab\t"])
    def test_it_refuses_a_key_that_is_none(self, pat: Any, key: str):
        answer = add(Caller(pat.user), key=key)

        assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
        assert not Proxy.objects.exists()

    def test_it_rolls_back_an_answer_that_is_no_success(self, pat: Any):
        def work() -> Answer:
            cast.make_patient("Other")
            return Answer(409, {})

        answer = idempotency.once(user=pat.user, path="/", key="k", asked={}, work=work)

        assert answer == Answer(409, {})
        assert not Patient.objects.filter(given_name="Other").exists()
        assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestTwins:
    """The same request several times at once."""

    @pytest.fixture
    def user(self) -> User:
        return cast.make_user("pat")

    @staticmethod
    def run(user: User, done: list[int], *, fail_first: bool = False) -> Any:
        lock = threading.Lock()

        def work() -> Answer:
            with lock:
                done.append(len(done))
                number = len(done)
            time.sleep(0.2)
            if fail_first and number == 1:
                raise Refused
            return Answer(201, {"number": number})

        def ask(_: int) -> Any:
            return idempotency.once(user=user, path="/holds", key="one", asked={"slot": "a"}, work=work).body

        return at_the_same_time(ask, range(8))

    def test_it_does_the_work_once_and_gives_all_of_them_its_answer(self, user: User):
        done: list[int] = []

        answers = self.run(user, done)

        assert done == [0]
        assert answers == [{"number": 1}] * 8

    def test_it_lets_the_next_one_try_when_the_first_is_refused(self, user: User):
        done: list[int] = []

        answers = self.run(user, done, fail_first=True)

        assert len(done) == 2
        assert answers.count("refused") == 1
        assert answers.count({"number": 2}) == 7

    def test_it_would_do_the_work_of_each_without_the_constraint(self, user: User, monkeypatch: pytest.MonkeyPatch):
        conflict = "ON CONFLICT ON CONSTRAINT idempotency_key_once DO NOTHING "
        monkeypatch.setattr(idempotency, "TAKE", idempotency.TAKE.replace(conflict, ""))
        done: list[int] = []
        with owner.acting(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE clinics_idempotencykey DROP CONSTRAINT idempotency_key_once")
        try:
            self.run(user, done)
        finally:
            with owner.acting(), connection.cursor() as cursor:
                cursor.execute("DELETE FROM clinics_idempotencykey")
                cursor.execute(
                    "ALTER TABLE clinics_idempotencykey ADD CONSTRAINT idempotency_key_once UNIQUE (user_id, path, key)"
                )

        assert len(done) == 8

    def test_it_tells_a_twin_with_another_body_so(self, user: User):
        def ask(slot: str) -> Any:
            def work() -> Answer:
                time.sleep(0.1)
                return Answer(201, slot)

            return idempotency.once(user=user, path="/", key="one", asked=slot, work=work).body

        outcomes = at_the_same_time(ask, ["a", "b"])

        assert sorted(outcomes) in [["a", "idempotency_key_reused"], ["b", "idempotency_key_reused"]]


CRASH = """
import os, signal, sys
import django
django.setup()
from django.test import Client
from clinics import people
from clinics.edge import Endpoint

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "before COMMIT":
    people.Proxy.objects.create = die
else:
    Endpoint.finalize_response = die
headers = {"X-Session-Token": sys.argv[2], "Idempotency-Key": "one"}
Client().post("/api/v1/me/dependents", sys.argv[3], "application/json", headers=headers)
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("moment", "replayed"), [("before COMMIT", False), ("between COMMIT and response", True)])
def test_it_does_the_work_once_though_the_server_was_killed(moment: str, replayed: bool):
    pat = cast.make_patient("Pat", member=False)
    assert pat.user
    token = sign_in(pat.user)
    environment = {**os.environ, "DATABASE_URL": owner.applications_address()}
    body = '{"given_name": "Mia", "family_name": "Example", "birth_date": "2018-05-04"}'

    killed = subprocess.run(
        [sys.executable, "-c", CRASH, moment, token, body], env=environment, check=False, timeout=60
    )
    caller = Caller()
    caller.headers["X-Session-Token"] = token
    again = add(caller)

    assert killed.returncode == -9
    assert again.status_code == 201
    assert ("Idempotent-Replayed" in again.headers) == replayed
    assert Proxy.objects.filter(user=pat.user).count() == 1


def test_it_purges_what_is_older_than_a_day(pat: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(idempotency, "BATCH", 2)
    now = timezone.now()
    for number in range(6):
        IdempotencyKey.objects.create(user=pat.user, path="/", key=str(number), fingerprint="f")
    IdempotencyKey.objects.exclude(key="5").update(created_at=now - timedelta(hours=25))
    IdempotencyKey.objects.filter(key="5").update(created_at=now - timedelta(hours=23))

    assert idempotency.purge(now=now) == 5
    assert [row.key for row in IdempotencyKey.objects.all()] == ["5"]
