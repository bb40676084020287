"""How much one caller may ask for."""

import socket
import uuid
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client, RequestFactory

from config import throttling
from tests.calls import Caller
from tests.cast import NOW


@pytest.fixture(autouse=True)
def limits(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.RATE_LIMITS = {"anonymous": 3, "user": 5}
    settings.TRUSTED_PROXIES = 1
    counter = throttling.Counter(settings.REDIS_URL)
    monkeypatch.setattr(throttling, "counter", counter)
    with time_machine.travel(NOW, tick=False):
        yield counter
    counter.server.close()


def ask(forwarded_for: str, address: str = "10.0.0.1") -> Any:
    return Client(REMOTE_ADDR=address).get("/api/v1/plans", headers={"X-Forwarded-For": forwarded_for})


def somebody() -> str:
    """An address that no other test has."""
    number = uuid.uuid4().int
    return f"2001:db8:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}::{number >> 32 & 0xFFFF:x}"


def test_it_refuses_an_address_that_asks_too_often_and_says_until_when(db: None):
    address = somebody()

    answers = [ask(address) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == "throttled"
    assert 1 <= int(answers[-1]["Retry-After"]) <= 61
    assert ask(somebody()).status_code == 200


def test_it_counts_each_minute_anew(db: None):
    address = somebody()
    for _ in range(4):
        ask(address)

    with time_machine.travel(NOW.timestamp() + 60):
        assert ask(address).status_code == 200


def test_it_counts_an_account_wherever_it_asks_from(pat: Any):
    caller = Caller(pat.user)

    statuses = [caller.get("/me", {}, **{"X-Forwarded-For": somebody()}).status_code for _ in range(6)]

    assert statuses == [200] * 5 + [429]


def test_it_counts_tokens_that_are_guessed(db: None):
    address = somebody()

    statuses = [
        Client()
        .get("/api/v1/me", headers={"X-Forwarded-For": address, "X-Session-Token": f"guess {number}"})
        .status_code
        for number in range(4)
    ]

    assert statuses == [401, 401, 401, 429]


def test_it_believes_its_own_proxies_alone(db: None):
    """Promise 31: a made-up X-Forwarded-For doesn't help."""
    address = somebody()

    statuses = [ask(f"{somebody()}, {address}").status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("proxies", "forwarded_for", "network"),
    [
        (0, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        (2, "1.1.1.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "nonsense" * 30, ("nonsense" * 30)[:64]),
    ],
)
def test_it_knows_the_network_of_a_caller(settings: LazySettings, proxies: int, forwarded_for: str, network: str):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory(REMOTE_ADDR="10.0.0.1").get("/", headers={"X-Forwarded-For": forwarded_for})

    assert throttling.client_network(request) == network


def test_it_refuses_nobody_while_the_counter_is_away(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(throttling, "counter", throttling.Counter("redis://127.0.0.1:1/0"))
    monkeypatch.setattr(throttling, "REST", 600.0)
    address = somebody()

    statuses = [ask(address).status_code for _ in range(10)]

    assert statuses == [200] * 10
    assert rests(caplog) == 1


def test_it_waits_for_a_counter_that_hangs_once(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(throttling, "REST", 600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent, time_machine.travel(NOW, tick=True):
        monkeypatch.setattr(throttling, "counter", throttling.Counter(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        for _ in range(5):
            throttling.counter.count("rate:test")

        assert rests(caplog) == 1


def rests(caplog: pytest.LogCaptureFixture) -> int:
    """How often the counter was found away, and left alone from then on."""
    return sum("Rate limits are off" in record.getMessage() for record in caplog.records)
