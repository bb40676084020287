"""Keys of sessions: planted, or taken one for the other."""

import pytest
from django.conf import LazySettings
from django.test import Client

from clinics.models import User
from clinics.sessions import SessionStore
from tests.calls import sign_in
from tests.clinics.attacks.acts import is_in
from tests.clinics.test_entrance import DESK, Browser
from tests.signing import APP, BROWSER, PASSWORD, App, totp

pytestmark = pytest.mark.django_db


class TestPlantedKeys:
    """Session fixation: a key that an attacker knows before its victim signs in."""

    def test_a_token_from_before_the_second_step_is_none_after_it(self, dora: User):
        first, victim = App(), App()
        first.sign_in(DESK)
        seed = first.set_up_totp()
        victim.sign_in(DESK)
        planted = App(victim.token)

        victim.call("POST", "/auth/2fa/authenticate", {"code": totp(seed, steps=1)})

        assert is_in(victim)
        assert not is_in(planted)

    def test_a_cookie_from_before_the_second_step_is_none_after_it(self, browser: Browser, settings: LazySettings):
        seed = browser.set_up_totp()
        victim, attacker = Browser(), Browser()
        victim.sign_in()
        planted = victim.client.cookies[settings.SESSION_COOKIE_NAME].value
        attacker.client.cookies[settings.SESSION_COOKIE_NAME] = planted

        victim.send("/staff/sign-in/second-step", code=totp(seed, steps=1))

        assert victim.get("/api/v1/me").status_code == 200
        assert attacker.get("/api/v1/me").status_code == 401

    def test_a_cookie_that_the_server_never_gave_is_not_taken_up(self, dora: User, settings: LazySettings):
        victim = Browser()
        victim.client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
        victim.sign_in()

        assert victim.client.cookies[settings.SESSION_COOKIE_NAME].value != "a" * 32
        assert not SessionStore("a" * 32).load()


class TestTakingOneForTheOther:
    """A token is no cookie and a cookie no token, on whatever answers."""

    @pytest.mark.parametrize("path", ["/admin/", "/staff/security", f"{BROWSER}/auth/session", "/api/v1/me"])
    def test_a_token_in_the_cookie_is_nobody(self, dora: User, path: str, settings: LazySettings):
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = sign_in(dora)

        assert thief.get(path).status_code in (302, 401)

    @pytest.mark.parametrize("path", [f"{APP}/auth/session", "/api/v1/me"])
    def test_a_cookie_as_the_token_is_nobody(self, dora: User, path: str):
        cookie = sign_in(dora, SessionStore())

        assert Client().get(path, headers={"X-Session-Token": cookie}).status_code in (401, 410)

    def test_an_app_that_signs_in_gets_no_cookie(self, dora: User):
        client = Client()

        answer = client.post(f"{APP}/auth/login", {"email": DESK, "password": PASSWORD}, "application/json")

        assert answer.json()["meta"]["session_token"]
        assert not client.cookies
