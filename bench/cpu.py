"""Who used the processor: user and system time of groups of processes, as the kernel counts it (to 10 ms)."""

from contextlib import suppress

import psutil
import psycopg
import redis


def tree(root: psutil.Process) -> float:
    """CPU seconds of a process and all it started, ended children included."""
    total = 0.0
    with suppress(psutil.Error):
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                spent = process.cpu_times()
                total += spent.user + spent.system + getattr(spent, "children_user", 0.0)
                total += getattr(spent, "children_system", 0.0)
    return total


def postmaster(url: str) -> psutil.Process | None:
    """The PostgreSQL server's own process, where it runs on this machine."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchone()
    with suppress(psutil.Error):
        if row and (found := psutil.Process(row[0]).parent()) and "postgres" in found.name():
            return found
    return None


def valkey(url: str) -> list[psutil.Process]:
    """The Valkey server's own process, where it runs on this machine."""
    with redis.Redis.from_url(url) as server:
        pid = server.info("server")["process_id"]
    with suppress(psutil.Error):
        if "valkey" in (found := psutil.Process(pid)).name():
            return [found]
    return []
