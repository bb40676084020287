"""The stack of compose.yaml as processes of this machine: the same nginx file, roles, commands and settings."""

import os
import secrets
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil

from config import embedded
from config.embedded import home, postgres

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent.parent
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
HOST = "care.test"
TOKEN = secrets.token_urlsafe(32)
PATIENCE = 180  # seconds, however slow the machine
CELERY = (sys.executable, "-m", "celery", "--app", "config")
MAIN = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; {user}
error_log stderr alert;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  include {folder}/sameday.conf;
}}
"""


def until(true: Callable[[], T], what: str) -> T:
    deadline = time.monotonic() + PATIENCE
    while not (told := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return told


@dataclass
class Stack:
    """Everything that runs, by name, and where it writes."""

    folder: Path
    admin_url: str
    settings: dict[str, str]
    ports: dict[str, int]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def app(self) -> dict[str, str]:
        return {**self.settings, "DATABASE_URL": self.as_role("sameday_app")}

    @property
    def owner(self) -> dict[str, str]:
        return {**self.settings, "DATABASE_URL": self.as_role("sameday_owner")}

    def as_role(self, role: str) -> str:
        where = urlsplit(self.admin_url)
        return f"postgresql://{role}:{role}-password@{where.hostname}:{where.port}{where.path}"

    def start(self, name: str, *command: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        with self.log(name).open("ab") as output:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        return self.running[name]

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def web(self, name: str) -> None:
        port = str(self.ports[name])
        self.start(name, sys.executable, "-m", "config.web", "--port", port, environment=self.app)
        until(lambda: self.answers(name), f"{name} is not ready: {self.log(name).read_text()[-2000:]}")

    def sockets(self) -> None:
        port = str(self.ports["sockets"])
        self.start("sockets", sys.executable, "-m", "config.sockets", "--port", port, environment=self.app)
        until(lambda: self.answers("sockets", "/healthz"), f"no sockets: {self.log('sockets').read_text()[-2000:]}")

    def worker(self) -> None:
        flags = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        options = ("--pool", "threads", "--concurrency", "4", "--loglevel", "WARNING", *flags)
        self.start("worker", *CELERY, "worker", *options, environment=self.app)

    def beat(self) -> None:
        options = ("--loglevel", "WARNING", "--schedule", str(self.folder / "beat"), "--pidfile=")
        self.start("beat", *CELERY, "beat", *options, environment=self.app)

    def answers(self, name: str, path: str = "/readyz") -> bool:
        with suppress(OSError):
            return self.direct(name, "GET", path)[0] == 200
        return False

    def direct(self, name: str, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        connection = HTTPConnection(embedded.LOCALHOST, self.ports[name], timeout=20)
        return ask(connection, method, path, {"Host": HOST, "X-Forwarded-Proto": "https", **(headers or {})})

    def outside(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
        """As a client does, over TLS, by nginx."""
        trust = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        connection = HTTPSConnection("localhost", self.ports["https"], timeout=30, context=trust)
        return ask(connection, method, path, {"Host": HOST, **(headers or {})}, body)

    def stop(self, name: str, *, seconds: float = PATIENCE) -> int:
        process = self.running.pop(name)
        process.terminate()
        return process.wait(timeout=seconds)


def ask(connection: Any, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def psql_environment(folder: Path, url: str) -> dict[str, str]:
    """PATH and the rest to run PostgreSQL's own programs against an address."""
    with home.locked(folder) as found:
        programs = postgres.program(found, "psql").parent
    where = urlsplit(url)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(programs.parent / "lib"),
        "PGHOST": str(where.hostname),
        "PGPORT": str(where.port),
        "PGUSER": str(where.username),
        "PGPASSWORD": str(where.password),
        "PGDATABASE": where.path.strip("/"),
    }


def settings_of(folder: Path, redis_url: str) -> dict[str, str]:
    """What .env and compose.yaml give each program."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SAMEDAY_MODE": "production",
        "TRUSTED_PROXIES": "1",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "LINKS_KEY": secrets.token_urlsafe(64),
        "ENCRYPTION_KEYS": f"2026a:{urlsafe_b64encode(os.urandom(32)).decode()}",
        "METRICS_TOKEN": TOKEN,
        "PUBLIC_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": HOST,
        "REDIS_URL": redis_url,
        "EMAIL_HOST": "localhost",
        "DEFAULT_FROM_EMAIL": f"Sameday <care@{HOST}>",
        "STATIC_ROOT": str(folder / "static"),
        "WEB_PROCESSES": "1",
    }


def write_nginx(stack: Stack) -> Path:
    """The project's own file, filled in as the image of nginx does it, and a main file around it."""
    values = {
        "WEB_1": f"127.0.0.1:{stack.ports['web1']}",
        "WEB_2": f"127.0.0.1:{stack.ports['web2']}",
        "SOCKETS": f"127.0.0.1:{stack.ports['sockets']}",
        "HTTP_PORT": f"127.0.0.1:{stack.ports['http']}",
        "HTTPS_PORT": f"127.0.0.1:{stack.ports['https']}",
        "SERVER_NAME": HOST,
        "CERTIFICATES": str(stack.folder),
    }
    text = (ROOT / "deploy/nginx/sameday.conf.template").read_text()
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    (stack.folder / "sameday.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""  # or its workers could not reach the folder
    (stack.folder / "nginx.conf").write_text(MAIN.format(folder=stack.folder, user=user))
    return stack.folder / "nginx.conf"


@contextmanager
def rehearse(folder: Path) -> Iterator[Stack]:
    """Servers, roles, migrations, checks, assets; then web twice, sockets, worker, beat and nginx; all are ended."""
    assert NGINX
    folder.mkdir(parents=True, exist_ok=True)
    given = {name: os.environ.pop(name) for name in embedded.ADDRESSES if name in os.environ}
    stack: Stack | None = None
    try:
        urls = embedded.start(folder / "servers")
        ports = {name: embedded.free_port() for name in ("web1", "web2", "sockets", "http", "https")}
        stack = Stack(folder, urls["DATABASE_URL"], settings_of(folder, urls["REDIS_URL"]), ports)
        run(
            "sh", "deploy/postgres/10-roles.sh",
            environment={
                **psql_environment(folder / "servers", stack.admin_url),
                "POSTGRES_USER": "sameday", "POSTGRES_DB": "sameday",
                "OWNER_PASSWORD": "sameday_owner-password", "APP_PASSWORD": "sameday_app-password",
            },
        )  # fmt: skip
        manage = (sys.executable, "manage.py")
        run(*manage, "migrate", "--no-input", "--verbosity", "0", environment=stack.owner)
        run(*manage, "give_rights", "sameday_app", environment=stack.owner)
        check = (*manage, "check", "--deploy", "--database", "default", "--fail-level", "WARNING")
        run(*check, environment=stack.app)
        run(*manage, "collectstatic", "--no-input", "--verbosity", "0", environment=stack.app)
        run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "privkey.pem"),
            "-out", str(folder / "fullchain.pem"),
        )  # fmt: skip
        stack.worker()
        stack.beat()
        stack.web("web1")
        stack.web("web2")
        stack.sockets()
        stack.start("nginx", NGINX, "-p", str(folder), "-c", str(write_nginx(stack)), environment=stack.settings)
        until(lambda: listens(ports["http"]), stack.log("nginx").read_text())
        yield stack
    finally:
        for process in stack.running.values() if stack is not None else ():
            with suppress(psutil.Error):
                ours = psutil.Process(process.pid)
                embedded.end([ours, *ours.children(recursive=True)])
            process.wait(timeout=10)
        embedded.stop(folder / "servers")
        os.environ.update(given)


def listens(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False
