"""Where a page ended, as an opaque signed text that the client hands back for the next one."""

from typing import Any

from django.core import signing

from clinics.refusals import Refused

SALT = "clinics.cursor"
LONGEST = 1000


class BadCursor(Refused):
    """Not a cursor that we gave, or one given for another list."""

    code = "bad_cursor"
    status = 400
    detail = "This cursor is not one of this list's. Start again without it, and follow `next` as it is given."


def encode(place: dict[str, Any]) -> str:
    """`place` (JSON values alone) as text that is safe in an address. Signed, so that it can be believed."""
    return signing.dumps(place, salt=SALT, compress=True)


def decode(text: str) -> dict[str, Any]:
    """What `encode` was given. Raises BadCursor for anything else."""
    if len(text) > LONGEST:
        raise BadCursor
    try:
        place = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError) as error:
        raise BadCursor from error
    if not isinstance(place, dict):
        raise BadCursor
    return place
