"""What all sockets have in common: letting somebody in, looking again whether they may stay, sending, and closing.

Close codes: 4401 sign in again (or get a new ticket), 4404 there is nothing here for you, 4403 you may no longer hear
this, 4400 a frame that means nothing, 4429 too many frames or too many sockets of yours; 1012 and 1013, the server
restarts or is overloaded: come back. After one of 44xx a client does not come back with the same address.
"""

import asyncio
import json
import logging
import random
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error
from django.utils import timezone

from clinics.refusals import Refused
from virtualcare.sockets import frames, origins, tickets
from virtualcare.sockets.asking import asked
from virtualcare.sockets.hub import AGAIN, hub
from virtualcare.sockets.standing import SessionOver
from virtualcare.sockets.tickets import BadTicket, Ticket

log = logging.getLogger(__name__)

BAD_FRAME, NO_TICKET, NO_MORE, NOTHING_HERE, TOO_MANY = 4400, 4401, 4403, 4404, 4429
FAILED = 1011
LOOK_EVERY = 30.0  # seconds between looks whether somebody may stay; chance spreads them by a fifth
LOOK_AGAIN = 5.0  # when the database did not answer
MOST_UNSENT = 64  # messages that a client has not taken: then it is told `again` in place of more of them
# What may change who takes part, or in what: it is looked at once more, at once.
MOVING = {"status", "call", "again"}


class Socket(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels ships no types
    """A socket of one user. Subclasses say of which `group` they hear, and by `look` whether they may."""

    kind: ClassVar[str]
    ticket: Ticket
    group: str
    standing: Any = None  # of the last look; None before the first

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.bucket = frames.Bucket()
        self.tasks: set[asyncio.Task[None]] = set()
        self.timer: asyncio.TimerHandle | None = None
        self.unsent = 0
        self.has_missed = False
        self.is_added = False
        self.is_closed = False
        # The news while it comes, the last of each kind; None once it is ready.
        self.meanwhile: dict[str, tuple[dict[str, Any], str]] | None = {}

    # What subclasses are

    def at(self) -> str:
        """The path that the ticket is for; sets `group`."""
        raise NotImplementedError

    def look(self, *, now: datetime) -> Any:
        """What its user may hear and do now. Uses the database. Raises SessionOver, and Refused where it is nothing."""
        raise NotImplementedError

    def hears(self, message: dict[str, Any]) -> bool:
        """Whether what is said to the group is for this socket, as it stands."""
        return "role" not in message

    async def here(self) -> None:
        """Note that the user is there: they have come, are there still, or say so (`{"type": "here"}`)."""

    async def take(self, frame: dict[str, Any]) -> None:
        """Do what a frame asks for; what is not known means nothing, for a client may be newer than we are."""

    # Coming

    async def connect(self) -> None:
        if not origins.is_ours(self.scope["headers"]):
            await self.close()  # 403: nothing is said to a stranger's page
            return
        await self.accept()
        try:
            await self.let_in()
        except (BadTicket, SessionOver):
            await self.end(NO_TICKET)
        except Refused:
            await self.end(NOTHING_HERE)
        except Error as error:
            log.warning("The database does not answer a socket that opens: %s", type(error).__name__)
            await self.end(1013)

    async def let_in(self) -> None:
        """Raises BadTicket, SessionOver, or what `look` refuses by."""
        given = parse_qs(self.scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
        self.ticket = tickets.opened(given, self.at())
        hub.begin()
        # Before looking: of what changes meanwhile it is told, and looks at it once more.
        hub.add(self)
        self.is_added = True
        standing = await asked(self.look, now=timezone.now())
        if not await hub.spend(self.ticket):
            raise BadTicket
        self.standing = standing
        await self.here()
        self.later(LOOK_EVERY)
        await self.say('{"type":"ready"}')
        meanwhile, self.meanwhile = self.meanwhile or {}, None
        for message, text in meanwhile.values():
            self.hear(message, text)

    # Staying

    def later(self, seconds: float) -> None:
        """Look again in a while, whatever is heard until then."""
        if self.timer is not None:
            self.timer.cancel()
        spread = seconds * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        self.timer = asyncio.get_running_loop().call_later(spread, lambda: self.begin(self.look_again()))

    async def look_again(self) -> None:
        """Close where its user may no longer hear. A socket that is open and answers pings is somebody who is there."""
        if self.is_closed:
            return
        try:
            self.standing = await asked(self.look, now=timezone.now())
            await self.here()
        except (SessionOver, Refused):
            await self.end(NO_MORE)
        except Error as error:
            log.warning("The database does not answer an open socket: %s", type(error).__name__)
            self.later(LOOK_AGAIN)
        else:
            self.later(LOOK_EVERY)

    def hear(self, message: dict[str, Any], text: str) -> None:
        if self.is_closed:
            return
        what = message["say"].get("what")  # None where it is no news
        if self.meanwhile is not None:
            if what is not None:
                self.meanwhile[what] = message, text
        elif what in MOVING:
            self.begin(self.look_and_say(message, text))
        elif self.hears(message):
            self.begin(self.say(text))

    async def look_and_say(self, message: dict[str, Any], text: str) -> None:
        await self.look_again()
        if self.hears(message):
            await self.say(text)

    async def say(self, text: str) -> None:
        """Send. Who does not take what they are sent is told, once they do, to look at everything."""
        if self.is_closed:
            return
        if self.unsent >= MOST_UNSENT:
            self.has_missed = True
            return
        self.unsent += 1
        try:
            await self.send(text_data=text)
        finally:
            self.unsent -= 1
        if self.has_missed and not self.unsent:
            self.has_missed = False
            self.hear({"say": AGAIN}, json.dumps(AGAIN))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:  # noqa: ARG002
        if self.standing is None or self.is_closed:
            return
        if not self.bucket.take():
            await self.end(TOO_MANY)
            return
        try:
            frame = frames.read(text_data)
        except frames.BadFrame:
            await self.end(BAD_FRAME)
            return
        if frame["type"] == "here":
            await self.here()
        else:
            await self.take(frame)

    # Going

    def give_way(self) -> None:
        self.begin(self.end(TOO_MANY))

    async def end(self, code: int) -> None:
        if not self.is_closed:
            self.is_closed = True
            await self.close(code)

    async def disconnect(self, code: int) -> None:
        self.is_closed = True
        if self.timer is not None:
            self.timer.cancel()
        for task in self.tasks:
            task.cancel()
        if self.is_added:
            hub.discard(self, code)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done beside what the socket does, for as long as it is open."""
        task = asyncio.get_running_loop().create_task(self.guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except OSError:  # the client went meanwhile
            pass
        except Exception:
            log.exception("A socket failed")
            await self.end(FAILED)
