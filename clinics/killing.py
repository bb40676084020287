"""Points at which a test may have a process killed, to see that nothing is lost. They do nothing anywhere else."""

import os
import signal

from django.conf import settings


def point(name: str) -> None:
    """Die here, as by `kill -9`, where SAMEDAY_KILL_AT names this point of a process of the tests."""
    if settings.MODE == "test" and os.environ.get("SAMEDAY_KILL_AT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
