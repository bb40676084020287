"""The pages where staff sign in, and what they reach before they took the second step."""

import json
import re
from contextlib import closing
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse

from clinics import entrance, people
from clinics.models import StaffRole, User
from tests import cast
from tests.calls import Caller
from tests.cast import Place
from tests.passkey import Passkey
from tests.signing import PASSWORD, App, csrf_in, totp
from tests.test_access_matrix import MATRIX
from tests.world import World

pytestmark = pytest.mark.django_db

DESK = "desk@example.com"


@pytest.fixture(autouse=True)
def _quickly(settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def _demanded(settings: LazySettings) -> None:
    settings.STAFF_MFA_REQUIRED = True


@pytest.fixture
def dora(avon: Place) -> User:
    """The front desk of Avon, with a password."""
    user = people.open_account(email=DESK, password=PASSWORD, is_staff=True)
    StaffRole.objects.create(user=user, role=StaffRole.Role.FRONT_DESK, clinic=avon.clinic)
    return user


class Browser:
    """A browser at http://localhost, that sends what the forms of a page have in them."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"Host": "localhost"})

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def send(self, path: str, **fields: str) -> Any:
        page = self.client.get(path)
        body = {"csrfmiddlewaretoken": csrf_in(page), **fields}
        return self.client.post(path, body)

    def sign_in(self, email: str = DESK, password: str = PASSWORD, **fields: str) -> Any:
        return self.send("/staff/sign-in", login=email, password=password, **fields)

    def confirm(self) -> Any:
        return self.send("/staff/confirm/password", password=PASSWORD)

    def set_up_totp(self) -> str:
        self.confirm()
        page = self.get("/staff/security/app")
        seed = re.search(r"<code>([A-Z2-7]{32})</code>", page.content.decode())
        assert seed, page.content.decode()
        body = {"csrfmiddlewaretoken": csrf_in(page), "code": totp(seed[1])}
        self.done = self.client.post("/staff/security/app", body)
        return seed[1]


@pytest.fixture
def browser(dora: User) -> Browser:
    browser = Browser()
    browser.sign_in()
    return browser


class TestPages:
    def test_each_reads_well_without_scripts_or_styles_in_it(self, browser: Browser):
        browser.set_up_totp()
        passkey = add_passkey(browser)
        names = [route.name for route in entrance.urlpatterns]
        pages = {}

        for route in entrance.urlpatterns:
            has_key = "pk" in str(route.pattern)
            answer = browser.client.get(reverse(route.name, kwargs={"pk": passkey.pk} if has_key else {}), follow=True)
            pages[route.name] = answer.status_code
            text = answer.content.decode()
            if answer["Content-Type"].startswith("text/html"):
                assert "<h1" in text, route.name
                assert not re.search(r"<script(?![^>]*(src=|application/json))|style=|onclick=", text), route.name
                assert "Traceback" not in text

        assert len(names) > 20
        assert set(pages.values()) == {200}

    def test_those_for_everybody_are_for_everybody(self):
        for name in ("account_login", "account_reset_password", "account_inactive", "account_password_reset_completed"):
            assert Client().get(reverse(name)).status_code == 200

    @pytest.mark.parametrize("name", ["account_signup", "account_signup_by_passkey", "account_request_login_code"])
    def test_there_is_none_to_sign_up(self, name: str):
        with pytest.raises(NoReverseMatch):
            reverse(name)

    def test_each_field_has_a_label_and_each_error_is_said(self, dora: User):
        answer = Browser().sign_in(password="wrong")
        text = answer.content.decode()

        assert answer.status_code == 200
        assert 'role="alert"' in text
        for field in re.findall(r'<input type="(?:text|email|password)"[^>]*id="([^"]+)"', text):
            assert f'for="{field}"' in text

    def test_their_script_is_served(self, dora: User):
        found = re.search(r'<script type="module" src="([^"]+)"', Browser().get("/staff/sign-in").content.decode())

        assert found
        with closing(Client().get(found[1])) as script:
            assert script.status_code == 200


def add_passkey(browser: Browser) -> Authenticator:
    browser.confirm()
    page = browser.get("/staff/security/passkeys/new")
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page.content.decode())
    assert found
    passkey = Passkey()
    credential = passkey.create(json.loads(found[1])["creation_options"]["publicKey"])
    answer = browser.send(
        "/staff/security/passkeys/new", name="Key", passwordless="on", credential=json.dumps(credential)
    )
    # The page was read again, so that its question changed: the first answer is none to it.
    assert answer.status_code == 200
    page = browser.get("/staff/security/passkeys/new")
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page.content.decode())
    assert found
    credential = passkey.create(json.loads(found[1])["creation_options"]["publicKey"])
    body = {
        "csrfmiddlewaretoken": csrf_in(page), "name": "Key", "passwordless": "on", "credential": json.dumps(credential)
    }  # fmt: skip
    assert browser.client.post("/staff/security/passkeys/new", body).status_code == 302
    made = Authenticator.objects.get(type="webauthn")
    made.passkey = passkey
    return made


class TestSigningIn:
    def test_it_takes_password_and_code(self, browser: Browser):
        seed = browser.set_up_totp()
        elsewhere = Browser()

        first = elsewhere.sign_in(next="/staff/password")
        second = elsewhere.send("/staff/sign-in/second-step", code=totp(seed))

        assert (first.status_code, first["Location"]) == (302, "/staff/sign-in/second-step")
        assert (second.status_code, second["Location"]) == (302, "/staff/password")
        assert elsewhere.get("/api/v1/me").json()["email"] == DESK

    def test_it_takes_a_passkey_alone(self, browser: Browser):
        passkey = add_passkey(browser).passkey
        elsewhere = Browser()
        page = elsewhere.get("/staff/sign-in")
        asked = elsewhere.get("/staff/sign-in/passkey", Accept="application/json").json()
        credential = json.dumps(passkey.get(asked["request_options"]["publicKey"]))

        answer = elsewhere.client.post(
            "/staff/sign-in/passkey", {"csrfmiddlewaretoken": csrf_in(page), "credential": credential}
        )

        assert answer.status_code == 302
        assert elsewhere.get("/api/v1/me").json()["email"] == DESK

    @pytest.mark.parametrize("credential", ["{}", "nonsense", "[" * 5_000, '{"id": "a"}', "null"])
    def test_it_refuses_what_no_passkey_says(self, dora: User, credential: str):
        elsewhere = Browser()
        page = elsewhere.get("/staff/sign-in")

        answer = elsewhere.client.post(
            "/staff/sign-in/passkey", {"csrfmiddlewaretoken": csrf_in(page), "credential": credential}
        )

        assert answer.status_code in (302, 400)
        assert elsewhere.get("/api/v1/me").status_code == 401

    @pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
    def test_it_leads_nowhere_else(self, dora: User, to: str):
        answer = Browser().sign_in(next=to)

        assert answer["Location"].startswith(("/staff/", "/admin/"))

    def test_it_says_the_same_of_a_wrong_password_and_of_nobody(self, dora: User):
        wrong, nobody = Browser().sign_in(password="wrong"), Browser().sign_in("nobody@example.com")

        def told(answer: Any) -> str:
            text = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]+', r"\1", answer.content.decode())
            return text.replace("nobody@example.com", DESK)

        assert told(wrong) == told(nobody)

    def test_it_sets_a_forgotten_password_by_a_code(self, dora: User):
        browser = Browser()
        asked = browser.send("/staff/password/forgotten", email=DESK)
        code = re.search(r"^[A-Z]{4}-[A-Z]{4}$", str(mail.outbox[0].body), re.MULTILINE)
        assert code
        browser.send(asked["Location"], code=code[0])

        done = browser.send("/staff/password/forgotten/new", password1=f"new-{PASSWORD}", password2=f"new-{PASSWORD}")

        assert done["Location"] == "/staff/password/forgotten/done"
        assert Browser().sign_in(password=f"new-{PASSWORD}").status_code == 302

    def test_it_asks_for_the_code_sent_to_an_unverified_address(self, dora: User):
        dora.emailaddress_set.update(verified=False)

        answer = Browser().sign_in()

        assert answer["Location"] == "/staff/sign-in/address"

    def test_it_does_not_let_in_who_is_switched_off(self, dora: User):
        User.objects.update(is_active=False)

        answer = Browser().sign_in()

        assert answer.status_code in (200, 302)
        assert "inactive" in answer.get("Location", "inactive")

    def test_signing_out_ends_the_session(self, browser: Browser):
        browser.send("/staff/sign-out")

        assert browser.get("/api/v1/me").status_code == 401


@pytest.mark.usefixtures("_demanded")
class TestStaffWithoutSecondStep:
    """Promise 28."""

    STAFF = ["staff here", "clinician here", "staff elsewhere", "partner"]

    @pytest.mark.parametrize("role", STAFF)
    def test_no_operation_of_the_api_answers_them(self, role: str, world: World):
        caller = Caller(world.callers[role])

        answers = {name: call(caller, world) for name, (call, _) in MATRIX.items()}

        assert {(answer.status_code, answer.json()["code"]) for answer in answers.values()} == {(403, "mfa_required")}
        assert {answer.json()["set_up_at"] for answer in answers.values()} == {"/staff/security"}

    @pytest.mark.parametrize("role", ["owner", "parent", "stranger", "nobody"])
    def test_it_is_not_demanded_of_patients(self, role: str, world: World):
        caller = Caller(world.callers[role])

        assert "mfa_required" not in {call(caller, world).content for call, _ in MATRIX.values()}
        assert caller.get("/me").status_code == (401 if role == "nobody" else 200)

    def test_a_role_alone_makes_somebody_staff(self, avon: Place):
        member = cast.make_patient("Member")
        before = Caller(member.user).get("/me").status_code
        StaffRole.objects.create(user=member.user, role=StaffRole.Role.CLINICIAN, clinic=avon.clinic)

        assert (before, Caller(member.user).get("/me").status_code) == (200, 403)

    @pytest.mark.parametrize("path", ["/staff/security/passkeys", "/staff/password", "/demo/messages"])
    def test_pages_lead_to_setting_it_up(self, browser: Browser, path: str):
        answer = browser.get(path)

        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/staff/security")

    @pytest.mark.parametrize("path", ["/staff/security", "/staff/confirm/password", "/staff/sign-out", "/"])
    def test_they_reach_what_sets_it_up(self, browser: Browser, path: str):
        assert browser.get(path).status_code == 200

    def test_the_sign_in_api_sets_it_up_and_changes_nothing_else(self, dora: User):
        app = App()
        app.sign_in(DESK)
        app.call("POST", "/auth/reauthenticate", {"password": PASSWORD})

        changes = [
            app.call("POST", "/account/password/change", {"current_password": PASSWORD, "new_password": "x" * 12}),
            app.call("PATCH", "/account/email", {"email": "other@example.com"}),
            app.call("GET", "/account/email"),
        ]
        seed = app.set_up_totp()
        before = app.call("GET", "/api/v1/me").status_code
        app.call("POST", "/auth/2fa/reauthenticate", {"code": totp(seed)})

        assert {(answer.status_code, answer.json()["code"]) for answer in changes} == {(403, "mfa_required")}
        assert before == 403
        assert app.call("GET", "/api/v1/me").status_code == 200

    def test_setting_it_up_on_the_pages_lets_them_in(self, browser: Browser):
        before = browser.get("/api/v1/me").status_code
        browser.set_up_totp()

        assert browser.done["Location"] == "/staff/security/recovery-codes"
        assert browser.get("/staff/security/recovery-codes").status_code == 200
        assert (before, browser.get("/api/v1/me").status_code) == (403, 200)

    def test_a_session_from_before_must_confirm_and_cannot_set_up_another(self, dora: User):
        old, app = Browser(), Browser()
        old.sign_in()
        app.sign_in()
        seed = app.set_up_totp()

        api = old.get("/api/v1/me")
        another = old.get("/staff/security/passkeys/new")
        confirmed = old.send(another["Location"], code=totp(seed, steps=1))

        assert (api.status_code, api.json()["code"]) == (403, "mfa_required")
        assert another["Location"].split("?")[0] == "/staff/confirm/code"
        assert confirmed["Location"] == "/staff/security/passkeys/new"
        assert old.get("/api/v1/me").status_code == 200

    def test_an_old_token_cannot_set_up_another(self, dora: User):
        old, app = App(), App()
        old.sign_in(DESK)
        app.sign_in(DESK)
        app.set_up_totp()
        old.call("POST", "/auth/reauthenticate", {"password": PASSWORD})

        answer = old.call("GET", "/account/authenticators/webauthn")

        assert (answer.status_code, answer.json()["code"]) == (403, "mfa_required")

    def test_a_factor_that_was_taken_away_is_missed_at_the_next_request(self, browser: Browser, dora: User):
        browser.set_up_totp()
        Authenticator.objects.filter(user=dora).delete()

        assert browser.get("/api/v1/me").json()["code"] == "mfa_required"

    def test_recovery_codes_alone_are_no_second_step(self, browser: Browser, dora: User):
        browser.set_up_totp()
        Authenticator.objects.filter(user=dora, type="totp").delete()

        assert browser.get("/api/v1/me").json()["code"] == "mfa_required"


def test_it_is_demanded_in_production_and_not_in_the_demo(settings: LazySettings, dora: User):
    browser = Browser()
    browser.sign_in()

    assert not settings.STAFF_MFA_REQUIRED
    assert browser.get("/api/v1/me").status_code == 200
