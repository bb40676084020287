"""The process that plants what is measured, and hands over the board: `python -m bench.planting FILE`."""

import pickle
import sys
from datetime import UTC, datetime
from pathlib import Path

import django


def main(path: str) -> None:
    django.setup()
    from bench import network  # noqa: PLC0415 - models can be imported only now

    Path(path).write_bytes(pickle.dumps(network.plant(now=datetime.now(UTC))))


if __name__ == "__main__":
    main(sys.argv[1])
