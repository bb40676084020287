"""Asking the database from a process of sockets, which is asynchronous."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import DatabaseSyncToAsync
from django.conf import settings

T = TypeVar("T")
# A socket holds no connection to the database: these threads have one each, for as long as a question takes them.
threads = ThreadPoolExecutor(settings.SOCKETS_THREADS, thread_name_prefix="sockets")


async def asked(question: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """The answer of something that uses the database, by a thread that may."""
    ask: Any = DatabaseSyncToAsync(question, thread_sensitive=False, executor=threads)
    answer: T = await ask(*arguments, **named)
    return answer
