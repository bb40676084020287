"""What a clinician does in a consult that they have in hand: under its lock, while it is still theirs."""

from collections.abc import Collection

from clinics.models import Clinician
from clinics.refusals import Refused
from virtualcare.access import NoLongerYours
from virtualcare.models import Consult
from virtualcare.queue import records

Status = Consult.Status
# While somebody is cared for, and afterwards as long as they may ask.
IN_HAND = (Status.ACTIVE, Status.WRAP_UP, Status.COMPLETED)


class NotInHand(Refused):
    code = "consult_not_in_hand"
    detail = "This can be done while you care for the patient, or once the consult is completed: not as it stands now."


def locked(consult: Consult, clinician: Clinician, among: Collection[str] = IN_HAND) -> Consult:
    """The consult as it is now, locked, which is with `clinician` in a status of `among`.

    Raises NoLongerYours and NotInHand.
    """
    was = records.locked(consult.pk)
    if was is None or was.clinician_id != clinician.pk or was.status == Status.OFFERED:
        raise NoLongerYours
    if was.status not in among:
        raise NotInHand(status_now=was.status)
    was.patient, was.clinician = consult.patient, clinician
    return was
