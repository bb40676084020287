"""How the web server is started on a laptop: by the demo, and by the benchmarks, which measure the same."""

import os

from config.embedded import LOCALHOST


def arguments(port: int) -> list[str]:
    """What follows `python` to serve on http://localhost:`port`.

    Every thread keeps a connection to PostgreSQL with its prepared statements: few of them serve more than many would,
    and they do better not to end whenever nobody calls for half a minute.
    """
    cores = os.cpu_count() or 1
    where = f"--interface wsgi --host {LOCALHOST} --port {port} --workers {min(2, cores)}"
    threads = f"--blocking-threads {min(8, 2 * cores + 1)} --blocking-threads-idle-timeout 600 --backpressure 64"
    return ["-m", "granian", "config.wsgi:application", *where.split(), *threads.split(), "--access-log", "--no-ws"]
