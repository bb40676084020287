"""How much one caller may ask for."""

import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
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
    counter = throttling.Counter(settings.REDIS_URL, timeout=60)
    monkeypatch.setattr(throttling, "counter", counter)
    with time_machine.travel(NOW, tick=False):
        yield counter
    counter.server.close()


def ask(forwarded_for: str, address: str = "10.0.0.1", path: str = "/plans") -> Any:
    return Client(REMOTE_ADDR=address).get(f"/api/v1{path}", headers={"X-Forwarded-For": forwarded_for})


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


class TestWhatItCosts:
    """Promise 47: a search weighs more than reading one thing."""

    def test_a_search_weighs_as_much_as_five_reads(self, pat: Any, office: Any, settings: LazySettings):
        settings.RATE_LIMITS = {"anonymous": 0, "user": 9}
        caller = Caller(pat.user)

        def search() -> int:
            return int(caller.get("/slots", {"visit_type": "office", "near": "44011"}).status_code)

        statuses = [search(), *(caller.get("/me").status_code for _ in range(4)), search()]

        assert statuses == [200, 200, 200, 200, 200, 429]

    def test_it_weighs_the_same_for_an_address(self, office: Any, settings: LazySettings):
        settings.RATE_LIMITS = {"anonymous": 11, "user": 0}
        address = somebody()

        statuses = [ask(address, path="/slots?visit_type=office&near=44011").status_code for _ in range(3)]
        cheap = ask(somebody()).status_code

        assert (statuses, cheap) == ([200, 200, 429], 200)

    def test_what_is_refused_for_its_input_has_its_price(self, db: None, settings: LazySettings):
        settings.RATE_LIMITS = {"anonymous": 9, "user": 0}
        address = somebody()

        statuses = [ask(address, path="/slots?nothing").status_code for _ in range(2)]

        assert statuses == [400, 429]

    def test_of_many_at_once_none_is_forgotten(self, limits: throttling.Counter):
        key = f"rate:test:{uuid.uuid4()}"

        with ThreadPoolExecutor(8) as threads:
            counts = list(threads.map(lambda _: limits.count(key, 5), range(40)))

        assert sorted(counts) == list(range(5, 205, 5))
        assert 0 < limits.server.ttl(key) <= 2 * throttling.WINDOW

    def test_a_valkey_that_was_started_anew_counts_on(self, limits: throttling.Counter):
        key = f"rate:test:{uuid.uuid4()}"
        limits.count(key, 5)
        limits.server.script_flush()

        assert limits.count(key, 2) == 7


@pytest.mark.parametrize("client", ["app", "browser"])
def test_allauth_says_when_to_come_again_too(db: None, settings: LazySettings, client: str):
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/m/ip"}
    asking = Client()
    asking.get(f"/auth/{client}/v1/config")

    answers = [
        asking.post(f"/auth/{client}/v1/auth/password/request", {"email": "ann@example.com"}, "application/json")
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [401, 429]
    assert answers[1]["Retry-After"] == "60"


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
    searches = [ask(address, path="/slots?nothing").status_code for _ in range(3)]

    throttling.counter.is_away = False  # its thread looks once when it wakes, and no more

    assert (statuses, searches) == ([200] * 10, [400] * 3)
    assert rests(caplog) == 1


def test_it_waits_for_a_counter_that_hangs_once(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(throttling, "REST", 600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent, time_machine.travel(NOW, tick=True):
        monkeypatch.setattr(throttling, "counter", throttling.Counter(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        for _ in range(5):
            throttling.counter.count("rate:test")
        throttling.counter.is_away = False  # its thread looks once when it wakes, and no more

        assert rests(caplog) == 1


def test_no_request_waits_again_and_it_counts_when_the_counter_is_back(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
):
    """A thread looks whether it is back: those who are counted ask one that is away but once."""
    monkeypatch.setattr(throttling, "REST", 0.01)
    away, asked, looks = throttling.Counter("redis://127.0.0.1:1/0"), [], threading.Semaphore(0)
    spend, ping = away.spend, away.server.ping

    def count(**what: Any) -> Any:
        asked.append(threading.get_ident())
        return spend(**what)

    def look() -> Any:
        looks.release()
        return ping()

    monkeypatch.setattr(away, "spend", count)
    monkeypatch.setattr(away.server, "ping", look)

    key = f"rate:{uuid.uuid4()}"
    counted = [away.count(key)]
    for _ in range(3):
        assert looks.acquire(timeout=30)
        counted.append(away.count(key))
    assert counted == [0] * 4
    assert asked == [threading.get_ident()]

    away.server = redis.Redis.from_url(settings.REDIS_URL)
    away.spend = away.server.register_script(throttling.SPEND)
    deadline = time.monotonic() + 30
    while not away.count(key) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert away.count(key) == 2
    away.server.close()


def rests(caplog: pytest.LogCaptureFixture) -> int:
    """How often the counter was found away, and left alone from then on."""
    return sum("Rate limits are off" in record.getMessage() for record in caplog.records)
