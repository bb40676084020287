"""What clients send: small objects of JSON with a `type`, and not too many of them."""

import json
import time
from typing import Any

LONGEST = 64 * 1024  # bytes; the server closes a socket that is sent more (1009)
DEEPEST = 16
# Frames at once, and a second in the long run. Setting a call up sends some dozens.
BURST, RATE = 200.0, 20.0


class BadFrame(Exception):
    """No frame that anything here could mean."""


def read(text: str | None) -> dict[str, Any]:
    """A frame's object. Raises BadFrame for bytes, for what is no JSON object with a `type`, and for what is nested
    more than DEEPEST levels.
    """
    try:
        frame = json.loads(text or "", parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise BadFrame from error
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str) or not is_flat_enough(frame):
        raise BadFrame
    return frame


def no_constant(name: str) -> Any:
    raise BadFrame(f"{name} is not JSON")


def is_flat_enough(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for entry in level
            if isinstance(entry, dict | list)
            for inner in (entry.values() if isinstance(entry, dict) else entry)
        ]
        if not level:
            return True
    return not any(isinstance(entry, dict | list) for entry in level)


class Bucket:
    """Lets BURST through at once, and RATE a second in the long run."""

    __slots__ = ("at", "left")

    def __init__(self) -> None:
        self.left, self.at = BURST, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.at) * RATE)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True
