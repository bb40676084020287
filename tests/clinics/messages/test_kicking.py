"""Telling a worker at once: it costs a request nothing, whatever the broker does (promises 10 and 11)."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction

from clinics.messages import kicking
from clinics.models import Message, Patient
from tests import telling
from tests.clinics.messages.conftest import queue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kicked(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the broker was told, in place of one."""
    told: list[str] = []
    telling.by(told.append, settings=settings, monkeypatch=monkeypatch)
    return told


@pytest.fixture
def hung(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A broker that takes connections and never says a word. Set once a publisher has given up."""
    gave_up = threading.Event()

    def publish_and_tell(channel: str) -> None:
        kicking.publish(channel)
        gave_up.set()

    telling.by(publish_and_tell, settings=settings, monkeypatch=monkeypatch)
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        telling.broker(f"redis://127.0.0.1:{deaf.getsockname()[1]}/0", monkeypatch=monkeypatch)
        yield gave_up


def until(done: Any) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_tells_when_it_is_committed(pat: Patient, kicked: list[str]):
    with transaction.atomic():
        queue(pat)
        queue(pat, dedupe_key="2")
        assert kicked == []
    until(lambda: kicked)

    assert set(kicked) == {"email"}


def test_it_tells_nothing_of_reminders_nor_of_what_is_rolled_back(pat: Patient, kicked: list[str]):
    queue(pat, kind="reminder")
    with transaction.atomic():
        queue(pat, dedupe_key="2")
        transaction.set_rollback(True)
    queue(pat, dedupe_key="3")
    until(lambda: kicked)

    assert kicked == ["email"]


def test_it_waits_for_no_broker(pat: Patient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch):
    """A hundred messages are committed while a publisher hangs, and it is told of all of them at once afterwards."""
    hangs, told = threading.Event(), []

    def publish(channel: str) -> None:
        told.append(channel)
        hangs.wait(60)

    telling.by(publish, settings=settings, monkeypatch=monkeypatch)
    for number in range(100):
        queue(pat, dedupe_key=str(number))
        until(lambda: told)
    assert (Message.objects.count(), told) == (100, ["email"])

    hangs.set()
    until(lambda: len(told) == 2)


def test_it_gives_up_on_a_broker_that_hangs(pat: Patient, hung: threading.Event):
    queue(pat)

    assert hung.wait(30)
    assert Message.objects.get().status == "queued"


def test_a_broker_that_is_away_fails_nobody(pat: Patient, hung: threading.Event, monkeypatch: pytest.MonkeyPatch):
    telling.broker("redis://127.0.0.1:1/0", monkeypatch=monkeypatch)
    queue(pat)

    assert hung.wait(30)
    assert Message.objects.get().status == "queued"
