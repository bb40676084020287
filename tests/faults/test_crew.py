"""Real workers and beats, killed, doubled and told again; a broker that dies, and one that hangs (promises 10 to 14).

They run as compose.yaml starts them, on the test's database, with a Valkey, a mail server and a Twilio of their own.
What counts is what those two took: every message arrives, an e-mail that arrives twice under one Message-ID, and no
text twice.
"""

import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from bench.draining import noon_zone
from clinics.messages import kicking
from clinics.models import Message, Patient
from scheduling.models import Appointment, Reminder
from tests import cast, telling
from tests.calls import Caller
from tests.clinics.messages.conftest import text
from tests.faults import providers
from tests.faults.crew import PATIENCE, Crew, hired, until
from tests.scheduling import acts
from tests.sizes import FULL

pytestmark = [pytest.mark.slow, pytest.mark.proof, pytest.mark.django_db(transaction=True)]

WORKERS, BEATS = ("one", "two"), ("first", "second")
EMAIL, SMS, REMIND = "email", "sms", "scheduling.tasks.send_reminders"
SEND = "clinics.tasks.send_messages"
# Where a worker dies, and by which channel. `tests/clinics/messages/test_killed.py` has every step of both.
DEATHS = [("claiming", EMAIL), ("claimed", SMS), ("sent", SMS), ("sent", EMAIL)]
if FULL:
    DEATHS = [(point, channel) for point in ("claiming", "claimed", "sent", "recorded") for channel in (EMAIL, SMS)]


@pytest.fixture(scope="module")
def hands(django_db_setup: None) -> Iterator[Crew]:
    """Two workers and two beats, which start once for all of this."""
    with hired(str(connection.settings_dict["NAME"])) as crew:
        for name in WORKERS:
            crew.worker(name)
        for name in BEATS:
            crew.beat(name)
        crew.await_workers(*WORKERS)
        crew.pause(*BEATS)
        yield crew


@pytest.fixture
def crew(hands: Crew, transactional_db: None) -> Iterator[Crew]:
    """The crew, with nothing to do and beats that say nothing until they are told to go on."""
    hands.mail.taken.clear()
    hands.texts.listed.clear()
    hands.mail.is_waited_for.clear()
    yield hands
    hands.broker.start()
    hands.mail.open.set()
    hands.resume(*WORKERS)
    hands.pause(*BEATS)
    hands.await_rest()


class Day:
    """A clinic of tomorrow, where it is about noon now, so that nobody has quiet hours."""

    def __init__(self) -> None:
        self.zone = noon_zone(timezone.now())
        self.office = cast.make_visit_type("office")
        self.place = cast.make_place("Avon", clinicians=6, rooms=6, time_zone=self.zone)
        self.first = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=20)
        for number in range(6):
            cast.make_shift(self.place, self.first, self.first + timedelta(hours=6), self.office, clinician=number)
        self.count = 0

    def somebody(self) -> tuple[Patient, Any]:
        """A patient who agreed to texts, and a slot for them."""
        number, self.count = self.count, self.count + 1
        patient = cast.make_patient(f"P{number}")
        patient.time_zone = self.zone
        patient.save(update_fields=["time_zone"])
        text(patient, f"+1440555{number:04d}", sms_opted_in_at=timezone.now())
        start = self.first + timedelta(minutes=30 * (number // 6))
        return patient, self.place.slot(start, self.office, clinician=number % 6)

    def visit(self, *, remind: bool = False) -> Any:
        """A visit that is booked; where it says so, one that is to be reminded of now."""
        patient, slot = self.somebody()
        visit = acts.book(patient, slot, now=timezone.now())
        if remind:
            self.remind(visit)
        return visit

    def remind(self, visit: Appointment) -> None:
        Reminder.objects.create(appointment=visit, kind="P1D", sequence=visit.sequence, due_at=timezone.now())


@pytest.fixture
def day(crew: Crew) -> Day:
    return Day()


def statuses() -> set[str]:
    return set(Message.objects.values_list("status", flat=True))


def grow_old(*given: str) -> None:
    """Let the leases of these messages be over, which at full size is waited for."""
    if not FULL:
        Message.objects.filter(status__in=given).update(next_at=timezone.now())


def until_all_is_sent(crew: Crew, visits: int, *, reminders: int = 0) -> None:
    """Until each confirmation and each reminder went out by both channels, and everybody has come to rest."""

    def is_sent() -> bool:
        return Message.objects.filter(status__in=["sent", "delivered"]).count() == 2 * (visits + reminders)

    until(is_sent, lambda: f"{list(Message.objects.values_list('channel', 'status', 'error'))}\n{crew.told()}")
    crew.pause(*BEATS)
    crew.await_rest()
    assert statuses() <= {"sent", "delivered"}
    assert Message.objects.count() == 2 * (visits + reminders)
    assert not Reminder.objects.filter(status="planned", due_at__lte=timezone.now()).exists()
    # By what can be told apart: the number and the words of a text, and the id of an e-mail.
    assert set(crew.texts.taken.values()) == {1}
    assert len(crew.texts.taken) == len(crew.mail.taken) == visits + reminders


def test_two_of_each_and_tasks_told_again_send_each_once(crew: Crew, day: Day):
    visits = 40 if FULL else 10
    for _ in range(visits):
        day.visit(remind=True)

    for task in ("the same", None):
        crew.broker.tell(REMIND, times=10, task_id=task)
        crew.broker.tell(SEND, EMAIL, times=10, task_id=task)
        crew.broker.tell(SEND, SMS, times=10, task_id=task)
    crew.resume(*BEATS)

    until_all_is_sent(crew, visits, reminders=visits)
    assert set(crew.mail.taken.values()) == {1}


def test_a_worker_killed_at_any_step_loses_nothing(crew: Crew, day: Day):
    for number, (point, _) in enumerate(DEATHS):
        crew.worker(f"dies{number}", "--queues", f"dies{number}", SAMEDAY_KILL_AT=point)
    for number, (_, channel) in enumerate(DEATHS):
        day.visit()
        crew.broker.tell(SEND, channel, queue=f"dies{number}")
        assert crew.await_death(f"dies{number}") == -signal.SIGKILL
    assert "sending" in statuses()
    assert len(crew.mail.taken) >= 1
    assert len(crew.texts.taken) >= 1

    grow_old("sending")
    assert crew.broker.redeliver(*[f"dies{number}" for number in range(len(DEATHS))]) == len(DEATHS)
    crew.resume(*BEATS)

    until_all_is_sent(crew, len(DEATHS))
    assert max(crew.mail.taken.values()) == 2  # that it was taken died with the worker: one Message-ID


@pytest.fixture
def told(crew: Crew, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bookings of this process tell the crew's broker."""
    telling.by(kicking.publish, settings=settings, monkeypatch=monkeypatch)
    telling.broker(crew.broker.url, monkeypatch=monkeypatch)


def book(day: Day) -> None:
    """Book as a patient does, and be told so."""
    patient, slot = day.somebody()
    me = Caller(patient.user)
    held = me.post("/holds", {"slot": slot.id})
    booked = me.post("/appointments", {"hold": held.json()["id"]})
    assert booked.status_code == 201
    day.remind(Appointment.objects.get(pk=booked.json()["id"]))


@pytest.mark.parametrize("fault", ["is killed", "hangs", "hangs and is killed"])
def test_all_goes_out_and_everybody_is_back_when_the_broker(crew: Crew, day: Day, told: None, fault: str):
    """While a worker has a task in hand, which it cannot acknowledge then."""
    crew.mail.open.clear()
    crew.resume(*BEATS)
    book(day)
    assert crew.mail.is_waited_for.wait(PATIENCE)
    if "hangs" in fault:
        crew.broker.hang()
    else:
        crew.broker.kill()
    for _ in range(3):
        book(day)
    assert "queued" in statuses()
    if fault == "hangs and is killed":
        crew.broker.kill()
    if "killed" in fault:
        crew.broker.start()
    crew.broker.wake()
    crew.mail.open.set()
    book(day)

    until_all_is_sent(crew, 5, reminders=5)
    assert set(crew.mail.taken.values()) == {1}
    # Each by itself, as if the other were not there: nobody was started again.
    crew.await_workers(*WORKERS)
    for name in BEATS:
        before = {worker: crew.done(worker) for worker in WORKERS}
        crew.resume(name)
        until(lambda before=before: all(crew.done(one) > done for one, done in before.items()), crew.told)
        crew.pause(name)
        crew.await_rest()


def test_a_text_is_taken_once_whatever_becomes_of_the_answer(crew: Crew, day: Day):
    for manner in providers.MANNERS:
        visit = day.visit()
        crew.texts.manners[str(Patient.objects.get(pk=visit.patient_id).phone)] = manner

    crew.broker.tell(SEND, SMS)
    until(lambda: Message.objects.filter(status="unclear").count() == len(providers.MANNERS), crew.told)
    assert len(crew.texts.taken) == len(providers.MANNERS) / 2
    grow_old("unclear")
    crew.resume(*BEATS)

    until_all_is_sent(crew, len(providers.MANNERS))
