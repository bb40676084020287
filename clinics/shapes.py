"""What a body or a query looks like, and reading it: a missing, wrong or unknown field is a 400 that names it."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.utils.serializer_helpers import BindingDict

# What JSON says for a field. Everything else is a string, and so is everything in a query.
JSON_TYPES: list[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...], str]] = [
    (serializers.FileField, (UploadedFile,), "a file, in a form"),
    (serializers.BooleanField, (bool,), "true or false"),
    (serializers.IntegerField, (int, float), "a number"),
    (serializers.FloatField, (int, float), "a number"),
    (serializers.BaseSerializer, (dict, list), "an object"),
    (serializers.ListField, (list,), "a list"),
    (serializers.DictField, (dict,), "an object"),
    (serializers.JSONField, (object,), "JSON"),
]


# A number in a query. Python would also read 1_000, and the digits of every script.
MOST_UNKNOWN = 20  # fields that an answer names
NUMBERS = (serializers.IntegerField, serializers.FloatField)
NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?")


class Shape(serializers.Serializer[Any]):
    """What a body or a query looks like. A field it does not name is refused, and so is JSON of another type."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(wrong("body", "Send a JSON object.", "not_an_object"))
        problems: dict[str, list[exceptions.ErrorDetail]] = {}
        known = {name: field for name, field in self.fields.items() if not field.read_only}
        for name in [name for name in data if name not in known][:MOST_UNKNOWN]:
            problems |= wrong(name, "There is no such field here.", "unknown_field")
        if self.context.get("is_json", True):
            for name, value in data.items():
                if name in known and value is not None and (wanted := mistyped(known[name], value)):
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
