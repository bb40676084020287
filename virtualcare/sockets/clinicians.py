"""The socket of a clinician's console: it hears that the queue has changed, and tells that somebody sits there."""

import time
from datetime import datetime
from typing import Any

from django.utils import timezone

from clinics.models import Clinician
from virtualcare import news, presence
from virtualcare.sockets import standing, tickets
from virtualcare.sockets.asking import asked
from virtualcare.sockets.base import Socket


class ClinicianSocket(Socket):
    kind = "clinician"
    group = news.CLINICIANS
    standing: Clinician | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.heard_at = float("-inf")

    def at(self) -> str:
        return tickets.CLINICIAN_PATH

    def look(self, *, now: datetime) -> Clinician:  # noqa: ARG002 - an override
        return standing.as_clinician(self.ticket)

    async def here(self) -> None:
        now = time.monotonic()
        if self.standing is not None and now >= self.heard_at + presence.SELDOM.total_seconds():
            self.heard_at = now
            await asked(presence.heard_from_clinician, self.standing.pk, now=timezone.now())
