"""A provider that keeps what it took in a file, as a transport for processes that are killed. It has a look-up."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from clinics.transports import Became, Found, Outcome, Outgoing


class Sender:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def send(self, batch: Sequence[Outgoing]) -> Iterator[tuple[Outgoing, Outcome]]:
        for outgoing in batch:
            with Path(os.environ["SAMEDAY_LEDGER"]).open("a") as file:
                file.write(f"{outgoing.id}\n")
            yield outgoing, Outcome(Became.SENT, provider_id=f"SM{outgoing.id}")

    def find(self, *, to: str, fingerprint: str, since: datetime) -> list[Found]:
        return [Found(f"SM{one}", "sent") for one in Path(os.environ["SAMEDAY_LEDGER"]).read_text().split()]
