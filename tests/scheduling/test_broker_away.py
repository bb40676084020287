"""Booking while the broker is away or hangs (promises 10 and 11): rows are the truth, a word to a worker saves time."""

import socket
import threading
import time
from contextlib import closing

import pytest
import time_machine

from clinics.messages import kicking
from clinics.models import Message
from scheduling import reminders
from scheduling.models import Reminder
from tests import telling
from tests.calls import Caller
from tests.cast import NOW, at

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 60.0  # seconds for which a broker that hangs would hold up whoever waits for it


@pytest.fixture
def publishing(monkeypatch, settings):
    """Each attempt to tell a worker: the thread it was made in, and whether it is over."""
    attempts: list[dict] = []
    begun = threading.Event()

    def watched(channel):
        attempt = {"thread": threading.get_ident(), "is_over": False}
        attempts.append(attempt)
        begun.set()
        kicking.publish(channel)
        attempt["is_over"] = True

    telling.by(watched, settings=settings, monkeypatch=monkeypatch)
    return attempts, begun


@pytest.fixture
def listener():
    """A server that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(None)  # whatever default others have set
        taken: list[socket.socket] = []

        def take():
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1], taken
        for connection in taken:
            connection.close()
        server.shutdown(socket.SHUT_RDWR)


def book(pat, slot):
    me = Caller(pat.user)
    with time_machine.travel(NOW, tick=True):
        held = me.post("/holds", {"slot": slot.id})
        return me.post("/appointments", {"hold": held.json()["id"]})


def wait_until(condition):
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_booking_is_answered_while_the_broker_hangs(avon, office, pat, publishing, listener, monkeypatch):
    attempts, begun = publishing
    port, taken = listener
    telling.broker(f"redis://127.0.0.1:{port}/0", monkeypatch=monkeypatch)
    monkeypatch.setattr(kicking, "TIMEOUT", LONG)

    answers = [book(pat, avon.slot(at(hour, days=1), office)).status_code for hour in (10, 12, 14)]

    assert answers == [201, 201, 201]
    assert begun.wait(LONG)
    wait_until(lambda: taken)
    # One word at most is under way, in a thread of its own, and nobody waited for it.
    assert [attempt["is_over"] for attempt in attempts] == [False]
    assert attempts[0]["thread"] != threading.get_ident()
    assert Message.objects.filter(template="visit_booked", status="queued").count() == 3


def test_without_a_thread_of_its_own_a_booking_would_wait(avon, office, pat, publishing, listener, monkeypatch):
    attempts, _ = publishing
    port, taken = listener
    telling.broker(f"redis://127.0.0.1:{port}/0", monkeypatch=monkeypatch)
    monkeypatch.setattr(kicking, "TIMEOUT", 0.1)
    monkeypatch.setattr(kicking.kicker, "kick", kicking.kicker.publish)

    book(pat, avon.slot(at(10, days=1), office))

    wait_until(lambda: taken)
    assert attempts == [{"thread": threading.get_ident(), "is_over": True}]


def test_a_booking_is_answered_and_reminded_of_while_there_is_no_broker(avon, office, pat, publishing, monkeypatch):
    attempts, begun = publishing
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    telling.broker(f"redis://127.0.0.1:{port}/0", monkeypatch=monkeypatch)

    answer = book(pat, avon.slot(at(15, days=1), office))

    assert answer.status_code == 201
    assert begun.wait(LONG)
    wait_until(lambda: attempts[0]["is_over"])
    assert Reminder.objects.filter(status="planned").count() == 2
    # What the broker's beat would have asked for, once it is back.
    reminders.send_due(now=at(15, 40))
    assert sorted(Message.objects.filter(status="queued").values_list("template", flat=True)) == [
        "visit_booked", "visit_reminder",
    ]  # fmt: skip
