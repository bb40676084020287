"""Providers over real connections, which remember what they took: a mail server, and a Twilio that answers as told."""

import asyncio
import email
import json
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller

from config import embedded

AUTHORIZATION = f"Basic {b64encode(b'AC1:token').decode()}"
# What Twilio does with a text before it fails to say so, and how it fails.
MANNERS = [(takes, fails) for takes in (True, False) for fails in ("drops", "answers 500", "hangs")]


class Mail:
    """How often each Message-ID was taken. While it is not `open` those who send wait for it to answer."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.open = threading.Event()
        self.is_waited_for = threading.Event()
        self.open.set()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        while not self.open.is_set():
            self.is_waited_for.set()
            await asyncio.sleep(0.01)
        self.taken[str(email.message_from_bytes(envelope.content)["Message-ID"])] += 1
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[Mail, int]]:
    mail, port = Mail(), embedded.free_port()
    controller = Controller(mail, hostname=embedded.LOCALHOST, port=port)
    controller.start()
    try:
        yield mail, port
    finally:
        controller.stop()


class Twilio(ThreadingHTTPServer):
    """What it took, in order. `manners` says for a number what is done with the next text to it, once."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((embedded.LOCALHOST, 0), Request)
        self.listed: list[dict[str, Any]] = []
        self.manners: dict[str, tuple[bool, str]] = {}
        self.lock = threading.Lock()
        self.is_over = threading.Event()

    @property
    def taken(self) -> Counter[tuple[str, str]]:
        """How often each number was texted the same words."""
        with self.lock:
            return Counter((one["to"], one["body"]) for one in self.listed)

    def take(self, to: str, body: str) -> tuple[str, str]:
        """Take a text or not: its id, and how the answer fails."""
        with self.lock:
            takes, fails = self.manners.pop(to, (True, ""))
            sid = f"SM{len(self.listed)}"
            if takes:
                self.listed.append(
                    {
                        "sid": sid, "to": to, "body": body, "status": "delivered", "direction": "outbound-api",
                        "date_created": format_datetime(datetime.now(UTC)), "error_code": None,
                    }
                )  # fmt: skip
        return sid, fails

    def found(self, to: str) -> list[dict[str, Any]]:
        with self.lock:
            return [one for one in reversed(self.listed) if one["to"] == to]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed here, or wait no longer: that is what is tested."""


class Request(BaseHTTPRequestHandler):
    server: Twilio
    timeout = 60

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.headers["Authorization"] != AUTHORIZATION:
            self.answer(401, {})
            return
        sid, fails = self.server.take(form["To"][0], form["Body"][0])
        if fails == "hangs":
            self.server.is_over.wait(60)
        elif fails == "answers 500":
            self.answer(500, {})
        elif not fails:
            self.answer(201, {"sid": sid, "status": "accepted"})
        self.close_connection = True

    def do_GET(self) -> None:
        (to,) = parse_qs(urlsplit(self.path).query)["To"]
        self.answer(200, {"messages": self.server.found(to)})

    def answer(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: tests say what went wrong."""


@contextmanager
def twilio_server() -> Iterator[Twilio]:
    with Twilio() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()
            thread.join(30)
