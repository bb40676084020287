"""Who could take a patient over: exactly those whom a hand-over would let."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from clinics.models import Clinician, Licence, Proxy, User
from tests import cast
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.people import user_of
from virtualcare import queue
from virtualcare.models import Consult, Duty, OnCallShift
from virtualcare.queue import CannotTakeOver

pytestmark = pytest.mark.django_db


def could(consult: Consult) -> list[str]:
    now = Consult.objects.select_related("patient").get(pk=consult.pk)
    return [one.family_name for one in queue.who_could_take(now, now=NOW)]


def is_let(consult: Consult, reyes: Clinician, to: Clinician) -> bool:
    try:
        queue.transfer(consult=consult, clinician=reyes, to=to, note="Hm.", actor=user_of(reyes), now=NOW)
    except CannotTakeOver:
        return False
    return True


def fill(to: Clinician) -> None:
    for _ in range(3):
        consult = people.waiting()
        Consult.objects.filter(pk=consult.pk).update(status="active", clinician=to, accepted_at=NOW)


def let_go(to: Clinician) -> None:
    user = user_of(to)
    user.is_active = False
    user.save()


def offer(to: Clinician) -> None:
    people.waiting()
    assert people.claimed(to)


SPOILS: dict[str, Callable[[Clinician], Any]] = {
    "no licence": lambda to: Licence.objects.filter(clinician=to).delete(),
    "a licence elsewhere": lambda to: Licence.objects.filter(clinician=to).update(state="PA"),
    "no shift": lambda to: OnCallShift.objects.filter(clinician=to).delete(),
    "a shift for calls": lambda to: OnCallShift.objects.filter(clinician=to).update(modalities=["video"]),
    "away": lambda to: Duty.objects.filter(pk=to.pk).update(available=False),
    "not heard of": lambda to: Duty.objects.filter(pk=to.pk).update(heard_at=NOW - timedelta(minutes=2)),
    "full": fill,
    "an account that is closed": let_go,
    "an offer": offer,
}


class TestWhoCouldTake:
    @pytest.mark.parametrize("capacity", [1, 10])
    def test_it_names_each_once_and_goes_by_the_shift_of_now(self, reyes: Clinician, stone: Clinician, capacity: int):
        for days in (1, 2):
            day = timedelta(days=days)
            people.on_call(stone, starts=NOW + day, ends=NOW + day + timedelta(hours=2), capacity=capacity)
        people.waiting()
        consult = people.taken(reyes)

        named = [could(consult)]
        for _ in range(3):
            Consult.objects.filter(pk=people.waiting().pk).update(status="active", clinician=stone, accepted_at=NOW)
            named.append(could(consult))

        assert named == [["Stone"], ["Stone"], ["Stone"], []]

    def test_it_names_who_a_hand_over_would_let(self, reyes: Clinician, stone: Clinician):
        people.waiting()
        consult = people.taken(reyes)

        assert could(consult) == ["Stone"]
        assert is_let(consult, reyes, stone)

    @pytest.mark.parametrize("spoil", SPOILS.values(), ids=list(SPOILS))
    def test_it_names_nobody_whom_it_would_not(
        self, reyes: Clinician, stone: Clinician, spoil: Callable[[Clinician], Any]
    ):
        people.waiting()
        consult = people.taken(reyes)
        spoil(stone)

        assert could(consult) == []
        assert not is_let(consult, reyes, stone)

    def test_it_names_nobody_of_the_family(self, reyes: Clinician, stone: Clinician):
        child = cast.make_patient("Child", born=NOW.date().replace(year=2018))
        Proxy.objects.create(user=user_of(stone), patient=child)
        people.waiting(child)
        consult = people.taken(reyes)

        assert could(consult) == []
        assert not is_let(consult, reyes, stone)

    def test_it_names_no_patient_for_their_own_case(self, reyes: Clinician, stone: Clinician):
        patient = cast.make_patient("Self")
        people.waiting(patient)
        consult = people.taken(reyes)
        Clinician.objects.filter(pk=stone.pk).update(user=user_of(patient))
        stone.refresh_from_db()

        assert could(consult) == []
        assert not is_let(consult, reyes, stone)

    def test_it_names_nobody_in_a_call_for_a_call(self, reyes: Clinician, stone: Clinician):
        people.waiting(modality="video")
        consult = people.taken(reyes)
        assert could(consult) == ["Stone"]
        people.waiting(modality="video")
        people.taken(stone)

        assert could(consult) == []
        assert not is_let(consult, reyes, stone)

    def test_it_names_nobody_without_an_account_in_use(self, reyes: Clinician, stone: Clinician):
        people.waiting()
        consult = people.taken(reyes)
        User.objects.filter(pk=user_of(stone).pk).update(is_active=False)

        assert could(consult) == []

    def test_it_names_nobody_once_it_is_over(self, reyes: Clinician, stone: Clinician):
        people.waiting()
        consult = people.taken(reyes)
        Consult.objects.filter(pk=consult.pk).update(status="wrap_up")

        assert could(consult) == []
