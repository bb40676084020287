"""Guessing passwords and codes: how often, from where, and what an attempt tells (promise 31)."""

from datetime import date
from typing import Any

import pytest
import redis
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from clinics import attempts, people
from clinics.models import Attempt, User
from config import throttling
from tests import cast
from tests.signing import APP, PASSWORD, App, csrf_in, hashed, totp

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_in_production(settings: LazySettings) -> None:
    """allauth's own limits: 10 wrong passwords a minute from an address, 5 in five minutes for an account."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    del settings.ACCOUNT_RATE_LIMITS
    del settings.MFA_RATE_LIMITS


@pytest.fixture
def ann() -> User:
    user = people.open_account(email="ann@example.com", password=PASSWORD)
    people.register(
        user=user, given_name="Ann", family_name="Ash", birth_date=date(1980, 2, 29), today=timezone.now().date()
    )
    return user


def log_in(email: str, password: str, **headers: str) -> Any:
    return Client().post(
        f"{APP}/auth/login", {"email": email, "password": password}, "application/json", headers=headers
    )


def codes(answer: Any) -> list[str]:
    return [error["code"] for error in answer.json().get("errors", [])] or [str(answer.status_code)]


class TestPasswords:
    def test_one_account_is_guessed_at_five_times_from_wherever(self, ann: User, settings: LazySettings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        settings.TRUSTED_PROXIES = 1

        found = [
            codes(log_in(ann.email, f"wrong {number}", **{"X-Forwarded-For": f"203.0.113.{number}"}))
            for number in range(7)
        ]
        right = codes(log_in(ann.email, PASSWORD, **{"X-Forwarded-For": "203.0.113.99"}))

        assert found == [["email_password_mismatch"]] * 5 + [["too_many_login_attempts"]] * 2
        assert right == ["too_many_login_attempts"]

    def test_an_account_that_is_not_there_is_capped_the_same(self, ann: User):
        def of(email: str) -> list[list[str]]:
            Attempt.objects.all().delete()
            return [codes(log_in(email, f"wrong {number}")) for number in range(7)]

        assert of("nobody@example.com") == of(ann.email)

    def test_one_address_guesses_at_ten_accounts_a_minute(self, ann: User):
        found = [codes(log_in(f"nobody{number}@example.com", "wrong")) for number in range(12)]

        assert found == [["email_password_mismatch"]] * 10 + [["too_many_login_attempts"]] * 2

    @pytest.mark.parametrize("proxies", [0, 1])
    def test_an_address_that_somebody_made_up_is_no_help(self, proxies: int, ann: User, settings: LazySettings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
        made_up = [f"203.0.113.{number}" for number in range(12)]
        # nginx adds whom it really spoke to behind whatever the client said.
        headers = [f"{address}, 198.51.100.1" if proxies else address for address in made_up]

        found = [
            codes(log_in(f"nobody{number}@example.com", "wrong", **{"X-Forwarded-For": header}))
            for number, header in enumerate(headers)
        ]

        assert found[-1] == ["too_many_login_attempts"]

    def test_it_ends_by_itself(self, ann: User):
        with time_machine.travel("2026-11-24T14:00:00Z", tick=False) as clock:
            for number in range(6):
                log_in(ann.email, f"wrong {number}")
            during = log_in(ann.email, PASSWORD).status_code
            clock.shift(301)
            after = log_in(ann.email, PASSWORD).status_code

        assert (during, after) == (400, 200)

    def test_pages_count_with_the_api(self, ann: User):
        for number in range(5):
            log_in(ann.email, f"wrong {number}")
        client = Client(enforce_csrf_checks=True)
        token = csrf_in(client.get("/staff/sign-in"))

        page = client.post("/staff/sign-in", {"csrfmiddlewaretoken": token, "login": ann.email, "password": PASSWORD})

        assert "Too many failed login attempts" in page.content.decode()

    def test_it_holds_while_valkey_is_away(self, ann: User, settings: LazySettings, monkeypatch: pytest.MonkeyPatch):
        def away(*_: Any, **__: Any) -> Any:
            raise redis.ConnectionError

        monkeypatch.setattr(redis.connection.ConnectionPool, "get_connection", away)
        monkeypatch.setattr(throttling, "counter", throttling.Counter(settings.REDIS_URL))

        first = log_in(ann.email, PASSWORD).status_code
        found = [codes(log_in(ann.email, f"wrong {number}")) for number in range(6)]

        assert first == 200
        assert found[-1] == ["too_many_login_attempts"]

    def test_it_takes_as_long_where_there_is_no_account(self, ann: User, monkeypatch: pytest.MonkeyPatch):
        found = hashed(monkeypatch)

        log_in(ann.email, "one")
        log_in("nobody@example.com", "two")

        assert found == ["one", "two"]


class TestCodes:
    def guess(self, ann: User, number: int) -> Any:
        app = App()
        app.sign_in()
        return app.call("POST", "/auth/2fa/authenticate", {"code": f"{number:06}"})

    def test_an_account_has_five_guesses_whoever_signs_in(self, ann: User):
        app = App()
        app.sign_in()
        seed = app.set_up_totp()
        # Those it has now, so that none is hit.
        right = {totp(seed, steps=steps) for steps in (-1, 0, 1)}
        wrong = [number for number in range(20) if f"{number:06}" not in right]

        found = [codes(self.guess(ann, wrong[number])) for number in range(7)]
        other = App()
        other.sign_in()
        with_the_right_one = codes(other.call("POST", "/auth/2fa/authenticate", {"code": totp(seed)}))

        assert found == [["incorrect_code"]] * 5 + [["too_many_login_attempts"]] * 2
        assert with_the_right_one == ["too_many_login_attempts"]

    def test_the_same_holds_for_recovery_codes(self, ann: User):
        app = App()
        app.sign_in()
        app.set_up_totp()
        right = app.codes()

        found = [codes(self.guess(ann, 10_000_000 + number)) for number in range(6)]
        other = App()
        other.sign_in()
        with_the_right_one = codes(other.call("POST", "/auth/2fa/authenticate", {"code": right[0]}))

        assert found[-1] == ["too_many_login_attempts"]
        assert with_the_right_one == ["too_many_login_attempts"]


class TestAttempts:
    """The table that stands in for a cache."""

    @pytest.fixture
    def kept(self) -> attempts.Attempts:
        return attempts.Attempts("", {})

    def test_it_keeps_things_for_a_while(self, kept: attempts.Attempts):
        with time_machine.travel("2026-11-24T14:00:00Z", tick=False) as clock:
            kept.set("a", [1.5, 2], 60)
            clock.shift(59)
            before = kept.get("a")
            clock.shift(1)

            assert (before, kept.get("a"), kept.get("a", "gone")) == ([1.5, 2], None, "gone")

    def test_it_adds_only_what_is_not_there(self, kept: attempts.Attempts):
        with time_machine.travel("2026-11-24T14:00:00Z", tick=False) as clock:
            first, second = kept.add("a", 1, 60), kept.add("a", 2, 60)
            clock.shift(60)

            assert (first, second, kept.add("a", 3, 60), kept.get("a")) == (True, False, True, 3)

    def test_it_forgets(self, kept: attempts.Attempts):
        kept.set("a", 1, 60)

        assert (kept.delete("a"), kept.delete("a"), kept.get("a"), kept.touch("a", 60)) == (True, False, None, False)

    def test_it_is_purged(self, kept: attempts.Attempts):
        kept.set("a", 1, -1)
        kept.set("b", 1, 60)

        assert attempts.purge(now=timezone.now()) == 1
        assert kept.get("b") == 1

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_adds(self):
        won = cast.at_the_same_time(lambda _: attempts.Attempts("", {}).add("a", 1, 60), range(8))

        assert sorted(won) == [False] * 7 + [True]
