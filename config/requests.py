"""Each request by an id, with a line in the log and a count: by its route's template, never by what was asked.

X-Request-ID is the client's own where it is a sane one, so that a partner and we speak of the same request. It is in
the answer, in the body of a problem, and in every line that the request causes.
"""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.crypto import salted_hmac
from structlog import contextvars

from clinics import counters
from config import logs

log = logging.getLogger(__name__)

SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{7,63}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
PROBLEM = "application/problem+json"


class Requests:
    """Middleware, around all others but the probes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        key = request_id(request)
        contextvars.clear_contextvars()  # of this thread's last request
        contextvars.bind_contextvars(request_id=key)
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = key
            tell(request, response, time.perf_counter() - began)
        finally:
            contextvars.clear_contextvars()
        return response


def tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Write and count one answer."""
    method = request.method if request.method in METHODS else "other"
    route, status, code = logs.route_of(request), response.status_code, problem_code(response)
    counters.REQUESTS.labels(method, route, str(status)).inc()
    counters.SECONDS.labels(method, route).observe(seconds)
    if code:
        counters.REFUSALS.labels(code, route).inc()
    facts = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
    user = user_digest(request)
    log.info("request", extra={**facts, **({"user": user} if user else {}), **({"code": code} if code else {})})


def request_id(request: HttpRequest) -> str:
    """The id that the client gave, where it is a sane one, or a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if SANE.fullmatch(given) else uuid.uuid4().hex


def current_id() -> str:
    """The id of the request under way in this thread; empty where there is none."""
    return str(contextvars.get_contextvars().get("request_id", ""))


def user_digest(request: HttpRequest) -> str:
    """Who asked, so that their requests can be told together, and nobody can be told from it. Reads nothing anew."""
    user = getattr(request, "_cached_user", None) or request.__dict__.get("user")
    key = getattr(user, "pk", None) if type(user).__name__ == "User" else None
    return salted_hmac("config.requests.user", str(key), algorithm="sha256").hexdigest()[:16] if key else ""


def problem_code(response: HttpResponseBase) -> str:
    """The code of a refusal (RFC 9457's extension of ours), or empty: one of a fixed set of words."""
    if not response.headers.get("Content-Type", "").startswith(PROBLEM) or not isinstance(response, HttpResponse):
        return ""
    try:
        body = json.loads(response.content)
    except ValueError:
        return ""
    return str(body.get("code", ""))[:64] if isinstance(body, dict) else ""
