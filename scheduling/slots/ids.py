"""A slot's id, which says all there is of it."""

import base64
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from clinics.refusals import Refused

VERSION = b"\x01"
# Far behind every shift, and far enough before the last year there is that one can look around a slot.
LAST_YEAR = 9000


class BadSlot(Refused):
    code = "bad_slot"
    status = 400
    detail = "This is not the id of a slot. Send one from GET /api/v1/slots as it is."


@dataclass(frozen=True, slots=True)
class Slot:
    """A visit that could be had: who, where, what and when. Its id says all of it and stands for nothing stored."""

    clinician: uuid.UUID
    clinic: uuid.UUID
    visit_type: int
    start: datetime

    @property
    def id(self) -> str:
        """63 characters of [a-z2-7], a legal FHIR id."""
        return slot_id(self.clinician, self.clinic, self.visit_type, self.start)

    @classmethod
    def from_id(cls, text: str) -> "Slot":
        """The slot of this id. Raises BadSlot for anything that `id` did not make."""
        try:
            raw = base64.b32decode(text.upper().encode("ascii") + b"=")
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


def slot_id(clinician: uuid.UUID, clinic: uuid.UUID, visit_type: int, start: datetime) -> str:
    """See Slot.id. Starts are whole minutes: a step divides the hour."""
    minutes = int(start.timestamp()) // 60
    return _without_start(clinician, clinic, visit_type) + _base32(minutes.to_bytes(4, "big"))


@lru_cache(maxsize=10_000)  # a list has many starts of few clinicians, and base32 is written in Python
def _without_start(clinician: uuid.UUID, clinic: uuid.UUID, visit_type: int) -> str:
    """The part of an id before the start: 35 bytes, so that base32's groups of five end where it ends."""
    return _base32(VERSION + clinician.bytes + clinic.bytes + visit_type.to_bytes(2, "big"))


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
