"""Celery: transport for work that sweeps over rows. PostgreSQL is the truth, so a lost task is only late."""

import logging
import os
import time
from typing import Any

from celery import Celery, Task
from structlog import contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

log = logging.getLogger(__name__)


class Told(Task):  # type: ignore[type-arg]  # of any arguments
    """A task that leaves a line in the log, and its id in every line that it causes; never its arguments."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:  # noqa: ARG002 - an override
        contextvars.clear_contextvars()
        contextvars.bind_contextvars(task_id=task_id)
        self.request.update(began=time.perf_counter())

    def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ARG002
        ms = round((time.perf_counter() - self.request.get("began", time.perf_counter())) * 1000, 1)
        log.info("task", extra={"task": self.name, "task_id": task_id, "state": status.lower(), "ms": ms})
        contextvars.clear_contextvars()


app = Celery("sameday", task_cls=Told)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
