"""A retailer's verifier: what it signs, for this question and just now, is believed, and nothing else."""

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import LazySettings

from memberships.proving import retail
from memberships.proving.port import Unanswered, Verdict
from tests.cast import NOW

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
URL = "https://verify.example/members"


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def answered(asked: dict[str, str], key: Ed25519PrivateKey = KEY, **changed: Any) -> dict[str, str]:
    """What the retailer answers."""
    said = {
        "nonce": asked["nonce"],
        "reference": hashlib.sha256(asked["reference"].encode()).hexdigest(),
        "eligible": True,
        "valid_until": "2027-03-01",
        "issued_at": NOW.isoformat(),
    } | changed
    payload = json.dumps(said).encode()
    return {"payload": packed(payload), "signature": packed(key.sign(payload))}


@pytest.fixture(autouse=True)
def configured(settings: LazySettings) -> None:
    settings.PROOF_RETAIL_URL, settings.PROOF_RETAIL_PUBLIC_KEYS = URL, [public(KEY)]


def check(answer: Callable[[dict[str, str]], Any], reference: str = "1234567890") -> Verdict:
    """Ask a retailer who answers as `answer` does."""

    def handle(request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("POST", URL)
        made = answer(json.loads(request.content))
        return made if isinstance(made, httpx.Response) else httpx.Response(200, json=made)

    return retail.Verifier(httpx.MockTransport(handle)).check(reference, now=NOW)


class TestAnswers:
    def test_it_believes_what_is_signed(self):
        assert check(answered) == Verdict(True, date(2027, 3, 1))
        assert check(lambda asked: answered(asked, valid_until=None)) == Verdict(True, None)
        assert check(lambda asked: answered(asked, eligible=False)) == Verdict(False, date(2027, 3, 1))

    def test_it_asks_a_new_question_each_time_and_tells_no_more_than_it_needs_to(self):
        asked: list[dict[str, str]] = []

        def heard(one: dict[str, str]) -> dict[str, str]:
            asked.append(one)
            return answered(one)

        for _ in range(2):
            check(heard)

        assert [set(one) for one in asked] == [{"reference", "nonce"}] * 2
        assert asked[0]["nonce"] != asked[1]["nonce"]

    def test_it_takes_the_next_key_while_it_is_changed(self, settings: LazySettings):
        settings.PROOF_RETAIL_PUBLIC_KEYS = [public(OTHER), public(KEY)]

        assert check(answered).is_eligible

    @pytest.mark.parametrize(
        "answer",
        [
            lambda asked: answered(asked, OTHER),
            lambda asked: answered(asked) | {"payload": answered(asked, eligible=False)["payload"]},
            lambda asked: answered(asked, nonce="of another question"),
            lambda asked: answered(asked, nonce="é"),
            lambda asked: answered(asked, reference=hashlib.sha256(b"another").hexdigest()),
            lambda asked: answered(asked, issued_at=(NOW - timedelta(minutes=6)).isoformat()),
            lambda asked: answered(asked, issued_at=(NOW + timedelta(minutes=6)).isoformat()),
            lambda asked: answered(asked, issued_at="2026-11-24T14:00:00"),
            lambda asked: answered(asked, issued_at=None),
            lambda asked: answered(asked, eligible="yes"),
            lambda asked: answered(asked, eligible=1),
            lambda asked: answered(asked, valid_until="soon"),
            lambda asked: answered(asked, valid_until=20270301),
            lambda asked: {"payload": answered(asked)["payload"]},
            lambda asked: {"payload": 1, "signature": 2},
            lambda asked: {"payload": "é", "signature": "é"},
            lambda asked: [],
            lambda asked: httpx.Response(200, content=b"\xff\xfe"),
            lambda asked: httpx.Response(200, content=b"[" * 10_000),
            lambda asked: httpx.Response(200, json=answered(asked) | {"more": "x" * 20_000}),
            lambda asked: httpx.Response(500, json=answered(asked)),
            lambda asked: httpx.Response(302, headers={"Location": "https://verify.example/other"}),
        ],
    )
    def test_it_believes_nothing_else(self, answer: Callable[[dict[str, str]], Any]):
        with pytest.raises(Unanswered):
            check(answer)

    def test_it_believes_no_answer_of_yesterday(self):
        """Replayed by somebody in between: signed, and to another question."""
        kept: list[Any] = []

        def heard(one: dict[str, str]) -> dict[str, str]:
            kept.append(answered(one))
            return answered(one)

        check(heard)

        with pytest.raises(Unanswered, match="another question"):
            check(lambda _: kept[0])

    def test_it_says_when_nobody_answers(self):
        def away(_: dict[str, str]) -> Any:
            raise httpx.ReadTimeout("too slow")

        with pytest.raises(Unanswered, match="ReadTimeout"):
            check(away)


class TestWhereItConnects:
    @pytest.fixture
    def heard(self) -> Iterator[tuple[int, list[bytes]]]:
        """A server inside: its port, and what it is sent."""
        sent: list[bytes] = []
        with closing(socket.create_server(("127.0.0.1", 0))) as server:

            def listen() -> None:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.settimeout(10)
                    sent.append(client.recv(100))

            thread = threading.Thread(target=listen, daemon=True)
            thread.start()
            yield server.getsockname()[1], sent
            server.close()
            thread.join(5)

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_it_sends_nothing_to_an_address_inside(
        self, settings: LazySettings, heard: tuple[int, list[bytes]], host: str
    ):
        port, sent = heard
        settings.PROOF_RETAIL_URL = f"https://{host}:{port}/"

        with pytest.raises(Unanswered, match="not public"):
            retail.Verifier().check("1234567890", now=NOW)

        assert sent in ([], [b""])

    @pytest.mark.parametrize(
        ("host", "is_outside"),
        [
            ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False),
            ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
            ("0.0.0.1", False), ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False),
            ("::ffff:10.0.0.1", False), ("::ffff:8.8.8.8", True),
        ],
    )  # fmt: skip
    def test_it_tells_inside_from_outside(self, host: str, is_outside: bool):
        assert retail.is_outside(host) is is_outside
