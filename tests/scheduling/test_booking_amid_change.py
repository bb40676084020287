"""What a hold or a visit survives, and what it does not, when things change around it."""

import base64
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics.models import Clinic, Credential, Licence, Room
from clinics.refusals import NotFound, Refused
from memberships.entitlement import MembershipRequired, PriceChanged
from memberships.models import Membership, VisitPrice
from scheduling import booking, slots, time_off
from scheduling.models import Appointment, Claim, Shift, VisitType
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts, invariants

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def whole(db):
    yield
    invariants.check(NOW)


class TestBook:
    def test_it_books_a_hold_beside_which_staff_have_overbooked(self, avon, office, pat, stranger):
        cast.make_room(avon.clinic, "Exam 9")
        held = acts.hold(pat, avon.slot(at(10), office))
        beside = acts.overbook(stranger, avon.slot(at(10, 10), office))

        visit = acts.confirm(held)

        assert (visit.lane, beside.lane) == (0, 1)

    def test_it_refuses_a_hold_whose_room_went_out_of_service(self, avon, office, pat):
        cast.make_room(avon.clinic, "Exam 9")
        held = acts.hold(pat, avon.slot(at(10), office))
        _, met = time_off.enter(of=held.room, start=at(9), end=at(12), reason="lamp", now=NOW)
        assert met == [held]

        with pytest.raises(booking.SlotNotOffered):
            acts.confirm(held)

        assert acts.hold(cast.make_patient(), avon.slot(at(11), office)).room.name == "Exam 9"

    def test_it_lets_a_visit_keep_a_room_that_is_no_longer_used(self, avon, office, pat):
        cast.make_room(avon.clinic, "Exam 9")
        held = acts.hold(pat, avon.slot(at(10), office))
        Room.objects.filter(pk=held.room_id).update(in_use=False)

        assert acts.confirm(held).room_id == held.room_id

    @pytest.mark.parametrize(
        "change",
        [
            lambda held: Shift.objects.all().delete(),
            lambda held: Shift.objects.update(visit_types=[held.visit_type_id + 1]),
            lambda held: Licence.objects.update(during=DateRange(None, TODAY)),
            lambda held: Credential.objects.update(during=DateRange(None, TODAY)),
            lambda held: Clinic.objects.update(closes_on=TODAY),
            lambda held: Clinic.objects.update(opens_on=TODAY + timedelta(days=1)),
            lambda held: time_off.enter(of=held.clinician, start=at(9), end=at(12), reason="sick", now=NOW),
        ],
        ids=["shift", "visit types", "licence", "credential", "closes", "opens", "time off"],
    )
    def test_it_refuses_what_is_no_longer_offered_and_keeps_the_hold(self, avon, office, pat, change):
        held = acts.hold(pat, avon.slot(at(10), office))
        change(held)

        with pytest.raises(booking.SlotNotOffered) as refused:
            acts.confirm(Appointment.objects.get(pk=held.pk))

        assert at(10) not in {row["start"] for row in refused.value.help()["alternatives"]}
        held.refresh_from_db()
        assert held.status == "held"
        acts.release(held)

    def test_it_refuses_a_start_that_has_passed_while_it_was_held(self, avon, office, pat):
        held = acts.hold(pat, avon.slot(at(9, 10), office))

        with pytest.raises(booking.SlotNotOffered):
            acts.confirm(held, now=at(9, 10, days=0) + timedelta(seconds=1))

    def test_it_books_what_was_held_before_the_latest_notice(self, avon, pat):
        soon = cast.make_visit_type("soon", latest_notice=timedelta(hours=1))
        Shift.objects.update(visit_types=[soon.pk])
        held = acts.hold(pat, avon.slot(at(10), soon))

        assert acts.confirm(held, now=NOW + timedelta(minutes=4)).status == "booked"

    def test_it_asks_for_a_price_when_the_membership_ended_meanwhile(self, avon, office, pat):
        held = acts.hold(pat, avon.slot(at(10), office))
        Membership.objects.update(during=DateRange(date(2020, 1, 1), TODAY))

        with pytest.raises(MembershipRequired):
            acts.confirm(held)

        assert acts.confirm(held, accept_price=14_900).paid_by == "per_visit"

    def test_it_asks_again_when_the_price_rose_meanwhile(self, avon, office):
        guest = cast.make_patient("Guest", member=False)
        held = acts.hold(guest, avon.slot(at(10), office))
        VisitPrice.objects.update(amount=19_900)

        with pytest.raises(PriceChanged) as refused:
            acts.confirm(held, accept_price=held.price)

        assert refused.value.help() == {"price": 19_900}


class TestHold:
    def test_it_knows_no_slot_of_nowhere(self, avon, office, pat):
        slot = avon.slot(at(10), office)
        other = cast.make_place("Hartford")

        for nowhere in (
            slots.Slot(slot.clinic, slot.clinic, office.pk, slot.start),
            slots.Slot(slot.clinician, slot.clinician, office.pk, slot.start),
            slots.Slot(slot.clinician, slot.clinic, 65_535, slot.start),
        ):
            with pytest.raises(NotFound):
                acts.hold(pat, nowhere)
        with pytest.raises(booking.SlotNotOffered):
            acts.hold(pat, slots.Slot(slot.clinician, other.clinic.pk, office.pk, slot.start))

    def test_it_refuses_a_type_that_the_shift_does_not_offer(self, avon, pat):
        other = cast.make_visit_type("other")

        with pytest.raises(booking.SlotNotOffered) as refused:
            acts.hold(pat, avon.slot(at(10), other))

        assert refused.value.help() == {"alternatives": []}

    @pytest.mark.parametrize("year", [1970, 2026, 9000, 9001, 9999])
    def test_it_answers_for_any_time_that_a_slot_can_name(self, avon, office, pat, year):
        text = slots.Slot(
            avon.clinicians[0].pk, avon.clinic.pk, office.pk, datetime(year, 12, 31, 23, 59, tzinfo=UTC)
        ).id

        with pytest.raises(Refused) as refused:
            acts.hold(pat, slots.Slot.from_id(text))

        assert isinstance(refused.value.help(), dict)

    def test_it_takes_no_slot_beyond_the_calendar(self):
        raw = bytearray(base64.b64decode(slots.Slot(uuid.uuid4(), uuid.uuid4(), 1, NOW).id, b"-."))
        raw[35:39] = b"\xff\xff\xff\xff"

        with pytest.raises(slots.BadSlot):
            slots.Slot.from_id(base64.b64encode(raw, b"-.").decode())

    def test_it_lets_turnover_overhang_the_shift_and_keeps_it_from_the_next(self, avon, pat, stranger):
        place = cast.make_place("Hartford")
        other = cast.make_place("Bristol", system=place.clinic.health_system, state=place.clinic.state)
        swift = cast.make_visit_type("swift", turnover=timedelta(minutes=15))
        cast.make_shift(place, at(9), at(10), swift)
        cast.make_shift(other, at(10), at(12), swift, clinician=place.clinicians[0])

        held = acts.hold(pat, place.slot(at(9, 40), swift))

        assert held.ends_at == at(10)
        assert acts.starts(place, "swift")[-1] == at(9)
        assert acts.starts(other, "swift")[0] == at(10, 20)
        with pytest.raises(booking.SlotTaken):
            acts.hold(stranger, slots.Slot(place.clinicians[0].pk, other.clinic.pk, swift.pk, at(10, 10)))

    def test_it_does_not_let_a_visit_end_where_anothers_turnover_would_not_fit(self, avon, pat, stranger):
        swift = cast.make_visit_type("swift", turnover=timedelta(minutes=15))
        Shift.objects.update(visit_types=[swift.pk])
        acts.hold(pat, avon.slot(at(10), swift))

        assert at(9, 20) in acts.starts(avon, "swift")
        assert at(9, 30) not in acts.starts(avon, "swift")
        assert at(10, 30) not in acts.starts(avon, "swift")
        assert at(10, 40) in acts.starts(avon, "swift")

    def test_it_gives_a_patient_back_the_time_of_their_own_hold_that_ran_out(self, avon, office, pat):
        late = acts.hold(pat, avon.slot(at(10), office))
        acts.age(late)

        again = acts.hold(pat, avon.slot(at(10, 10), office))

        assert Claim.objects.filter(appointment=again).count() == 3
        booking.expire_holds(now=NOW)
        late.refresh_from_db()
        assert late.status == "expired"

    def test_it_holds_no_start_in_an_hour_that_does_not_divide_by_its_step(self, avon, pat):
        half = cast.make_visit_type("half", step=30)
        Shift.objects.update(visit_types=[half.pk])

        assert {start.minute for start in acts.starts(avon, "half")} == {0, 30}
        with pytest.raises(booking.SlotNotOffered):
            acts.hold(pat, avon.slot(at(10, 10), half))


class TestOverbooked:
    @pytest.fixture
    def two(self, avon, office, pat, stranger):
        """Two visits at 10: one of a patient, one overbooked by staff."""
        cast.make_room(avon.clinic, "Exam 9")
        first = acts.book(pat, avon.slot(at(10), office))
        return first, acts.overbook(stranger, avon.slot(at(10), office))

    def test_it_comes_down_to_the_first_lane_when_it_moves(self, two, avon, office):
        moved = acts.move(two[1], avon.slot(at(11), office))

        assert (moved.lane, moved.overbook_reason) == (0, "")

    def test_it_moves_to_a_time_where_no_lane_is_taken(self, two, avon, office):
        with pytest.raises(booking.SlotTaken):
            acts.move(two[1], avon.slot(at(10, 10), office))
        acts.cancel(two[0])

        assert acts.move(two[1], avon.slot(at(10, 10), office)).lane == 0

    def test_its_lane_is_free_again_when_it_is_cancelled(self, two, avon, office):
        third = cast.make_patient("Third")
        acts.cancel(two[1])

        assert acts.overbook(third, avon.slot(at(10), office)).lane == 1

    def test_it_takes_the_patients_lane_when_that_one_is_free(self, two, avon, office):
        third = cast.make_patient("Third")
        acts.cancel(two[0])

        assert acts.overbook(third, avon.slot(at(10), office)).lane == 0

    def test_it_goes_over_a_hold_that_ran_out_on_its_lane(self, avon, office, pat, stranger):
        acts.age(acts.hold(pat, avon.slot(at(10), office)))

        assert acts.overbook(stranger, avon.slot(at(10), office)).lane == 0


class TestVisitTypeChanged:
    def test_it_moves_a_visit_whose_type_came_to_need_a_room(self, avon, pat):
        talk = cast.make_visit_type("talk", room_kind="")
        Shift.objects.update(visit_types=[talk.pk])
        visit = acts.book(pat, avon.slot(at(10), talk))
        VisitType.objects.filter(pk=talk.pk).update(room_kind="exam")

        moved = acts.move(Appointment.objects.get(pk=visit.pk), avon.slot(at(11), talk))

        assert moved.room_id == avon.rooms[0].pk

    def test_it_moves_a_visit_whose_type_needs_no_room_any_more(self, avon, office, pat):
        visit = acts.book(pat, avon.slot(at(10), office))
        VisitType.objects.filter(pk=office.pk).update(room_kind="")

        moved = acts.move(Appointment.objects.get(pk=visit.pk), avon.slot(at(11), office))

        assert moved.room_id is None
