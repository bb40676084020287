"""Proving that one is eligible for a discount."""

from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from clinics.models import AccessEvent, Patient, Proxy
from clinics.refusals import TooManyTries
from memberships import proving
from memberships.models import Proof, ProofCode
from memberships.proving import codes, recheck
from memberships.proving.port import Verdict
from tests.calls import Caller
from tests.cast import NOW, at_the_same_time, make_patient
from tests.memberships.proving import conftest

pytestmark = pytest.mark.django_db

Words = dict[str, Verdict | None]


def prove(patient: Patient, reference: str = "1234", verifier: str = "words", **asked: Any) -> Proof:
    assert patient.user is not None
    return proving.prove(
        patient=patient, verifier=verifier, reference=reference, actor=patient.user, **{"now": NOW, **asked}
    )


class TestProving:
    def test_it_keeps_what_a_verifier_says(self, pat: Patient, words: Words):
        words["1234"] = Verdict(True, date(2027, 3, 1))

        proof = prove(pat, " 1234 ")

        kept = Proof.objects.get()
        assert proof.pk == kept.pk
        assert (kept.patient, kept.verifier, kept.reference, kept.status) == (pat, "words", "1234", "verified")
        assert (kept.verified_at, kept.holds_until) == (NOW, date(2027, 3, 1))

    def test_it_keeps_no_reference_that_can_be_read(self, pat: Patient, words: Words):
        words["1234567890"] = Verdict(True)
        prove(pat, "1234567890")

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT p::text FROM memberships_proof p UNION SELECT h::text FROM memberships_proofhistory h"
            )
            assert all("1234567890" not in row for (row,) in cursor.fetchall())

    def test_it_keeps_nothing_of_what_proves_nothing(self, pat: Patient, words: Words):
        words["0000"] = None

        for reference, refusal in (("9999", proving.NotEligible), ("0000", proving.VerifierAway)):
            with pytest.raises(refusal):
                prove(pat, reference)
        for reference in ("", "  ", "x" * 121):
            with pytest.raises(proving.NotEligible):
                prove(pat, reference)
        with pytest.raises(proving.UnknownVerifier):
            prove(pat, verifier="nobody")
        assert not Proof.objects.exists()

    def test_the_same_proof_again_is_the_same_verified_anew(self, pat: Patient, words: Words):
        words["1234"] = Verdict(True, date(2027, 3, 1))
        first = prove(pat)
        words["1234"] = Verdict(True, date(2028, 3, 1))

        second = prove(pat, now=NOW + timedelta(days=1))

        assert first.pk == second.pk
        assert Proof.objects.get().holds_until == date(2028, 3, 1)

    def test_it_proves_for_one_person_at_a_time(self, pat: Patient, stranger: Patient, words: Words):
        words["1234"] = Verdict(True)
        first = prove(pat)
        with pytest.raises(proving.ProofInUse):
            prove(stranger)

        recheck.lapse(first, now=NOW)

        assert prove(stranger).patient == stranger

    def test_it_stops_who_guesses(self, pat: Patient, stranger: Patient, words: Words, questions: list[str]):
        words["1234"] = Verdict(True)
        for number in range(10):
            with pytest.raises(proving.NotEligible):
                prove(pat, f"guess {number}")

        with pytest.raises(TooManyTries):
            prove(pat)
        assert "1234" not in questions
        assert prove(stranger).patient == stranger
        with pytest.raises(proving.ProofInUse):
            prove(pat, now=NOW + timedelta(minutes=61))

    @pytest.mark.django_db(transaction=True)
    def test_it_proves_for_one_of_several_at_once(self, words: Words):
        words["1234"] = Verdict(True)
        people = [make_patient(f"P{number}") for number in range(5)]

        outcomes = at_the_same_time(lambda one: prove(one).status, people)

        assert sorted(outcomes) == ["proof_in_use"] * 4 + ["verified"]


class TestCodes:
    @pytest.fixture
    def listed(self, tmp_path: Path) -> Path:
        path = tmp_path / "codes.txt"
        path.write_bytes("\ufeffSPRING-0001\r\nspring 0002\r\n\r\nshort\r\nSPRING-0001\r\nñandú0000\r\n".encode())
        return path

    def take_in(self, path: Path | None, **options: Any) -> str:
        out = StringIO()
        call_command("import_proof_codes", *([str(path)] if path else []), batch="Spring", stdout=out, **options)
        return out.getvalue()

    def test_it_takes_in_a_list_once(self, listed: Path):
        said = self.take_in(listed)

        assert "2 codes are new." in said
        assert "lines 4, 6" in said
        assert "0 codes are new." in self.take_in(listed)
        assert ProofCode.objects.count() == 2

    def test_it_keeps_no_code_that_can_be_read(self, listed: Path):
        self.take_in(listed)

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT p::text FROM memberships_proofcode p UNION SELECT h::text FROM memberships_proofcodehistory h"
            )
            rows = [row for (row,) in cursor.fetchall()]
        assert len(rows) > 2
        assert all("SPRING" not in row.replace("-", "") for row in rows)

    @pytest.mark.parametrize("written", ["SPRING-0001", "spring0001", " Spring 0001 "])
    def test_a_code_proves_however_it_is_written(self, listed: Path, pat: Patient, written: str):
        self.take_in(listed, until=date(2027, 1, 1))

        proof = prove(pat, written, "codes")

        assert proof.holds_until == date(2027, 1, 1)
        assert prove(pat, "SPRING0001", "codes").pk == proof.pk

    @pytest.mark.parametrize("written", ["SPRING-0003", "short", "", "ñandú0000"])
    def test_no_other_does(self, listed: Path, pat: Patient, written: str):
        self.take_in(listed)

        with pytest.raises(proving.NotEligible):
            prove(pat, written, "codes")

    def test_none_does_after_its_last_day_or_when_it_is_withdrawn(self, listed: Path, pat: Patient):
        self.take_in(listed, until=NOW.date())
        with pytest.raises(proving.NotEligible):
            prove(pat, "SPRING-0001", "codes")
        ProofCode.objects.update(valid_until=None)

        assert "2 codes withdrawn." in self.take_in(None, withdraw=True)
        with pytest.raises(proving.NotEligible):
            prove(pat, "SPRING-0001", "codes")

    def test_it_says_what_is_wrong_with_a_file(self, tmp_path: Path):
        wrong = tmp_path / "wrong.txt"
        wrong.write_bytes(b"\xff\xfe\x00")
        for path in (wrong, tmp_path / "none", None):
            with pytest.raises(CommandError):
                self.take_in(path)

    def test_a_large_list_is_taken_in_few_statements(self, django_assert_max_num_queries: Any):
        with django_assert_max_num_queries(12):
            assert codes.take_in([f"CODE{n:06}" for n in range(5_000)], batch="x", valid_until=None) == (5_000, [])


class TestDemo:
    @pytest.mark.parametrize("reference", ["DEMO-1", "demo-1"])
    def test_it_says_yes_to_what_is_marked(self, pat: Patient, reference: str):
        assert prove(pat, reference, "demo").status == "verified"

    @pytest.mark.parametrize(
        ("reference", "refusal"),
        [("DEMO-NO", proving.NotEligible), ("1234", proving.NotEligible), ("DEMO-AWAY", proving.VerifierAway)],
    )
    def test_it_says_no_to_the_rest(self, pat: Patient, reference: str, refusal: type[Exception]):
        with pytest.raises(refusal):
            prove(pat, reference, "demo")


class TestApi:
    def test_it_proves_for_me_and_for_a_child_of_mine(self, pat: Patient):
        child = make_patient("Mia", born=date(2018, 5, 4), user=False)
        assert pat.user is not None
        Proxy.objects.create(user=pat.user, patient=child)
        me = Caller(pat.user)

        with time_machine.travel(NOW):
            first = me.post("/me/proofs", {"verifier": "demo", "reference": "DEMO-1"})
            second = me.post("/me/proofs", {"verifier": "demo", "reference": "DEMO-2", "patient": str(child.pk)})
            listed = me.get("/me/proofs")

        assert [answer.status_code for answer in (first, second)] == [201, 201]
        assert first.json()["patient"] == str(pat.pk)
        assert {"id", "verifier", "holds_until"} < set(first.json())
        assert [one["id"] for one in listed.json()["results"]] == [second.json()["id"], first.json()["id"]]
        assert "DEMO" not in first.content.decode() + listed.content.decode()
        assert {event.what for event in AccessEvent.objects.all()} == {"memberships"}

    def test_it_refuses_in_words(self, pat: Patient):
        me = Caller(pat.user)
        answers = [
            me.post("/me/proofs", {"verifier": verifier, "reference": reference})
            for verifier, reference in [("demo", "x"), ("other", "x"), ("demo", "DEMO-AWAY")]
        ]

        said = [(answer.status_code, answer.json()["code"]) for answer in answers]
        assert said == [(400, "not_eligible"), (400, "unknown_verifier"), (503, "verifier_away")]
        assert answers[1].json()["verifiers"] == ["codes", "demo"]

    @pytest.mark.django_db(transaction=True)
    def test_it_asks_in_no_transaction(self, pat: Patient, words: Words, monkeypatch: pytest.MonkeyPatch):
        seen = []

        def check(*_: Any, **__: Any) -> Verdict:
            seen.append(connection.in_atomic_block)
            return Verdict(True)

        monkeypatch.setattr(conftest.Verifier, "check", check)

        Caller(pat.user).post("/me/proofs", {"verifier": "words", "reference": "1"}, **{"Idempotency-Key": "1"})

        assert seen == [False]


def test_another_key_for_lookups_finds_nothing(pat: Patient, settings: LazySettings):
    codes.take_in(["SPRING-0001"], batch="x", valid_until=None)
    settings.LOOKUPS_KEY = "another"

    with pytest.raises(proving.NotEligible):
        prove(pat, "SPRING-0001", "codes")
