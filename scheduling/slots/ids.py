"""A slot's id, which says all there is of it."""

import base64
import uuid
from datetime import UTC, datetime
from typing import NamedTuple

from clinics.refusals import Refused

VERSION = b"\x01"
# For base64's + and /, which an address and a FHIR id don't take.
ALTERNATIVES = b"-."
# Far behind every shift, and far enough before the last year there is that one can look around a slot.
LAST_YEAR = 9000


class BadSlot(Refused):
    code = "bad_slot"
    status = 400
    detail = "This is not the id of a slot. Send one from GET /api/v1/slots as it is."


class Slot(NamedTuple):
    """A visit that could be had: who, where, what and when. Its id says all of it and stands for nothing stored."""

    clinician: uuid.UUID
    clinic: uuid.UUID
    visit_type: int
    start: datetime

    @property
    def id(self) -> str:
        """52 characters of [A-Za-z0-9.-], a legal FHIR id. Starts are whole minutes: a step divides the hour."""
        minutes = int(self.start.timestamp()) // 60
        what = self.visit_type.to_bytes(2, "big") + minutes.to_bytes(4, "big")
        return base64.b64encode(VERSION + self.clinician.bytes + self.clinic.bytes + what, ALTERNATIVES).decode()

    @classmethod
    def from_id(cls, text: str) -> "Slot":
        """The slot of this id. Raises BadSlot for anything that `id` did not make."""
        try:
            raw = base64.b64decode(text.encode("ascii"), ALTERNATIVES, validate=True)
            slot = cls(
                uuid.UUID(bytes=raw[1:17]),
                uuid.UUID(bytes=raw[17:33]),
                int.from_bytes(raw[33:35], "big"),
                datetime.fromtimestamp(int.from_bytes(raw[35:39], "big") * 60, UTC),
            )
        except (ValueError, UnicodeError, OverflowError) as error:
            raise BadSlot from error
        if raw[:1] != VERSION or slot.id != text or slot.start.year > LAST_YEAR:
            raise BadSlot
        return slot
