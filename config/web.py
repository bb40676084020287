"""The web server: `python -m config.web`. Granian with what production needs, the same on a laptop and in benchmarks.

- Its processes share a folder, which it makes anew: counts for Prometheus, and the word that it is stopping.
- Told to stop (SIGTERM), it says 503 on /readyz for WEB_DRAIN seconds while it still answers everything, so that a load
  balancer that asks can look elsewhere; then it takes no more connections, answers what it holds, and ends after at
  most WEB_GRACE seconds. nginx, which does not ask, finds nobody listening and goes to the next server.
- It keeps no access log: config.requests writes a line for each request, without what was asked for.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from config import logs

DRAINING = "draining"  # a file that says that this server was told to stop
LOCALHOST = "127.0.0.1"


def arguments(port: int) -> list[str]:
    """What follows `python` to serve on http://localhost:`port`."""
    return ["-m", "config.web", "--port", str(port)]


class Server(Granian):  # type: ignore[misc, valid-type]  # chosen by platform
    """Granian that says that it is stopping before it does."""

    def __init__(self, *, folder: Path, drain: float, **options: Any) -> None:
        super().__init__("config.wsgi:application", interface=Interfaces.WSGI, **options)
        self.folder, self.drain = folder, drain

    def shutdown(self, exit_code: int = 0) -> None:
        (self.folder / DRAINING).touch()
        if self.interrupt_signal:
            time.sleep(self.drain)
        super().shutdown(exit_code)


def options(environment: dict[str, str], *, host: str, port: int) -> dict[str, Any]:
    """What Granian is told.

    Every thread keeps a connection to PostgreSQL with its prepared statements: few of them serve more than many would,
    and they do better not to end whenever nobody calls for half a minute.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "address": host,
        "port": port,
        "workers": int(environment.get("WEB_PROCESSES") or min(2, cores)),
        "blocking_threads": int(environment.get("WEB_THREADS") or min(8, 2 * cores + 1)),
        "blocking_threads_idle_timeout": 600,
        "backpressure": 64,
        "websockets": False,
        "respawn_failed_workers": True,
        "workers_kill_timeout": int(environment.get("WEB_GRACE") or 30),
        "log_access": False,
        "log_level": LogLevels.warning,
        "log_dictconfig": log_lines(),
    }


def log_lines() -> dict[str, Any]:
    """Granian's own log, in the shape of ours."""
    shape = logs.to_stderr(plain=os.environ.get("SAMEDAY_MODE") == "demo")
    return {
        "formatters": shape["formatters"],
        "handlers": shape["handlers"],
        "loggers": {"_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default=LOCALHOST)
    parser.add_argument("--port", type=int, default=8000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sameday-web-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        drain = float(os.environ.get("WEB_DRAIN") or 0)
        Server(folder=Path(folder), drain=drain, **options(dict(os.environ), host=asked.host, port=asked.port)).serve()


if __name__ == "__main__":
    main()
