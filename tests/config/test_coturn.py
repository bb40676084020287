"""coturn as production starts it (deploy/coturn): for whom it relays, and whereto."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from clinics.ids import new_id
from config import embedded
from tests.config.turning import Client, credential, let_go
from virtualcare.video import peer
from virtualcare.video.port import Role

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-shared-with-coturn-0123456789-ABCDEFGHIJKLMNOP"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real coturn, with what start.sh makes of the environment; on loopback, to which it must not relay."""
    if shutil.which("turnserver") is None:
        if os.environ.get("CI"):
            pytest.fail("There is no coturn, and CI must have one: see .ci/packages.")
        pytest.skip("COTURN NOT TRIED: install it (Debian: apt install coturn).")
    folder = tmp_path_factory.mktemp("coturn")
    port = embedded.free_port()
    here = ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--no-tls", "--no-dtls"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", str(ROOT / "deploy" / "coturn" / "start.sh"), *here],
            env={**os.environ, "TURN_SECRET": SECRET, "TURN_REALM": "turn.example.org", "TMPDIR": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        await_answer(port, folder / "log")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        let_go()


def await_answer(port: int, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with Client(port) as client:
            client.line.settimeout(0.5)
            try:
                client.allocate()
            except OSError:
                time.sleep(0.1)
            else:
                return
    raise AssertionError(log.read_text())


def relay(port: int, secret: str = SECRET, ends_in: int = 600) -> int:
    with Client(port, *credential(secret, ends=int(time.time()) + ends_in)) as client:
        return client.allocate()


def test_it_relays_for_whoever_has_a_credential_of_ours(port: int, settings: LazySettings):
    settings.TURN_URLS, settings.TURN_SECRET = [f"turn:127.0.0.1:{port}"], SECRET
    now = timezone.now()
    info = peer.Provider().join(room=new_id(), participant=new_id(), role=Role.PATIENT, now=now)
    (server,) = info.ice_servers

    with Client(port, server.username, server.credential) as client:
        assert client.allocate() == 0


def test_it_relays_for_nobody_else(port: int):
    with Client(port) as client:
        assert client.allocate() == 401
    assert relay(port) == 0
    assert relay(port, secret="guessed") == 401
    assert relay(port, ends_in=-60) == 401


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "10.85.0.11", "172.16.0.1", "172.31.255.254", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_it_reaches_no_address_inside(port: int, address: str):
    with Client(port, *credential(SECRET, ends=int(time.time()) + 600)) as client:
        assert client.allocate() == 0
        assert client.permit(address) == 403


def test_it_reaches_the_internet(port: int):
    """That it would be asked to: nothing is sent."""
    with Client(port, *credential(SECRET, ends=int(time.time()) + 600)) as client:
        assert client.allocate() == 0
        assert client.permit("8.8.4.4") == 0


def test_its_secret_is_in_no_list_of_processes(port: int):
    told = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout

    assert "turnserver" in told
    assert SECRET not in told


def test_nobody_has_more_relays_than_a_call_needs(port: int):
    mine = credential(SECRET, ends=int(time.time()) + 600)

    answers = []
    for _ in range(30):
        with Client(port, *mine) as client:
            answers.append(client.allocate())

    assert answers == [0] * 24 + [486] * 6
