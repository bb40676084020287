"""The edge of the API: what every view of every app has in common.

    class Holds(Endpoint):
        class Wanted(Shape):
            slot = SlotField()

        def post(self, request: Request) -> Response:
            wanted = parse(self.Wanted, request.data)
            ...
            return Response(..., status=201)

        def replay(self, request: Request, body: Any, **_: Any) -> Any:
            access.held(self.caller, uuid.UUID(body["id"]), now=timezone.now())
            return body

Refusals (clinics.refusals) and errors become problems in config.problems; limits are in config.throttling and .parsers.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db import NotSupportedError, OperationalError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import authentication, exceptions, permissions, serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import BindingDict
from rest_framework.views import APIView

from clinics import cursors, idempotency, sessions
from clinics.faults import is_outdated, sqlstate
from clinics.idempotency import Answer
from clinics.models import User
from clinics.refusals import Refused

log = logging.getLogger(__name__)

DEADLOCK_DETECTED, SERIALIZATION_FAILURE, LOCK_NOT_AVAILABLE = "40P01", "40001", "55P03"
RETRIES = 3
SAFE = ("GET", "HEAD")
ROW = TypeVar("ROW")


class Busy(Refused):
    """Others hold what this request needs, for longer than it may wait."""

    code = "busy"
    status = 503
    detail = "Others are changing the same thing right now. Try again in a second, with the same Idempotency-Key."


# Who is calling


class TokenAuthentication(authentication.BaseAuthentication):
    """By X-Session-Token, as the app client's login gives it."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        token = request.headers.get("X-Session-Token")
        if token is None:
            return None
        user = sessions.signed_in(sessions.TokenStore, token)
        if user is None:
            raise exceptions.AuthenticationFailed("This session is over, or never was. Sign in again.")
        return user, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - an override
        return 'X-Session-Token realm="Sameday"'


class CookieAuthentication(authentication.SessionAuthentication):
    """By the session cookie, as the browser client's login sets it; what changes anything needs the CSRF token, too."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        user = sessions.signed_in(sessions.SessionStore, key) if key else None
        if user is None:
            return None
        self.enforce_csrf(request)
        return user, None


class SignedIn(permissions.BasePermission):
    """Anybody who is signed in; on a public view everybody. Which records they see is said by `access`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return getattr(view, "public", False) or request.user.is_authenticated


class Endpoint(APIView):
    """A view of the API: JSON, signed in unless `public`, each POST once per Idempotency-Key, deadlocks tried again.

    A view with a `post` has a `replay`, too: by the time a key is sent again, its caller may see less than then.
    A `get` that takes parameters parses them in the shape `Asked`; no other call takes any.
    """

    Asked: ClassVar[type["Shape"]]

    public: ClassVar[bool] = False
    is_personal = False  # whether the answer is for somebody who is signed in

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    authentication_classes = [TokenAuthentication, CookieAuthentication]
    permission_classes = [SignedIn]
    renderer_classes = [JSONRenderer]
    metadata_class = None

    @property
    def caller(self) -> User:
        """Who is signed in, on a view that is not public."""
        user = self.request.user
        if not isinstance(user, User):
            raise exceptions.NotAuthenticated
        return user

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:
        """As much of `body`, which answered this POST before, as a fresh GET would show the caller now.

        The same for all who may still see it. Raises what that GET would: NotFound, for example. There is no default,
        for who may see an answer is known to its view alone.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say who may see its answer again.")

    def initial(self, request: Request, *_args: Any, **_kwargs: Any) -> None:
        # There is one format, whatever the client accepts. Calls that fail to authenticate count against limits, too.
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request, force=True)
        try:
            self.perform_authentication(request)
        except exceptions.AuthenticationFailed:
            self.check_throttles(request)
            raise
        self.is_personal = request.user.is_authenticated
        self.check_throttles(request)
        self.check_permissions(request)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.args, self.kwargs = args, kwargs
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(asked, *args, **kwargs)
            self.check_query(asked)
            name = (asked.method or "").lower()
            handler = getattr(self, name, None) if name in self.http_method_names else None
            response = self.run(asked, lambda: (handler or self.http_method_not_allowed)(asked, *args, **kwargs))
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(asked, response, *args, **kwargs)
        patch_vary_headers(self.response, ["X-Session-Token", "Cookie"])
        if self.is_personal:
            self.response["Cache-Control"] = "no-store"
        return self.response

    def check_query(self, request: Request) -> None:
        """Raises ValidationError (400) for parameters of a call that takes none."""
        if request.method not in SAFE or not hasattr(self, "Asked"):
            parse(Shape, request.query_params)

    def run(self, request: Request, work: Callable[[], Response]) -> Response:
        """Do the work of a request: a POST with a key once, and again after a deadlock, or a migration meanwhile.

        Raises Busy when deadlocks go on or a lock is not to be had in time. Without a key the work is no transaction
        here, so that it may be done again only because a view makes one call, which has its own.
        """
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None and request.user.is_authenticated:
            return again(lambda: self.once(request, key, work))
        return again(work)

    def once(self, request: Request, key: str, work: Callable[[], Response]) -> Response:
        """The answer of `work`, or the one it gave to this key before, which says so in `Idempotent-Replayed`.

        The latter is authorised anew, by `replay`.
        """

        def answer() -> Answer:
            response = work()
            return Answer(response.status_code, response.data)

        given = idempotency.once(
            user=self.caller,
            path=request.path,
            key=key,
            asked=[request.META["QUERY_STRING"], request.data],
            work=answer,
        )
        if not given.replayed:
            return Response(given.body, status=given.status)
        body = self.replay(request, given.body, **self.kwargs)
        return Response(body, status=given.status, headers={"Idempotent-Replayed": "true"})


def again(work: Callable[[], Response]) -> Response:
    """Do `work` again when PostgreSQL chose it as a deadlock's victim: RETRIES times, then raises Busy.

    Once more, too, when a migration had outdated what it sent: it was rolled back, and is prepared anew.
    """
    try:
        return again_after_deadlocks(work)
    except NotSupportedError as error:
        if not is_outdated(error):
            raise
        log.warning("Rolled back: a migration came after this connection prepared its statements")
        return again_after_deadlocks(work)


def again_after_deadlocks(work: Callable[[], Response]) -> Response:
    """Do `work` again when PostgreSQL chose it as a deadlock's victim: RETRIES times, then raises Busy."""
    for attempt in range(RETRIES + 1):
        try:
            return work()
        except OperationalError as error:
            state = sqlstate(error)
            if state == LOCK_NOT_AVAILABLE:
                raise Busy from error
            if state not in (DEADLOCK_DETECTED, SERIALIZATION_FAILURE):
                raise
            log.warning("Rolled back by PostgreSQL (%s), attempt %d", state, attempt + 1)
            if attempt == RETRIES:
                raise Busy from error
            # Those who met once should not meet again: chance takes them apart.
            time.sleep(random.uniform(0.005, 0.05) * (attempt + 1))  # noqa: S311 - no secret
    raise AssertionError("unreachable")


# What was asked

# What JSON says for a field. Everything else is a string, and so is everything in a query.
JSON_TYPES: list[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...], str]] = [
    (serializers.BooleanField, (bool,), "true or false"),
    (serializers.IntegerField, (int, float), "a number"),
    (serializers.FloatField, (int, float), "a number"),
    (serializers.BaseSerializer, (dict, list), "an object"),
    (serializers.ListField, (list,), "a list"),
    (serializers.DictField, (dict,), "an object"),
    (serializers.JSONField, (object,), "JSON"),
]


# A number in a query. Python would also read 1_000, and the digits of every script.
NUMBERS = (serializers.IntegerField, serializers.FloatField)
NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?")


class Shape(serializers.Serializer[Any]):
    """What a body or a query looks like. A field it does not name is refused, and so is JSON of another type."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(wrong("body", "Send a JSON object.", "not_an_object"))
        problems: dict[str, list[exceptions.ErrorDetail]] = {}
        for name in [name for name in data if name not in self.fields or self.fields[name].read_only][:20]:
            problems |= wrong(name, "There is no such field here.", "unknown_field")
        if self.context.get("is_json", True):
            for name, value in data.items():
                if name not in problems and value is not None and (wanted := mistyped(self.fields[name], value)):
                    problems |= wrong(name, f"This is {wanted} in JSON.", "wrong_type")
        else:
            for name, value in data.items():
                if isinstance(self.fields.get(name), NUMBERS) and not NUMBER.fullmatch(value):
                    problems |= wrong(name, "A valid number is required.", "invalid")
        if problems:
            raise serializers.ValidationError(problems)
        return super().to_internal_value(data)


def wrong(field: str, detail: str, code: str) -> dict[str, list[exceptions.ErrorDetail]]:
    """One field's error, as ValidationError takes it."""
    return {field: [exceptions.ErrorDetail(detail, code)]}


def mistyped(field: serializers.Field[Any, Any, Any, Any], value: Any) -> str:
    """What `field` is in JSON, where `value` is something else; otherwise an empty text."""
    for kind, types, words in JSON_TYPES:
        if isinstance(field, kind):
            is_right = isinstance(value, types) and (bool in types or object in types or not isinstance(value, bool))
            return "" if is_right else words
    return "" if isinstance(value, str) else "a string"


def parse(shape: type[Shape], source: Any) -> dict[str, Any]:
    """What `source` (`request.data` or `request.query_params`) says, in the form of `shape`.

    Raises ValidationError (400, `errors` by field) for what is missing, wrong, unknown, or a parameter given twice.
    """
    if not isinstance(source, dict):
        raise serializers.ValidationError(wrong("body", "Send a JSON object.", "not_an_object"))
    form = shape(context={"is_json": not isinstance(source, QueryDict)})
    form.fields = fields_of(shape)
    form.initial_data = flat(form, source) if isinstance(source, QueryDict) else source
    form.is_valid(raise_exception=True)
    asked: dict[str, Any] = form.validated_data
    return asked


@cache
def fields_of(shape: type[Shape]) -> BindingDict:
    """The fields of `shape`, bound once: checking leaves them as they are, and copying them took as long again."""
    return shape().fields


def flat(shape: Shape, query: QueryDict) -> dict[str, Any]:
    """A query as a plain mapping: a list where the shape wants one, otherwise the one value that there may be."""
    asked: dict[str, Any] = {}
    for name, values in query.lists():
        if any("\0" in value for value in (name, *values)):
            raise serializers.ValidationError(wrong(name.replace("\0", "�"), "NUL is not text.", "null"))
        if isinstance(shape.fields.get(name), (serializers.ListField, serializers.MultipleChoiceField)):
            asked[name] = values
        elif len(values) > 1:
            raise serializers.ValidationError(wrong(name, "Give this once.", "given_twice"))
        else:
            asked[name] = values[0]
    return asked


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field[datetime, str, str, datetime]):
    """An instant as RFC 3339 has it, with a full offset. Its `+`, which arrives as a blank from a query, may be one."""

    default_error_messages = {
        "invalid": "Give date, time and offset as in 2026-11-12T09:00:00-05:00.",
        "far": "This is too far from now.",
    }
    FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[Zz]|[+ -]\d\d:\d\d)", re.ASCII)
    YEARS = range(1900, 2200)

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not self.FORM.fullmatch(data):
            self.fail("invalid")
        try:
            instant = datetime.fromisoformat(data.upper().replace(" ", "+"))
        except ValueError:
            self.fail("invalid")
        if instant.year not in self.YEARS:
            self.fail("far")
        return instant.astimezone(UTC)

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class DayField(serializers.DateField):
    """A date as YYYY-MM-DD, between 1900 and 2199."""

    FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not self.FORM.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        day = super().to_internal_value(value)
        if day.year not in InstantField.YEARS:
            raise serializers.ValidationError("This is too far from now.", "far")
        return day


class LanguageField(serializers.CharField):
    """A language as BCP 47 tags it, such as es or zh-Hant-TW, in whatever case; it becomes the usual one."""

    default_error_messages = {"invalid": "Give a BCP 47 code, such as es."}
    FORM = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})?")

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 12, "help_text": "BCP 47 code, such as es.", **options})

    def to_internal_value(self, data: Any) -> str:
        tag = super().to_internal_value(data)
        if not self.FORM.fullmatch(tag):
            self.fail("invalid")
        language, _, more = tag.lower().partition("-")
        # RFC 5646, section 2.1.1: regions in capitals, scripts with one.
        usual = {2: more.upper(), 4: more.title()}.get(len(more), more)
        return f"{language}-{usual}" if more else language


# Pages


class Paged(Shape):
    """The parameters of a list that comes in pages."""

    limit = serializers.IntegerField(min_value=1, max_value=200, default=50, help_text="How many at most.")
    cursor = serializers.CharField(
        required=False, max_length=cursors.LONGEST, help_text="From `next`; do not make one up."
    )


def page(
    request: Request,
    rows: QuerySet[Any, ROW],
    *,
    asked: Mapping[str, Any],
    by: Sequence[str],
    show: Callable[[ROW], Any],
) -> dict[str, Any]:
    """One page of `rows`, as `{results, next}`, ordered by the columns `by`: together unique, `-` for descending.

    `asked` is what was parsed by a shape of `Paged`; `show` makes JSON of a row (a model or a mapping). The next page
    begins after the last row of this one, whatever was added or removed in between. Raises BadCursor.
    """
    rows = rows.order_by(*by)
    if "cursor" in asked:
        rows = rows.filter(after(by, last_of(request, asked["cursor"], by)))
    found = list(rows[: asked["limit"] + 1])
    shown = found[: asked["limit"]]
    following = None
    if len(found) > len(shown):
        values = [plain(shown[-1], column.removeprefix("-")) for column in by]
        following = next_link(request, cursors.encode({"list": request.path, "by": [*by], "after": values}))
    return {"results": [show(row) for row in shown], "next": following}


def next_link(request: Request, cursor: str) -> str:
    """The address of the next page: this one's, with `cursor`."""
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def last_of(request: Request, cursor: str, by: Sequence[str]) -> list[Any]:
    """The values of the last row of the page before. Raises BadCursor when the cursor is not this list's."""
    place = cursors.decode(cursor)
    values = place.get("after")
    if place.get("list") != request.path or place.get("by") != [*by] or not isinstance(values, list):
        raise cursors.BadCursor
    return values


def after(by: Sequence[str], values: Iterable[Any]) -> Q:
    """The condition of standing behind the row with `values`. Its first part alone is what an index serves."""
    first, condition, same = Q(), Q(), Q()
    for column, value in zip(by, values, strict=True):
        name, beyond = (column[1:], "lt") if column.startswith("-") else (column, "gt")
        first = first or Q(**{f"{name}__{beyond}e": value})
        condition |= same & Q(**{f"{name}__{beyond}": value})
        same &= Q(**{name: value})
    return first & condition


def plain(row: Any, column: str) -> Any:
    """The value of a row's column as JSON."""
    value = getattr(row, column) if isinstance(row, Model) else row[column]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, int | float | str) else str(value)
