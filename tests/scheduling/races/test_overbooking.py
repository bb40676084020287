"""Staff who overbook against patients and each other."""

import pytest

from scheduling import claims
from scheduling.booking import wanted as wanting
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts, invariants
from tests.scheduling.races.together import held, interleave, no_locks, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


class TestOverbooking:
    def test_it_waits_for_a_patients_hold_and_goes_beside_it(self, avon, office, pat, stranger, monkeypatch):
        cast.make_room(avon.clinic, "Exam 9")

        outcomes = interleave(
            monkeypatch,
            (wanting, "require_offered"),
            lambda: held(pat, avon.slot(at(10), office)),
            lambda: acts.overbook(stranger, avon.slot(at(10), office)).lane,
        )

        assert outcomes == ("held", 1)
        invariants.check(NOW)

    def test_it_keeps_patients_off_a_lane_that_is_being_taken(self, avon, office, pat, stranger, monkeypatch):
        assert self.cancel_and_hold_under_an_overbooking(avon, office, pat, stranger, monkeypatch) == (1, "slot_taken")
        invariants.check(NOW)

    def test_without_locks_a_patient_gets_time_that_is_being_overbooked(self, avon, office, pat, stranger, monkeypatch):
        no_locks(monkeypatch)

        assert self.cancel_and_hold_under_an_overbooking(avon, office, pat, stranger, monkeypatch) == (1, "held")

    def cancel_and_hold_under_an_overbooking(self, avon, office, pat, stranger, monkeypatch):
        cast.make_room(avon.clinic, "Exam 9")
        first = acts.book(pat, avon.slot(at(10), office))
        third = cast.make_patient("Third")

        def cancel_and_hold():
            acts.cancel(first)
            return held(third, avon.slot(at(10), office))

        return interleave(
            monkeypatch,
            (claims, "free_lane"),
            lambda: acts.overbook(stranger, avon.slot(at(10), office)).lane,
            cancel_and_hold,
        )

    def test_it_gives_each_of_many_a_lane_of_its_own(self, avon, office, forty):
        for number in range(5):
            cast.make_room(avon.clinic, f"Exam 1{number}")

        outcomes = race(*(lambda p=p: acts.overbook(p, avon.slot(at(10), office)).lane for p in forty[:5]))

        assert sorted(map(str, outcomes)) == ["0", "1", "2", "slot_taken", "slot_taken"]
        invariants.check(NOW)
