"""The sweep of reminders against itself, and against moves and cancellations (promises 14 and 15)."""

import os
import subprocess
import sys

import pytest

from clinics.models import Message
from scheduling import notices, reminders
from scheduling.booking import records
from scheduling.models import Appointment, Reminder
from scheduling.reminders import planning, sweeping
from tests import cast, owner
from tests.cast import at
from tests.scheduling import acts
from tests.scheduling.races.together import interleave, race, rounds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]

DUE = at(15)  # when somebody is reminded of a visit at 15:00 tomorrow
SWEEP = """
import django
django.setup()
from datetime import datetime
from scheduling import reminders
now = datetime.fromisoformat("{now}")
while reminders.send_due(now=now, most=7):
    pass
"""


@pytest.fixture
def visit(avon, office, pat):
    return acts.book(pat, avon.slot(at(15, days=1), office))


def sweep():
    return reminders.send_due(now=DUE)


def cancel(visit):
    return lambda: acts.cancel(visit, now=DUE).status


def move(visit, slot):
    return lambda: acts.move(visit, slot, now=DUE).status


def open_templates():
    return sorted(Message.objects.filter(status="queued").values_list("template", flat=True))


def nothing_is_said_that_is_not_so():
    """No message that may still go out is about a time that a visit does not have any more; none is planned."""
    for message in Message.objects.filter(status__in=["queued", "sending", "unclear"]):
        visit = Appointment.objects.select_related("clinic").get(pk=message.about.removeprefix("appointment:"))
        if visit.status == "cancelled":
            assert message.template == "visit_cancelled"
        else:
            assert message.context["start"] == visit.local_start.isoformat()
    for reminder in Reminder.objects.filter(status="planned").select_related("appointment"):
        assert (reminder.appointment.status, reminder.appointment.sequence) == ("booked", reminder.sequence)


class TestTwoSweeps:
    def test_the_second_leaves_alone_what_the_first_has(self, visit, monkeypatch):
        assert interleave(monkeypatch, (sweeping, "due"), sweep, sweep) == (1, 0)

        assert open_templates() == ["visit_booked", "visit_reminder"]

    def test_many_send_each_once(self, avon, office):
        office.reminders = ["P1D"]
        office.save()
        visits = [
            acts.book(cast.make_patient(f"P{number}"), avon.slot(at(11, 20 * number + 20, days=1), office))
            for number in range(10)
        ]
        for _ in rounds(2, 10):
            Message.objects.all().delete()
            Reminder.objects.update(status="planned", settled_at=None)

            done = race(*[lambda: sum(iter(lambda: reminders.send_due(now=DUE, most=3), 0))] * 4)

            assert sum(done) == len(visits)
            assert open_templates() == ["visit_reminder"] * len(visits)

    @pytest.mark.slow
    def test_two_processes_send_each_once(self, avon, office, settings):
        visits = [
            acts.book(cast.make_patient(f"P{number}"), avon.slot(at(12, 20 * number, days=1), office))
            for number in range(12)
        ]
        environment = os.environ | {"DATABASE_URL": owner.applications_address()}
        command = [sys.executable, "-c", SWEEP.format(now=at(16).isoformat())]

        processes = [subprocess.Popen(command, env=environment) for _ in range(2)]

        assert [process.wait(120) for process in processes] == [0, 0]
        found = Message.objects.filter(template="visit_reminder")
        assert sorted(found.values_list("about", flat=True)) == sorted(map(notices.about, visits))
        assert Reminder.objects.filter(kind="P1D", status="sent").count() == len(visits)

    def test_without_the_locks_the_key_of_a_message_still_keeps_it_one(self, visit, monkeypatch):
        real = sweeping.due
        monkeypatch.setattr(
            sweeping,
            "due",
            lambda *, now, most: (
                list(Reminder.objects.filter(status="planned", due_at__lte=now)) or real(now=now, most=most)
            ),
        )

        interleave(monkeypatch, (sweeping, "due"), sweep, sweep)

        assert open_templates() == ["visit_booked", "visit_reminder"]

    def test_one_that_dies_leaves_all_to_the_next(self, visit, monkeypatch):
        class Died(BaseException):
            pass

        def die(*_args, **_kwargs):
            raise Died

        for name in ("fate", "send", "links_of", "wait"):
            with monkeypatch.context() as patched:
                patched.setattr(sweeping, name, die)
                with pytest.raises(Died):
                    sweep()
            assert Reminder.objects.get(kind="P1D").status == "planned"
            assert open_templates() == ["visit_booked"]

        assert sweep() == 1


class TestSweepAndCancellation:
    @pytest.mark.parametrize("stop", ["due", "fate", "send"])
    def test_a_cancellation_after_the_look_takes_the_message_back(self, visit, monkeypatch, stop):
        assert interleave(monkeypatch, (sweeping, stop), sweep, cancel(visit)) == (1, "cancelled")

        assert open_templates() == ["visit_cancelled"]
        assert Reminder.objects.get(kind="P1D").status == "sent"
        nothing_is_said_that_is_not_so()

    @pytest.mark.parametrize("stop", [(records, "locked"), (records, "change"), (planning, "withdraw")])
    def test_a_sweep_during_a_cancellation_leaves_nothing_behind(self, visit, monkeypatch, stop):
        if stop == (planning, "withdraw"):
            stop = (reminders, "withdraw")

        interleave(monkeypatch, stop, cancel(visit), sweep)

        assert open_templates() == ["visit_cancelled"]
        nothing_is_said_that_is_not_so()

    def test_without_the_lock_a_cancelled_visit_is_reminded_of(self, visit, monkeypatch):
        """Were the cancellation not to wait for the sweep, its message would be written behind it."""
        monkeypatch.setattr(reminders, "withdraw", lambda visit, now: None)

        interleave(monkeypatch, (sweeping, "fate"), sweep, cancel(visit))

        assert open_templates() == ["visit_cancelled", "visit_reminder"]


class TestSweepAndMove:
    @pytest.mark.parametrize("stop", ["due", "fate", "send"])
    def test_a_move_after_the_look_takes_the_message_back(self, avon, office, visit, monkeypatch, stop):
        interleave(monkeypatch, (sweeping, stop), sweep, move(visit, avon.slot(at(16, days=1), office)))

        assert open_templates() == ["visit_moved"]
        nothing_is_said_that_is_not_so()

    @pytest.mark.parametrize("stop", [(records, "locked"), (records, "change"), (reminders, "withdraw")])
    def test_a_sweep_during_a_move_leaves_nothing_behind(self, avon, office, visit, monkeypatch, stop):
        interleave(monkeypatch, stop, move(visit, avon.slot(at(16, days=1), office)), sweep)

        assert open_templates() == ["visit_moved"]
        nothing_is_said_that_is_not_so()

    def test_all_three_at_once_end_well(self, avon, office):
        for _ in rounds(4, 40):
            patients = [cast.make_patient(f"P{number}") for number in range(3)]
            visits = [
                acts.book(patient, avon.slot(at(14, 20 * number, days=1), office))
                for number, patient in enumerate(patients)
            ]
            Reminder.objects.filter(status="planned").update(due_at=at(14))

            outcomes = race(
                sweep,
                sweep,
                cancel(visits[0]),
                move(visits[1], avon.slot(at(16, days=1), office)),
                cancel(visits[2]),
                move(visits[2], avon.slot(at(16, 20, days=1), office)),
            )

            assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
            nothing_is_said_that_is_not_so()
            for visit in Appointment.objects.filter(status="booked"):
                acts.cancel(visit, now=DUE)
            assert set(open_templates()) == {"visit_cancelled"}
