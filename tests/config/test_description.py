"""What the API says of itself."""

from contextlib import closing
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from clinics.refusals import Refused
from config.schema import refusals


@pytest.fixture(scope="module")
def description() -> Any:
    return Client().get("/api/schema").json()


def operations(description: Any) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, call) for path, calls in description["paths"].items() for method, call in calls.items()]


def test_it_is_openapi_3_1(description: Any):
    assert description["openapi"].startswith("3.1")
    assert description["info"]["title"] == "Sameday"


def test_it_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]):
    SchemaGenerator().get_schema(request=None, public=True)

    assert capsys.readouterr().err == ""


def test_it_describes_every_refusal_of_a_call(description: Any):
    for path, method, call in operations(description):
        answers = call["responses"].keys()
        assert {"400", "401", "429", "503"} <= answers, (path, method)
        assert ("404" in answers) >= ("{" in path), (path, method)
        for status, answer in call["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_it_asks_for_a_key_on_every_post(description: Any):
    for path, method, call in operations(description):
        names = [parameter["name"] for parameter in call.get("parameters", [])]
        assert ("Idempotency-Key" in names) == (method == "post"), (path, method)


def test_it_says_that_unknown_fields_are_refused(description: Any):
    bodies = {name: schema for name, schema in description["components"]["schemas"].items() if name.endswith("Request")}

    assert bodies
    for name, schema in bodies.items():
        assert schema["additionalProperties"] is False, name


def test_it_names_calls_by_what_they_do(description: Any):
    verbs = {
        "accept", "acknowledge", "add", "admit", "approve", "ask", "book", "cancel", "change", "choose", "claim",
        "complete", "confirm", "correct", "create", "decline", "end", "escalate", "extend", "join", "leave", "list",
        "open", "overbook", "pause", "pay", "quote", "read", "reject", "release", "remove", "reschedule", "resume",
        "save", "send", "set", "switch", "take", "transfer", "turn", "undo", "waive",
    }  # fmt: skip
    names = [call["operationId"] for _, _, call in operations(description)]

    assert [name for name in names if name.split("_")[0] not in verbs] == []
    assert len(names) == len(set(names))


def test_it_gives_an_example_of_every_success_with_a_body(description: Any):
    without = []
    for *_, call in operations(description):
        for status, answer in call["responses"].items():
            content = answer.get("content", {}).get("application/json", {})
            if status < "300" and content and not content.get("examples"):
                without.append(call["operationId"])

    assert without == []


def test_it_says_who_may_call(description: Any):
    both: list[Any] = [{"session token": []}, {"session cookie": []}]

    assert description["paths"]["/api/v1/me"]["get"]["security"] == both
    assert description["paths"]["/api/v1/clinics"]["get"]["security"] == [*both, {}]


def test_it_lists_every_code(description: Any):
    for refusal in refusals(Refused):
        if not refusal.__module__.startswith("tests."):
            assert f"<code>{refusal.code}</code>" in description["info"]["description"]


def test_it_gives_one_code_one_meaning():
    codes = [refusal.code for refusal in refusals(Refused) if not refusal.__module__.startswith("tests.")]

    assert sorted(codes) == sorted(set(codes))


class TestDocs:
    def test_it_can_be_read_with_assets_of_our_own(self):
        client = Client()

        page = client.get("/api/docs")
        script = client.get("/api/docs?script=")

        assert page.status_code == script.status_code == 200
        assert "://" not in page.content.decode().replace("http://testserver", "")
        assert "'unsafe-inline'" not in page["Content-Security-Policy"].split("style-src")[0]
        assert b"/api/schema" in script.content

    def test_it_is_served_whole(self, db: None):
        page = Client().get("/api/docs").content.decode()
        assets = [part.split('"')[0] for part in page.split('src="')[1:] if part.startswith("/static")]

        assert assets
        for asset in assets:
            with closing(Client().get(asset)) as answer:
                assert answer.status_code == 200
