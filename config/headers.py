"""What browsers may load for our pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

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

# What pages may ask of a device. No page here needs any of it yet; passkeys need what is not named.
PERMISSIONS: dict[str, list[str]] = {
    name: []
    for name in (
        "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "encrypted-media",
        "geolocation", "gyroscope", "hid", "idle-detection", "interest-cohort", "magnetometer", "microphone", "midi",
        "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
    )
}  # fmt: skip


class ContentSecurityPolicy:
    """Middleware: every answer carries POLICY unless its view chose another; below /admin/ FOR_THE_ADMIN."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = FOR_THE_ADMIN if request.path.startswith(ADMIN) else POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
