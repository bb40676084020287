"""Reminders: planned with the booking, sent once, taken back with a move or a cancellation (promises 15 and 16)."""

from datetime import timedelta

import pytest

from clinics import messages
from clinics.models import ContactPreference, Link, Message, Patient, Proxy
from scheduling import arrivals, notices, reminders
from scheduling.models import Appointment, Reminder
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts

pytestmark = pytest.mark.django_db


def planned(visit):
    return {reminder.kind: reminder.due_at for reminder in Reminder.objects.filter(appointment=visit, status="planned")}


def statuses(visit):
    found = Reminder.objects.filter(appointment=visit).order_by("sequence", "due_at")
    return [(reminder.sequence, reminder.kind, reminder.status) for reminder in found]


def sent(visit, status="queued"):
    found = Message.objects.filter(about=notices.about(visit), status=status).order_by("created_at", "id")
    return [message.template for message in found]


@pytest.fixture
def visit(avon, office, pat):
    """Tomorrow at 15:00, booked today at 9:00."""
    return acts.book(pat, avon.slot(at(15, days=1), office))


class TestPlanning:
    def test_it_plans_the_day_before_and_two_hours_before(self, visit):
        assert planned(visit) == {"P1D": at(15), "PT2H": at(13, days=1)}

    def test_it_plans_what_the_type_of_visit_asks_for(self, avon, office, pat):
        office.reminders = ["PT4H"]
        office.save()

        visit = acts.book(pat, avon.slot(at(15, days=1), office))

        assert planned(visit) == {"PT4H": at(11, days=1)}

    def test_it_plans_none_for_a_hold(self, avon, office, pat):
        acts.hold(pat, avon.slot(at(15, days=1), office))

        assert not Reminder.objects.exists()
        assert not Message.objects.exists()

    def test_it_plans_none_within_two_hours_of_the_confirmation(self, avon, office, pat):
        visit = acts.book(pat, avon.slot(at(13), office))

        assert planned(visit) == {}
        assert sent(visit) == ["visit_booked"]

    def test_it_plans_by_the_patients_quiet_hours(self, avon, office, pat):
        Patient.objects.filter(pk=pat.pk).update(time_zone="Pacific/Honolulu")
        pat.refresh_from_db()

        visit = acts.book(pat, avon.slot(at(14, days=1), office))

        assert planned(visit) == {"P1D": at(14), "PT2H": at(0, 30, days=1)}

    def test_it_plans_them_for_what_staff_overbook(self, avon, office, pat):
        visit = acts.overbook(pat, avon.slot(at(15, days=1), office))

        assert planned(visit).keys() == {"P1D", "PT2H"}
        assert sent(visit) == ["visit_booked"]

    def test_planning_again_changes_nothing(self, visit):
        reminders.plan(visit, now=NOW)

        assert len(statuses(visit)) == 2


class TestWithdrawing:
    def test_a_move_plans_anew(self, avon, office, visit):
        moved = acts.move(visit, avon.slot(at(16, days=1), office))

        assert planned(moved) == {"P1D": at(16), "PT2H": at(14, days=1)}
        assert statuses(visit)[:2] == [(0, "P1D", "withdrawn"), (0, "PT2H", "withdrawn")]
        assert sent(visit) == ["visit_moved"]
        assert sent(visit, "withdrawn") == ["visit_booked"]

    def test_a_cancellation_leaves_nothing_but_its_own_notice(self, visit):
        reminders.send_due(now=at(15))

        acts.cancel(visit)

        assert planned(visit) == {}
        assert sent(visit) == ["visit_cancelled"]
        assert sent(visit, "withdrawn") == ["visit_booked", "visit_reminder"]

    def test_who_has_arrived_is_not_reminded(self, visit, desk):
        arrivals.advance(visit=visit, to=Appointment.Status.ARRIVED, actor=desk, now=at(9, days=1))

        assert planned(visit) == {}
        assert sent(visit) == []

    def test_moving_away_and_back_reminds_of_the_last_time(self, avon, office, visit):
        acts.move(visit, avon.slot(at(16, days=1), office))
        back = acts.move(Appointment.objects.get(pk=visit.pk), avon.slot(at(15, days=1), office))

        reminders.send_due(now=at(16))

        assert [row for row in statuses(back) if row[2] != "withdrawn"] == [(2, "P1D", "sent"), (2, "PT2H", "planned")]


class TestSending:
    def test_it_sends_what_is_due_and_nothing_else(self, visit):
        assert reminders.send_due(now=at(14, 59)) == 0
        assert reminders.send_due(now=at(15)) == 1
        assert reminders.send_due(now=at(15, 1)) == 0

        assert statuses(visit) == [(0, "P1D", "sent"), (0, "PT2H", "planned")]
        reminder = Message.objects.get(template="visit_reminder")
        assert (reminder.kind, reminder.due_at, reminder.expires_at) == ("reminder", at(15), at(13, days=1))

    def test_its_links_are_those_of_the_confirmation(self, visit):
        reminders.send_due(now=at(15))

        booked, reminder = Message.objects.filter(about=notices.about(visit)).order_by("due_at")
        assert booked.context["links"] == reminder.context["links"]
        assert Link.objects.count() == 2

    def test_a_visit_that_was_entered_without_links_gets_some(self, visit):
        Link.objects.all().delete()

        reminders.send_due(now=at(15))

        found = Message.objects.get(template="visit_reminder").context["links"]
        assert found == {link.purpose: str(link.pk) for link in Link.objects.all()}
        assert found.keys() == {"confirm", "cancel"}

    def test_it_takes_as_many_statements_for_one_as_for_twenty(self, avon, office, visit, django_assert_num_queries):
        for number in range(17):
            acts.book(cast.make_patient(f"P{number}"), avon.slot(at(9, 20 * number, days=1), office))
        Reminder.objects.filter(kind="P1D").delete()
        Reminder.objects.exclude(appointment=visit).update(due_at=at(12))
        cost = 8  # two of them begin and end a savepoint

        with django_assert_num_queries(cost):
            assert reminders.send_due(now=at(12)) == 17
        with django_assert_num_queries(cost):
            assert reminders.send_due(now=at(13, days=1)) == 1

    @pytest.mark.parametrize("status", ["arrived", "checked_in", "roomed", "completed", "no_show", "cancelled"])
    def test_it_reminds_of_no_visit_that_does_not_stand(self, visit, status):
        """As if something had forgotten to withdraw it."""
        Appointment.objects.filter(pk=visit.pk).update(status=status)

        reminders.send_due(now=at(15))

        assert statuses(visit)[0] == (0, "P1D", "withdrawn")
        assert sent(visit) == ["visit_booked"]

    def test_it_reminds_of_no_time_that_is_not_the_visits_any_more(self, visit):
        Appointment.objects.filter(pk=visit.pk).update(sequence=1, starts_at=at(16, days=1), ends_at=at(17, days=1))

        reminders.send_due(now=at(15))

        assert statuses(visit)[0] == (0, "P1D", "withdrawn")

    def test_it_drops_what_comes_too_late(self, visit):
        Reminder.objects.filter(kind="PT2H").delete()

        reminders.send_due(now=at(13, days=1))

        assert statuses(visit) == [(0, "P1D", "dropped")]
        assert Reminder.objects.get().settled_at == at(13, days=1)

    def test_two_hours_before_is_of_use_until_the_visit_begins(self, visit):
        Reminder.objects.filter(kind="P1D").delete()

        reminders.send_due(now=at(14, 59, days=1))

        assert statuses(visit) == [(0, "PT2H", "sent")]

    def test_it_drops_it_when_the_visit_has_begun(self, visit):
        reminders.send_due(now=at(15, days=1))

        assert statuses(visit) == [(0, "P1D", "dropped"), (0, "PT2H", "dropped")]
        assert sent(visit) == ["visit_booked"]

    def test_after_a_day_of_silence_it_reminds_once(self, avon, office, pat):
        office.reminders = ["P1D", "PT4H"]
        office.save()
        visit = acts.book(pat, avon.slot(at(16, days=1), office))

        reminders.send_due(now=at(12, 30, days=1))

        assert statuses(visit) == [(0, "P1D", "dropped"), (0, "PT4H", "sent")]

    def test_one_that_missed_its_evening_waits_for_the_morning(self, visit):
        assert reminders.send_due(now=at(20)) == 1
        assert reminders.send_due(now=at(20, 1)) == 0

        assert planned(visit)["P1D"] == at(8, days=1)
        reminders.send_due(now=at(8, days=1))
        assert statuses(visit)[0] == (0, "P1D", "sent")

    def test_it_does_a_batch_and_leaves_the_rest(self, visit):
        Reminder.objects.update(due_at=NOW)

        assert [reminders.send_due(now=at(10), most=1) for _ in range(3)] == [1, 1, 0]


class TestToWhom:
    def test_a_childs_visit_is_told_to_both_parents_by_first_name(self, avon, office):
        parents = [cast.make_patient(name) for name in ("Ada", "Bob")]
        child = cast.make_patient("Kid", born=NOW.date().replace(year=2018), user=False)
        for parent in parents:
            Proxy.objects.create(user=parent.user, patient=child)

        held = acts.hold(parents[0], avon.slot(at(15, days=1), office))
        Appointment.objects.filter(pk=held.pk).update(patient=child)
        visit = Appointment.objects.with_what_it_shows().get(pk=held.pk)
        notices.booked(visit, now=NOW)

        found = Message.objects.all()
        assert {message.address for message in found} == {parent.user.email for parent in parents}
        assert {message.context["child"] for message in found} == {"Kid"}

    def test_who_turned_reminders_off_is_told_of_the_booking_alone(self, visit, pat):
        ContactPreference.objects.create(patient=pat, email_reminders=False)

        reminders.send_due(now=at(15))

        assert sent(visit) == ["visit_booked"]
        assert statuses(visit)[0] == (0, "P1D", "sent")

    def test_who_agreed_to_texts_gets_them_as_well(self, avon, office, pat):
        Patient.objects.filter(pk=pat.pk).update(phone="+12015550199")
        ContactPreference.objects.create(patient=pat, sms_opted_in_at=NOW - timedelta(days=1))

        visit = acts.book(pat, avon.slot(at(15, days=1), office))

        found = Message.objects.filter(about=notices.about(visit))
        assert {message.channel for message in found} == {"email", "sms"}

    def test_withdrawing_knows_them_by_the_visit(self, visit):
        assert messages.withdraw(about=notices.about(visit), now=NOW) == 1
