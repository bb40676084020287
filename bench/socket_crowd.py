"""The process of clients of sockets: `python -m bench.socket_crowd COUNT WATCHERS SOCKETS_PORT WEB_PORT SERVER_PID`.

It plants who they are, opens all sockets, reads the server's memory, and tells news again and again to the consoles
among them, as a use case does; then two sides of a consult write to each other over HTTP, each told by its socket. It
prints what came of it as JSON. What its own reading of so many sockets takes is in what it measures.
"""

import asyncio
import http.client
import json
import resource
import sys
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import django
import psutil

from bench.measuring import quantile
from config import embedded

LOOKS_AFTER = 5.0  # seconds, in which news that was lost is not waited for any longer
EACH = 10  # sockets of one user: what a server takes
PUSHES, MESSAGES = 40, 200  # messages at most, fewer where there are fewer sockets
IDLE = 20.0  # seconds, likewise
WARM = 20  # sockets that are open before memory is read the first time
AT_ONCE = 50  # that are being opened


@dataclass(frozen=True, slots=True)
class Person:
    """Who opens sockets: at `path`, in a session that is known by `token` to the API and by `session` to tickets."""

    user: Any
    session: uuid.UUID
    token: str
    path: str


def plant(patients: int, clinicians: int) -> tuple[list[Person], list[Person], Person]:
    """Patients with a consult each, clinicians at their consoles, and one more, who cares for the first patient."""
    from clinics import npi  # noqa: PLC0415
    from clinics.models import Calendar, Clinician, Patient, User  # noqa: PLC0415
    from virtualcare.models import Carer, Consult, IntakeForm  # noqa: PLC0415
    from virtualcare.sockets import tickets  # noqa: PLC0415

    now = datetime.now(UTC)
    form, _ = IntakeForm.objects.get_or_create(
        complaint="benchmark", version=1, defaults={"name": "Benchmark", "is_sample": True, "written_at": now}
    )
    users = [User(email=f"bench-{uuid.uuid4()}@example.com", password="!") for _ in range(patients + clinicians)]
    User.objects.bulk_create(users)
    calendars = [Calendar(kind="patient" if number < patients else "clinician") for number in range(len(users))]
    Calendar.objects.bulk_create(calendars)
    people = [
        Patient(calendar=calendar, user=user, given_name="Pat", family_name="Benchmark", birth_date=date(1990, 5, 17))
        for user, calendar in zip(users[:patients], calendars[:patients], strict=True)
    ]
    Patient.objects.bulk_create(people)
    doctors = []
    for number, (user, calendar) in enumerate(zip(users[patients:], calendars[patients:], strict=True)):
        nine = f"1{uuid.uuid4().int % 10**8:08d}"
        doctors.append(
            Clinician(
                calendar=calendar, user=user, given_name="Ana", family_name=f"Benchmark {number}", credentials="MD",
                npi=nine + npi.check_digit(nine), languages=["en"],
            )
        )  # fmt: skip
    Clinician.objects.bulk_create(doctors)
    consults = [
        Consult(
            patient=patient, requested_by=user, modality="text", status="waiting", created_at=now, seen_at=now,
            queued_at=now, due_at=now, state="OH", street="1 Example Street", city="Avon", postal_code="44011",
            form=form, acuity=3, price=0,
        )
        for patient, user in zip(people, users, strict=False)
    ]  # fmt: skip
    consults[0].status, consults[0].clinician, consults[0].accepted_at = "active", doctors[0], now
    Consult.objects.bulk_create(consults)
    Carer.objects.create(consult=consults[0], clinician=doctors[0], since=now)
    paths = [tickets.consult_path(consult.pk) for consult in consults] + [tickets.CLINICIAN_PATH] * clinicians
    signed_in = [Person(user, *sign_in(user), path) for user, path in zip(users, paths, strict=True)]
    return signed_in[:patients], signed_in[patients + 1 :], replace(signed_in[patients], path=paths[0])


def sign_in(user: Any) -> tuple[uuid.UUID, str]:
    from django.conf import settings  # noqa: PLC0415
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415

    from clinics.models import Session  # noqa: PLC0415
    from clinics.sessions import TokenStore  # noqa: PLC0415

    store = TokenStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    token = str(store.session_key)
    return Session.objects.get(pk=TokenStore.digest(token)).id, token


class Crowd:
    """All the sockets of this process."""

    def __init__(self, sockets_port: int, stack: AsyncExitStack) -> None:
        self.port, self.stack = sockets_port, stack
        self.open: list[tuple[Person, Any]] = []

    async def add(self, wanted: list[Person]) -> None:
        waiting = deque(wanted)

        async def open_on() -> None:
            while waiting:
                person = waiting.popleft()
                self.open.append((person, await self.connected(person)))

        await asyncio.gather(*(open_on() for _ in range(AT_ONCE)))

    async def connected(self, person: Person) -> Any:
        from websockets.asyncio.client import connect  # noqa: PLC0415

        from virtualcare.sockets import tickets  # noqa: PLC0415

        path = tickets.url_for(person.session, person.user, person.path).partition("/ws/")[2]
        url = f"ws://{embedded.LOCALHOST}:{self.port}/ws/{path}"
        opening = connect(url, compression=None, ping_interval=None, open_timeout=120)
        socket = await self.stack.enter_async_context(opening)
        assert json.loads(await socket.recv()) == {"type": "ready"}
        return socket

    def at(self, path: str) -> Iterator[Any]:
        return (socket for person, socket in self.open if person.path == path)


async def pushes(crowd: Crowd, times: int) -> list[float]:
    """Seconds from when a use case tells to when each console has heard, each time and for each console."""
    from virtualcare import news  # noqa: PLC0415
    from virtualcare.sockets import tickets  # noqa: PLC0415

    consoles, took = list(crowd.at(tickets.CLINICIAN_PATH)), []

    async def heard(socket: Any, began: float) -> float:
        """What was lost on the way counts for as long as clients wait; what was late is not the next one's."""
        try:
            await asyncio.wait_for(socket.recv(), LOOKS_AFTER)
        except TimeoutError:
            with suppress(TimeoutError):
                await asyncio.wait_for(socket.recv(), 1)
            return LOOKS_AFTER
        return time.perf_counter() - began

    for _ in range(times):
        began = time.perf_counter()
        hearing = [asyncio.ensure_future(heard(socket, began)) for socket in consoles]
        news.hand_over(news.CLINICIANS, "queue", {})
        took += await asyncio.gather(*hearing)
        await asyncio.sleep(0.05)
    return took


async def is_told(socket: Any, seq: int) -> bool:
    """Whether it is told of a message, before it looks by itself as clients do."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOKS_AFTER):
            while json.loads(await socket.recv()).get("seq", 0) < seq:
                pass
            return True
    return False


async def chats(crowd: Crowd, web_port: int, patient: Person, doctor: Person, messages: int) -> list[float]:
    """Seconds from when a patient's client sends to when the doctor's, told by its socket, has read the message."""
    consult = patient.path.rpartition("/")[2]
    socket, took = next(socket for person, socket in crowd.open if person is doctor), []
    theirs, ours = (http.client.HTTPConnection(embedded.LOCALHOST, web_port, timeout=30) for _ in range(2))

    def call(connection: Any, who: Person, method: str, path: str, body: Any = None) -> Any:
        head = {"X-Session-Token": who.token, "Content-Type": "application/json", "Host": "localhost"}
        connection.request(method, f"/api/v1/consults/{consult}{path}", json.dumps(body) if body else None, head)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 201), content
        return json.loads(content)

    for seq in range(1, messages + 1):
        said = {"client_id": str(uuid.uuid4()), "body": f"Message {seq}"}
        began = time.perf_counter()
        sent = asyncio.ensure_future(asyncio.to_thread(call, theirs, patient, "POST", "/messages", said))
        if not await is_told(socket, seq):
            await sent
        read = await asyncio.to_thread(call, ours, doctor, "GET", f"/messages?after_seq={seq - 1}")
        took.append(time.perf_counter() - began)
        assert [message["body"] for message in read["results"]] == [said["body"]]
        await sent
    return took


async def measure(count: int, watchers: int, sockets_port: int, web_port: int, pid: int) -> dict[str, Any]:
    patients, clinicians, doctor = await asyncio.to_thread(plant, -(-(count - watchers) // EACH), watchers // EACH + 1)
    server = psutil.Process(pid)
    wanted = [*clinicians * EACH, doctor, *patients * EACH][:count]
    async with AsyncExitStack() as stack:
        crowd = Crowd(sockets_port, stack)
        await crowd.add(wanted[:WARM])
        before = server.memory_full_info().uss
        began = time.perf_counter()
        await crowd.add(wanted[WARM:])
        opened = time.perf_counter() - began
        await asyncio.sleep(2)
        memory = server.memory_full_info().uss - before
        spent = sum(server.cpu_times()[:2])
        idle = min(IDLE, count / 100)
        await asyncio.sleep(idle)
        idle_cpu = (sum(server.cpu_times()[:2]) - spent) / idle
        times = min(PUSHES, -(-count // 10))
        pushed = sorted(await pushes(crowd, times))
        chatted = sorted(await chats(crowd, web_port, patients[0], doctor, min(MESSAGES, count)))
        return {
            "sockets": len(crowd.open),
            "memory_each": memory / (len(crowd.open) - WARM),
            "opened_per_second": (len(crowd.open) - WARM) / opened,
            "idle_cpu": idle_cpu,
            "watchers": len(pushed) // times,
            "push_p50": quantile(pushed, 0.5),
            "push_p99": quantile(pushed, 0.99),
            "chat_p50": quantile(chatted, 0.5),
            "chat_p99": quantile(chatted, 0.99),
        }


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    django.setup()
    count, watchers, *ports = (int(word) for word in sys.argv[1:])
    print(json.dumps(asyncio.run(measure(count, watchers, ports[0], ports[1], ports[2]))))


if __name__ == "__main__":
    main()
