"""A provider that does as a test tells it, and remembers what it took. As a transport: TRANSPORTS names this module."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Self

from clinics.transports import Became, Found, Outcome, Outgoing, Unavailable
from clinics.transports.twilio import fingerprint_of


class Provider:
    """`script` says of the next messages what becomes of them; those beyond are taken. `taken` is what it took."""

    def __init__(self) -> None:
        self.script: list[Became] = []
        self.taken: list[Outgoing] = []
        self.is_away = False
        self.takes_what_is_unclear = False
        self.during: Any = lambda: None
        self.lock = threading.Lock()

    def take(self, outgoing: Outgoing) -> Outcome:
        with self.lock:
            self.during()
            became = self.script.pop(0) if self.script else Became.SENT
            if became is Became.SENT or (became is Became.UNCLEAR and self.takes_what_is_unclear):
                self.taken.append(outgoing)
            sid = f"SM{len(self.taken)}" if became is Became.SENT else ""
            return Outcome(became, provider_id=sid, error="" if became is Became.SENT else "As told.")

    def find(self, to: str, fingerprint: str) -> list[Found]:
        if self.is_away:
            raise Unavailable("Away.")
        return [
            Found(f"SM{number}", "delivered")
            for number, one in enumerate(self.taken, 1)
            if one.to == to and fingerprint_of(one.body) == fingerprint
        ]


here = Provider()


class Sender:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def send(self, batch: Sequence[Outgoing]) -> Iterator[tuple[Outgoing, Outcome]]:
        for outgoing in batch:
            yield outgoing, here.take(outgoing)

    def find(self, *, to: str, fingerprint: str, since: datetime) -> list[Found]:
        return here.find(to, fingerprint)
