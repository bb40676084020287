"""The socket server: `python -m config.sockets`. uvicorn with what production needs, the same on a laptop and in tests.

- One process. It keeps nothing: when it is told to stop (SIGTERM) it takes no more sockets and closes those it has with
  1012, upon which clients come back, to this server or the next.
- Each socket is asked every PING seconds whether it is there, so that no proxy takes it for idle, and one that is dead
  is known to be. Messages are not compressed: that took twice the memory, and they are a line each.
- It keeps no access log: addresses hold tickets.
"""

import argparse
import logging
import os
import resource

import uvicorn

from config.web import LOCALHOST

PING = 20.0  # seconds
PONG = 20.0
LARGEST = 64 * 1024 + 512  # bytes of a message: what virtualcare.sockets.frames takes, and room for what is around it
GRACE = 5  # seconds for what is under way when it is told to stop


def arguments(port: int) -> list[str]:
    """What follows `python` to serve on ws://localhost:`port`."""
    return ["-m", "config.sockets", "--port", str(port)]


def configured(*, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        "config.asgi:application",
        host=host,
        port=port,
        http="h11",
        ws="websockets-sansio",
        loop="asyncio",
        lifespan="off",
        ws_max_size=LARGEST,
        ws_ping_interval=PING,
        ws_ping_timeout=PONG,
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE,
        backlog=2048,
    )


class OnlyOurFaults(logging.Filter):
    """Takes away what uvicorn writes, with a traceback, of text from a client that is no UTF-8."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError))


def allow_many_files() -> None:
    """A socket is a file: of those that a process may have, ask for as many as it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default=LOCALHOST)
    parser.add_argument("--port", type=int, default=8001)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    allow_many_files()
    logging.getLogger("uvicorn.error").addFilter(OnlyOurFaults())
    uvicorn.Server(configured(host=asked.host, port=asked.port)).run()


if __name__ == "__main__":
    main()
