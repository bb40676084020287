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


class ContentSecurityPolicy:
    """Middleware: every answer carries POLICY unless its view chose another."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
