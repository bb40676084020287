"""The API's description, OpenAPI 3.1: what every call has in common is said here once."""

# drf-spectacular's methods have no types.
# mypy: disallow-untyped-calls=False

from collections.abc import Iterator
from html import escape
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from clinics.cursors import BadCursor
from clinics.edge import Busy, Endpoint
from clinics.idempotency import BadKey, KeyReused
from clinics.openapi import PROBLEM_JSON, Problem, described
from clinics.refusals import NotFound, Refused
from clinics.second_factor import SecondFactorRequired
from clinics.shapes import Shape
from clinics.uploads import BadForm, FormParser
from config.parsers import BadJson
from config.problems import CsrfFailed, Invalid, TooLarge, Unavailable

INTRODUCTION = """
Membership primary care: clinics near a place, visits for today or tomorrow.

**Signing in.** `POST /auth/app/v1/auth/login` with `{"email": …, "password": …}` answers with `meta.session_token`:
send it as `X-Session-Token`. Browsers use `/auth/browser/v1/…` and a cookie instead, and send the `csrftoken` cookie's
value as `X-CSRFToken` with whatever changes something. Both are
[django-allauth's headless API](https://docs.allauth.org/en/latest/headless/openapi-specification/): sign-up (with
`given_name`, `family_name` and `birth_date`, or the code of an `invitation`), verification of the address by code,
reset of the password by code.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code`; for `invalid`, `errors` names the fields.

**Sending twice.** Each POST takes an `Idempotency-Key`, a new random UUID for example. Sent again with the same key,
the answer is the same one and nothing is done twice, also while the first is under way. Refusals are not kept.

**Lists** are `{results, next}`; follow `next` until it is null. **Times** are RFC 3339 with an offset, **money** is in
cents.
"""

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters, new for each new request. Sent again, the answer is the same.",
)
REQUESTS_TOO_MANY = "* `throttled`: Too many requests. Try again after as many seconds as Retry-After says."


class TokenScheme(OpenApiAuthenticationExtension):
    """How to authenticate as an app."""

    target_class = "clinics.edge.TokenAuthentication"
    name = "session token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - an override
        return {"type": "apiKey", "in": "header", "name": "X-Session-Token"}


class CookieScheme(OpenApiAuthenticationExtension):
    """How to authenticate as a browser."""

    target_class = "clinics.edge.CookieAuthentication"
    name = "session cookie"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - an override
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "With X-CSRFToken for changes."}


class Operation(AutoSchema):
    """One call, with what it shares with every other: who may call it, what it may be refused for, strict bodies."""

    @property
    def is_public(self) -> bool:
        return getattr(self.view, "public", False)

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular's own
        """The view's own docstring, if it has one: not what it inherits."""
        return (type(self.view).__doc__ or "").strip() if type(self.view) is not Endpoint else ""

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:  # noqa: ARG002 - an override
        """A shape inside a view is named after both, `HoldsAsked`: many views have an `Asked`."""
        kind = serializer if isinstance(serializer, type) else type(serializer)
        return kind.__qualname__.rpartition("<locals>.")[2].replace(".", "")

    def get_auth(self) -> list[dict[str, Any]]:
        schemes: list[dict[str, Any]] = super().get_auth()
        return [*schemes, {}] if self.is_public and {} not in schemes else schemes

    def get_override_parameters(self) -> list[Any]:
        return [IDEMPOTENCY_KEY] if self.method == "POST" and isinstance(self.view, Endpoint) else []

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)
        kind = serializer if isinstance(serializer, type) else type(serializer)
        if not kind.__doc__:
            schema.pop("description", None)  # a docstring that it inherits says nothing of it
        return {**schema, "additionalProperties": False} if issubclass(kind, Shape) else schema

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        responses = super()._get_response_bodies(direction)
        if isinstance(self.view, Endpoint) and direction == "response":
            for status, words in self.shared_problems():
                self.add(responses, str(status), words)
        return responses

    def shared_problems(self) -> Iterator[tuple[int, str]]:
        """The statuses that any call like this may have, each with its codes in words."""
        changes = self.method not in ("GET", "HEAD")
        unreadable: list[type[Refused]] = [Invalid, *([BadCursor] if self.is_paged() else [])]
        if changes:
            is_form = self.view.parser_classes[0].media_type == FormParser.media_type
            unreadable += [BadForm if is_form else BadJson, *([BadKey] if self.method == "POST" else [])]
            yield 413, described([TooLarge])
            yield 415, f"* `unsupported_media_type`: Send {self.view.parser_classes[0].media_type}."
            yield 403, described([CsrfFailed])
        if self.method == "POST":
            yield 422, described([KeyReused])
        if not self.is_public:
            yield 401, "* `not_authenticated`: Sign in first.\n* `authentication_failed`: This session is over."
        else:
            yield 401, "* `authentication_failed`: This session is over. Sign in again, or call without it."
        yield 403, described([SecondFactorRequired])
        if "{" in self.path:
            yield 404, described([NotFound])
        yield 400, described(unreadable)
        yield 429, REQUESTS_TOO_MANY
        yield 503, described([Busy, Unavailable] if changes else [Unavailable])

    def is_paged(self) -> bool:
        """Whether it takes a cursor."""
        return any(parameter["name"] == "cursor" for parameter in self._get_parameters())

    def add(self, responses: dict[str, Any], status: str, words: str) -> None:
        """Say `words` of `status`, besides what the view says of it."""
        if status not in responses:
            problem = OpenApiResponse(Problem, description=words)
            responses[status] = self._get_response_for_code(problem, status, [PROBLEM_JSON])
        elif words not in responses[status].get("description", ""):
            responses[status]["description"] = f"{responses[status].get('description', '')}\n{words}".strip()


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:  # noqa: ARG001
    """drf-spectacular's hook: the introduction, and every code that there is."""
    codes = {refusal.code: refusal for refusal in refusals(Refused)}
    # In HTML, and without a blank line: so the page of the docs folds it, and the calls are not far below it.
    rows = "\n".join(
        f"<tr><td><code>{code}</code></td><td>{codes[code].status}</td><td>{escape(codes[code].detail)}</td></tr>"
        for code in sorted(codes)
    )
    table = f"<table>\n<tr><th>code</th><th>status</th><th></th></tr>\n{rows}\n</table>"
    folded = f"<div><details>\n<summary>All codes</summary>\n{table}\n</details></div>"
    result["info"]["description"] = f"{INTRODUCTION}\n{folded}\n"
    return result


def refusals(kind: type[Refused]) -> Iterator[type[Refused]]:
    """Every kind of refusal that is loaded."""
    for inner in kind.__subclasses__():
        yield inner
        yield from refusals(inner)
