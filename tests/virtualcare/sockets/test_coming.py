"""What is said to a socket while its user is being let in."""

import asyncio
import json
import uuid
from datetime import datetime
from typing import Any, ClassVar

import pytest

from virtualcare.sockets import base, tickets

CHAT = {"to": "group", "say": {"type": "news", "what": "chat", "seq": 1}}
LATER = {"to": "group", "say": {"type": "news", "what": "chat", "seq": 2}}
STATUS = {"to": "group", "say": {"type": "news", "what": "status"}}
SIGNAL = {"to": "group", "say": {"type": "signal", "from": "somebody", "data": {}}}


class Coming(base.Socket):
    """Of somebody whom the database lets in, and who hears everything."""

    kind = "coming"
    group = "group"
    scope: ClassVar = {"query_string": b"ticket=good"}

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Any] = []
        self.looks = 0

    def at(self) -> str:
        return "/ws/coming"

    def look(self, *, now: datetime) -> Any:
        self.looks += 1
        return "here"

    async def send(self, text_data: str = "", **_: Any) -> None:
        self.sent.append(json.loads(text_data))


class Hub:
    """Has no Valkey."""

    def begin(self) -> None: ...

    def add(self, socket: Coming) -> None: ...

    async def spend(self, ticket: tickets.Ticket) -> bool:
        return True


@pytest.mark.parametrize("stage", ["look", "here", "ready"])
def test_it_is_told_after_it_is_ready_and_what_moves_it_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    socket = Coming()
    waiting = [CHAT, STATUS, SIGNAL, LATER]

    def said_at(now: str) -> None:
        while now == stage and waiting:
            message = waiting.pop(0)
            socket.hear(message, json.dumps(message["say"]))

    async def asked(look: Any, **given: Any) -> Any:
        if not socket.looks:
            said_at("look")
        return look(**given)

    async def here() -> None:
        said_at("here")

    async def send(text_data: str) -> None:
        said_at("ready")
        await Coming.send(socket, text_data)

    monkeypatch.setattr(base, "hub", Hub())
    monkeypatch.setattr(base, "asked", asked)
    monkeypatch.setattr(tickets, "opened", lambda *_: tickets.Ticket(uuid.uuid4(), uuid.uuid4(), "digest"))
    monkeypatch.setattr(socket, "here", here)
    monkeypatch.setattr(socket, "send", send)

    async def come() -> None:
        await socket.let_in()
        await asyncio.gather(*socket.tasks)
        assert socket.timer is not None
        socket.timer.cancel()

    asyncio.run(come())

    assert socket.sent == [{"type": "ready"}, LATER["say"], STATUS["say"]]
    assert socket.looks == 2
