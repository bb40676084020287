"""Telling a worker that there is something to do, such as messages to send, at once and without waiting for the broker.

A thread of its own publishes, so that a broker that is away, or hangs, costs a request nothing. It may say once for
many. What is never heard is found by the next sweep: rows are the truth, this only saves half a minute.
"""

import logging
import threading
from collections.abc import Callable

from celery import current_app
from django.conf import settings

log = logging.getLogger(__name__)

TASK = "clinics.tasks.send_messages"
TIMEOUT = 1.0  # seconds
USE = 60  # seconds, after which the sweep was there anyway


class Kicker:
    """One thread a process, begun when it is first needed (and so after any fork)."""

    def __init__(self, publish: Callable[..., None]) -> None:
        self.publish = publish
        self.lock = threading.Lock()
        self.wanted: set[tuple[str, ...]] = set()  # arguments of `publish`
        self.is_wanted = threading.Event()
        self.thread: threading.Thread | None = None

    def kick(self, *word: str) -> None:
        with self.lock:
            self.wanted.add(word)
            self.is_wanted.set()
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self.publish_on, name="kicks", daemon=True)
                self.thread.start()

    def publish_on(self) -> None:
        while self.is_wanted.wait():
            with self.lock:
                words, self.wanted = self.wanted, set()
                self.is_wanted.clear()
            for word in words:
                self.publish(*word)


def publish(what: str, task: str = TASK) -> None:
    """Ask a worker to do what is due of `what`; where the broker does not take it, the sweep does."""
    arguments = [what] if what else []
    options = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT, "retry_on_timeout": False}
    try:
        with current_app.connection_for_write(connect_timeout=TIMEOUT, transport_options=options) as connection:
            current_app.send_task(
                task, args=arguments, connection=connection, retry=False, expires=USE, ignore_result=True
            )
    except Exception as error:
        log.warning("The broker took no word of what is due (%s): it is done by the next sweep", type(error).__name__)


kicker = Kicker(publish)


def kick(what: str, task: str = TASK) -> None:
    """Have what is due of `what` (a channel, for messages) done soon by `task`. Returns at once and never fails."""
    if settings.MESSAGES_AT_ONCE:
        kicker.kick(*((what,) if task == TASK else (what, task)))


def ask(task: str) -> None:
    """Have the sweep `task`, which takes nothing, run soon. Returns at once and never fails."""
    kick("", task)
