"""Accounts, by allauth's headless API: its app client's tokens and its browser client's cookies."""

import json
import re
from datetime import date
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.utils import timezone

from clinics import people, sessions
from clinics.models import Calendar, Patient, Session, User

APP = "/auth/app/v1"
BROWSER = "/auth/browser/v1"
PASSWORD = "correct-horse-battery"
NEWCOMER = {
    "email": "new@example.com",
    "password": PASSWORD,
    "given_name": "Nia",
    "family_name": "Newcomer",
    "birth_date": "1990-05-17",
}


@pytest.fixture(autouse=True)
def _quickly(db: None, settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann(db: None) -> User:
    user = people.open_account(email="Ann@Example.com", password=PASSWORD)
    people.register(
        user=user, given_name="Ann", family_name="Ash", birth_date=date(1980, 2, 29), today=timezone.now().date()
    )
    return user


class App:
    """allauth's app client."""

    def __init__(self) -> None:
        self.client = Client()
        self.token = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"X-Session-Token": self.token} if self.token else {}
        answer = self.client.generic(
            method, path if path.startswith("/api") else APP + path, _json(body), "application/json", headers=headers
        )
        self.token = answer.json().get("meta", {}).get("session_token", self.token)
        return answer

    def sign_in(self, email: str = "ann@example.com", password: str = PASSWORD) -> Any:
        return self.call("POST", "/auth/login", {"email": email, "password": password})


def _json(body: Any) -> Any:
    return b"" if body is None else json.dumps(body)


def code_in(message: Any) -> str:
    found = re.search(r"^[A-Z]{4}-[A-Z]{4}$", message.body, re.MULTILINE)
    assert found, message.body
    return found[0]


class TestSigningIn:
    @pytest.mark.parametrize("email", ["ann@example.com", "ANN@Example.COM"])
    def test_it_gives_a_token_that_the_api_takes(self, ann: User, email: str):
        app = App()

        answer = app.sign_in(email)

        assert answer.status_code == 200
        assert answer.json()["meta"]["session_token"]
        assert app.call("GET", "/api/v1/me").json()["email"] == "ann@example.com"

    def test_it_keeps_neither_token_nor_cookie(self, ann: User):
        app = App()
        app.sign_in()

        kept = Session.objects.get()

        assert kept.user == ann
        assert kept.session_key == sessions.TokenStore.digest(app.token)
        assert app.token not in (kept.session_key, kept.session_data)

    def test_it_tells_nobody_whether_there_is_an_account(self, ann: User):
        wrong_password = App().sign_in(password="wrong")
        nobody = App().sign_in("nobody@example.com")

        assert wrong_password.status_code == nobody.status_code == 400
        assert wrong_password.json() == nobody.json()

    def test_it_does_not_let_in_who_is_switched_off(self, ann: User):
        User.objects.update(is_active=False)

        assert App().sign_in().json()["meta"].get("is_authenticated", False) is False

    def test_it_ends_with_signing_out(self, ann: User):
        app = App()
        app.sign_in()

        app.call("DELETE", "/auth/session")

        assert app.call("GET", "/api/v1/me").status_code == 401
        assert not Session.objects.exists()

    def test_it_ends_the_other_sessions_with_a_new_password_and_keeps_this_one(self, ann: User):
        here, elsewhere = App(), App()
        here.sign_in()
        elsewhere.sign_in()

        changed = here.call(
            "POST", "/account/password/change", {"current_password": PASSWORD, "new_password": "another-" + PASSWORD}
        )

        assert changed.status_code == 200
        assert here.call("GET", "/api/v1/me").status_code == 200
        assert elsewhere.call("GET", "/api/v1/me").status_code == 401

    def test_it_gives_a_browser_a_cookie_and_wants_its_csrf_token(self, ann: User):
        browser = Client(enforce_csrf_checks=True)
        browser.get(f"{BROWSER}/config")
        csrf = {"X-CSRFToken": browser.cookies["csrftoken"].value}
        credentials = {"email": "ann@example.com", "password": PASSWORD}

        without = browser.post(f"{BROWSER}/auth/login", credentials, "application/json")
        with_it = browser.post(f"{BROWSER}/auth/login", credentials, "application/json", headers=csrf)

        assert (without.status_code, without.json()["code"]) == (403, "csrf_failed")
        assert with_it.status_code == 200
        assert "session_token" not in with_it.json()["meta"]
        cookie = browser.cookies["sessionid"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert browser.get("/api/v1/me").status_code == 200
        assert Session.objects.get().session_key == sessions.SessionStore.digest(cookie.value)

    def test_it_slows_guessing_one_password_down_from_any_address(self, ann: User, settings: LazySettings):
        settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/m/key", "login": "1000/m/ip"}
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0

        answers = []
        for number in range(5):
            client = Client(headers={"X-Forwarded-For": f"203.0.113.{number}"})
            body = {"email": "ann@example.com", "password": f"wrong {number}"}
            answers.append(client.post(f"{APP}/auth/login", body, "application/json"))

        assert "too_many_login_attempts" in [error["code"] for error in answers[-1].json()["errors"]]

    @pytest.mark.parametrize("body", ["{", "[]", '"a"', "[" * 100_000, '{"email": NaN}', '{"email": "\\ud800"}'])
    def test_it_refuses_bodies_that_mean_nothing(self, db: None, body: str):
        answer = Client().post(f"{APP}/auth/login", body, "application/json")

        assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")


class TestSigningUp:
    def test_it_makes_an_account_and_a_record_that_wait_for_the_code(self, db: None):
        app = App()

        asked = app.call("POST", "/auth/signup", NEWCOMER)
        before = app.call("GET", "/api/v1/me")
        verified = app.call("POST", "/auth/email/verify", {"key": code_in(mail.outbox[0])})
        after = app.call("GET", "/api/v1/me")

        assert asked.status_code == 401
        assert {"id": "verify_email", "is_pending": True} in asked.json()["data"]["flows"]
        assert before.status_code == 401
        assert verified.status_code == 200
        assert after.json()["patient"]["name"] == "Nia Newcomer"
        assert after.json()["patient"]["birth_date"] == "1990-05-17"
        assert mail.outbox[0].to == ["new@example.com"]
        assert mail.outbox[0].subject.startswith("Sameday: ")
        assert mail.outbox[0].body.startswith("Hello from Sameday!")
        patient = Patient.objects.get()
        assert patient.user is not None
        assert patient.user.email == "new@example.com"
        assert patient.calendar.kind == Calendar.Kind.PATIENT

    def test_it_lets_nobody_in_before_the_code(self, db: None):
        App().call("POST", "/auth/signup", NEWCOMER)

        answer = App().sign_in("new@example.com")

        assert answer.status_code == 401

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"birth_date": "2020-01-01"}, "birth_date", "underage"),
            ({"birth_date": "1790-01-01"}, "birth_date", "implausible_birth_date"),
            ({"birth_date": "2990-01-01"}, "birth_date", "implausible_birth_date"),
            ({"birth_date": "yesterday"}, "birth_date", "invalid"),
            ({"birth_date": "199٣-05-17"}, "birth_date", "invalid"),
            ({"given_name": ""}, "given_name", "required"),
            ({"given_name": "x" * 61}, "given_name", "max_length"),
            ({"password": "12345678"}, "password", "password_entirely_numeric"),
            ({"email": "nowhere"}, "email", "invalid"),
        ],
    )
    def test_it_refuses_who_cannot_be(self, db: None, change: dict[str, str], field: str, code: str):
        answer = App().call("POST", "/auth/signup", {**NEWCOMER, **change})

        assert answer.status_code == 400
        assert (field, code) in [(error["param"], error["code"]) for error in answer.json()["errors"]]
        assert not User.objects.exists()
        assert not mail.outbox

    @pytest.mark.parametrize(("clock", "status"), [("2026-11-24T10:59:59Z", 400), ("2026-11-24T11:00:00Z", 401)])
    def test_it_waits_until_somebody_is_of_age_everywhere(self, db: None, clock: str, status: int):
        with time_machine.travel(clock, tick=False):
            answer = App().call("POST", "/auth/signup", {**NEWCOMER, "birth_date": "2008-11-24"})

        assert answer.status_code == status
        assert User.objects.count() == (status == 401)

    def test_it_takes_no_rights_from_what_is_sent(self, db: None):
        App().call("POST", "/auth/signup", {**NEWCOMER, "is_staff": True, "is_superuser": True, "is_active": False})

        user = User.objects.get()

        assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)

    def test_it_tells_nobody_but_the_owner_that_there_is_an_account(self, ann: User):
        taken = App().call("POST", "/auth/signup", {**NEWCOMER, "email": "ann@example.com"})
        fresh = App().call("POST", "/auth/signup", NEWCOMER)

        assert taken.status_code == fresh.status_code == 401
        assert taken.json()["data"] == fresh.json()["data"]
        assert taken.json()["meta"].keys() == fresh.json()["meta"].keys()
        assert "already exists" in mail.outbox[0].body
        assert User.objects.filter(email="ann@example.com").count() == 1
        assert Patient.objects.count() == 2

    def test_it_takes_as_long_where_there_is_an_account(self, ann: User, monkeypatch: pytest.MonkeyPatch):
        hashed: list[str | None] = []
        set_password = User.set_password

        def noted(user: User, password: str | None) -> None:
            hashed.append(user.email)
            set_password(user, password)

        monkeypatch.setattr(User, "set_password", noted)

        App().call("POST", "/auth/signup", {**NEWCOMER, "email": "ann@example.com"})
        taken = len(hashed)
        App().call("POST", "/auth/signup", NEWCOMER)

        assert taken == len(hashed) - taken == 1

    def test_it_makes_no_account_without_a_record(self, db: None, monkeypatch: pytest.MonkeyPatch):
        def fail(**_: Any) -> Any:
            raise RuntimeError

        monkeypatch.setattr(people, "register", fail)
        app = App()
        app.client.raise_request_exception = False

        answer = app.call("POST", "/auth/signup", NEWCOMER)

        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert not User.objects.exists()


class TestForgottenPasswords:
    def test_it_sets_a_new_one_by_a_code_from_the_mailbox(self, ann: User):
        elsewhere, app = App(), App()
        elsewhere.sign_in()

        app.call("POST", "/auth/password/request", {"email": "ann@example.com"})
        code = code_in(mail.outbox[0])
        answer = app.call("POST", "/auth/password/reset", {"key": code, "password": "new-" + PASSWORD})

        assert answer.status_code in (200, 401)
        assert App().sign_in(password="new-" + PASSWORD).status_code == 200
        assert App().sign_in().status_code == 400
        assert elsewhere.call("GET", "/api/v1/me").status_code == 401

    def test_it_tells_nobody_whether_there_is_an_account(self, ann: User):
        known = App().call("POST", "/auth/password/request", {"email": "ann@example.com"})
        unknown = App().call("POST", "/auth/password/request", {"email": "nobody@example.com"})

        assert known.status_code == unknown.status_code
        assert known.json()["data"] == unknown.json()["data"]


class TestOpeningAccounts:
    def test_it_counts_the_address_as_verified(self, ann: User):
        address = EmailAddress.objects.get()

        assert (address.user, address.email, address.verified, address.primary) == (ann, "ann@example.com", True, True)


def test_it_purges_sessions_that_are_over(ann: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "BATCH", 1)
    for _ in range(3):
        App().sign_in()
    Session.objects.filter(pk__in=Session.objects.values("pk")[:2]).update(expire_date=timezone.now())

    assert sessions.purge(now=timezone.now()) == 2
    assert Session.objects.count() == 1
