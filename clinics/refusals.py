"""Refusals: a rule said no. Each rule's own subclass stands beside the rule."""

from typing import Any


class Refused(Exception):
    """A request that a rule of Sameday turns down.

    Subclasses set `code` (stable, for programs), `status` (HTTP) and `detail` (a sentence a person can act on). `extra`
    is what else helps the caller, as JSON.
    """

    code = "refused"
    status = 409
    detail = "This is not possible."

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.extra = extra

    def help(self) -> dict[str, Any]:
        """What to tell the caller besides code and detail.

        Called after the refused work is rolled back and its locks are gone.
        """
        return self.extra


class NotFound(Refused):
    """Absent, or not for this caller: both look the same."""

    code = "not_found"
    status = 404
    detail = "There is nothing here, or nothing that you may see."


class TooManyTries(Refused):
    """Somebody who guesses, or may: what was tried is counted (see clinics.attempts)."""

    code = "too_many_tries"
    status = 429
    detail = "That was tried too often. Try again in an hour."
