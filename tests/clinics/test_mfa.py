"""The second step of signing in: authenticator apps, recovery codes and passkeys, through allauth's API."""

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import LazySettings
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from clinics import encryption, people
from clinics.models import Session, User
from tests.passkey import Passkey
from tests.signing import PASSWORD, App, totp

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quickly(settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann(db: None) -> User:
    user = people.open_account(email="ann@example.com", password=PASSWORD)
    people.register(
        user=user, given_name="Ann", family_name="Ash", birth_date=date(1980, 2, 29), today=timezone.now().date()
    )
    return user


@pytest.fixture
def app(ann: User) -> App:
    app = App()
    app.sign_in()
    return app


def flows(answer: Any) -> dict[str, Any]:
    return {flow["id"]: flow for flow in answer.json()["data"]["flows"]}


def in_the_database() -> str:
    """Every column of every authenticator and session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator UNION ALL SELECT s::text FROM clinics_session s")
        return "\n".join(row[0] for row in cursor.fetchall())


class TestAuthenticatorApps:
    def test_it_demands_a_code_from_then_on(self, app: App):
        seed = app.set_up_totp()
        elsewhere = App()

        asked = elsewhere.sign_in()
        before = elsewhere.call("GET", "/api/v1/me")
        done = elsewhere.call("POST", "/auth/2fa/authenticate", {"code": totp(seed)})

        assert asked.status_code == 401
        assert flows(asked)["mfa_authenticate"]["is_pending"]
        assert before.status_code == 401
        assert done.status_code == 200
        assert elsewhere.call("GET", "/api/v1/me").status_code == 200

    def test_it_takes_a_recovery_code_once(self, app: App):
        app.set_up_totp()
        code = app.codes()[0]

        answers = []
        for _ in range(2):
            elsewhere = App()
            elsewhere.sign_in()
            answers.append(elsewhere.call("POST", "/auth/2fa/authenticate", {"code": code}).status_code)

        assert answers == [200, 400]

    @pytest.mark.parametrize("later", [0, 25, 45])
    def test_it_takes_no_code_twice(self, app: App, later: int):
        with time_machine.travel("2026-11-24T14:00:01Z", tick=False) as clock:
            app.sign_in()
            seed = app.set_up_totp()
            code = totp(seed, steps=1)  # of a clock that is ahead: it is taken for up to a minute
            first, second = App(), App()
            first.sign_in()
            used = first.call("POST", "/auth/2fa/authenticate", {"code": code})
            clock.shift(later)
            second.sign_in()
            again = second.call("POST", "/auth/2fa/authenticate", {"code": code})

        assert (used.status_code, again.status_code) == (200, 400)

    @pytest.mark.parametrize(("steps", "status"), [(-2, 400), (-1, 200), (0, 200), (1, 200), (2, 400)])
    def test_it_takes_a_code_of_a_clock_that_is_half_a_minute_off(self, app: App, steps: int, status: int):
        with time_machine.travel("2026-11-24T14:00:15Z", tick=False):
            app.sign_in()
            seed = app.set_up_totp()
            elsewhere = App()
            elsewhere.sign_in()
            answer = elsewhere.call("POST", "/auth/2fa/authenticate", {"code": totp(seed, steps=steps)})

        assert answer.status_code == status

    def test_it_is_set_up_only_after_the_password_once_more(self, app: App):
        asked = app.call("GET", "/account/authenticators/totp")
        seed = asked.json()["meta"]["secret"]

        refused = app.call("POST", "/account/authenticators/totp", {"code": totp(seed)})

        assert refused.status_code == 401
        assert "reauthenticate" in flows(refused)
        assert not Authenticator.objects.exists()

    @pytest.mark.django_db(transaction=True)  # the mail waits for the commit
    def test_it_tells_the_owner_by_mail(self, app: App):
        app.set_up_totp()
        app.call("DELETE", "/account/authenticators/totp")

        assert [message.subject for message in mail.outbox] == [
            "Sameday: Authenticator App Activated",
            "Sameday: Authenticator App Deactivated",
        ]


class TestPasskeys:
    def add(self, app: App, passkey: Passkey, *, passwordless: bool = True) -> Any:
        app.call("POST", "/auth/reauthenticate", {"password": PASSWORD})
        asked = app.call("GET", f"/account/authenticators/webauthn{'?passwordless' if passwordless else ''}")
        options = asked.json()["data"]["creation_options"]["publicKey"]
        body = {"name": "Phone", "credential": passkey.create(options), "passwordless": passwordless}
        return app.call("POST", "/account/authenticators/webauthn", body)

    def use(self, app: App, passkey: Passkey, path: str) -> Any:
        options = app.call("GET", path).json()["data"]["request_options"]["publicKey"]
        return app.call("POST", path, {"credential": passkey.get(options)})

    @pytest.mark.parametrize("origin", ["http://localhost", "http://localhost:8000", "https://localhost"])
    def test_it_signs_in_alone(self, app: App, origin: str):
        passkey = Passkey(origin)
        added = self.add(app, passkey)
        elsewhere = App()

        answer = self.use(elsewhere, passkey, "/auth/webauthn/login")

        assert added.status_code == 200, added.content
        assert answer.status_code == 200, answer.content
        assert elsewhere.call("GET", "/api/v1/me").json()["email"] == "ann@example.com"

    def test_it_is_a_second_step(self, app: App):
        passkey = Passkey()
        self.add(app, passkey, passwordless=False)
        elsewhere = App()
        asked = elsewhere.sign_in()

        answer = self.use(elsewhere, passkey, "/auth/webauthn/authenticate")

        assert "webauthn" in flows(asked)["mfa_authenticate"]["types"]
        assert answer.status_code == 200, answer.content

    @pytest.mark.parametrize("origin", ["http://evil.example", "https://localhost.evil.example", "http://127.0.0.1"])
    def test_it_is_of_no_use_to_another_site(self, app: App, origin: str):
        passkey = Passkey()
        self.add(app, passkey)
        passkey.origin = origin

        assert self.use(App(), passkey, "/auth/webauthn/login").status_code == 400

    def test_it_signs_nobody_in_alone_without_asking_them(self, app: App):
        passkey = Passkey()
        self.add(app, passkey)
        passkey.flags = 1  # somebody was there, and nobody knows who

        assert self.use(App(), passkey, "/auth/webauthn/login").status_code == 400

    def test_it_takes_nothing_that_another_key_signed(self, app: App):
        passkey, other = Passkey(), Passkey()
        self.add(app, passkey)
        other.id, other.user_handle = passkey.id, passkey.user_handle

        assert self.use(App(), other, "/auth/webauthn/login").status_code == 400

    def test_it_takes_no_answer_to_an_earlier_question(self, app: App):
        passkey = Passkey()
        self.add(app, passkey)
        elsewhere = App()
        options = elsewhere.call("GET", "/auth/webauthn/login").json()["data"]["request_options"]["publicKey"]
        elsewhere.call("GET", "/auth/webauthn/login")

        answer = elsewhere.call("POST", "/auth/webauthn/login", {"credential": passkey.get(options)})

        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "credential",
        [
            {},
            {"id": "a"},
            {"id": "a", "rawId": "a", "type": "public-key", "response": {}},
            {"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {"userHandle": None}},
            {"id": "YQ", "rawId": "YQ", "type": "public-key", "response": []},
            {
                "id": "YQ",
                "rawId": "YQ",
                "type": "public-key",
                "response": {"clientDataJSON": "YQ", "authenticatorData": "YQ", "signature": "YQ", "userHandle": "YQ"},
            },
            {
                "id": "YQ",
                "rawId": "YQ",
                "type": "public-key",
                "response": {"clientDataJSON": "e30", "authenticatorData": "YQ", "signature": "YQ"},
            },
            "text",
            7,
            [],
            None,
        ],
    )
    @pytest.mark.parametrize("path", ["/auth/webauthn/login", "/account/authenticators/webauthn"])
    def test_it_refuses_what_no_authenticator_says(self, app: App, credential: Any, path: str):
        app.call("POST", "/auth/reauthenticate", {"password": PASSWORD})
        app.client.raise_request_exception = False
        other = App(app.token) if "account" in path else App()
        other.client.raise_request_exception = False
        other.call("GET", path)

        answer = other.call("POST", path, {"credential": credential, "name": "x"})

        assert answer.status_code in (400, 401), answer.content


class TestAtRest:
    def test_it_keeps_no_seed_and_no_recovery_code(self, app: App):
        app.call("POST", "/auth/reauthenticate", {"password": PASSWORD})
        seed = app.call("GET", "/account/authenticators/totp").json()["meta"]["secret"]
        pending = in_the_database()
        app.call("POST", "/account/authenticators/totp", {"code": totp(seed)})

        kept = in_the_database()

        assert seed not in pending
        assert seed not in kept
        assert not [code for code in app.codes() if code in kept]
        assert {name for kind in Authenticator.objects.values_list("data", flat=True) for name in kind} <= {
            "secret", "seed", "used_mask", "viewed_at",
        }  # fmt: skip
        for authenticator in Authenticator.objects.all():
            kept_secret = authenticator.data.get("secret") or authenticator.data["seed"]
            assert kept_secret.startswith("test.gAAAA")

    def test_it_keeps_of_a_passkey_what_is_public_anyway(self, app: App):
        passkey = Passkey()
        TestPasskeys().add(app, passkey)

        data = Authenticator.objects.get(type="webauthn").data

        assert set(data) == {"name", "credential"}
        assert set(data["credential"]["response"]) == {"clientDataJSON", "attestationObject"}

    def test_it_can_be_read_after_keys_were_changed(self, app: App, settings: LazySettings):
        seed = app.set_up_totp()
        settings.ENCRYPTION_KEYS = f"{encryption.new_key('next')},{settings.ENCRYPTION_KEYS}"
        settings.SECRET_KEY = "another one"

        elsewhere = App()
        elsewhere.sign_in()
        answer = elsewhere.call("POST", "/auth/2fa/authenticate", {"code": totp(seed)})

        assert answer.status_code == 200

    def test_a_key_can_be_taken_away_once_all_is_encrypted_anew(self, app: App, settings: LazySettings):
        seed = app.set_up_totp()
        TestPasskeys().add(app, Passkey())
        code = app.codes()[0]
        new = encryption.new_key("next")
        settings.ENCRYPTION_KEYS = f"{new},{settings.ENCRYPTION_KEYS}"
        told, again = StringIO(), StringIO()
        call_command("reencrypt", stdout=told)
        call_command("reencrypt", stdout=again)
        settings.ENCRYPTION_KEYS = new

        answers = []
        for given in (totp(seed), code):
            elsewhere = App()
            elsewhere.sign_in()
            answers.append(elsewhere.call("POST", "/auth/2fa/authenticate", {"code": given}).status_code)

        assert answers == [200, 200]
        assert (told.getvalue()[:2], again.getvalue()[:2]) == ("2 ", "0 ")

    def test_who_lost_it_all_begins_anew(self, app: App, ann: User):
        app.set_up_totp()
        call_command("reset_second_factor", "Ann@example.com", reason="Lost her phone; called back.", stdout=StringIO())

        assert app.call("GET", "/api/v1/me").status_code == 401
        assert App().sign_in().status_code == 200
        with pytest.raises(CommandError):
            call_command("reset_second_factor", "nobody@example.com", reason="Lost her phone; called back.")

    def test_a_session_of_a_key_that_is_gone_is_over(self, app: App, settings: LazySettings):
        settings.ENCRYPTION_KEYS = encryption.new_key("next")

        assert app.call("GET", "/api/v1/me").status_code == 401
        assert Session.objects.count() == 1
        assert json.dumps(PASSWORD) not in in_the_database()
