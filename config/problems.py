"""The one shape of an error: problem details (RFC 9457): `type`, `title`, `status`, `detail`, `code`."""

import logging
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import redis.exceptions
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, UnreadablePostError
from django.views import csrf, defaults
from rest_framework import exceptions
from rest_framework.response import Response

from clinics.refusals import NotFound, Refused
from config import requests

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# Addresses that programs call; people's pages keep Django's error pages.
FOR_PROGRAMS = ("/api/", "/auth/", "/calendar/")

# Codes of what Django and DRF refuse: part of the API's contract, whatever those call it.
CODES: dict[type[Exception], str] = {
    exceptions.ParseError: "bad_json",
    exceptions.AuthenticationFailed: "authentication_failed",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.PermissionDenied: "permission_denied",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "throttled",
}


class Invalid(Refused):
    """Fields that are missing, wrong or unknown: see `errors`."""

    code = "invalid"
    status = 400
    detail = "Something is wrong with what was sent: see errors."


class TooLarge(Refused):
    """A body that is too long to read."""

    code = "too_large"
    status = 413
    detail = "This body is too large."


class BadRequest(Refused):
    """A request that HTTP itself cannot make sense of."""

    code = "bad_request"
    status = 400
    detail = "This request could not be read."


class CsrfFailed(Refused):
    """A change asked for with a cookie, and without the token that shows that our own page asked for it."""

    code = "csrf_failed"
    status = 403
    detail = "With a session cookie, send the value of the csrftoken cookie as X-CSRFToken, from one of our own pages."


class Unavailable(Refused):
    """A server that we need is away."""

    code = "unavailable"
    status = 503
    detail = "We cannot do this right now. Try again in a few seconds, with the same Idempotency-Key."


class Unexpected(Refused):
    """A fault of ours, which we log."""

    code = "internal_error"
    status = 500
    detail = "Something went wrong on our side."


# What a server that is away raises: then a request may be sent again.
AWAY = (OperationalError, InterfaceError, redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)


def problem(*, status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """The body of an error. `type` is about:blank: `code` says all, and stays the same over versions."""
    asked = requests.current_id()
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **({"request_id": asked} if asked else {}),
        **more,
    }


def of(refusal: Refused) -> dict[str, Any]:
    """The body for a refusal. Call it after the refused work was rolled back: it may look for alternatives."""
    return problem(**{**refusal.help(), "status": refusal.status, "code": refusal.code, "detail": refusal.detail})


def answer(error: Exception, _context: Mapping[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER: the answer to what a view raised. None for what is a fault of ours."""
    headers: dict[str, str] = {}
    if isinstance(error, AWAY):
        log.error("A server is away", exc_info=error)
    refusal = as_refusal(error)
    if refusal is not None:
        return Response(of(refusal), refusal.status, headers=retry_after(refusal), content_type=CONTENT_TYPE)
    if not isinstance(error, exceptions.APIException):
        return None
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(int(getattr(error, "wait", None) or 1))
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), "refused")
    body = problem(status=error.status_code, code=code, detail=str(error.detail))
    return Response(body, error.status_code, headers=headers, content_type=CONTENT_TYPE)


def as_refusal(error: Exception) -> Refused | None:
    """What was raised as a refusal of ours, where it is one."""
    match error:
        case Refused():
            return error
        case exceptions.ValidationError():
            return Invalid(errors=dict(by_field(error.detail)))
        case Http404() | exceptions.NotFound():
            return NotFound()
        case RequestDataTooBig():
            return TooLarge()
        case UnreadablePostError():
            return BadRequest()
        case exceptions.PermissionDenied() if str(error.detail).startswith("CSRF Failed"):
            return CsrfFailed()
        case PermissionDenied():
            return NotFound()
    return Unavailable() if isinstance(error, AWAY) else None


def retry_after(refusal: Refused) -> dict[str, str]:
    """When to come again: a 503 passes."""
    return {"Retry-After": "1"} if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def by_field(detail: Any, path: str = "") -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The errors of each field as `(path, [{code, detail}])`, paths as in `address.city` and `slots.0`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from by_field(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list) and detail and all(isinstance(entry, exceptions.ErrorDetail) for entry in detail):
        name = (path.removesuffix("non_field_errors") or "body").removesuffix(".")
        yield name, [{"code": entry.code, "detail": str(entry)} for entry in detail]
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            yield from by_field(inner, f"{path}.{position}" if path else str(position))


# What never reaches a view of the API


def is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith(FOR_PROGRAMS)


def respond(refusal: Refused) -> JsonResponse:
    """A refusal as an answer, outside the API's views."""
    return JsonResponse(of(refusal), status=refusal.status, headers=retry_after(refusal), content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler400."""
    if not is_for_programs(request):
        return defaults.bad_request(request, exception)
    return respond(TooLarge() if isinstance(exception, RequestDataTooBig) else BadRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler403."""
    return respond(NotFound()) if is_for_programs(request) else defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404."""
    return respond(NotFound()) if is_for_programs(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500. Says nothing of the fault, which is in the log, unless that it passes."""
    refusal = Unavailable() if isinstance(sys.exc_info()[1], AWAY) else Unexpected()
    if is_for_programs(request):
        return respond(refusal)
    page = defaults.server_error(request)
    page.status_code = refusal.status
    return page


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    return respond(CsrfFailed()) if is_for_programs(request) else csrf.csrf_failure(request, reason)
