"""Promise 39: JSON that is too large, too deep, or means nothing."""

from typing import Any

import pytest
from django.test import Client

from config import parsers
from config.parsers import BadJson
from tests.calls import sign_in


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}{}",
        b"\xff",
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 20 + b"}",
        b'{"a": 9223372036854775808}',
        b'{"a": ' + b"1" * 100_000 + b"}",
        b'{"a": 1, "a": 2}',
        b'{"b": [{"a": 1, "a": 2}]}',
        b'{"a": "\\u0000"}',
        b'{"a\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_it_refuses_what_means_nothing(body: bytes):
    with pytest.raises(BadJson):
        parsers.loads(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 9223372036854775807}', {"a": 2**63 - 1}),
        (b'{"a": -9223372036854775807}', {"a": -(2**63) + 1}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a": "naïve"}'.encode(), {"a": "naïve"}),
        (b"[1.5, null, true]", [1.5, None, True]),
    ],
)
def test_it_reads_what_means_something(body: bytes, value: Any):
    assert parsers.loads(body) == value


def test_it_reads_to_its_depth():
    assert parsers.loads(b"[" * 32 + b"]" * 32)


class TestBodies:
    def post(self, pat: Any, body: str, content_type: str = "application/json") -> tuple[int, str]:
        headers = {"X-Session-Token": sign_in(pat.user)}
        answer = Client().post("/api/v1/me/dependents", body, content_type, headers=headers)
        return answer.status_code, answer.json()["code"]

    def test_it_refuses_bodies_that_are_too_large(self, pat: Any):
        assert self.post(pat, '{"given_name": "' + "x" * 300_000 + '"}') == (413, "too_large")

    def test_it_refuses_bodies_that_are_too_deep(self, pat: Any):
        assert self.post(pat, '{"given_name": ' + "[" * 100_000) == (400, "bad_json")

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    )
    def test_it_reads_json_alone(self, pat: Any, content_type: str):
        assert self.post(pat, "given_name=Mia", content_type) == (415, "unsupported_media_type")

    def test_it_takes_no_body_for_an_empty_one(self, pat: Any):
        assert self.post(pat, "") == (400, "invalid")
