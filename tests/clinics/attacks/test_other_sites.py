"""What another site makes the browser of its visitor do here."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from clinics.models import Attempt, User
from tests.clinics.test_entrance import DESK, Browser, add_passkey
from tests.signing import APP, PASSWORD, csrf_in, totp
from tests.test_access_matrix import snapshot

pytestmark = pytest.mark.django_db


def routes(
    entries: list[URLPattern | URLResolver], before: str = "/", kinds: tuple[Any, ...] = ()
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for entry in entries:
        route, here = before + str(entry.pattern), (*kinds, *entry.pattern.converters.values())
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route, here)
        else:
            yield route, here


def addresses() -> list[str]:
    """An address of each route there is, regular expressions aside."""
    of_kind = {"UUIDConverter": "0193601a-7c1e-7000-8000-000000000001", "IntConverter": "1"}
    found = []
    for route, kinds in routes(get_resolver().url_patterns):
        parts = route.split("<")
        values = [of_kind.get(type(kind).__name__, "x") for kind in kinds]
        path = parts[0] + "".join(
            value + part.partition(">")[2] for value, part in zip(values, parts[1:], strict=False)
        )
        if "(?P" not in route and "^" not in route:
            found.append(path)
    return found


ROSTERS = "/api/v1/employers/0193601a-7c1e-7000-8000-000000000001/rosters"
ELSEWHERE = ["https://evil.example/", "//evil.example", "/\\evil.example"]
# What takes no cookie: the app's own sign-in, by token; and what a signature stands before.
WITHOUT_COOKIE = (f"{APP}/", "/webhooks/")


class TestOtherSites:
    def test_none_makes_a_browser_that_is_signed_in_send_anything(self, browser: Browser):
        """Cross-site request forgery: a POST with the cookie and without the token, to each address."""
        browser.set_up_totp()
        Attempt.objects.all().delete()
        before = snapshot()

        forms = {path: browser.client.post(path, {"a": "1"}).status_code for path in addresses()}
        bodies = {path: browser.client.post(path, {}, "application/json").status_code for path in addresses()}
        by_cookie = {path: status for path, status in bodies.items() if not path.startswith(WITHOUT_COOKIE)}

        assert len(by_cookie) > 100
        assert {path: status for path, status in by_cookie.items() if status != 403} == {
            "/api/schema": 405,
            "/api/docs": 405,
            "/calendar/x.ics": 404,  # by its secret alone
            ROSTERS: 415,  # it takes files, not JSON
        }
        assert forms[ROSTERS] in (400, 403, 415)
        assert {path: status for path, status in {**forms, **bodies}.items() if not 400 <= status < 500} == {}
        Attempt.objects.all().delete()  # that somebody tried is counted
        assert snapshot() == before

    @pytest.mark.parametrize("to", [*ELSEWHERE, "javascript:alert(1)"])
    @pytest.mark.parametrize("path", ["/staff/sign-out", "/staff/confirm/password", "/staff/security/app"])
    def test_pages_lead_to_none(self, browser: Browser, path: str, to: str):
        browser.confirm()
        fields = {"password": PASSWORD} if path.endswith("password") else {}

        answer = browser.send(path, next=to, **fields)

        assert answer.get("Location", "/staff/").startswith(("/staff/", "/admin/"))

    @pytest.mark.parametrize("to", ELSEWHERE)
    def test_the_second_step_and_a_passkey_lead_to_none(self, browser: Browser, to: str):
        seed = browser.set_up_totp()
        passkey = add_passkey(browser).passkey  # type: ignore[attr-defined]
        by_code, by_passkey = Browser(), Browser()
        by_code.sign_in(next=to)
        asked = by_passkey.get("/staff/sign-in/passkey", Accept="application/json").json()
        credential = json.dumps(passkey.get(asked["request_options"]["publicKey"]))
        token = csrf_in(by_passkey.get("/staff/sign-in"))

        second = by_code.send("/staff/sign-in/second-step", code=totp(seed, steps=1), next=to)
        alone = by_passkey.client.post(
            "/staff/sign-in/passkey", {"csrfmiddlewaretoken": token, "credential": credential, "next": to}
        )

        assert second["Location"].startswith(("/staff/", "/admin/"))
        assert alone["Location"].startswith(("/staff/", "/admin/"))

    def test_the_way_from_the_admin_leads_to_none(self, dora: User):
        stranger = Browser()
        sent = stranger.get("/admin/login/?next=https://evil.example/")
        page = stranger.get(sent["Location"])

        signed_in = stranger.client.post(
            sent["Location"], {"csrfmiddlewaretoken": csrf_in(page), "login": DESK, "password": PASSWORD}
        )

        assert sent["Location"].startswith("/staff/sign-in?next=")
        assert signed_in["Location"].startswith(("/staff/", "/admin/"))

    def test_an_image_signs_nobody_out(self, browser: Browser):
        answers = [browser.get(path).status_code for path in ("/admin/logout/", "/staff/sign-out")]

        assert answers == [405, 200]  # a page that asks
        assert browser.get("/api/v1/me").status_code == 200
