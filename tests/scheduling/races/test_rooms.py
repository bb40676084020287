"""Rooms that are chosen at the same time."""

import pytest

from scheduling import claims
from scheduling.booking import wanted as wanting
from scheduling.models import Appointment
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts, invariants
from tests.scheduling.races.together import held, interleave, race, rounds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


class TestRooms:
    @pytest.fixture
    def two(self, avon, office):
        """Avon with a second clinician and a second room."""
        avon.clinicians.append(cast.make_clinician(avon.clinic))
        avon.rooms.append(cast.make_room(avon.clinic, "Exam 1"))
        cast.make_shift(avon, at(9), at(17), office, clinician=1)
        return avon

    def test_it_gives_two_visits_at_one_time_the_two_free_rooms(self, two, office, forty):
        for number in rounds(3, 40):
            start = at(9, 20 * (number % 24))

            outcomes = race(*(lambda n=n, at=start: held(forty[n], two.slot(at, office, n)) for n in (0, 1)))

            assert outcomes == ["held", "held"]
            invariants.check(NOW)
            for visit in Appointment.objects.filter(status="held"):
                acts.release(visit)

    def test_it_lets_the_second_choose_when_the_first_has_chosen(self, two, office, pat, stranger, monkeypatch):
        outcomes = interleave(
            monkeypatch,
            (wanting, "choose_room"),
            lambda: held(pat, two.slot(at(10), office, 0)),
            lambda: held(stranger, two.slot(at(10), office, 1)),
        )

        assert outcomes == ("held", "held")
        assert Appointment.objects.values("room").distinct().count() == 2

    def test_without_the_rooms_locks_they_fight_over_one(self, two, office, pat, stranger, monkeypatch):
        real, rooms = claims.lock_calendars, {room.pk for room in two.rooms}
        monkeypatch.setattr(claims, "lock_calendars", lambda wanted: real(set(wanted) - rooms))

        outcomes = interleave(
            monkeypatch,
            (wanting, "choose_room"),
            lambda: held(pat, two.slot(at(10), office, 0)),
            lambda: held(stranger, two.slot(at(10), office, 1)),
        )

        assert outcomes == ("slot_taken", "held")

    def test_it_lets_three_visits_have_no_more_than_two_rooms(self, two, office, forty):
        two.clinicians.append(cast.make_clinician(two.clinic))
        cast.make_shift(two, at(9), at(17), office, clinician=2)

        outcomes = race(*(lambda n=n: held(forty[n], two.slot(at(10), office, n)) for n in (0, 1, 2)))

        assert sorted(outcomes) == ["held", "held", "slot_taken"]
        invariants.check(NOW)
