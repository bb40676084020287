"""Holds that run out while somebody acts on them."""

from datetime import timedelta

import pytest

from scheduling import booking, claims
from scheduling.booking import visits
from scheduling.booking import wanted as wanting
from scheduling.models import Appointment
from tests.cast import NOW, at
from tests.scheduling import acts, invariants
from tests.scheduling.races.together import clear, held, interleave, race, rounds, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


class TestExpiry:
    """Confirming and extending against somebody who takes over time whose hold has run out."""

    @pytest.fixture
    def act(self, request):
        return {"book": lambda held: acts.confirm(held).status, "extend": lambda held: acts.extend(held) and "held"}

    @pytest.mark.parametrize("name", ["book", "extend"])
    def test_it_refuses_who_comes_too_late(self, avon, office, pat, stranger, act, name, monkeypatch):
        late = acts.hold(pat, avon.slot(at(10), office))

        def take_over():
            acts.age(late)
            return held(stranger, avon.slot(at(10), office))

        outcomes = interleave(monkeypatch, (claims, "lock_calendars"), lambda: act[name](late), take_over, before=True)

        assert outcomes == ("hold_expired", "held")
        invariants.check(NOW)

    def test_without_counting_its_claims_a_purged_hold_is_booked(self, avon, office, pat, stranger, monkeypatch):
        late = acts.hold(pat, avon.slot(at(10), office))
        monkeypatch.setattr(claims, "confirm", lambda appointment: 3)
        monkeypatch.setattr(visits.slots, "is_offered", lambda *args, **kwargs: True)
        monkeypatch.setattr(wanting, "keeps_room", lambda visit: True)

        def take_over():
            acts.age(late)
            return acts.confirm(acts.hold(stranger, avon.slot(at(10), office))).status

        outcomes = interleave(
            monkeypatch, (claims, "lock_calendars"), lambda: acts.confirm(late).status, take_over, before=True
        )

        assert outcomes == ("booked", "booked")
        assert Appointment.objects.filter(status="booked", starts_at=at(10)).count() == 2

    def test_without_counting_its_claims_a_purged_hold_is_extended(self, avon, office, pat, stranger, monkeypatch):
        late = acts.hold(pat, avon.slot(at(10), office))
        monkeypatch.setattr(claims, "extend", lambda appointment, hold_for: (3, NOW + hold_for))

        def take_over():
            acts.age(late)
            return held(stranger, avon.slot(at(10), office))

        outcomes = interleave(
            monkeypatch, (claims, "lock_calendars"), lambda: acts.extend(late) and "held", take_over, before=True
        )

        assert outcomes == ("held", "held")
        assert Appointment.objects.filter(status="held", starts_at=at(10)).count() == 2
        assert is_over(late)

    @pytest.mark.parametrize("name", ["book", "extend"])
    def test_it_lets_one_of_them_have_the_time_whenever_it_runs_out(self, avon, office, forty, act, name):
        for number in rounds(6, 60):
            slot = avon.slot(at(9, 20 * (number % 24)), office)
            late = acts.hold(forty[number % 20], slot)
            acts.age(late, by=-timedelta(milliseconds=2 * (number % 12)))

            outcomes = race(
                lambda late=late: act[name](late), lambda n=number, slot=slot: held(forty[20 + n % 20], slot)
            )

            assert outcomes.count("slot_taken") + outcomes.count("hold_expired") in {1, 2}, outcomes
            invariants.check(NOW)
            clear()

    def test_it_leaves_a_hold_to_the_sweep_or_to_its_patient(self, avon, office, pat, monkeypatch):
        late = acts.hold(pat, avon.slot(at(10), office))
        acts.age(late, by=-timedelta(milliseconds=300))

        def sweep():
            wait_until(lambda: is_over(late))
            return booking.expire_holds(now=NOW)

        outcomes = interleave(monkeypatch, (claims, "confirm"), lambda: acts.confirm(late).status, sweep)

        assert outcomes in {("booked", 0), ("hold_expired", 0)}
        invariants.check(NOW)

    def test_it_closes_each_hold_once_when_two_sweeps_run_at_once(self, avon, office, forty):
        for number, patient in enumerate(forty[:8]):
            acts.age(acts.hold(patient, avon.slot(at(9, 20 * number), office)))

        closed = race(*[lambda: booking.expire_holds(now=NOW)] * 2)

        assert sum(closed) == 8
        invariants.check(NOW)

    def test_it_sweeps_while_others_take_the_time_over(self, avon, office, forty):
        for number, patient in enumerate(forty[:8]):
            acts.age(acts.hold(patient, avon.slot(at(9, 20 * number), office)))

        outcomes = race(
            lambda: booking.expire_holds(now=NOW) and "held",
            *(lambda n=n: held(forty[20 + n], avon.slot(at(9, 20 * n), office)) for n in range(8)),
        )

        assert outcomes == ["held"] * 9
        assert booking.expire_holds(now=NOW) == 0 or Appointment.objects.filter(status="expired").count() == 8
        invariants.check(NOW)


def is_over(visit):
    return not Appointment.objects.filter(claims.is_unexpired(), pk=visit.pk).exists()
