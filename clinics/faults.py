"""What PostgreSQL says went wrong. Imported before there are models: by the database backend, config.postgresql."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FEATURE_NOT_SUPPORTED = "0A000"


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code for what went wrong (Appendix A of its manual), or an empty text where it gave none."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def is_outdated(error: BaseException) -> bool:
    """Whether a statement was refused, undone, because a migration came after the connection prepared it."""
    if sqlstate(error) != FEATURE_NOT_SUPPORTED:
        return False
    # The message, "cached plan must not change result type", comes in the server's language: its source tells.
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "source_function", None) == "RevalidateCachedQuery"


repeats: ContextVar[bool] = ContextVar("repeats", default=False)


@contextmanager
def repeated() -> Iterator[None]:
    """Whoever runs the block does it again where `is_outdated`: in its transactions statements may be prepared."""
    token = repeats.set(True)
    try:
        yield
    finally:
        repeats.reset(token)


def violates(error: BaseException, constraint: str) -> bool:
    """Whether what was refused would have broken `constraint`."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) == constraint
