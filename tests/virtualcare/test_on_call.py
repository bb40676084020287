"""On-call shifts of clinicians and nurses: entered, moved, taken away."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from clinics.admin import history_lines
from clinics.models import Clinician, User
from clinics.refusals import NotFound
from tests import cast
from tests.cast import NOW, at
from tests.virtualcare import people
from virtualcare import on_call
from virtualcare.models import NurseShift, OnCallShift

pytestmark = pytest.mark.django_db
BOTH = ["text", "video"]


@pytest.fixture
def doctor() -> Clinician:
    return people.make_doctor()


@pytest.fixture
def planner() -> User:
    return cast.make_user("planner")


def add(doctor: Clinician, planner: User, start: datetime, end: datetime, **fields: Any) -> OnCallShift:
    return on_call.add(
        clinician=doctor, start=start, end=end, **{"modalities": BOTH, "actor": planner, "now": NOW, **fields}
    )


class TestAdd:
    def test_it_puts_a_clinician_on_call_and_keeps_who_did_it(self, doctor: Clinician, planner: User):
        shift = add(doctor, planner, at(18), at(26), modalities=["video", "text", "text"], capacity=5)

        kept = OnCallShift.objects.get()
        assert (kept.pk, kept.during.lower, kept.during.upper) == (shift.pk, at(18), at(26))
        assert (kept.modalities, kept.capacity) == (["text", "video"], 5)
        [event] = history(OnCallShift)
        assert event.pgh_context["user"] == str(planner.pk)

    @pytest.mark.parametrize(
        ("start", "end", "fields"),
        [
            (at(18), at(18), {}),
            (at(18), at(17), {}),
            (at(5), NOW, {}),
            (at(18), at(18, days=31) + timedelta(minutes=1), {}),
            (at(18, days=400), at(19, days=400), {}),
            (at(18), at(20), {"modalities": []}),
            (at(18), at(20), {"modalities": ["fax"]}),
            (at(18), at(20), {"capacity": 0}),
            (at(18), at(20), {"capacity": 11}),
        ],
    )
    def test_it_refuses_what_is_no_shift(
        self, doctor: Clinician, planner: User, start: datetime, end: datetime, fields: dict[str, Any]
    ):
        with pytest.raises(on_call.BadOnCallShift):
            add(doctor, planner, start, end, **fields)

        assert not OnCallShift.objects.exists()

    def test_nobody_is_on_call_twice_at_once(self, doctor: Clinician, planner: User):
        add(doctor, planner, at(18), at(20))

        with pytest.raises(on_call.AlreadyOnCall):
            add(doctor, planner, at(19), at(21))
        add(doctor, planner, at(20), at(21))

        assert OnCallShift.objects.count() == 2


class TestChange:
    def change(self, shift: OnCallShift, planner: User, start: datetime, end: datetime, **fields: Any) -> OnCallShift:
        return on_call.change(
            shift=shift,
            start=start,
            end=end,
            **{"modalities": BOTH, "capacity": 3, "actor": planner, "now": NOW, **fields},
        )

    def test_it_moves_a_shift_to_come(self, doctor: Clinician, planner: User):
        shift = add(doctor, planner, at(18), at(20))

        self.change(shift, planner, at(19), at(22), modalities=["text"], capacity=1)

        shift.refresh_from_db()
        assert (shift.during.lower, shift.during.upper) == (at(19), at(22))
        assert (shift.modalities, shift.capacity) == (["text"], 1)
        assert [event.pgh_label for event in history(OnCallShift)] == ["insert", "update"]

    def test_one_that_has_begun_keeps_its_beginning(self, doctor: Clinician, planner: User):
        shift = add(doctor, planner, at(8), at(12))

        for start in (at(7), at(8, 30), at(10)):
            with pytest.raises(on_call.ShiftHasBegun):
                self.change(shift, planner, start, at(12))
        self.change(shift, planner, at(8), at(14))

        shift.refresh_from_db()
        assert (shift.during.lower, shift.during.upper) == (at(8), at(14))

    def test_one_to_come_does_not_begin_in_the_past(self, doctor: Clinician, planner: User):
        shift = add(doctor, planner, at(18), at(20))

        with pytest.raises(on_call.ShiftHasBegun):
            self.change(shift, planner, at(8), at(20))

    def test_one_that_is_over_stays_as_it_was(self, doctor: Clinician, planner: User):
        shift = people.on_call(doctor, starts=at(1), ends=at(9))

        with pytest.raises(on_call.ShiftIsOver):
            self.change(shift, planner, at(1), at(12))
        with pytest.raises(on_call.ShiftIsOver):
            on_call.take_away(shift=shift, actor=planner, now=NOW)

    def test_it_refuses_another_of_theirs_and_one_that_is_gone(self, doctor: Clinician, planner: User):
        add(doctor, planner, at(18), at(20))
        other = add(doctor, planner, at(20), at(22))

        with pytest.raises(on_call.AlreadyOnCall):
            self.change(other, planner, at(19), at(22))
        on_call.take_away(shift=other, actor=planner, now=NOW)
        with pytest.raises(NotFound):
            self.change(other, planner, at(20), at(23))


class TestTakeAway:
    def test_a_shift_to_come_is_gone(self, doctor: Clinician, planner: User):
        shift = add(doctor, planner, at(18), at(20))

        on_call.take_away(shift=shift, actor=planner, now=NOW)
        on_call.take_away(shift=shift, actor=planner, now=NOW)

        assert not OnCallShift.objects.exists()
        assert [event.pgh_context["user"] for event in history(OnCallShift)] == [str(planner.pk)] * 2

    def test_one_that_has_begun_ends_now(self, doctor: Clinician, planner: User):
        shift = add(doctor, planner, at(8), at(12))

        on_call.take_away(shift=shift, actor=planner, now=NOW)

        shift.refresh_from_db()
        assert (shift.during.lower, shift.during.upper) == (at(8), NOW)

    def test_one_that_begins_now_was_nothing(self, doctor: Clinician, planner: User):
        shift = add(doctor, planner, NOW, at(12))

        on_call.take_away(shift=shift, actor=planner, now=NOW)

        assert not OnCallShift.objects.exists()


class TestNurses:
    def test_a_nurse_is_put_on_call_moved_and_taken_away(self, planner: User):
        nurse = cast.make_user("nurse", is_staff=True)
        shift = on_call.add_nurse(nurse=nurse, start=at(18), end=at(20), actor=planner, now=NOW)

        on_call.change_nurse(shift=shift, start=at(17), end=at(20), actor=planner, now=NOW)
        with pytest.raises(on_call.AlreadyOnCall):
            on_call.add_nurse(nurse=nurse, start=at(19), end=at(21), actor=planner, now=NOW)

        shift.refresh_from_db()
        assert shift.during.lower == at(17)
        on_call.take_away_nurse(shift=shift, actor=planner, now=NOW)
        assert not NurseShift.objects.exists()

    def test_it_refuses_what_is_no_shift(self, planner: User):
        with pytest.raises(on_call.BadOnCallShift):
            on_call.add_nurse(nurse=planner, start=at(5), end=at(6), actor=planner, now=NOW)


def history(model: Any) -> list[Any]:
    return list(history_lines.history_of(model).objects.order_by("pgh_id"))
