"""A patient against themself."""

import pytest

from scheduling import claims
from scheduling.booking import holds, records
from scheduling.booking import wanted as wanting
from scheduling.models import Appointment
from tests.cast import NOW, at
from tests.scheduling import acts, invariants
from tests.scheduling.races.together import held, interleave, no_constraint, no_locks, race, rounds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


class TestOnePatient:
    def test_it_keeps_a_patient_from_two_visits_at_one_time(self, avon, hartford, office, pat):
        for number in rounds(3, 40):
            start = at(9, 20 * (number % 24))

            wanted = [place.slot(start, office) for place in (avon, hartford)]
            outcomes = race(*(lambda slot=slot: held(pat, slot) for slot in wanted))

            assert sorted(outcomes) == ["held", "patient_busy"]
            invariants.check(NOW)
            acts.release(Appointment.objects.get(status="held"))

    def test_without_guards_a_patient_is_in_two_places(self, avon, hartford, office, pat, monkeypatch):
        no_locks(monkeypatch)
        with no_constraint():
            outcomes = interleave(
                monkeypatch,
                (wanting, "require_offered"),
                lambda: held(pat, avon.slot(at(10), office)),
                lambda: held(pat, hartford.slot(at(10), office)),
            )

            assert outcomes == ("held", "held")
            assert invariants.overlaps()

    def test_it_lets_a_patient_hold_two_times_and_no_third(self, avon, office, pat):
        outcomes = race(*(lambda n=n: held(pat, avon.slot(at(9 + n), office)) for n in range(4)))

        assert sorted(outcomes) == ["held", "held", "too_many_holds", "too_many_holds"]

    def test_without_locks_a_patient_holds_a_third(self, avon, office, pat, monkeypatch):
        acts.hold(pat, avon.slot(at(9), office))
        no_locks(monkeypatch)

        outcomes = interleave(
            monkeypatch,
            (wanting, "require_offered"),
            lambda: held(pat, avon.slot(at(10), office)),
            lambda: held(pat, avon.slot(at(11), office)),
        )

        assert outcomes == ("held", "held")
        assert holds.holds_of(pat).count() == 3


class TestOneHold:
    def test_it_books_a_hold_once(self, avon, office, pat, monkeypatch):
        asked = acts.hold(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch,
            (claims, "confirm"),
            lambda: acts.confirm(asked).status,
            lambda: acts.confirm(asked).status,
        )

        assert outcomes == ("booked", "not_held")
        invariants.check(NOW)

    def test_without_the_visits_lock_the_second_is_told_a_lie(self, avon, office, pat, monkeypatch):
        asked = acts.hold(pat, avon.slot(at(10), office))
        monkeypatch.setattr(
            records, "locked", lambda visit: Appointment.objects.select_related("patient", "clinic").get(pk=visit.pk)
        )

        outcomes = interleave(
            monkeypatch,
            (claims, "confirm"),
            lambda: acts.confirm(asked).status,
            lambda: acts.confirm(asked).status,
        )

        assert outcomes == ("booked", "hold_expired")

    def test_it_books_or_releases_a_hold(self, avon, office, pat, monkeypatch):
        asked = acts.hold(pat, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch, (claims, "confirm"), lambda: acts.confirm(asked).status, lambda: acts.release(asked)
        )

        assert outcomes == ("booked", "not_held")
        invariants.check(NOW)

    def test_it_extends_a_hold_once(self, avon, office, pat):
        asked = acts.hold(pat, avon.slot(at(10), office))

        outcomes = race(*[lambda: acts.extend(asked) and "extended"] * 3)

        assert sorted(outcomes) == ["extended", "hold_already_extended", "hold_already_extended"]
        invariants.check(NOW)
