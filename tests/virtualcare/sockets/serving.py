"""A socket server as it is started for real, and clients of it."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bench import servers
from clinics.models import Session, User
from clinics.sessions import TokenStore
from config import embedded, sockets
from tests.calls import sign_in
from virtualcare.sockets import tickets

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PATIENCE = 60.0  # seconds, however slow the machine


def until(true: Callable[[], Any], what: str = "it never came to that") -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (told := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return told


@dataclass
class Server:
    """One process of `python -m config.sockets`."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def ask(self, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(embedded.LOCALHOST, self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with suppress(OSError):
            return self.ask("/healthz") == (200, "ok\n")
        return False

    def hears(self) -> bool:
        """Whether it hears what Valkey says. It listens from its first socket on."""
        return "sameday_sockets_hear 1.0" in self.ask("/metrics", Authorization=f"Bearer {TOKEN}")[1]

    def connect(self, url: str, **options: Any) -> "Client":
        """The socket at the address that a ticket gave, at this server."""
        where = urlsplit(url)._replace(netloc=f"{embedded.LOCALHOST}:{self.port}")
        ours = {"compression": None, "ping_interval": None, "open_timeout": PATIENCE}
        return Client(connect(where.geturl(), **{**ours, **options}))

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


TOKEN = "for-tests-a-metrics-token"


@contextmanager
def serving(folder: Path, database: str, *, redis_url: str = "", port: int = 0, **settings: str) -> Iterator[Server]:
    """A socket server on the tests' database, until the block ends."""
    environment = {
        **os.environ,
        "DATABASE_URL": servers.named(os.environ["DATABASE_URL"], database),
        "METRICS_TOKEN": TOKEN,
        "PYTHONUNBUFFERED": "1",
        **({"REDIS_URL": redis_url} if redis_url else {}),
        **settings,
    }
    port = port or embedded.free_port()
    log = folder / f"sockets-{port}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *sockets.arguments(port)], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    server = Server(port, process, log)
    try:
        until(server.answers)
        yield server
    finally:
        if process.poll() is None:
            embedded.end([psutil.Process(process.pid)])
        process.wait(PATIENCE)


class Client:
    """A client's end of a socket."""

    def __init__(self, socket: Any) -> None:
        self.stack = ExitStack()
        self.connection: ClientConnection = self.stack.enter_context(socket)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def ready(self) -> "Client":
        assert self.hear() == {"type": "ready"}
        return self

    def hear(self, seconds: float = PATIENCE) -> Any:
        """The next thing that is said."""
        return json.loads(self.connection.recv(timeout=seconds))

    def hears_nothing(self, seconds: float = 0.5) -> bool:
        try:
            self.connection.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def say(self, **frame: Any) -> None:
        self.connection.send(json.dumps(frame))

    def code(self) -> int:
        """The code with which it is closed, whatever is said before."""
        with suppress(ConnectionClosed):
            while True:
                self.connection.recv(timeout=PATIENCE)
        code = self.connection.close_code
        assert code is not None
        return code


def session_of(user: User) -> Session:
    """A session that `user` just began."""
    return Session.objects.get(pk=TokenStore.digest(sign_in(user)))


def url_for(user: User, path: str) -> str:
    """The address of a socket, as the API gives it to somebody who is signed in."""
    return tickets.url_for(session_of(user).id, user, path)
