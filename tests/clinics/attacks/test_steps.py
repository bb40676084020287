"""Ways around the second step, and around giving an account back."""

from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import LazySettings

from clinics import sessions
from clinics.models import Session, User
from clinics.sessions import SessionStore, TokenStore
from tests import cast
from tests.calls import sign_in
from tests.cast import at_the_same_time
from tests.clinics.attacks.acts import ANN, NEW, is_in, set_password
from tests.clinics.test_entrance import DESK, Browser
from tests.signing import PASSWORD, App, totp

pytestmark = pytest.mark.django_db


class TestHalfSignedIn:
    """A sign-in that waits for its second step, or for the address to be confirmed."""

    def test_a_new_password_ends_it(self, dora: User):
        first, thief = App(), App()
        first.sign_in(DESK)
        seed = first.set_up_totp()
        thief.sign_in(DESK)
        dora.set_password(NEW)
        dora.save(update_fields=["password"])

        answer = thief.call("POST", "/auth/2fa/authenticate", {"code": totp(seed, steps=1)})

        assert answer.status_code == 401
        assert not is_in(thief)

    def test_a_new_password_ends_it_on_the_pages_too(self, browser: Browser, dora: User):
        seed = browser.set_up_totp()
        thief = Browser()
        thief.sign_in()
        dora.set_password(NEW)
        dora.save(update_fields=["password"])

        answer = thief.send("/staff/sign-in/second-step", code=totp(seed, steps=1))

        assert (answer.status_code, answer["Location"]) == (302, "/staff/sign-in")
        assert thief.get("/api/v1/me").status_code == 401

    def test_it_ends_with_the_account(self, dora: User):
        first, thief = App(), App()
        first.sign_in(DESK)
        seed = first.set_up_totp()
        thief.sign_in(DESK)
        User.objects.update(is_active=False)

        thief.call("POST", "/auth/2fa/authenticate", {"code": totp(seed, steps=1)})

        assert not is_in(thief)

    def test_who_signed_up_with_anothers_address_is_not_let_in_when_its_owner_comes(self, db: None):
        thief, owner = App(), App()
        thief.call("POST", "/auth/signup", {"email": "vic@example.com", "password": PASSWORD, **ANN})
        set_password(owner, "vic@example.com", NEW)

        thief.call("POST", "/auth/email/verify/resend", {})
        guessed = thief.call("POST", "/auth/email/verify", {"key": "AAAA-BBBB"})

        assert guessed.status_code == 400
        assert not is_in(thief)
        assert App().sign_in("vic@example.com").status_code == 400
        assert App().sign_in("vic@example.com", NEW).status_code == 200


class TestSecondFactors:
    def test_a_code_that_signed_in_an_app_signs_in_no_page(self, dora: User):
        app, elsewhere, page = App(), App(), Browser()
        app.sign_in(DESK)
        code = totp(app.set_up_totp(), steps=1)
        elsewhere.sign_in(DESK)
        used = elsewhere.call("POST", "/auth/2fa/authenticate", {"code": code})
        page.sign_in()

        again = page.send("/staff/sign-in/second-step", code=code)
        confirmed = app.call("POST", "/auth/2fa/reauthenticate", {"code": code})

        assert (used.status_code, again.status_code, confirmed.status_code) == (200, 200, 400)
        assert page.get("/api/v1/me").status_code == 401

    @pytest.mark.django_db(transaction=True)
    def test_of_many_with_one_recovery_code_at_once_one_gets_in(self, dora: User):
        app = App()
        app.sign_in(DESK)
        app.set_up_totp()
        code = app.codes()[0]
        thieves = [App() for _ in range(4)]
        for thief in thieves:
            thief.sign_in(DESK)

        at_the_same_time(lambda thief: thief.call("POST", "/auth/2fa/authenticate", {"code": code}), thieves)

        assert sorted(is_in(thief) for thief in thieves) == [False, False, False, True]

    def test_a_recovery_code_used_on_a_page_is_used_up_for_apps(self, browser: Browser, dora: User):
        browser.set_up_totp()
        elsewhere, page = App(), Browser()
        codes = browser.get("/staff/security/recovery-codes/file").content.decode().split()
        page.sign_in()
        page.send("/staff/sign-in/second-step", code=codes[0])
        elsewhere.sign_in(DESK)

        again = elsewhere.call("POST", "/auth/2fa/authenticate", {"code": codes[0]})

        assert page.get("/api/v1/me").status_code == 200
        assert again.status_code == 400

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("DELETE", "/account/authenticators/totp", None),
            ("GET", "/account/authenticators/recovery-codes", None),
            ("POST", "/account/authenticators/recovery-codes", None),
            ("GET", "/account/authenticators/webauthn", None),
            ("POST", "/account/email", {"email": "thief@example.com"}),
        ],
    )
    def test_a_stolen_session_changes_none(self, dora: User, method: str, path: str, body: Any):
        app = App()
        app.sign_in(DESK)
        app.set_up_totp()
        minutes_ago(10)

        assert app.call(method, path, body).status_code == 401

    @pytest.mark.parametrize("path", ["app/remove", "recovery-codes", "recovery-codes/new", "passkeys/new"])
    def test_a_stolen_session_reaches_none_of_their_pages(self, browser: Browser, path: str):
        browser.set_up_totp()
        minutes_ago(10)

        answer = browser.get(f"/staff/security/{path}")

        assert (answer.status_code, answer["Location"].partition("?")[0]) in [
            (302, "/staff/confirm/password"),
            (302, "/staff/confirm/code"),
        ]

    def test_staff_who_remove_their_last_one_are_out_until_they_set_up_another(
        self, browser: Browser, settings: LazySettings
    ):
        settings.STAFF_MFA_REQUIRED = True
        browser.set_up_totp()
        was_in = browser.get("/admin/").status_code

        browser.send("/staff/security/app/remove")

        assert was_in == 200
        assert browser.get("/api/v1/me").json()["code"] == "mfa_required"
        assert browser.get("/admin/")["Location"].startswith("/staff/security?")

    def test_the_mailbox_alone_is_none(self, dora: User):
        app, thief = App(), App()
        app.sign_in(DESK)
        app.set_up_totp()

        set_password(thief, DESK, NEW)
        asked = thief.sign_in(DESK, NEW)

        assert asked.status_code == 401
        assert not is_in(thief)

    def test_the_step_of_another_account_in_the_same_session_is_none(self, dora: User):
        session = TokenStore()
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": 0}]
        session[sessions.STEPS_OF] = str(cast.make_user("other").pk)
        token = sign_in(dora, session)

        found = sessions.signed_in(TokenStore, token)

        assert found is not None
        assert not found.used_factor

    def test_pages_that_show_them_are_not_kept_by_browsers(self, browser: Browser):
        browser.confirm()
        new = browser.get("/staff/security/app")
        browser.set_up_totp()
        pages = [new, *map(browser.get, ("/staff/security", "/staff/security/recovery-codes"))]

        assert [page.status_code for page in pages] == [200] * 3
        assert all("no-store" in page["Cache-Control"] for page in pages)


def minutes_ago(minutes: int) -> None:
    """Every step of every session was taken so many minutes before it was."""
    for row in Session.objects.all():
        store = SessionStore()
        data = store.decode(row.session_data)
        for step in data.get(AUTHENTICATION_METHODS_SESSION_KEY, []):
            step["at"] -= 60 * minutes
        Session.objects.filter(pk=row.pk).update(session_data=store.encode(data))
