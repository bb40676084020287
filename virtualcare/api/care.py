"""What the views for the clinician who has a consult have in common."""

import uuid
from datetime import datetime

from clinics.edge import Endpoint
from virtualcare import access, presence
from virtualcare.models import Consult


class CareEndpoint(Endpoint):
    """A view for the clinician who has a consult. Each call counts as a heartbeat."""

    def in_care(self, consult_id: uuid.UUID, *, now: datetime) -> Consult:
        """As access.in_care."""
        consult = access.in_care(self.caller, consult_id, now=now)
        presence.heard_from_who_has(consult, self.caller, now=now)
        return consult
