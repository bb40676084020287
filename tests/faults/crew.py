"""Workers and beats as compose.yaml starts them, with a Valkey of their own, to be killed, stopped and resumed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from celery import Celery
from django.db import connection
from kombu import pools

from bench import servers
from config import embedded
from config.embedded import home, valkey
from tests.faults.providers import Mail, Twilio, mail_server, twilio_server

ROOT = Path(__file__).resolve().parent.parent.parent
QUEUE = "celery"
PATIENCE = 180  # seconds, however slow the machine
BUSY = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
"""


def until(true: Callable[[], Any], what: Callable[[], str] = lambda: "it never came to that") -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def shipped(service: str) -> list[str]:
    """The command of a service of compose.yaml, with the defaults of what it takes from the environment."""
    found = re.search(rf"^  {service}:$.*?^    command: \[(.*?)\]$", (ROOT / "compose.yaml").read_text(), re.M | re.S)
    assert found
    words = [word.strip().strip('"') for word in re.sub(r"\$\{\w+:-(\w+)\}", r"\1", found[1]).split(",")]
    assert words[0] == "celery"
    return [sys.executable, "-m", *words]


@dataclass
class Broker:
    """A Valkey that can be killed, and made to hang."""

    folder: Path
    url: str = ""

    def start(self) -> None:
        with home.locked(self.folder) as found:
            valkey.start(found)
            url = embedded.urls_of(found)["REDIS_URL"]
        assert self.url in ("", url)  # where everybody looks for it
        self.url = url
        pools.reset()  # of this process, with connections to the one before

    def signal(self, number: signal.Signals) -> None:
        with home.locked(self.folder) as found:
            (process,) = home.processes(found.valkey)
        process.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def hang(self) -> None:
        self.signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.signal(signal.SIGCONT)

    @contextmanager
    def client(self) -> Iterator[redis.Redis]:
        with redis.Redis.from_url(self.url, socket_timeout=PATIENCE) as client:
            yield client

    @contextmanager
    def app(self) -> Iterator[Celery]:
        """A Celery that knows this broker and no other, apart from the application's own of this process."""
        with Celery("crew", broker=self.url, set_as_current=False, fixups=[]) as app:
            yield app

    def tell(self, task: str, *args: str, times: int = 1, queue: str = QUEUE, **options: Any) -> None:
        """Publish a task, again and again where it is told so."""
        with self.app() as app:
            for _ in range(times):
                app.send_task(task, args, queue=queue, ignore_result=True, **options)

    def redeliver(self, *queues: str) -> int:
        """Give to others what workers that are gone never acknowledged, as happens when the visibility time-out is
        over. Returns how many tasks.
        """
        with self.app() as app, app.connection_for_write() as connection, self.client() as client:
            tags = [tag.decode() for tag in client.hkeys("unacked")]
            for tag in tags:
                connection.default_channel.qos.restore_by_tag(tag)
            for queue in queues:
                while client.lmove(queue, QUEUE):
                    pass
        return len(tags)

    def is_idle(self) -> bool:
        """Whether no task waits, and none is in the hands of a worker."""
        with self.client() as client:
            return not client.llen(QUEUE) and not client.hlen("unacked")


@dataclass
class Crew:
    """Who runs, by name."""

    folder: Path
    broker: Broker
    mail: Mail
    texts: Twilio
    environment: dict[str, str]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def worker(self, name: str, *options: str, **environment: str) -> None:
        self.start(name, shipped("worker"), "--hostname", f"{name}@here", *options, **environment)

    def beat(self, name: str) -> None:
        self.start(name, [str(self.folder / name) if word == "/tmp/beat" else word for word in shipped("beat")])  # noqa: S108

    def start(self, name: str, command: list[str], *options: str, **environment: str) -> None:
        with self.log(name).open("ab") as output:
            self.running[name] = subprocess.Popen(
                [*command, *options], cwd=ROOT, env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def told(self) -> str:
        """The ends of the logs, for whoever wonders what happened."""
        return "\n".join(f"── {name}\n{self.log(name).read_text()[-1500:]}" for name in self.running)

    def done(self, name: str) -> int:
        """How many tasks a worker has done."""
        return self.log(name).read_text().count('"state": "success"')

    def await_workers(self, *names: str) -> None:
        """Until these workers answer, as compose's health check asks them."""

        def answered() -> bool:
            with self.broker.app() as app:
                answers = app.control.ping([f"{name}@here" for name in names], timeout=5, limit=len(names))
            return len(answers or []) == len(names)

        until(answered, self.told)

    def pause(self, *names: str) -> None:
        for name in names:
            self.running[name].send_signal(signal.SIGSTOP)

    def resume(self, *names: str) -> None:
        for name in names:
            self.running[name].send_signal(signal.SIGCONT)

    def await_death(self, name: str) -> int:
        """What a process that is to die ends with."""
        code = self.running[name].wait(PATIENCE)
        del self.running[name]
        return code

    def await_rest(self) -> None:
        """Until all that was told is done: nothing more happens by itself while the beats are stopped."""

        def rests() -> bool:
            with connection.cursor() as cursor:
                cursor.execute(BUSY)
                return self.broker.is_idle() and cursor.fetchone() == (0,)

        until(rests, self.told)

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait(PATIENCE)


@contextmanager
def hired(database: str) -> Iterator[Crew]:
    """A crew of nobody yet, on the test's database, with all that it needs; ended in the end."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sameday-faults-"))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        broker = Broker(folder / "servers")
        broker.start()
        stack.callback(embedded.stop, broker.folder)
        mail, port = stack.enter_context(mail_server())
        texts = stack.enter_context(twilio_server())
        environment = {
            **os.environ,
            "DATABASE_URL": servers.named(os.environ["DATABASE_URL"], database),
            "REDIS_URL": broker.url,
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "PYTHONUNBUFFERED": "1",
            "SAMEDAY_SMTP_PORT": str(port),
            "SAMEDAY_TWILIO": f"http://{embedded.LOCALHOST}:{texts.server_port}",
        }
        crew = Crew(folder, broker, mail, texts, environment)
        stack.callback(crew.end)
        yield crew
