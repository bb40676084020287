"""Rosters by the API: forms with a file, limits, the same key twice, and what an employer's staff are shown."""

from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import Organization, User
from memberships.api.rosters import RosterForm
from memberships.models import Roster, SponsoredPerson
from memberships.rosters import receiving, reporting
from tests.calls import API, Caller
from tests.cast import NOW
from tests.memberships import sponsors
from tests.memberships.sponsors import IYER, LOPEZ, file, make_benefits, put

pytestmark = pytest.mark.django_db
FULL = {"kind": "full"}
KEY = {"Idempotency-Key": "one"}


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def works(db: None) -> Organization:
    return sponsors.make_employer()


@pytest.fixture
def hr(works: Organization) -> User:
    return make_benefits(works)


@pytest.fixture
def me(hr: User) -> Caller:
    return Caller(hr)


@pytest.fixture
def base(works: Organization) -> str:
    return f"/employers/{works.pk}/rosters"


class TestSending:
    def test_it_answers_with_what_the_file_would_change(self, me: Caller, base: str):
        answer = me.upload(base, file(*LOPEZ, "9,child,No,Body,2020-01-01,,,"), FULL)

        body = answer.json()
        assert answer.status_code == 201, body
        assert (body["status"], body["held"]) == ("diffed", False)
        assert body["diff"] == {"add": 4, "change": 0, "end": 0, "unchanged": 0, "errors": 1}
        assert me.get(f"{base}/{body['id']}").json() == body
        assert me.get(base).json() == {"results": [body], "next": None}

    def test_it_applies_what_is_approved_and_takes_it_back(self, me: Caller, base: str, works: Organization):
        sent = me.upload(base, file(*LOPEZ), FULL).json()
        applied = me.post(f"{base}/{sent['id']}/approve")
        undone = me.post(f"{base}/{sent['id']}/undo")
        rejected = me.post(f"{base}/{undone.json()['id']}/reject")

        assert (applied.status_code, applied.json()["status"]) == (200, "applied")
        assert (undone.status_code, undone.json()["kind"], undone.json()["diff"]["end"]) == (201, "undo", 4)
        assert (rejected.status_code, rejected.json()["status"]) == (200, "rejected")
        assert SponsoredPerson.objects.filter(employer=works).count() == 4

    def test_it_holds_what_takes_a_second_person(self, me: Caller, base: str, works: Organization, hr: User):
        put(works, [*LOPEZ, *IYER], hr)
        sent = me.upload(base, file(), FULL).json()

        refused = me.post(f"{base}/{sent['id']}/approve")
        second = Caller(make_benefits(works, "second")).post(f"{base}/{sent['id']}/approve")

        assert sent["held"] is True
        assert [why["code"] for why in sent["held_because"]] == ["empty", "ends_many", "halves"]
        assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")
        assert (second.status_code, second.json()["held"], second.json()["status"]) == (200, False, "applied")

    def test_it_shows_person_by_person_what_changes(self, me: Caller, base: str, works: Organization, hr: User):
        put(works, [*LOPEZ, *IYER], hr)
        sent = me.upload(base, file(LOPEZ[0].replace("Lopez", "Reyes"), *LOPEZ[1:3], *IYER, "x"), FULL).json()

        rows = me.get(f"{base}/{sent['id']}/rows").json()["results"]
        changed = me.get(f"{base}/{sent['id']}/rows", {"action": "change"}).json()["results"]

        assert [(row["line"], row["action"], row["first_name"]) for row in rows] == [
            (2, "change", "Ana"),
            (6, "error", None),
            (None, "end", "Dan"),
        ]
        assert changed[0]["changed"] == {"last_name": {"from": "Lopez", "to": "Reyes"}}
        assert rows[1]["error"] == {
            "code": "columns",
            "column": "",
            "detail": "The line has another number of columns than the first one.",
        }
        assert rows[2]["changed"] == {"ends_on": {"from": None, "to": "2026-11-23"}}

    def test_it_takes_the_day_that_a_file_speaks_of(self, me: Caller, base: str):
        sent = me.upload(base, file(*IYER), {**FULL, "as_of": "2026-12-01"})
        far = me.upload(base, file(*LOPEZ), {**FULL, "as_of": "2028-12-01"})

        assert sent.json()["as_of"] == "2026-12-01"
        assert (far.status_code, far.json()["code"]) == (400, "bad_roster_day")


class TestSameKey:
    def test_the_same_file_by_the_same_key_gets_the_same_answer(self, me: Caller, base: str):
        first = me.upload(base, file(*LOPEZ), FULL, **KEY)
        again = me.upload(base, file(*LOPEZ), FULL, **KEY)
        other = me.upload(base, file(*IYER), FULL, **KEY)

        assert first.json() == again.json()
        assert again["Idempotent-Replayed"] == "true"
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert Roster.objects.count() == 1

    def test_an_answer_is_for_those_who_may_still_see_it(self, me: Caller, base: str, hr: User):
        me.upload(base, file(*LOPEZ), FULL, **KEY)
        hr.staff_roles.all().delete()

        assert me.upload(base, file(*LOPEZ), FULL, **KEY).status_code == 404

    def test_approving_twice_by_the_same_key_is_once(self, me: Caller, base: str):
        sent = me.upload(base, file(*LOPEZ), FULL).json()
        first = me.post(f"{base}/{sent['id']}/approve", **KEY)
        again = me.post(f"{base}/{sent['id']}/approve", **KEY)

        assert first.json() == again.json()
        assert me.post(f"{base}/{sent['id']}/approve").json()["code"] == "roster_not_to_decide"


class TestLimits:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"PK\x03\x04 a workbook", "roster_not_text"),
            (b"first,last\nAna,Lopez\n", "bad_roster"),
            (b"member_number\0", "roster_not_text"),
        ],
    )
    def test_it_refuses_what_is_no_roster(self, me: Caller, base: str, content: bytes, code: str):
        answer = me.upload(base, content, FULL)

        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert not Roster.objects.exists()

    def test_it_refuses_a_file_that_is_too_large(self, me: Caller, base: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(RosterForm, "largest", 1_000)
        small = me.upload(base, b"x" * 1_000, FULL)
        large = me.upload(base, b"x" * 1_001, FULL)
        huge = me.upload(base, b"x" * 100_000, FULL)

        assert small.json()["code"] == "bad_roster"
        assert [(one.status_code, one.json()["code"]) for one in (large, huge)] == [(413, "too_large")] * 2

    def test_it_refuses_too_many_lines(self, me: Caller, base: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(receiving, "MOST_LINES", 3)

        assert me.upload(base, file(*LOPEZ), FULL).json()["code"] == "roster_too_long"

    @pytest.mark.parametrize(
        ("fields", "field", "code"),
        [
            ({}, "kind", "required"),
            ({"kind": "undo"}, "kind", "invalid_choice"),
            ({"kind": "full", "status": "applied"}, "status", "unknown_field"),
            ({"kind": "full", "as_of": "tomorrow"}, "as_of", "invalid"),
            ({"kind": "full", "employer": "x"}, "employer", "unknown_field"),
        ],
    )
    def test_it_takes_the_fields_that_it_declares(
        self, me: Caller, base: str, fields: dict[str, str], field: str, code: str
    ):
        answer = me.upload(base, file(*LOPEZ), fields)

        assert answer.status_code == 400
        assert answer.json()["errors"][field][0]["code"] == code

    def test_it_takes_a_form_with_one_file_alone(self, me: Caller, base: str):
        two = [SimpleUploadedFile(name, file(*IYER)) for name in ("a.csv", "b.csv")]
        json = me.post(base, {"kind": "full", "file": "x"})
        text = me.client.post(API + base, {"kind": "full", "file": "text"}, headers=me.headers)
        twice = me.client.post(API + base, {"kind": ["full", "full"], "file": two[0]}, headers=me.headers)
        both = me.client.post(API + base, {"kind": "full", "file": two}, headers=me.headers)
        broken = me.client.post(API + base, b"--x\r\nnonsense", "multipart/form-data; boundary=x", headers=me.headers)
        unbound = me.client.post(API + base, b"nonsense", "multipart/form-data", headers=me.headers)

        assert (json.status_code, json.json()["code"]) == (415, "unsupported_media_type")
        assert (text.status_code, text.json()["errors"]["file"][0]["code"]) == (400, "wrong_type")
        assert [(one.status_code, one.json()["code"]) for one in (twice, both, unbound)] == [(400, "bad_form")] * 3
        assert broken.status_code == 400

    def test_nobody_who_is_not_signed_in_has_a_form_read(self, base: str):
        assert Caller().upload(base, b"x" * 100_000, FULL).status_code == 401


class TestErrorsFile:
    def test_it_says_what_is_wrong_in_a_form_that_no_spreadsheet_runs(self, me: Caller, base: str):
        evil = ["=1+1,employee,@SUM(A1),-Lopez,1985-03-02,+x,,", '"\t=cmd|x",boss,"=HYPERLINK(""x"")",L,1985-03-02,,,']
        sent = me.upload(base, file(*evil, *IYER), FULL).json()

        answer = me.get(f"{base}/{sent['id']}/errors.csv")
        head, first, second = answer.content.decode().splitlines()

        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Content-Disposition"] == 'attachment; filename="errors.csv"'
        assert head.startswith("line,column,error,detail,member_number")
        assert first == "2,email,bad_email,This is no e-mail address.,'=1+1,employee,'@SUM(A1),'-Lopez,1985-03-02,'+x,,"
        assert second.startswith("3,relationship,bad_relationship,")
        assert "'\t=cmd|x" in second
        assert '"\'=HYPERLINK(""x"")"' in second

    @pytest.mark.parametrize(
        "cell", ["=1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1", "'=1", "\u00a0=1", "\uff1d1", "%0A"]
    )
    def test_it_neutralises(self, cell: str):
        assert reporting.harmless(cell) == f"'{cell}"

    @pytest.mark.parametrize("cell", ["", "Ana", "O'Neil", "1985-03-02", "a=b"])
    def test_it_leaves_what_is_harmless(self, cell: str):
        assert reporting.harmless(cell) == cell


class TestMapping:
    MAPPING = {
        "columns": {"member_number": "EE ID", "birth_date": "DOB"},
        "relationships": {"kin": "child"},
        "dates": "dmy",
    }  # fmt: skip

    def test_it_is_kept_and_used(self, me: Caller, base: str, works: Organization):
        path = f"/employers/{works.pk}/roster-mapping"
        before = me.get(path).json()
        kept = me.put(path, self.MAPPING)
        content = b"EE ID,relationship,first_name,last_name,DOB\n1,self,Ana,Lopez,31/12/1985\n1,kin,Bo,Lopez,1/2/2015\n"

        sent = me.upload(base, content, FULL).json()

        assert before == {"columns": {}, "relationships": {}, "dates": "mdy"}
        assert (kept.status_code, kept.json(), me.get(path).json()) == (200, self.MAPPING, self.MAPPING)
        assert sent["diff"]["add"] == 2
        assert me.get(f"{base}/{sent['id']}/rows").json()["results"][1]["birth_date"] == "2015-02-01"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"columns": {"password": "x"}},
            {"columns": {"email": "X", "last_name": "x"}},
            {"columns": {"email": "?!"}},
            {"columns": {"member_number": "First name"}},
            {"columns": {}, "relationships": {"kin": "cousin"}},
        ],
    )
    def test_it_refuses_what_means_nothing(self, me: Caller, works: Organization, wrong: Any):
        answer = me.put(f"/employers/{works.pk}/roster-mapping", wrong)

        assert (answer.status_code, answer.json()["code"]) == (400, "bad_mapping")


class TestEnrollment:
    @pytest.fixture
    def path(self, works: Organization, hr: User) -> str:
        sponsors.make_contract(works)
        sponsors.make_contract(works, from_on=sponsors.day(30), covers="employees")
        ended = "1003,employee,Old,Timer,1960-01-01,,2020-01-01,2026-06-30"
        coming = "1004,employee,New,Comer,1999-01-01,,2027-01-01,"
        put(works, [*LOPEZ, *IYER, ended, coming], hr)
        return f"/employers/{works.pk}/enrollment"

    def names(self, me: Caller, path: str, **asked: str) -> list[str]:
        return [row["first_name"] for row in me.get(path, asked).json()["results"]]

    def test_it_tells_who_from_when_to_when_on_what_contract(self, me: Caller, path: str):
        [row] = me.get(path, {"q": "timer"}).json()["results"]

        assert {name: row[name] for name in ("member_number", "relationship", "last_name", "email")} == {
            "member_number": "1003", "relationship": "employee", "last_name": "Timer", "email": "",
        }  # fmt: skip
        assert (row["starts_on"], row["ends_on"], row["status"]) == ("2020-01-01", "2026-06-30", "ended")
        assert row["contract"] == {"from_on": "2026-01-01", "covers": "family"}
        assert me.get(path, {"q": "comer"}).json()["results"][0]["contract"]["covers"] == "employees"

    def test_it_finds_by_status_text_and_day(self, me: Caller, path: str):
        assert self.names(me, path) == ["New", "Eve", "Ana", "Ben", "Cia", "Dan", "Old"]
        assert self.names(me, path, status="active") == ["Eve", "Ana", "Ben", "Cia", "Dan"]
        assert self.names(me, path, status="upcoming") == ["New"]
        assert self.names(me, path, status="ended") == ["Old"]
        assert self.names(me, path, status="active", on="2026-06-30") == ["Eve", "Ana", "Ben", "Cia", "Dan", "Old"]
        assert self.names(me, path, status="active", on="2025-06-30") == ["Old"]
        assert self.names(me, path, q="lop c") == ["Cia"]
        assert self.names(me, path, q="1002") == self.names(me, path, q="EVE@works") == ["Eve"]
        assert self.names(me, path, q="%") == self.names(me, path, q="_") == []

    def test_it_comes_in_pages_in_as_many_statements(self, me: Caller, path: str):
        costs = []
        names: list[str] = []
        following: str | None = f"{path}?limit=3"
        while following:
            with CaptureQueriesContext(connection) as queries:
                answer = me.get(following.removeprefix(f"http://testserver{API}")).json()
            costs.append(len(queries))
            names += [row["first_name"] for row in answer["results"]]
            following = answer["next"]

        assert names == ["New", "Eve", "Ana", "Ben", "Cia", "Dan", "Old"]
        assert len(set(costs)) == 1


def test_me_names_the_employers_that_somebody_serves(me: Caller, works: Organization, hr: User):
    other = sponsors.make_employer("Aardvark")
    hr.staff_roles.create(role="benefits", organization=other)

    assert me.get("/me").json()["employers"] == [
        {"id": str(other.pk), "name": "Aardvark"},
        {"id": str(works.pk), "name": "Lakeshore Tools"},
    ]
