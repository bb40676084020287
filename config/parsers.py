"""Reading JSON that strangers send: what is too large, too deep or means nothing is refused first of all."""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase
from rest_framework.parsers import BaseParser

from clinics.refusals import Refused
from config import problems

DEEPEST = 32
BIGGEST = 2**63 - 1  # PostgreSQL's bigint
DIGITS = 19
HALF_A_PAIR = re.compile("[\ud800-\udfff]")


class BadJson(Refused):
    """A body that is not JSON, or JSON that nothing here could mean."""

    code = "bad_json"
    status = 400
    detail = "This body is not JSON in UTF-8."


def loads(body: bytes) -> Any:
    """`body` as JSON (RFC 8259), stricter than Python's reader.

    Raises BadJson for anything nested more than DEEPEST levels, for NaN and Infinity, for numbers beyond a bigint or a
    double, for an object that names a member twice, and for text with NUL or half a surrogate pair, which PostgreSQL
    does not keep.
    """
    try:
        text = body.decode()
        value = json.loads(
            text, parse_int=whole, parse_float=finite, parse_constant=no_constant, object_pairs_hook=without_twins
        )
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadJson from error
    except RecursionError as error:
        raise BadJson(f"JSON here is at most {DEEPEST} levels deep.") from error
    check(value)
    return value


def whole(digits: str) -> int:
    number = int(digits) if len(digits.lstrip("-")) <= DIGITS else BIGGEST + 1
    if abs(number) > BIGGEST:
        raise BadJson("A number in this body is too big.")
    return number


def finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson("A number in this body is too big.")
    return number


def no_constant(name: str) -> Any:
    raise BadJson(f"{name} is not JSON.")


def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise BadJson("An object in this body names a member twice.")
    return members


def check(value: Any) -> None:
    """Raises BadJson for what is too deep, and for text that cannot be kept. Without recursion."""
    level = [value]
    for depth in range(DEEPEST + 1):
        for text in (entry for entry in level if isinstance(entry, str)):
            if "\0" in text or HALF_A_PAIR.search(text):
                raise BadJson("Text in this body has a NUL or half a surrogate pair.")
        if depth == DEEPEST and any(isinstance(entry, dict | list) for entry in level):
            raise BadJson(f"JSON here is at most {DEEPEST} levels deep.")
        level = [inner for entry in level for inner in parts(entry)]


def parts(value: Any) -> Iterator[Any]:
    """What stands directly in `value`, names of members included."""
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value


class StrictJSONParser(BaseParser):
    """The API's parser: `loads`, within DATA_UPLOAD_MAX_MEMORY_SIZE."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], *_: Any, **__: Any) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise RequestDataTooBig
        return loads(body)


class CheckSignInBodies:
    """Middleware that lets allauth's views, which read JSON in their own way, see none that ours would refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/auth/") and request.method not in ("GET", "HEAD"):
            try:
                if request.body and not isinstance(loads(request.body), dict):
                    raise BadJson("Send a JSON object.")
            except BadJson as refusal:
                return problems.respond(refusal)
        return self.get_response(request)
