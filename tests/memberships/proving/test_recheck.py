"""Asking again before a discount renews."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clinics.models import Patient
from memberships import proving
from memberships.models import Plan, Price, Proof, Subscription
from memberships.proving.port import Verdict
from memberships.proving.recheck import candidates
from tests.cast import make_patient

pytestmark = pytest.mark.django_db

Words = dict[str, Verdict | None]
JOINED = datetime(2026, 11, 24, 14, tzinfo=UTC)
YES, NO, AWAY = Verdict(True), Verdict(False), None


@pytest.fixture
def discounted(db: None) -> Plan:
    return Plan.objects.create(code="discounted", name="Discounted", audience="discounted", benefits=["*"])


def join(patient: Patient, plan: Plan, interval: str, **fields: object) -> Subscription:
    """A discounted membership that began on 24 November 2026, proved that day."""
    price, _ = Price.objects.get_or_create(
        plan=plan, interval=interval, from_on=date(2020, 1, 1), defaults={"amount": 9_900}
    )
    assert patient.user is not None
    proof = proving.prove(
        patient=patient, verifier="words", reference=patient.given_name, actor=patient.user, now=JOINED
    )
    end = date(2027, 11, 24) if interval == "year" else date(2026, 12, 24)
    made: dict[str, object] = {
        "status": "active",
        "period_start": JOINED.date(),
        "period_end": end,
        "anchor_on": JOINED.date(),
    }
    return Subscription.objects.create(
        patient=patient, payer=patient.user, price=price, proof=proof, **{**made, **fields}
    )


@pytest.fixture
def member(words: Words, pat: Patient) -> Patient:
    words["Pat"] = YES
    return pat


def recheck(day: date) -> int:
    return proving.recheck_due(now=datetime(day.year, day.month, day.day, 17, tzinfo=UTC))


class TestWhen:
    @pytest.mark.parametrize(
        ("interval", "before", "due"),
        [
            ("year", date(2027, 10, 14), date(2027, 10, 15)),  # 40 days ahead of 24 November 2027
            ("month", date(2026, 12, 17), date(2026, 12, 18)),  # 6 days ahead of 24 December
        ],
    )
    def test_it_asks_in_time_and_once(
        self, member: Patient, discounted: Plan, questions: list[str], interval: str, before: date, due: date
    ):
        join(member, discounted, interval)
        questions.clear()

        recheck(before)
        assert questions == []
        recheck(due)
        recheck(due)
        recheck(due + timedelta(days=1))

        assert questions == ["Pat"]
        assert Proof.objects.get().verified_at.date() == due

    def test_it_asks_once_more_when_the_verifiers_word_ends_before_the_renewal(
        self, member: Patient, discounted: Plan, words: Words, questions: list[str]
    ):
        join(member, discounted, "year")
        words["Pat"] = Verdict(True, date(2027, 11, 1))
        questions.clear()

        for day in (date(2027, 10, 15), date(2027, 10, 31), date(2027, 11, 1), date(2027, 11, 2)):
            recheck(day)

        assert len(questions) == 2

    def test_it_reads_no_membership_again_whose_renewal_was_confirmed(self, member: Patient, discounted: Plan):
        held = join(member, discounted, "year", period=1)

        for days, again in ((0, []), (39, []), (41, [held])):
            Proof.objects.update(verified_at=JOINED - timedelta(days=days))
            assert candidates(JOINED) == again

    def test_it_asks_by_the_price_that_is_next(self, member: Patient, discounted: Plan, questions: list[str]):
        held = join(member, discounted, "year")
        monthly = Price.objects.create(plan=discounted, interval="month", amount=900, from_on=date(2020, 1, 1))
        Subscription.objects.filter(pk=held.pk).update(next_price=monthly)
        questions.clear()

        recheck(date(2027, 11, 17))
        assert questions == []
        recheck(date(2027, 11, 18))
        assert questions == ["Pat"]

    @pytest.mark.parametrize("status", ["paused", "ended", "incomplete"])
    def test_it_asks_nothing_of_who_does_not_renew(
        self, member: Patient, discounted: Plan, questions: list[str], status: str
    ):
        ended = {"ended_on": JOINED.date(), "end_reason": "cancelled"} if status == "ended" else {}
        join(member, discounted, "month", status=status, **ended)
        questions.clear()

        recheck(date(2026, 12, 20))

        assert questions == []


class TestWhatItSays:
    def test_a_no_ends_the_proof(self, member: Patient, discounted: Plan, words: Words):
        join(member, discounted, "year")
        words["Pat"] = NO

        assert recheck(date(2027, 10, 15)) == 1

        proof = Proof.objects.get()
        assert (proof.status, proof.lapsed_at and proof.lapsed_at.date()) == ("lapsed", date(2027, 10, 15))
        assert recheck(date(2027, 10, 16)) == 0

    def test_a_verifier_that_is_away_is_asked_again(
        self, member: Patient, discounted: Plan, words: Words, questions: list[str]
    ):
        join(member, discounted, "month")
        words["Pat"] = AWAY
        questions.clear()
        for day in (18, 19, 20):
            recheck(date(2026, 12, day))
        words["Pat"] = YES

        recheck(date(2026, 12, 21))

        assert len(questions) == 4
        assert Proof.objects.get().verified_at.date() == date(2026, 12, 21)

    def test_it_ends_nothing_before_a_week_after_the_renewal(self, member: Patient, discounted: Plan, words: Words):
        held = join(member, discounted, "month")
        words["Pat"] = AWAY
        recheck(date(2026, 12, 23))
        # It has renewed once more by the discount.
        Subscription.objects.filter(pk=held.pk).update(
            period=1, period_start=date(2026, 12, 24), period_end=date(2027, 1, 24)
        )

        assert recheck(date(2026, 12, 30)) == 0
        assert Proof.objects.get().status == "verified"
        assert recheck(date(2026, 12, 31)) == 1
        assert Proof.objects.get().status == "lapsed"

    def test_it_leaves_a_verifier_alone_that_is_away_and_asks_the_others(
        self, discounted: Plan, words: Words, questions: list[str]
    ):
        people = [make_patient(f"P{number}") for number in range(6)]
        for one in people:
            words[one.given_name] = YES
            join(one, discounted, "month")
            words[one.given_name] = AWAY
        questions.clear()

        recheck(date(2026, 12, 18))

        assert len(questions) == 3

    def test_it_asks_the_others_where_one_cannot_be_asked(
        self, member: Patient, discounted: Plan, words: Words, questions: list[str]
    ):
        broken = make_patient("Broken")
        words["Broken"] = YES
        join(broken, discounted, "month")
        join(member, discounted, "month")
        Proof.objects.filter(patient=broken).update(verifier="gone")
        questions.clear()

        recheck(date(2026, 12, 18))

        assert questions == ["Pat"]
