"""What load balancers and Prometheus ask of a process: /healthz, /readyz, /metrics. First of all middleware.

So they need neither HTTPS nor a host's name, touch no session, and leave no line in the log. They say nothing to
strangers but "ok" or not. Ready is a process whose database answers with every migration that this code knows, and
which is not about to stop. Valkey being away does not count against it: bookings work without, and are what matters.
"""

import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from config import metrics
from config.web import DRAINING

log = logging.getLogger(__name__)


class Probes:
    """Middleware: answers the three addresses, and passes on all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.answers = {"/healthz": healthz, "/readyz": Readiness().answer, "/metrics": measured}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.answers.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        response = answer(request) if request.method in ("GET", "HEAD") else HttpResponse(status=405)
        response.headers["Cache-Control"] = "no-store"
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - a 503 here is no fault of ours
        return response


def healthz(_request: HttpRequest) -> HttpResponse:
    """The process is alive. A supervisor restarts one that does not answer."""
    return plain("ok", 200)


class Readiness:
    """Whether this process is to be sent requests. Says why not in the log, when that changes."""

    def __init__(self) -> None:
        self.is_migrated = False  # and then stays so: migrations only go forward
        self.reason = ""

    def answer(self, _request: HttpRequest) -> HttpResponse:
        reason = self.why_not()
        if reason and reason != self.reason:
            log.warning("Not ready: %s", reason)
        self.reason = reason
        return plain("not ready", 503) if reason else plain("ok", 200)

    def why_not(self) -> str:
        """Why not to send requests here; empty where nothing speaks against it."""
        if is_draining():
            return "stopping"
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [metrics.STATEMENT_TIMEOUT])
                cursor.execute("SELECT 1")
                if not self.is_migrated:
                    cursor.execute("SELECT app, name FROM django_migrations")
                    self.is_migrated = needed() <= set(cursor.fetchall())
        except Error as error:
            return f"the database does not answer ({type(error).__name__})"
        return "" if self.is_migrated else "the database lacks migrations"


@cache
def needed() -> frozenset[tuple[str, str]]:
    """The last migrations of each app, as this code has them."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes())


def is_draining() -> bool:
    """Whether the web server was told to stop: it still answers, and is to be sent nothing new."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return folder is not None and (Path(folder) / DRAINING).exists()


def measured(request: HttpRequest) -> HttpResponse:
    """What Prometheus asks for, with METRICS_TOKEN; without it there is nothing here (docs/decisions)."""
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_OPEN and not (settings.METRICS_TOKEN and constant_time_compare(given, wanted)):
        return plain("not found", 404)
    return HttpResponse(metrics.text(now=timezone.now()), content_type=metrics.CONTENT_TYPE)


def plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain")
