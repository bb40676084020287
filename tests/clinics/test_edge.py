"""The edge that all views share, tried with views of its own."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.http import QueryDict
from django.test import Client
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import edge, sessions
from clinics.edge import Endpoint
from clinics.models import Calendar, Session, User
from clinics.paging import Paged, page
from clinics.sessions import SessionStore, TokenStore
from clinics.shapes import DayField, InstantField, LanguageField, Shape, parse
from tests import cast, owner
from tests.calls import Caller, sign_in
from tests.canaries import FAMILY_NAME
from tests.cast import at_the_same_time

pytestmark = pytest.mark.urls(__name__)


class Own(Endpoint):
    shown_as = None

    def get(self, request: Request) -> Response:
        return Response({"email": self.caller.email, "patient": self.caller.patient.name})

    def post(self, request: Request) -> Response:
        return Response(request.data, status=201)


class Open(Endpoint):
    shown_as = None
    public = True

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user)})


class Listed(Endpoint):
    shown_as = None
    public = True
    Asked = Paged

    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        by = ["-kind", "id"]
        return Response(
            page(request, Calendar.objects.all(), asked=asked, by=by, show=lambda row: row.kind + row.pk.hex)
        )


class Crossing(Endpoint):
    """Locks two rows, in the order that its caller asks for, and between them waits once for another who does."""

    shown_as = None
    has_met: threading.Event
    meeting: threading.Barrier

    class Asked(Shape):
        keys = serializers.ListField(child=serializers.UUIDField())

    def post(self, request: Request) -> Response:
        asked = parse(self.Asked, request.data)
        with transaction.atomic():
            for key in asked["keys"]:
                User.objects.select_for_update().get(pk=key)
                if not self.has_met.is_set():
                    self.meeting.wait(60)
        return Response({}, status=201)


class Waiting(Endpoint):
    shown_as = None

    class Asked(Shape):
        key = serializers.UUIDField()

    def post(self, request: Request) -> Response:
        asked = parse(self.Asked, request.data)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
            User.objects.select_for_update().get(pk=asked["key"])
        return Response({}, status=201)


urlpatterns = [
    path("api/v1/own", Own.as_view()),
    path("api/v1/open", Open.as_view()),
    path("api/v1/listed", Listed.as_view()),
    path("api/v1/crossing", Crossing.as_view()),
    path("api/v1/waiting", Waiting.as_view()),
]


class TestWhoIsCalling:
    def test_it_knows_the_holder_of_a_token_and_their_record_in_one_query(
        self, pat: Any, django_assert_num_queries: Any
    ):
        caller = Caller(pat.user)

        with django_assert_num_queries(1):
            answer = caller.get("/own")

        assert answer.json() == {"email": pat.user.email, "patient": f"Pat {FAMILY_NAME}"}
        assert answer["Cache-Control"] == "no-store"
        assert {"X-Session-Token", "Cookie"} <= set(answer["Vary"].split(", "))

    def test_it_knows_the_holder_of_a_cookie_in_one_query(self, pat: Any, django_assert_num_queries: Any):
        client = Client()
        client.force_login(pat.user)

        with django_assert_num_queries(1):
            answer = client.get("/api/v1/own")

        assert answer.status_code == 200

    @pytest.mark.parametrize("address", ["/own", "/open"])
    def test_it_refuses_a_token_that_is_none_even_where_nobody_needs_one(self, db: None, address: str):
        answer = Caller().get(address, {}, **{"X-Session-Token": "made-up"})

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'X-Session-Token realm="Sameday"'
        assert answer.json()["code"] == "authentication_failed"

    def test_it_asks_nobody_to_sign_in_first(self, db: None, django_assert_num_queries: Any):
        with django_assert_num_queries(0):
            answer = Caller().get("/own")

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer["WWW-Authenticate"]

    def test_it_lets_everybody_in_where_it_is_public(self, db: None):
        assert Caller().get("/open").json() == {"user": "AnonymousUser"}

    def test_it_wants_a_csrf_token_with_a_cookie_that_changes_something(self, pat: Any):
        client = Client(enforce_csrf_checks=True)
        client.force_login(pat.user)
        client.cookies["csrftoken"] = "a" * 32

        without = client.post("/api/v1/own", {}, "application/json")
        with_it = client.post("/api/v1/own", {}, "application/json", headers={"X-CSRFToken": "a" * 32})

        assert (without.status_code, without.json()["code"]) == (403, "csrf_failed")
        assert with_it.status_code == 201

    def test_it_takes_no_token_for_a_cookie_and_no_cookie_for_a_token(self, pat: Any):
        token = sign_in(pat.user)
        client = Client()
        client.force_login(pat.user)
        cookie = client.cookies["sessionid"].value
        thief = Client()
        thief.cookies["sessionid"] = token

        as_cookie = thief.get("/api/v1/own")
        as_token = Caller().get("/own", {}, **{"X-Session-Token": cookie})

        assert as_cookie.status_code == 401
        assert as_token.status_code == 401

    def test_it_takes_nothing_that_stands_in_the_database(self, pat: Any):
        sign_in(pat.user)
        kept = Session.objects.get().session_key

        assert Caller().get("/own", {}, **{"X-Session-Token": kept}).status_code == 401
        assert TokenStore.digest("same") != SessionStore.digest("same")

    def test_it_ends_every_session_of_an_account_that_is_switched_off(self, pat: Any):
        caller = Caller(pat.user)
        User.objects.filter(pk=pat.user_id).update(is_active=False)

        assert caller.get("/own").status_code == 401

    def test_it_ends_the_sessions_begun_with_an_earlier_password(self, pat: Any):
        caller = Caller(pat.user)
        pat.user.set_password("another one")
        pat.user.save(update_fields=["password"])

        assert caller.get("/own").status_code == 401

    def test_it_ends_a_session_in_time(self, pat: Any):
        caller = Caller(pat.user)
        Session.objects.update(expire_date=datetime(2020, 1, 1, tzinfo=UTC))

        assert caller.get("/own").status_code == 401

    def test_it_says_to_come_again_while_the_database_is_away(self, pat: Any, monkeypatch: pytest.MonkeyPatch):
        def away(*_: Any) -> Any:
            raise OperationalError("the connection is closed")

        caller = Caller(pat.user)
        monkeypatch.setattr(sessions, "signed_in", away)

        answer = caller.get("/own")

        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "unavailable", "1")

    @pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "HACK"])
    def test_it_refuses_methods_that_no_view_declares(self, pat: Any, method: str):
        answer = Client().generic(method, "/api/v1/own", headers={"X-Session-Token": sign_in(pat.user)})

        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer["Allow"] == "GET, HEAD, POST"

    def test_it_answers_json_whatever_is_accepted(self, db: None):
        assert Caller().get("/open", Accept="text/html").headers["Content-Type"] == "application/json"


@pytest.mark.django_db(transaction=True)
class TestDeadlocks:
    """Promise 8."""

    @pytest.fixture
    def crossing(self) -> Iterator[list[tuple[Caller, list[str]]]]:
        one, other = cast.make_patient("One", member=False), cast.make_patient("Other", member=False)
        keys = [str(one.user_id), str(other.user_id)]
        Crossing.has_met = threading.Event()
        Crossing.meeting = threading.Barrier(2, action=Crossing.has_met.set)
        with owner.deadlocks_found_at_once():
            yield [(Caller(one.user), keys), (Caller(other.user), keys[::-1])]

    @staticmethod
    def cross(given: tuple[Caller, list[str]]) -> tuple[int, str | None]:
        caller, keys = given
        answer = caller.post("/crossing", {"keys": keys})
        return answer.status_code, answer.headers.get("Retry-After")

    def test_it_does_the_work_of_a_victim_again(self, crossing: list[tuple[Caller, list[str]]]):
        assert at_the_same_time(self.cross, crossing) == [(201, None), (201, None)]

    def test_it_would_have_failed_otherwise(
        self, crossing: list[tuple[Caller, list[str]]], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(edge, "RETRIES", 0)

        assert sorted(at_the_same_time(self.cross, crossing)) == [(201, None), (503, "1")]

    def test_it_does_not_wait_long_for_a_lock(self, crossing: list[tuple[Caller, list[str]]]):
        caller, (key, _) = crossing[0]
        is_held, was_asked = threading.Event(), threading.Event()

        def hold_or_ask(who: str) -> Any:
            if who == "holder":
                with transaction.atomic():
                    User.objects.select_for_update().get(pk=key)
                    is_held.set()
                    was_asked.wait(60)
                return None
            try:
                is_held.wait(60)
                answer = caller.post("/waiting", {"key": key})
            finally:
                was_asked.set()
            return answer.status_code, answer.json()["code"], answer["Retry-After"]

        assert at_the_same_time(hold_or_ask, ["holder", "asker"])[1] == (503, "busy", "1")

    def test_it_gives_up_after_three_retries(self):
        calls = []

        def work() -> Response:
            calls.append(1)
            error = OperationalError()
            error.__cause__ = type("Deadlock", (Exception,), {"sqlstate": "40P01"})()
            raise error

        with pytest.raises(edge.Busy):
            edge.again_after_deadlocks(work)
        assert len(calls) == 4

    def test_it_raises_what_is_no_deadlock_at_once(self):
        calls = []

        def work() -> Response:
            calls.append(1)
            raise OperationalError("the server closed the connection")

        with pytest.raises(OperationalError):
            edge.again_after_deadlocks(work)
        assert len(calls) == 1


def errors(refused: Any) -> Any:
    return refused.value.detail


class TestShape:
    class Visit(Shape):
        class Person(Shape):
            name = serializers.CharField()

        reason = serializers.CharField(required=False)
        minutes = serializers.IntegerField(required=False)
        is_new = serializers.BooleanField(required=False)
        days = serializers.ListField(child=serializers.CharField(), required=False)
        person = Person(required=False)

    @pytest.mark.parametrize(
        ("asked", "field", "code"),
        [
            ({"price": 0}, "price", "unknown_field"),
            ({"reason": 5}, "reason", "wrong_type"),
            ({"reason": ["a"]}, "reason", "wrong_type"),
            ({"minutes": "5"}, "minutes", "wrong_type"),
            ({"minutes": True}, "minutes", "wrong_type"),
            ({"is_new": "true"}, "is_new", "wrong_type"),
            ({"is_new": 1}, "is_new", "wrong_type"),
            ({"days": "monday"}, "days", "wrong_type"),
            ({"person": "Pat"}, "person", "wrong_type"),
            ({"reason": "a\0b"}, "reason", "null_characters_not_allowed"),
            ([], "body", "not_an_object"),
            ("text", "body", "not_an_object"),
            (None, "body", "not_an_object"),
        ],
    )
    def test_it_refuses_what_it_does_not_describe(self, asked: Any, field: str, code: str):
        with pytest.raises(serializers.ValidationError) as refused:
            parse(self.Visit, asked)

        assert [error.code for error in errors(refused)[field]] == [code]

    def test_it_refuses_inside_what_it_holds(self):
        with pytest.raises(serializers.ValidationError) as refused:
            parse(self.Visit, {"person": {"name": "Pat", "role": "admin"}})

        assert errors(refused)["person"]["role"][0].code == "unknown_field"

    def test_it_takes_what_it_describes(self):
        asked = {"reason": "cough", "minutes": 20, "is_new": True, "days": ["monday"], "person": {"name": "Pat"}}

        assert parse(self.Visit, asked) == asked

    @pytest.mark.parametrize(
        ("query", "field", "code"),
        [
            ("minutes=5&minutes=6", "minutes", "given_twice"),
            ("when=now", "when", "unknown_field"),
            ("reason=%00", "reason", "null"),
            ("minutes=", "minutes", "invalid"),
            ("minutes=1_0", "minutes", "invalid"),
            ("minutes=%D9%A1%D9%A0", "minutes", "invalid"),
        ],
    )
    def test_it_refuses_in_a_query_what_it_does_not_describe(self, query: str, field: str, code: str):
        with pytest.raises(serializers.ValidationError) as refused:
            parse(self.Visit, QueryDict(query))

        assert errors(refused)[field][0].code == code

    def test_it_reads_a_query(self):
        asked = parse(self.Visit, QueryDict("minutes=5&is_new=true&days=monday&days=friday"))

        assert asked == {"minutes": 5, "is_new": True, "days": ["monday", "friday"]}


class TestInstants:
    @pytest.mark.parametrize(
        "text",
        ["2026-11-24T09:00:00-05:00", "2026-11-24T14:00:00Z", "2026-11-24T14:00:00 00:00", "2026-11-24t14:00+00:00"],
    )
    def test_it_reads_an_instant_with_its_offset(self, text: str):
        assert InstantField().run_validation(text) == datetime(2026, 11, 24, 14, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text",
        [
            "2026-11-24T09:00:00",
            "2026-11-24",
            "2026-11-24T25:00:00Z",
            "2026-11-24T09:00:00-25:00",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "٢026-11-24T09:00:00Z",
            "now",
            "",
            None,
            5,
        ],
    )
    def test_it_refuses_what_is_no_instant(self, text: Any):
        with pytest.raises(serializers.ValidationError):
            InstantField().run_validation(text)


class TestDays:
    @pytest.mark.parametrize("text", ["٢026-11-24", "20261124", "2026-W48-2", "2026-1-2", "1899-01-01", "2026-02-30"])
    def test_it_refuses_what_is_no_day(self, text: str):
        with pytest.raises(serializers.ValidationError):
            DayField().run_validation(text)

    def test_it_reads_a_day(self):
        assert DayField().run_validation("2026-11-24") == date(2026, 11, 24)


class TestLanguages:
    @pytest.mark.parametrize(
        ("text", "tag"),
        [("en", "en"), ("EN", "en"), ("es-mx", "es-MX"), ("ZH-HANT", "zh-Hant"), ("es-419", "es-419")],
    )
    def test_it_reads_a_tag_in_any_case(self, text: str, tag: str):
        assert LanguageField().run_validation(text) == tag

    @pytest.mark.parametrize("text", ["e", "english", "e\u00f1", "es-", "es_MX"])
    def test_it_refuses_what_is_no_tag(self, text: str):
        with pytest.raises(serializers.ValidationError):
            LanguageField().run_validation(text)


class TestPages:
    def follow(self, address: str) -> list[list[str]]:
        pages = []
        client = Client()
        following: str | None = address
        while following:
            answer = client.get(following).json()
            pages.append(answer["results"])
            following = answer["next"]
        return pages

    def test_it_lists_every_row_once_in_order(self, db: None):
        rows = [Calendar.objects.create(kind=kind) for kind in ("room", "patient", "room", "clinician", "patient")]
        expected = sorted(rows, key=lambda row: (["room", "patient", "clinician"].index(row.kind), row.pk))

        pages = self.follow("/api/v1/listed?limit=2")

        assert [len(rows) for rows in pages] == [2, 2, 1]
        assert [shown for rows in pages for shown in rows] == [row.kind + row.pk.hex for row in expected]

    def test_it_goes_on_behind_the_last_row_whatever_was_added(self, db: None):
        for _ in range(3):
            Calendar.objects.create(kind="room")
        first = Client().get("/api/v1/listed?limit=2").json()
        Calendar.objects.create(kind="room")

        second = Client().get(first["next"]).json()

        assert len(second["results"]) == 2
        assert not set(first["results"]) & set(second["results"])

    def test_it_says_the_whole_address_of_the_next_page(self, db: None):
        Calendar.objects.create(kind="room")
        Calendar.objects.create(kind="room")

        following = Client().get("/api/v1/listed?limit=1").json()["next"]

        assert following.startswith("http://testserver/api/v1/listed?limit=1&cursor=")

    @pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1e9"])
    def test_it_caps_a_page(self, db: None, limit: str):
        assert Client().get(f"/api/v1/listed?limit={limit}").status_code == 400

    def test_it_refuses_cursors_it_did_not_give(self, db: None):
        Calendar.objects.create(kind="room")
        Calendar.objects.create(kind="room")
        given = Client().get("/api/v1/listed?limit=1").json()["next"].split("cursor=")[1]

        for cursor in ("x", given[:-1], "a" * 999, given.replace(given[3], "_")):
            answer = Client().get(f"/api/v1/listed?cursor={cursor}")
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), cursor
