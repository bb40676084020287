"""What browsers may load for our pages."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django_permissions_policy import PermissionsPolicyMiddleware

# No inline script, nobody else's script, style or frame.
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Swagger UI writes styles of its own into the page.
WITH_INLINE_STYLES = f"{POLICY}; style-src 'self' 'unsafe-inline'"

# Unfold's pages are run by Alpine, which makes functions of the text in their attributes: that takes unsafe-eval. All
# scripts are still files of ours, none stands in a page, so that markup which slips in runs only as far as Alpine
# reads it; and no style stands in a page (clinics/static/clinics/admin.css holds the colours that Unfold writes there).
ADMIN = "/admin/"
FOR_THE_ADMIN = f"{POLICY}; script-src 'self' 'unsafe-eval'"

# What pages may ask of a device: nothing of this. Passkeys need what is not named.
PERMISSIONS: dict[str, str | list[str] | tuple[str]] = {
    name: []
    for name in (
        "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "encrypted-media",
        "geolocation", "gyroscope", "hid", "idle-detection", "interest-cohort", "magnetometer", "microphone", "midi",
        "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
    )
}  # fmt: skip


# On these pages somebody is in a call, or tries their camera and microphone before one.
WITH_CALLS = ("/consults/", "/console")


def for_calls() -> str:
    """POLICY for pages with calls: they speak to our sockets, which may be at another port, and to LiveKit's."""
    others = [url for url in (settings.SOCKETS_URL, settings.LIVEKIT["URL"]) if url]
    return f"{POLICY}; connect-src 'self' {' '.join(others)}"


PERMISSIONS_FOR_CALLS = {**PERMISSIONS, "autoplay": ["self"], "camera": ["self"], "microphone": ["self"]}


# Seeds and recovery codes of second factors stand on these pages: no browser keeps them for whoever comes back to it.
FOR_STAFF = "/staff/"


class DevicesForCalls:
    """Middleware, around PermissionsPolicyMiddleware: pages with calls alone may use camera and microphone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = PermissionsPolicyMiddleware.compute_header_value(PERMISSIONS_FOR_CALLS, "WITH_CALLS")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith(WITH_CALLS):
            response.headers["Permissions-Policy"] = self.policy
        return response


class NotKept:
    """Middleware: nobody keeps an answer below /staff/, unless its view says how."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith(FOR_STAFF):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class ContentSecurityPolicy:
    """Middleware: every answer carries POLICY unless its view chose another; below /admin/ FOR_THE_ADMIN."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = FOR_THE_ADMIN if request.path.startswith(ADMIN) else POLICY
        if request.path.startswith(WITH_CALLS):
            policy = for_calls()
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
