"""Chat while connections break, messages are sent twice and Valkey dies: everybody ends with the same, in one order.

Clients do what the API asks of them: hear that there is news, and read on from the last message that they have; and by
themselves every now and then, for what they were not told.
"""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from websockets.exceptions import WebSocketException

from clinics.models import User
from config import embedded
from tests import cast
from tests.faults.crew import Broker
from tests.sizes import FULL
from tests.virtualcare import talking
from tests.virtualcare.sockets import serving
from tests.virtualcare.sockets.conftest import Pair
from tests.virtualcare.sockets.serving import Server, until
from virtualcare import chat
from virtualcare.models import ChatMessage, Consult

pytestmark = [pytest.mark.slow, pytest.mark.proof, pytest.mark.django_db(transaction=True)]

EACH = 300 if FULL else 40  # messages of each sender
LOOKS_EVERY = 2.0  # seconds, without being told
Role = ChatMessage.Role


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory, settings: LazySettings) -> Iterator[Broker]:
    """A Valkey that may die. News goes there."""
    broker = Broker(tmp_path_factory.mktemp("valkey"))
    broker.start()
    settings.REDIS_URL = broker.url
    yield broker
    embedded.stop(broker.folder)


@pytest.fixture
def server(broker: Broker, pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, database = tmp_path_factory.mktemp("sockets"), str(connection.settings_dict["NAME"])
    with serving.serving(folder, database, redis_url=broker.url) as server:
        yield server
        assert "Traceback" not in server.log.read_text()


@dataclass
class Device:
    """One of somebody's, which loses its connection whenever chance has it."""

    server: Server
    consult: Consult
    path: str
    user: User
    chance: random.Random
    over: threading.Event
    has: list[tuple[int, str]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def follow(self) -> None:
        try:
            while not self.over.is_set():
                try:
                    with self.server.connect(serving.url_for(self.user, self.path)) as client:
                        for _ in range(self.chance.randrange(1, 12)):
                            self.read_on()
                            self.told[client.hear(LOOKS_EVERY).get("what", "")] += 1
                except TimeoutError:
                    self.told["nothing"] += 1
                except (WebSocketException, OSError):
                    self.told["lost"] += 1
            self.read_on()
        finally:
            connection.close()

    def read_on(self) -> None:
        there_is_more = True
        while there_is_more:
            last = self.has[-1][0] if self.has else 0
            found, there_is_more = chat.since(consult=self.consult, after_seq=last, limit=7)
            self.has += [(message.seq, message.body) for message in found]


def talk(pair: Pair, sender: User, role: Role, chance: random.Random) -> list[str]:
    """Say EACH things, many of them twice or thrice under one client_id; what was said, in order."""
    said = []
    try:
        cast.wait_for_locks()
        for number in range(EACH):
            body, client_id = f"{role} {number}", uuid.uuid4()
            for attempt in range(chance.choice([1, 1, 2, 3])):
                message, is_new = chat.send(
                    consult=pair.consult, sender=sender, role=role, client_id=client_id, body=body, now=timezone.now()
                )
                assert (is_new, message.body) == (attempt == 0, body)
            said.append(body)
            time.sleep(chance.uniform(0, 0.1))
    finally:
        connection.close()
    return said


def test_every_device_ends_with_the_same_in_one_order_and_nothing_twice(server: Server, broker: Broker, pair: Pair):
    over = threading.Event()
    users = [pair.patients_user, pair.patients_user, pair.doctors_user, pair.doctors_user]
    devices = [
        Device(server, pair.consult, pair.path, user, random.Random(number), over) for number, user in enumerate(users)
    ]
    with ThreadPoolExecutor(len(devices) + 2) as pool:
        following = [pool.submit(device.follow) for device in devices]
        try:
            until(server.hears)
            talking_now = [
                pool.submit(talk, pair, pair.patients_user, Role.PATIENT, random.Random(11)),
                pool.submit(talk, pair, pair.doctors_user, Role.CLINICIAN, random.Random(12)),
            ]
            until(lambda: len(talking.seqs(pair.consult)) > EACH / 2)
            broker.kill()
            without = len(talking.seqs(pair.consult))
            until(lambda: len(talking.seqs(pair.consult)) > without + EACH / 4)
            broker.start()
            said = [one.result() for one in talking_now]
            until(lambda: all(len(device.has) == 2 * EACH for device in devices))
        finally:
            over.set()
        for one in following:
            one.result()

    kept = list(ChatMessage.objects.filter(consult=pair.consult).order_by("seq").values_list("seq", "body"))
    assert [seq for seq, _ in kept] == list(range(1, 2 * EACH + 1))
    assert all(device.has == kept for device in devices)
    for role, bodies in zip((Role.PATIENT, Role.CLINICIAN), said, strict=True):
        assert [body for _, body in kept if body.startswith(role)] == bodies
    assert all(device.told["chat"] for device in devices)
