"""Sends nothing: in the demo everything is to be read at /demo/messages."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Self

from clinics.transports import Became, Found, Outcome, Outgoing


class Sender:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def send(self, batch: Sequence[Outgoing]) -> Iterator[tuple[Outgoing, Outcome]]:
        for outgoing in batch:
            yield outgoing, Outcome(Became.SENT)

    def find(self, *, to: str, fingerprint: str, since: datetime) -> list[Found]:  # noqa: ARG002 - nothing to find
        return []
