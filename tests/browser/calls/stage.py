"""What the scenes need besides a web server: sockets, a TURN server, and browsers with cameras that are none."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import connection
from playwright.sync_api import Page

from config import embedded, probe, sockets

ROOT = Path(__file__).resolve().parents[3]
COTURN = shutil.which("turnserver")
PATIENCE = 120.0  # seconds, however slow the machine
# Two encoders and two decoders share the cores with all servers: what is asked of a camera is a quarter as wide.
SMALL_PICTURES = """
  const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  if (open) navigator.mediaDevices.getUserMedia = (wanted) =>
    open(wanted.video ? { ...wanted, video: { ...wanted.video, width: 320, height: 180 } } : wanted);
"""


@dataclass
class Sockets:
    """The socket server, as a process that can be killed and started again at the same port."""

    port: int = field(default_factory=embedded.free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ws://localhost:{self.port}"

    def start(self) -> None:
        database = connection.settings_dict
        where = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
        environment = {
            **os.environ,
            "DATABASE_URL": f"postgresql://{database['USER']}:{database['PASSWORD']}@{where}",
            "SECRET_KEY": settings.SECRET_KEY,
            "SOCKETS_URL": self.url,
        }
        self.process = subprocess.Popen([sys.executable, *sockets.arguments(self.port)], env=environment, cwd=ROOT)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if probe.answers(f"http://{embedded.LOCALHOST}:{self.port}/healthz"):
                return
            time.sleep(0.1)
        raise AssertionError("The socket server does not answer.")

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


def flow(*pages: Page, seconds: float = PATIENCE, frames: int = 20) -> None:
    """Wait until each page has decoded `frames` frames more than it had. Fails after `seconds`."""
    had = [page.evaluate("decoded()") for page in pages]
    deadline = time.monotonic() + seconds
    got = had
    while time.monotonic() < deadline:
        got = [page.evaluate("decoded()") for page in pages]
        # A connection that begins anew counts from nothing.
        had = [min(before, now) for before, now in zip(had, got, strict=True)]
        if all(now - before >= frames for before, now in zip(had, got, strict=True)):
            return
        time.sleep(0.2)
    states = [page.evaluate("situation()") for page in pages]
    raise AssertionError(f"Frames decoded: {had}, then {got}. {states}")


def until(page: Page, expression: str, seconds: float = PATIENCE) -> None:
    """Wait until `expression` holds on the page, whose policy keeps Playwright's wait_for_function from asking."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"Not so in {seconds} s: {expression} {page.evaluate('situation()')}"
        page.wait_for_timeout(100)


@contextmanager
def turn_server(secret: str, folder: Path) -> Iterator[str]:
    """coturn on this machine alone, for credentials made with `secret`; its URL.

    That it relays to loopback is for these tests alone: deploy/coturn forbids it.
    """
    assert COTURN
    port = embedded.free_port()
    log = folder / "coturn.log"
    command = [
        COTURN, "-n", "--use-auth-secret", f"--static-auth-secret={secret}", "--realm=localhost",
        "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--allow-loopback-peers",
        "--no-tls", "--no-dtls", "--no-cli", f"--pidfile={folder / 'coturn.pid'}", f"--log-file={log}",
        "--simple-log", "--verbose",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        await_line(port, process)
        yield f"turn:127.0.0.1:{port}?transport=udp"
    finally:
        process.terminate()
        process.wait()


def await_line(port: int, process: "subprocess.Popen[bytes]") -> None:
    """coturn listens by TCP, too."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection((embedded.LOCALHOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("coturn does not listen.")


@contextmanager
def listener() -> Iterator[tuple[int, list[str]]]:
    """A LiveKit server that lets nobody in: its port, and the tokens that it was shown."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            asked.extend(query.get("access_token", []))
            self.send_error(503)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
