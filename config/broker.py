"""The broker's transport: kombu's own for Redis, but that losing the broker ends no worker.

Once a connection is lost kombu (5.7) closes its channels twice. The second time, and when a task that was begun before
is acknowledged, it looks for the address of what is closed by then: an AttributeError, which nobody catches and Celery
calls unrecoverable. Said as what it is, a lost connection, it is handled as one: the worker connects anew, and what it
could not acknowledge may be delivered once more, which every task here stands.
"""

from typing import Any

import redis
from kombu.transport import redis as kombu_redis


class Channel(kombu_redis.Channel):
    def _connparams(self, asynchronous: bool = False) -> Any:
        if getattr(self.connection, "client", None) is None:
            raise redis.ConnectionError("The connection of this channel is closed.")
        return super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]  # no part of kombu's types


class Transport(kombu_redis.Transport):
    Channel = Channel
