"""The one shape of an error."""

from typing import Any

import pytest
import redis
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest
from django.test import Client
from django.urls import URLPattern, URLResolver, include, path
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.refusals import Refused

pytestmark = pytest.mark.urls(__name__)


class SlotTaken(Refused):
    """For this test."""

    code = "slot_taken_here"
    status = 409
    detail = "Somebody was faster."

    def help(self) -> dict[str, Any]:
        return {"alternatives": [1, 2, 3], "status": "no"}


RAISED: dict[str, Exception] = {
    "refused": SlotTaken(),
    "gone": Http404(),
    "forbidden": PermissionDenied("secret"),
    "strange": SuspiciousOperation("secret"),
    "fault": RuntimeError("secret"),
    "database": OperationalError("secret"),
    "connection": InterfaceError("secret"),
    "cache": redis.ConnectionError("secret"),
    "slow": exceptions.Throttled(wait=7.2),
    "nested": serializers.ValidationError(
        {"a": {"b": ["wrong"]}, "c": [{}, {"d": ["worse"]}], "non_field_errors": ["x"]}
    ),
}


class Raises(Endpoint):
    shown_as = None
    public = True

    def get(self, request: Request, name: str) -> Response:
        raise RAISED[name]


def raises(request: HttpRequest, name: str) -> Any:
    raise RAISED[name]


urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/raises/<name>", Raises.as_view()),
    path("auth/raises/<name>", raises),
    path("page/<name>", raises),
    path("", include("config.urls")),
]
handler400 = "config.problems.bad_request"
handler403 = "config.problems.permission_denied"
handler404 = "config.problems.page_not_found"
handler500 = "config.problems.server_error"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("where", ["/api/v1/raises", "/auth/raises"])
@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("gone", 404, "not_found"),
        ("forbidden", 404, "not_found"),
        ("strange", 400, "bad_request"),
        ("fault", 500, "internal_error"),
        ("database", 503, "unavailable"),
        ("connection", 503, "unavailable"),
        ("cache", 503, "unavailable"),
    ],
)
def test_it_says_what_is_wrong_and_nothing_more(client: Client, where: str, name: str, status: int, code: str):
    answer = client.get(f"{where}/{name}")

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json().keys() == {"type", "title", "status", "detail", "code", "request_id"}
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)
    assert b"secret" not in answer.content
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_it_gives_what_helps_and_keeps_its_own_members(client: Client):
    answer = client.get("/api/v1/raises/refused")

    assert answer.status_code == 409
    assert answer.json() == {
        "request_id": answer["X-Request-ID"],
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Somebody was faster.",
        "code": "slot_taken_here",
        "alternatives": [1, 2, 3],
    }


def test_it_names_fields_within_fields(client: Client):
    answer = client.get("/api/v1/raises/nested").json()

    assert answer["code"] == "invalid"
    assert answer["errors"] == {
        "a.b": [{"code": "invalid", "detail": "wrong"}],
        "c.1.d": [{"code": "invalid", "detail": "worse"}],
        "body": [{"code": "invalid", "detail": "x"}],
    }


def test_it_says_when_to_come_again(client: Client):
    answer = client.get("/api/v1/raises/slow")

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "throttled", "8")


@pytest.mark.parametrize(
    "address", ["/api/v1/nothing", "/api/nothing", "/auth/nothing", "/api/v1/clinics/", "/api/v1/clinics/1"]
)
def test_it_answers_programs_at_addresses_that_are_not(client: Client, address: str):
    answer = client.get(address)

    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (
        404, "application/problem+json", "not_found",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status"), [("gone", 404), ("forbidden", 403), ("strange", 400), ("fault", 500), ("database", 503)]
)
def test_it_answers_people_with_pages(client: Client, name: str, status: int):
    answer = client.get(f"/page/{name}")

    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")
    assert b"secret" not in answer.content
