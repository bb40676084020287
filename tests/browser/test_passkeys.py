"""A passkey in a real browser: the authenticator is Chromium's own, in software (WebAuthn level 2, section 11)."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from clinics import people
from clinics.models import Session, StaffRole, User
from tests import cast
from tests.signing import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
EMAIL = "manager@example.com"


@pytest.fixture
def manager(db: None, settings: LazySettings) -> User:
    """Somebody who works at Avon, and has to set up a second factor first."""
    settings.STAFF_MFA_REQUIRED = True
    user = people.open_account(email=EMAIL, password=PASSWORD, is_staff=True)
    StaffRole.objects.create(user=user, role=StaffRole.Role.MANAGER, clinic=cast.make_place("Avon").clinic)
    return user


class Key:
    """An authenticator of the page's browser, that knows its owner's finger."""

    def __init__(self, page: Page) -> None:
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        made = self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "isUserVerified": True}})
        self.id = made["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.devtools.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def verify(self, *, is_owner: bool) -> None:
        """From now on the finger is the owner's, or somebody else's."""
        self.devtools.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": is_owner})


@pytest.fixture
def key(page: Page) -> Key:
    return Key(page)


def add_passkey(page: Page, at: str) -> None:
    """Sign in by password, add a passkey, and sign out."""
    page.goto(f"{at}/admin/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name, so that you know it again").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()


def sign_out(page: Page) -> None:
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("main").get_by_role("button", name="Sign out").click()


def test_it_signs_staff_in_without_a_password(
    page: Page, live_server: Any, manager: User, key: Key, shot: Callable[[str], None]
):
    at = f"http://localhost:{live_server.thread.port}"

    add_passkey(page, at)
    page.wait_for_url("**/recovery*")
    page.goto(f"{at}/staff/security/passkeys")
    expect(page.get_by_role("rowheader", name="Laptop")).to_be_visible()
    shot("staff-passkeys")
    sign_out(page)
    page.goto(f"{at}/admin/")
    shot("staff-sign-in-passkey")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Avon")).to_be_visible()
    shot("dashboard-by-passkey")

    (credential,) = key.credentials()
    kept = Authenticator.objects.get(user=manager, type=Authenticator.Type.WEBAUTHN)
    assert page.url == f"{at}/admin/"
    assert (credential["rpId"], credential["isResidentCredential"], credential["signCount"]) == ("localhost", True, 2)
    assert kept.last_used_at is not None


def test_it_lets_nobody_in_by_another_finger_or_a_passkey_that_was_removed(
    page: Page, live_server: Any, manager: User, key: Key, shot: Callable[[str], None]
):
    at = f"http://localhost:{live_server.thread.port}"

    add_passkey(page, at)
    page.wait_for_url("**/recovery*")
    sign_out(page)
    key.verify(is_owner=False)
    page.goto(f"{at}/admin/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    shot("staff-sign-in-passkey-refused")
    page.goto(f"{at}/admin/")
    still_out = page.url
    key.verify(is_owner=True)
    Authenticator.objects.filter(user=manager).delete()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("Incorrect")
    shot("staff-sign-in-passkey-removed")
    page.goto(f"{at}/admin/")

    assert "/staff/sign-in" in still_out
    assert "/staff/sign-in" in page.url
    assert not Session.objects.filter(user=manager).exists()
