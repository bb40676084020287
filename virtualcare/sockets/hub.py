"""What a process of sockets hears from Valkey, and which of its sockets it tells.

One subscription a process, whatever is open: a socket comes and goes without a word to Valkey, so none fails to open
while it is away. While it is, news is lost; when it is heard again every socket is told `again`: look at everything.
"""

import asyncio
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Protocol

import redis.asyncio as redis
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from virtualcare import news
from virtualcare.sockets import places
from virtualcare.sockets.tickets import GOOD_FOR, Ticket

log = logging.getLogger(__name__)

QUIET = 5.0  # seconds after which Valkey is asked whether it is there; it has as long to answer
TIMEOUT = 1.0  # of a connection, and of what is sent
PAUSE = 0.5  # before it is tried again
CONNECTIONS = 8  # for what is said, besides the one that hears
MOST_OF_ONE = 10  # sockets of one user, in one process
AGAIN = {"type": "news", "what": "again"}


class Listener(Protocol):
    """A socket, as the hub knows it."""

    group: str
    kind: str
    ticket: Ticket

    def hear(self, message: dict[str, Any], text: str) -> None:
        """Take what is said to its group: `text` is `message["say"]` as it is sent. Returns at once."""

    def give_way(self) -> None:
        """Close, for its user has opened too many others since."""


class Hub:
    """The sockets of this process, of one event loop."""

    def __init__(self) -> None:
        self.groups: dict[str, set[Listener]] = defaultdict(set)
        self.of_user: dict[Any, list[Listener]] = defaultdict(list)
        self.hears = False  # whether the subscription stands
        self.closed: Counter[str] = Counter()  # sockets that ended, by the code
        self.said = 0
        self.listening: asyncio.Task[None] | None = None
        self.watching: asyncio.Task[None] | None = None
        self.client = redis.Redis()  # of no loop until `begin`

    def begin(self) -> None:
        """Listen and tell of places from here on, if that was not begun before."""
        if self.listening is None or self.listening.done():
            self.client = connected(CONNECTIONS)
            loop = asyncio.get_running_loop()
            self.listening = loop.create_task(self.listen())
            self.watching = loop.create_task(places.watch(self))

    # Sockets

    def add(self, socket: Listener) -> None:
        self.groups[socket.group].add(socket)
        same = self.of_user[socket.ticket.user]
        same.append(socket)
        if len(same) > MOST_OF_ONE:
            # The oldest: of somebody who lost their connection that one is dead, and the new one is needed.
            same.pop(0).give_way()

    def discard(self, socket: Listener, code: int | None) -> None:
        self.closed[str(code)] += 1
        self.groups[socket.group].discard(socket)
        if not self.groups[socket.group]:
            del self.groups[socket.group]
        same = self.of_user[socket.ticket.user]
        if socket in same:
            same.remove(socket)
        if not same:
            del self.of_user[socket.ticket.user]

    def sockets(self) -> Iterator[Listener]:
        for members in list(self.groups.values()):
            yield from list(members)

    def deliver(self, message: dict[str, Any]) -> None:
        text = json.dumps(message["say"], separators=(",", ":"))
        for socket in list(self.groups.get(message["to"], ())):
            self.said += 1
            socket.hear(message, text)

    # Valkey

    async def listen(self) -> None:
        missed = False
        while True:
            try:
                async with connected(1) as client, client.pubsub() as pubsub:
                    async with asyncio.timeout(2 * TIMEOUT):
                        await pubsub.subscribe(news.CHANNEL)
                    await self.hear_on(pubsub, missed=missed)
            except (redis.RedisError, OSError, TimeoutError) as error:
                if self.hears or not missed:
                    log.warning("Valkey is away (%s): sockets hear no news", type(error).__name__)
                self.hears, missed = False, True
            await asyncio.sleep(PAUSE)

    async def hear_on(self, pubsub: Any, *, missed: bool) -> None:
        """Hear and deliver until the connection is lost. Raises TimeoutError where nothing answers any more."""
        asked = False
        while True:
            heard = await pubsub.get_message(timeout=QUIET)
            if heard is None:
                if asked:
                    raise TimeoutError
                asked = True
                await pubsub.ping()
                continue
            asked = False
            if heard["type"] == "subscribe":
                self.hears = True
                if missed:
                    log.warning("Valkey is back")
                    for socket in self.sockets():
                        socket.hear({"say": AGAIN}, json.dumps(AGAIN))
            elif heard["type"] == "message":
                self.deliver(json.loads(heard["data"]))

    async def say(self, group: str, said: dict[str, Any], *, role: str) -> bool:
        """Say something to the sockets of one side of a group, in whatever process. Whether Valkey took it."""
        try:
            await self.client.publish(news.CHANNEL, news.written(group, said, role=role))
        except (redis.RedisError, OSError) as error:
            log.warning("Valkey took nothing (%s)", type(error).__name__)
            return False
        return True

    async def spend(self, ticket: Ticket) -> bool:
        """Whether a ticket is used for the first time. While Valkey is away it cannot be told, and is believed: a
        ticket is good for a minute, and its user is looked up all the same.
        """
        try:
            key = f"ticket:{ticket.digest}"
            return bool(await self.client.set(key, 1, nx=True, ex=int(GOOD_FOR.total_seconds()) + 5))
        except (redis.RedisError, OSError):
            return True


def connected(connections: int) -> redis.Redis:
    """A client that fails within TIMEOUT and tries nothing twice."""
    return redis.Redis.from_pool(
        redis.BlockingConnectionPool.from_url(
            settings.REDIS_URL,
            max_connections=connections,
            timeout=TIMEOUT,  # for a connection that others use
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
    )


hub = Hub()
