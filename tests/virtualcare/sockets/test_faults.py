"""Valkey that dies, hangs and comes back; sockets that idle; a server that is told to stop."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from bench import broker as brokers
from clinics.messages import kicking
from config import embedded
from tests.faults.crew import Broker
from tests.virtualcare.sockets import serving
from tests.virtualcare.sockets.conftest import Pair
from tests.virtualcare.sockets.serving import Server, until
from virtualcare import news
from virtualcare.models import Consult

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
AGAIN = {"type": "news", "what": "again"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Valkey of this file's own."""
    broker = Broker(tmp_path_factory.mktemp("valkey"))
    broker.start()
    yield broker
    embedded.stop(broker.folder)


@pytest.fixture(scope="module")
def apart(django_db_setup: None, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A socket server at that Valkey."""
    folder, database = tmp_path_factory.mktemp("apart"), str(connection.settings_dict["NAME"])
    with serving.serving(folder, database, redis_url=broker.url) as server:
        yield server
        assert "Traceback" not in server.log.read_text()


@pytest.fixture
def there(broker: Broker, settings: LazySettings) -> None:
    """News goes to that Valkey, which runs."""
    broker.start()
    settings.REDIS_URL = broker.url


class TestValkey:
    def test_sockets_survive_its_death_and_news_flows_again(
        self, apart: Server, broker: Broker, pair: Pair, there: None
    ):
        with pair.patients(apart) as patients, pair.doctors(apart) as doctors:
            until(apart.hears)
            broker.kill()
            until(lambda: not apart.hears())
            news.tell(pair.consult.pk, "chat", seq=1)
            assert patients.hears_nothing()
            broker.start()

            assert patients.hear() == doctors.hear() == AGAIN
            news.tell(pair.consult.pk, "chat", seq=2)
            assert patients.hear() == doctors.hear() == {"type": "news", "what": "chat", "seq": 2}

    def test_who_comes_while_it_is_away_is_let_in_and_told_once_it_is_back(
        self, apart: Server, broker: Broker, pair: Pair, there: None
    ):
        broker.kill()
        with pair.patients(apart) as patients:
            until(lambda: not apart.hears())
            patients.say(type="typing")
            broker.start()

            assert patients.hear() == AGAIN

    def test_one_that_hangs_is_known_to_be_away_and_sockets_survive(
        self, apart: Server, broker: Broker, pair: Pair, there: None
    ):
        with pair.patients(apart) as patients:
            until(apart.hears)
            broker.hang()
            try:
                until(lambda: not apart.hears())
                with pair.doctors(apart) as doctors:
                    assert doctors.hears_nothing()
            finally:
                broker.wake()

            assert patients.hear() == AGAIN


class TestTelling:
    """A clinical write costs the same, whatever Valkey does."""

    @pytest.mark.parametrize("manner", ["hangs", "away"])
    def test_it_neither_fails_nor_keeps_anybody_waiting(
        self, pair: Pair, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, manner: str
    ):
        is_written, gave_up = threading.Event(), threading.Event()

        def publish() -> None:
            assert is_written.wait(60)
            news.publish()
            gave_up.set()

        monkeypatch.setattr(news, "kicker", kicking.Kicker(publish))
        with brokers.hanging() as deaf:
            settings.REDIS_URL = deaf if manner == "hangs" else nobody_there()

            with transaction.atomic():
                Consult.objects.filter(pk=pair.consult.pk).update(last_seq=1)
                for seq in range(200):
                    news.tell(pair.consult.pk, "chat", seq=seq)
            is_written.set()  # and committed, before anything was published
            assert gave_up.wait(60)
            until(lambda: not news.pending)  # what it could not say is forgotten

        assert Consult.objects.get(pk=pair.consult.pk).last_seq == 1

    def test_a_publisher_gives_up_within_seconds(self, settings: LazySettings):
        with brokers.hanging() as deaf:
            settings.REDIS_URL = deaf
            news.hand_over(news.CLINICIANS, "queue", {})

            began = time.perf_counter()
            news.publish()
            assert time.perf_counter() - began < 30  # without a time-out it hangs for ever

    def test_it_says_once_for_many_and_the_highest_number(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(news, "kicker", kicking.Kicker(lambda: None))
        consult = uuid.uuid4()
        for seq in (3, 5, 4):
            news.tell(consult, "chat", seq=seq)
        news.tell(consult, "place", place=4)
        news.tell(consult, "place", place=3)

        told = {what: facts for (_, what), facts in news.pending.items()}
        news.pending.clear()
        assert told == {"chat": {"seq": 5}, "place": {"place": 3}}

    def test_control_without_a_thread_a_hanging_valkey_keeps_everybody_waiting(
        self, pair: Pair, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
    ):
        class AtOnce(kicking.Kicker):
            def kick(self, *word: str) -> None:
                self.publish(*word)

        monkeypatch.setattr(news, "kicker", AtOnce(news.publish))
        with brokers.hanging() as deaf:
            settings.REDIS_URL = deaf
            began = time.perf_counter()
            news.tell(pair.consult.pk, "chat", seq=1)

            assert time.perf_counter() - began > 0.5


def nobody_there() -> str:
    """An address at which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as was:
        port = was.getsockname()[1]
    return f"redis://127.0.0.1:{port}/0"


class TestIdle:
    def test_a_socket_on_which_nothing_is_said_for_over_a_minute_lives_and_a_dead_one_does_not(
        self, apart: Server, broker: Broker, pair: Pair, there: None, monkeypatch: pytest.MonkeyPatch
    ):
        """A minute for real: what ends idle sockets is time-outs of libraries, and of what stands between."""
        with pair.patients(apart) as patients, pair.doctors(apart) as doctors, pair.doctors(apart) as dead:
            until(apart.hears)
            # As a device that lost its network: no pong.
            monkeypatch.setattr(dead.connection.protocol, "receive_data", lambda _: None)
            assert patients.hears_nothing(65)

            news.tell(pair.consult.pk, "chat", seq=1)
            assert patients.hear() == doctors.hear() == {"type": "news", "what": "chat", "seq": 1}
            told = apart.ask("/metrics", Authorization=f"Bearer {serving.TOKEN}")[1]
            assert 'sameday_sockets_open{kind="consult"} 2.0' in told


class TestStopping:
    def test_it_says_that_it_restarts_and_takes_clients_again(
        self, django_db_setup: None, pair: Pair, tmp_path: Path, there: None, broker: Broker
    ):
        database = str(connection.settings_dict["NAME"])
        with (
            serving.serving(tmp_path, database, redis_url=broker.url) as server,
            pair.patients(server) as patients,
            pair.doctors(server) as doctors,
        ):
            server.stop()

            assert (patients.code(), doctors.code()) == (1012, 1012)
            assert "graceful shutdown exceeded" not in server.log.read_text()
        with (
            serving.serving(tmp_path, database, redis_url=broker.url, port=server.port) as again,
            pair.patients(again) as patients,
        ):
            until(again.hears)
            news.tell(pair.consult.pk, "chat", seq=1)
            assert patients.hear()["seq"] == 1
        assert "Traceback" not in server.log.read_text()
