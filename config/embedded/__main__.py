"""`python -m config.embedded`: see the package."""

import os
import signal
import subprocess
import sys

from config import embedded
from config.embedded import ServerFailed, lent, start, status, stop


def lend(folder: str, command: list[str]) -> int:
    """Run the command with the servers' addresses in its environment; its exit status."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with lent(folder, fast=True) as urls:
        return subprocess.run(command, env={**os.environ, **urls}, check=False).returncode


def main(arguments: list[str]) -> int:
    """The command line; its exit status."""
    match arguments:
        case ["start" | "start-fast" as how, folder]:
            told = start(folder, fast=how == "start-fast")
        case ["status", folder]:
            told = status(folder)
        case ["stop", folder]:
            stop(folder)
            return 0
        case ["run", folder, *command] if command:
            return lend(folder, command)
        case _:
            print(embedded.__doc__)
            return 2
    for name, url in told.items():
        print(f"{name}={url}")
    return 0 if told else 3


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ServerFailed as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
