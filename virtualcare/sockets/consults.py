"""The socket of a consult, for the patient, who acts for them, and the clinicians who have or had it.

It hears `{"type": "news", "what": "chat", "seq": 12}` and its like; that the other side types (`typing`); and, in a
call, the other side's `signal` frames. It takes `here`, `typing` and `signal`.
"""

import logging
import time
import uuid
from datetime import datetime
from typing import Any

from django.db import Error
from django.utils import timezone

from clinics.refusals import Refused
from virtualcare import presence
from virtualcare.sockets import standing, tickets
from virtualcare.sockets.asking import asked
from virtualcare.sockets.base import Socket
from virtualcare.sockets.hub import hub
from virtualcare.sockets.standing import Role, Standing
from virtualcare.video import signalling

log = logging.getLogger(__name__)

TYPING_EVERY = 2.0  # seconds: more often it is not passed on
OTHER_SIDE = {Role.PATIENT: Role.CLINICIAN, Role.CLINICIAN: Role.PATIENT}


class ConsultSocket(Socket):
    kind = "consult"
    standing: Standing | None = None
    participant: uuid.UUID | None = None  # of the call, from its first hello on

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.heard_at = self.typed_at = float("-inf")

    def at(self) -> str:
        self.consult: uuid.UUID = self.scope["url_route"]["kwargs"]["consult_id"]
        self.group = str(self.consult)
        return tickets.consult_path(self.consult)

    def look(self, *, now: datetime) -> Standing:
        return standing.in_consult(self.ticket, self.consult, now=now)

    def hears(self, message: dict[str, Any]) -> bool:
        """News is for all; what is for one side is for who is that side now, and a signal only while in a call."""
        if "role" not in message:
            return True
        stands = self.standing
        if stands is None or message["role"] != stands.role:
            return False
        return stands.in_call or message["say"]["type"] != "signal"

    async def here(self) -> None:
        now = time.monotonic()
        if now < self.heard_at + presence.SELDOM.total_seconds():
            return
        if self.standing is None or self.standing.role is Role.READER:
            return
        self.heard_at = now
        if self.standing.role is Role.PATIENT:
            await asked(presence.heard_from_patient, self.consult, now=timezone.now())
        else:
            await asked(presence.heard_from_account, self.ticket.user, now=timezone.now())

    async def take(self, frame: dict[str, Any]) -> None:
        if self.standing is None or self.standing.role not in OTHER_SIDE:
            return
        side = self.standing.role
        other = OTHER_SIDE[side]
        if frame["type"] == "typing" and time.monotonic() >= self.typed_at + TYPING_EVERY:
            self.typed_at = time.monotonic()
            await hub.say(self.group, {"type": "typing", "by": side}, role=other)
        elif frame["type"] == "signal" and self.standing.in_call:
            passed = await self.passed_on(frame, by=side)
            if passed is not None:
                await hub.say(self.group, passed, role=other)

    async def passed_on(self, frame: dict[str, Any], *, by: Role) -> dict[str, Any] | None:
        """What the other side is told for a `signal` frame; None where it means nothing, or its user is not let in."""
        try:
            said = signalling.checked(frame.get("data"))
            if said["kind"] in signalling.NOTED:
                now = timezone.now()
                self.participant = None  # whoever is refused says nothing more as whom they were
                self.participant = await asked(
                    signalling.heard, user_id=self.ticket.user, consult_id=self.consult, data=said, now=now
                )
        except Refused:
            return None
        except Error as error:  # of the database: the client comes back, and says hello again
            log.warning("The database does not answer who is in a call: %s", type(error).__name__)
            await self.end(1013)
            return None
        if self.participant is None:
            return None
        return {"type": "signal", "from": str(self.participant), "by": by, "data": said}
