"""Guessing, locking others out, and finding out who has an account."""

import pytest
from django.conf import LazySettings
from django.core import mail
from django.test import Client

from clinics.models import User
from tests import cast
from tests.calls import Caller
from tests.cast import Place
from tests.clinics.attacks.acts import NEW, set_password
from tests.clinics.test_entrance import DESK, Browser, add_passkey
from tests.signing import APP, App, hashed

pytestmark = pytest.mark.django_db


class TestLockingOthersOut:
    """Five wrong passwords shut that way in for five minutes (docs/decisions): these stay open."""

    @pytest.fixture
    def shut(self, browser: Browser, settings: LazySettings) -> Browser:
        """The browser of whom others lock out, with a passkey."""
        self.passkey = add_passkey(browser).passkey  # type: ignore[attr-defined]
        del settings.ACCOUNT_RATE_LIMITS
        for number in range(6):
            Client().post(f"{APP}/auth/login", {"email": DESK, "password": f"wrong {number}"}, "application/json")
        assert App().sign_in(DESK).status_code == 400
        return browser

    def test_who_is_in_stays_in(self, shut: Browser):
        assert shut.get("/api/v1/me").status_code == 200

    def test_a_passkey_signs_in(self, shut: Browser):
        app = App()
        options = app.call("GET", "/auth/webauthn/login").json()["data"]["request_options"]["publicKey"]

        answer = app.call("POST", "/auth/webauthn/login", {"credential": self.passkey.get(options)})

        assert answer.status_code == 200

    def test_a_new_password_by_mail_signs_in(self, shut: Browser):
        set_password(App(), DESK, NEW)

        asked = App().sign_in(DESK, NEW)

        # The password was taken: the second step is asked for.
        assert {flow["id"]: flow.get("is_pending") for flow in asked.json()["data"]["flows"]}["mfa_authenticate"]


class TestGuessingPasswords:
    def test_no_host_header_and_no_spelling_gives_more_guesses(self, dora: User, settings: LazySettings):
        del settings.ACCOUNT_RATE_LIMITS
        spellings = [DESK, DESK.upper(), "de\u017fk@example.com", " desk@example.com ", "des\u212a@example.com"]

        def guess(number: int) -> list[str]:
            answer = Client(headers={"Host": f"localhost:{number + 1}"}).post(
                f"{APP}/auth/login",
                {"email": spellings[number % len(spellings)], "password": f"wrong {number}"},
                "application/json",
            )
            return [error["code"] for error in answer.json()["errors"]]

        found = [guess(number) for number in range(7)]

        assert found[:5] == [["email_password_mismatch"]] * 5
        assert found[5:] == [["too_many_login_attempts"]] * 2

    def test_a_mail_names_no_address_that_somebody_made_up(self, dora: User):
        asked = Client(headers={"Host": "localhost:6666"}).post(
            f"{APP}/auth/password/request", {"email": DESK}, "application/json"
        )

        assert asked.status_code == 401
        assert "6666" not in f"{mail.outbox[-1].subject}{mail.outbox[-1].body}"

    def test_the_admin_has_no_page_of_its_own_to_try_them_on(self, browser: Browser):
        pages = [browser.get(path)["Location"] for path in ("/admin/password_change/", "/admin/password_change/done/")]

        assert pages == ["/staff/password", "/staff/security"]

    def test_an_open_session_tries_five_a_minute(self, browser: Browser, settings: LazySettings):
        del settings.ACCOUNT_RATE_LIMITS
        guesses = [
            browser.send("/staff/password", oldpassword=f"wrong {number}", password1=NEW, password2=NEW).status_code
            for number in range(6)
        ]

        assert guesses == [200] * 5 + [429]


class TestWhoHasAnAccount:
    def test_asking_for_a_new_password_takes_the_same_work(self, dora: User, monkeypatch: pytest.MonkeyPatch):
        found = hashed(monkeypatch)

        def work(email: str) -> tuple[int, int, int]:
            before = len(found), len(mail.outbox)
            answer = App().call("POST", "/auth/password/request", {"email": email})
            return answer.status_code, len(found) - before[0], len(mail.outbox) - before[1]

        assert work(DESK) == work("nobody@example.com") == (401, 0, 1)


def test_a_code_for_a_child_that_is_not_for_them_looks_like_none(avon: Place):
    """Twelve letters of 32 are 60 bits: nobody guesses one, and none tells that it is one."""
    child = cast.make_patient("Mia", user=False, born=cast.NOW.date().replace(year=2018))
    parent, thief = cast.make_patient("Parent").user, cast.make_patient("Thief").user
    assert parent
    parent.proxies.create(patient=child)
    made = Caller(parent).post(f"/me/dependents/{child.pk}/invitations", {"email": "sam@example.com"}).json()

    answers = [
        Caller(thief).post("/me/invitations/accept", {"code": code}).json() for code in (made["code"], "AAAA-BBBB-CCCC")
    ]

    assert made["code"].replace("-", "").isalnum()
    assert len(made["code"]) == 14
    assert [{**answer, "request_id": ""} for answer in answers] == [{**answers[0], "request_id": ""}] * 2
    assert answers[0]["status"] == 404
