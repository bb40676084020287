"""Reading rosters: columns, encodings, dates, and lines that make no sense."""

from datetime import date
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships.rosters import csv_file, files, reading
from memberships.rosters.reading import BadHeader, Row
from tests.memberships.sponsors import HEADER, LOPEZ, TODAY, file

MAPPING: dict[str, Any] = {"columns": {}, "relationships": {}, "dates": "mdy"}


def read(content: bytes, **mapping: Any) -> list[Row]:
    called = MAPPING | mapping
    seen = files.look(BytesIO(content))
    lines = csv_file.lines(BytesIO(content), encoding=seen.encoding, mapping=called)
    return [reading.checked(line, mapping=called, today=TODAY) for line in lines]


def errors(content: bytes, **mapping: Any) -> list[tuple[int, str, str]]:
    return [(row.line, row.error, row.column) for row in read(content, **mapping) if row.error]


class TestForms:
    def test_it_reads_what_each_line_says(self):
        ana, ben, *_ = read(file(*LOPEZ))

        assert (ana.line, ana.member_number, ana.relationship) == (2, "1001", "employee")
        assert (ana.first_name, ana.last_name, ana.email) == ("Ana", "Lopez", "ana@works.example")
        assert (ana.birth_date, ana.starts_on, ana.ends_on) == (date(1985, 3, 2), date(2026, 1, 1), None)
        assert (ben.relationship, ben.email, ben.error) == ("spouse", "", "")

    @pytest.mark.parametrize(
        "changed",
        [
            lambda content: b"\xef\xbb\xbf" + content,
            lambda content: content.replace(b"\n", b"\r\n"),
            lambda content: content.replace(b"\n", b"\r"),
            lambda content: content.replace(b"\n", b"\n\n , ,,,,,,\n"),
            lambda content: content.replace(b",", b";"),
            lambda content: content.replace(b",", b"\t"),
            lambda content: content.rstrip(b"\n"),
            lambda content: content.replace(b"Ana", b' "Ana" ').replace(b' "', b'"').replace(b'" ', b'"'),
            lambda content: content.replace(HEADER.encode(), HEADER.upper().replace("_", " ").encode()),
        ],
        ids=["BOM", "CRLF", "CR", "empty lines", "semicolons", "tabs", "no last newline", "quotes", "capitals"],
    )
    def test_it_reads_the_same_whatever_wrote_it(self, changed: Any):
        plain = [(row.first_name, row.email, row.starts_on, row.error) for row in read(file(*LOPEZ))]

        assert [(row.first_name, row.email, row.starts_on, row.error) for row in read(changed(file(*LOPEZ)))] == plain

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
    def test_it_reads_accents_in_each_encoding(self, encoding: str):
        line = "1,employee,Zoë,Núñez,1985-03-02,,,"

        [row] = read(f"{HEADER}\n{line}\n".encode(encoding))

        assert (row.first_name, row.last_name) == ("Zoë", "Núñez")
        assert (row.first_key, row.last_key) == ("zoe", "nunez")

    def test_it_takes_the_employers_own_names(self):
        content = b"EE ID,Rel,Given,Family,DOB,Hired,Shoe size\n7,kin,Ana,Lopez,31.12.1985,1/2/2026,38\n"
        columns = {
            "member_number": "EE ID", "relationship": "rel", "first_name": "given", "last_name": "FAMILY",
            "birth_date": "dob", "starts_on": "Hired",
        }  # fmt: skip

        [row] = read(content, columns=columns, relationships={"Kin": "child"}, dates="dmy")

        assert (row.relationship, row.birth_date, row.starts_on) == ("child", date(1985, 12, 31), date(2026, 2, 1))
        assert row.error == ""

    def test_nothing_at_all_is_a_file_without_anybody(self):
        assert read(b"") == read(file()) == []

    @pytest.mark.parametrize(
        "header", ["first_name,last_name", HEADER + ",first_name", "x" * 9_000, '"' + HEADER, "1001,employee,Ana,Lopez"]
    )
    def test_it_refuses_a_first_line_that_names_no_columns(self, header: str):
        with pytest.raises(BadHeader):
            read(file(*LOPEZ, header=header))


class TestLinesThatAreWrong:
    @pytest.mark.parametrize(
        ("line", "error", "column"),
        [
            (",employee,Ana,Lopez,1985-03-02,,,", "missing", "member_number"),
            ("1,employee,,Lopez,1985-03-02,,,", "missing", "first_name"),
            ("1,employee,?!,Lopez,1985-03-02,,,", "bad_text", "first_name"),
            ("1,employee,A\x07na,Lopez,1985-03-02,,,", "bad_text", "first_name"),
            ("1,boss,Ana,Lopez,1985-03-02,,,", "bad_relationship", "relationship"),
            ("1,employee,Ana,Lopez,1985-02-30,,,", "bad_date", "birth_date"),
            ("1,employee,Ana,Lopez,85-02-03,,,", "bad_date", "birth_date"),
            ("1,employee,Ana,Lopez,2085-02-03,,,", "unlikely_date", "birth_date"),
            ("1,employee,Ana,Lopez,1785-02-03,,,", "unlikely_date", "birth_date"),
            ("1,employee,Ana,Lopez,1985-03-02,ana at work,,", "bad_email", "email"),
            ("1,employee,Ana,Lopez,1985-03-02,,9999-01-01,", "unlikely_date", "starts_on"),
            ("1,employee,Ana,Lopez,1985-03-02,,2026-02-01,2026-01-31", "ends_before_start", "ends_on"),
            ("1,employee," + "A" * 61 + ",Lopez,1985-03-02,,,", "too_long", "first_name"),
            ("1,employee,Ana,Lopez,1985-03-02", "columns", ""),
            ("1,employee,Ana,Lopez,1985-03-02,,,,", "columns", ""),
            ('1,employee,"Ana,Lopez,1985-03-02,,,', "quotes", ""),
            ("1,employee,Ana," + "x" * 9_000, "line_too_long", ""),
        ],
    )
    def test_it_names_what_is_wrong_and_reads_the_others(self, line: str, error: str, column: str):
        found = read(file(LOPEZ[0], line, LOPEZ[1]))

        assert [row.error for row in found] == ["", error, ""]
        assert (found[1].line, found[1].column) == (3, column)

    def test_a_line_that_is_wrong_still_tells_whose_it_is(self):
        [row] = [row for row in read(file("1001,boss,Ana,Lopez,x,,,")) if row.error]

        assert (row.member_number, row.first_key, row.last_key) == ("1001", "ana", "lopez")
        assert row.raw == ["1001", "boss", "Ana", "Lopez", "x", "", "", ""]


class TestLook:
    @pytest.mark.parametrize(
        "content", [b"PK\x03\x04...", b"%PDF-1.7", b"a,b\n\0", "ä,b\n".encode("utf-16"), b"\x1f\x8b\x08"]
    )
    def test_it_knows_what_is_no_text(self, content: bytes):
        assert files.look(BytesIO(content)).binary

    def test_it_knows_a_file_that_breaks_off_and_one_by_its_bytes(self):
        whole = files.look(BytesIO(file(*LOPEZ)))

        assert (whole.ends_whole, whole.lines, whole.binary) == (True, 5, "")
        assert files.look(BytesIO(file(*LOPEZ)[:-5])).ends_whole is False
        assert files.look(BytesIO(file(*LOPEZ))).sha256 == whole.sha256 != files.look(BytesIO(b"")).sha256

    def test_letters_of_several_bytes_may_lie_across_two_parts(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(files, "PART", 3)

        assert files.look(BytesIO("aäöüß€".encode())).encoding == "utf-8-sig"
        assert files.look(BytesIO("aäöü€".encode()[:-1])).encoding == "latin-1"


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_it_reads_any_bytes_without_falling(parts: list[bytes]):
    content = HEADER.encode() + b"\n" + b"\n".join(parts)
    try:
        found = read(content)
    except BadHeader:
        return

    assert all(row.error or (row.member_number and row.birth_date) for row in found)
    assert len(found) <= content.count(b"\n") + content.count(b"\r") + 1


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str):
    assert reading.folded(reading.folded(text)) == reading.folded(text)
