"""The process that asks and books, started by `measuring`: rounds come in by its standard input, outcomes go out.

It imports neither Django nor the application, so that it costs little beside what it measures; what it costs is told.
Connections are opened before a round's time begins, and kept for the round.
"""

import http.client
import json
import pickle
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable

from bench import bare
from bench.board import Outcome, Question, Round, Visit

LOCALHOST = "127.0.0.1"
# Errors that a round goes on after; beyond them something is broken.
MOST_ERRORS = 50


class HttpClient:
    """One client with one connection. Each request comes from another address, as behind a proxy.

    So no address reaches the limit on requests a minute, which is counted for each of them all the same.
    """

    def __init__(self, port: int, number: int) -> None:
        self.connection = http.client.HTTPConnection(LOCALHOST, port, timeout=30)
        self.connection.connect()
        self.number = number
        self.sent = 0

    def close(self) -> None:
        self.connection.close()

    def search(self, question: Question) -> None:
        self.ask("GET", question.path, {}, expected=200)

    def hold(self, visit: Visit) -> uuid.UUID:
        body = {"slot": visit.slot}
        answer = self.ask("POST", "/api/v1/holds", self.signed_in(visit), body, expected=201)
        return uuid.UUID(json.loads(answer)["id"])

    def book(self, visit: Visit, hold: uuid.UUID) -> None:
        body = {"hold": str(hold), "reason": "Benchmark"}
        self.ask("POST", "/api/v1/appointments", self.signed_in(visit), body, expected=201)

    def signed_in(self, visit: Visit) -> dict[str, str]:
        return {
            "X-Session-Token": visit.token,
            "Idempotency-Key": str(uuid.uuid4()),
            "Content-Type": "application/json",
        }

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: dict[str, str] | None = None, *, expected: int
    ) -> bytes:
        self.sent += 1
        headers["X-Forwarded-For"] = f"10.{self.number}.{self.sent // 250 % 250}.{self.sent % 250}"
        self.connection.request(method, path, json.dumps(body).encode() if body else None, headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != expected:
            self.connection.close()  # the server may not have read the request to its end
            raise bare.Refused(f"{response.status} {answer[:300].decode(errors='replace')}")
        return answer


class SqlClient:
    """One client with one connection to PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.connection = bare.connect(url)

    def close(self) -> None:
        self.connection.close()

    def search(self, question: Question) -> None:
        bare.search(self.connection, question)

    def hold(self, visit: Visit) -> uuid.UUID:
        return bare.hold(self.connection, visit)

    def book(self, visit: Visit, hold: uuid.UUID) -> None:
        bare.book(self.connection, visit, hold)


def run(asked: Round) -> Outcome:
    """Do a round's work, each client in a thread of its own."""
    outcome = Outcome()
    clients = [open_client(asked, number) for number in range(asked.clients)]
    visits = deque(asked.visits)
    barrier = threading.Barrier(asked.clients + 1, timeout=30)
    ends = float("inf")

    def work(client: HttpClient | SqlClient) -> None:
        step = searching(client, asked.question, outcome) if asked.question else booking(client, visits, outcome)
        barrier.wait()
        while time.perf_counter() < ends and len(outcome.took) < asked.most:
            if len(outcome.refused) > MOST_ERRORS or not step():
                break

    threads = [threading.Thread(target=work, args=[client], daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    barrier.wait()
    began, cpu = time.perf_counter(), time.process_time()
    ends = began + asked.seconds
    for thread in threads:
        thread.join(timeout=asked.seconds + 60)
    outcome.elapsed, outcome.cpu = time.perf_counter() - began, time.process_time() - cpu
    for client in clients:
        client.close()
    return outcome


def open_client(asked: Round, number: int) -> HttpClient | SqlClient:
    return HttpClient(asked.port, number) if asked.through == "http" else SqlClient(asked.database_url)


def searching(client: HttpClient | SqlClient, question: Question, outcome: Outcome) -> Callable[[], bool]:
    def step() -> bool:
        began = time.perf_counter()
        try:
            client.search(question)
            outcome.took.append(time.perf_counter() - began)
        except Exception as error:
            outcome.refused.append(f"{type(error).__name__}: {error}")
        return True

    return step


def booking(client: HttpClient | SqlClient, visits: "deque[Visit]", outcome: Outcome) -> Callable[[], bool]:
    def step() -> bool:
        try:
            visit = visits.popleft()
        except IndexError:
            return False
        began = time.perf_counter()
        try:
            held = client.hold(visit)
            between = time.perf_counter()
            client.book(visit, held)
            ended = time.perf_counter()
            outcome.took.append(ended - began)
            outcome.booked.append(ended - between)
        except Exception as error:
            outcome.refused.append(f"{type(error).__name__}: {error}")
        return True

    return step


def main() -> None:
    """Rounds in, outcomes out, until the input ends."""
    while True:
        try:
            asked = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
        except EOFError:
            return
        pickle.dump(run(asked), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
