"""Staff who have not taken the second step reach the pages that set it up: no admin, no page, no API besides."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from clinics import second_factor, sessions
from clinics.refusals import Refused
from config import problems

# The API's own views ask for themselves (clinics.edge), in the statement that finds the caller anyway.
API = "/api/v1/"
# What everybody may see, and what signs in and out.
OPEN = {
    "landing",
    "docs",
    "schema",
    "account_login",
    "account_logout",
    "account_inactive",
    "account_email_verification_sent",
    "account_reset_password",
    "account_confirm_password_reset_code",
    "account_complete_password_reset",
    "account_password_reset_completed",
    "mfa_authenticate",
    "mfa_login_webauthn",
}
SETS_UP = {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"}
CONFIRMS = {"mfa_reauthenticate", "mfa_reauthenticate_webauthn"}
# allauth's API: signing in and confirming, and for those who have no second factor yet setting it up.
SIGNS_IN_BY_API = re.compile(r"/auth/(app|browser)/v1/(auth/.*|config)")
SETS_UP_BY_API = re.compile(r"/auth/(app|browser)/v1/account/authenticators(/.*)?")


class BadCredential(Refused):
    """A passkey's answer that has not the form of one."""

    code = "bad_credential"
    status = 400
    detail = "This `credential` is not what navigator.credentials gave, as JSON."


class Required:
    """Middleware. Costs one statement on a page or a call of /auth that comes with a session, none on the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponseBase | None:
        if request.path.startswith(API):
            return None
        if request.method == "POST" and is_garbled(request):
            return problems.respond(BadCredential())
        if not settings.STAFF_MFA_REQUIRED:
            return None
        name = request.resolver_match.url_name if request.resolver_match else None
        is_auth = request.path.startswith("/auth/")
        if SIGNS_IN_BY_API.fullmatch(request.path) if is_auth else name in OPEN:
            return None
        signed_in = who(request)
        if signed_in is None or not second_factor.is_lacking(signed_in):
            return None
        if is_auth:
            may = not signed_in.has_factor and SETS_UP_BY_API.fullmatch(request.path) is not None
        else:
            may = name in (CONFIRMS if signed_in.has_factor else SETS_UP)
        if may:
            return None
        if problems.is_for_programs(request):
            return problems.respond(second_factor.SecondFactorRequired())
        page = reverse("mfa_reauthenticate" if signed_in.has_factor else "mfa_index")
        return HttpResponseRedirect(f"{page}?{urlencode({'next': request.get_full_path()})}")


def is_garbled(request: HttpRequest) -> bool:
    """Whether a request brings a passkey's answer that nobody could read. Its body is JSON by now, where it must be."""
    if request.path.startswith("/auth/"):
        body = json.loads(request.body) if "/webauthn" in request.path and request.body else {}
        # Without one the form itself says that it is missing.
        return body.get("credential") is not None and not second_factor.is_credential(
            body["credential"], is_new="/authenticators/" in request.path
        )
    if not request.path.startswith("/staff/") or not request.POST.get("credential"):
        return False
    try:
        credential = json.loads(request.POST["credential"])
    except (ValueError, RecursionError):
        return True
    return not second_factor.is_credential(credential, is_new=request.path.endswith("/new"))


def who(request: HttpRequest) -> sessions.SignIn | None:
    """Who is signed in by whatever the request carries: a token counts for the app's calls alone, as in allauth."""
    token = request.headers.get("X-Session-Token")
    if token and request.path.startswith("/auth/app/"):
        return sessions.signed_in(sessions.TokenStore, token)
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    return sessions.signed_in(sessions.SessionStore, cookie) if cookie else None
