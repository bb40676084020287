"""What the front desk says of a visit on its day."""

from datetime import timedelta
from itertools import pairwise

import pytest

from clinics.models import StaffRole
from clinics.refusals import NotFound
from scheduling import arrivals, booking
from scheduling.arrivals import NotBegun, NotToday, OtherStatus, TooLateToUndo
from scheduling.booking import NotCancellable, NotMovable, PatientBusy, SlotTaken
from scheduling.models import Appointment, Claim
from tests import cast
from tests.cast import at, at_the_same_time
from tests.scheduling import acts, invariants

pytestmark = pytest.mark.django_db
S = Appointment.Status


@pytest.fixture
def visit(avon, office, pat):
    """Pat's visit at 10:00 today."""
    return acts.book(pat, avon.slot(at(10), office))


def say(visit, to, desk, *, now=None):
    return arrivals.advance(visit=visit, to=to, actor=desk, now=now or at(10, 5))


def take_back(visit, said, desk, *, now=None):
    return arrivals.undo(visit=visit, said=said, actor=desk, now=now or at(10, 6))


def changes(visit):
    return list(visit.changes.values_list("from_status", "to_status", "actor"))[2:]


class TestAdvance:
    def test_it_goes_through_a_day(self, visit, desk):
        for to in (S.ARRIVED, S.CHECKED_IN, S.ROOMED, S.COMPLETED):
            assert say(visit, to, desk).status == to

        steps = [S.BOOKED, S.ARRIVED, S.CHECKED_IN, S.ROOMED, S.COMPLETED]
        assert changes(visit) == [(*pair, desk.pk) for pair in pairwise(steps)]
        invariants.check(at(10, 5))

    def test_it_lets_steps_be_left_out_but_goes_none_back(self, visit, desk):
        say(visit, S.ROOMED, desk)

        for to in (S.ARRIVED, S.CHECKED_IN, S.NO_SHOW):
            with pytest.raises(OtherStatus):
                say(visit, to, desk)

    def test_it_changes_nothing_the_second_time(self, visit, desk):
        say(visit, S.ARRIVED, desk)
        say(visit, S.ARRIVED, desk)

        assert len(changes(visit)) == 1

    @pytest.mark.parametrize("when", [at(10, days=-1), at(10, days=1)], ids=["the day before", "the day after"])
    def test_it_lets_nobody_arrive_on_another_day(self, visit, desk, when):
        for to in (S.ARRIVED, S.CHECKED_IN, S.ROOMED):
            with pytest.raises(NotToday):
                say(visit, to, desk, now=when)

    def test_it_lets_a_forgotten_visit_be_completed_later(self, visit, desk):
        assert say(visit, S.COMPLETED, desk, now=at(10, days=3)).status == S.COMPLETED

    @pytest.mark.parametrize("to", [S.NO_SHOW, S.COMPLETED])
    def test_it_ends_no_visit_before_its_start(self, visit, desk, to):
        with pytest.raises(NotBegun):
            say(visit, to, desk, now=at(9, 59))

        assert say(visit, to, desk, now=at(10)).status == to

    def test_it_gives_the_time_of_a_no_show_away_at_once(self, visit, desk, avon, office, stranger):
        say(visit, S.NO_SHOW, desk)

        assert not Claim.objects.filter(appointment=visit).exists()
        invariants.check(at(10, 5))
        assert acts.book(stranger, avon.slot(at(10, 10), office), now=at(10, 5)).status == S.BOOKED

    def test_it_keeps_the_time_of_a_visit_that_is_over_early(self, visit, desk, avon, office, stranger):
        say(visit, S.COMPLETED, desk)

        with pytest.raises(SlotTaken):
            acts.book(stranger, avon.slot(at(10, 10), office), now=at(10, 6))

    def test_it_is_for_those_who_work_there(self, visit, avon, office, desk):
        """The visit is moved while somebody who does not work at its new clinic has it on their screen."""
        elsewhere = cast.make_place("Hartford")
        cast.make_shift(elsewhere, at(9), at(17), office)
        there = cast.make_staff(elsewhere.clinic)
        booking.reschedule(
            visit=visit,
            slot=elsewhere.slot(at(10), office),
            accept_price=None,
            actor=there,
            source=Appointment.Source.STAFF,
            now=cast.NOW,
        )

        with pytest.raises(NotFound):
            say(visit, S.ARRIVED, desk)

    def test_it_says_neither_of_a_hold_nor_of_a_cancelled_visit(self, visit, desk, avon, office, pat):
        held = acts.hold(pat, avon.slot(at(12), office))
        booking.cancel(visit=visit, reason="", actor=desk, source=Appointment.Source.STAFF, now=at(9, 30))

        for none in (held, visit):
            for to in arrivals.AFTER:
                with pytest.raises(OtherStatus):
                    say(none, to, desk)

    def test_it_keeps_a_visit_that_arrived_where_it_is(self, visit, desk, avon, office, pat):
        say(visit, S.ARRIVED, desk, now=at(9, 50))

        with pytest.raises(NotMovable):
            acts.move(visit, avon.slot(at(11), office), now=at(9, 51))
        with pytest.raises(NotCancellable):
            acts.cancel(visit, now=at(9, 51))


class TestUndo:
    @pytest.mark.parametrize("said", [S.ARRIVED, S.CHECKED_IN, S.ROOMED, S.COMPLETED, S.NO_SHOW])
    def test_it_brings_back_what_was_before(self, visit, desk, said):
        say(visit, said, desk)

        assert take_back(visit, said, desk).status == S.BOOKED
        assert changes(visit) == [(S.BOOKED, said, desk.pk), (said, S.BOOKED, desk.pk)]
        invariants.check(at(10, 6))

    def test_it_goes_back_step_by_step(self, visit, desk):
        for to in (S.ARRIVED, S.ROOMED, S.COMPLETED):
            say(visit, to, desk)

        assert [take_back(visit, said, desk).status for said in (S.COMPLETED, S.ROOMED, S.ARRIVED)] == [
            S.ROOMED,
            S.ARRIVED,
            S.BOOKED,
        ]

    def test_it_changes_nothing_the_second_time(self, visit, desk):
        say(visit, S.ARRIVED, desk)
        say(visit, S.ROOMED, desk)

        assert [take_back(visit, S.ROOMED, desk).status for _ in range(2)] == [S.ARRIVED, S.ARRIVED]

    def test_it_takes_back_nothing_but_what_was_seen(self, visit, desk):
        say(visit, S.ARRIVED, desk)
        say(visit, S.ROOMED, desk)

        with pytest.raises(OtherStatus):
            take_back(visit, S.ARRIVED, desk)

    def test_it_takes_the_time_of_no_no_show_again_if_it_is_free(self, visit, desk, avon, office, stranger):
        say(visit, S.NO_SHOW, desk)
        acts.book(stranger, avon.slot(at(10, 10), office), now=at(10, 6))

        with pytest.raises(SlotTaken) as refused:
            take_back(visit, S.NO_SHOW, desk, now=at(10, 7))

        assert len(refused.value.help()["alternatives"]) == 3
        invariants.check(at(10, 7))

    def test_it_minds_what_the_patient_took_meanwhile(self, visit, desk, avon, office, pat):
        clinician = cast.make_clinician(avon.clinic, "Other")
        cast.make_room(avon.clinic, "Other")
        cast.make_shift(avon, at(9), at(17), office, clinician=clinician)
        avon.clinicians.append(clinician)
        say(visit, S.NO_SHOW, desk)
        acts.book(pat, avon.slot(at(10, 10), office, clinician=1), now=at(10, 6))

        with pytest.raises((PatientBusy, SlotTaken)):
            take_back(visit, S.NO_SHOW, desk, now=at(10, 7))

    def test_it_leaves_history_alone(self, visit, desk):
        say(visit, S.COMPLETED, desk)

        with pytest.raises(TooLateToUndo):
            take_back(visit, S.COMPLETED, desk, now=at(10, 5) + arrivals.UNDO_WITHIN + timedelta(minutes=1))

    def test_it_takes_back_no_booking(self, visit, desk):
        with pytest.raises(TooLateToUndo):
            take_back(visit, S.BOOKED, desk)


class TestPossible:
    def test_it_offers_what_can_be_said(self, visit, desk, avon):
        before, after = (arrivals.possible(visit, now=now) for now in (at(9, 30), at(10, 1)))
        tomorrow = arrivals.possible(visit, now=at(9, days=1))

        assert before == [S.ARRIVED, S.CHECKED_IN, S.ROOMED]
        assert after == [*before, S.COMPLETED, S.NO_SHOW]
        assert tomorrow == [S.COMPLETED, S.NO_SHOW]


@pytest.mark.django_db(transaction=True)
def test_two_desks_that_say_different_things_at_once_agree_on_one(visit, avon):
    desks = [cast.make_staff(avon.clinic, f"Desk{n}", StaffRole.Role.FRONT_DESK) for n in range(2)]

    said = at_the_same_time(
        lambda both: say(visit, both[0], both[1]).status, zip((S.ARRIVED, S.NO_SHOW), desks, strict=True)
    )

    assert sorted(said) in ([S.ARRIVED, "other_status"], [S.NO_SHOW, "other_status"])
    visit.refresh_from_db()
    assert visit.status in said
    invariants.check(at(10, 5))
