"""A minor is not seen alone: who acts for them is with them, whoever of them asks."""

from datetime import date

from clinics import people
from clinics.models import Patient
from clinics.refusals import Refused


class GuardianRequired(Refused):
    code = "guardian_required"
    status = 403
    detail = (
        f"With a patient under {people.OF_AGE} a parent or guardian is present during the consult: say so by"
        " guardian_present, whether they ask for it or a teenager does from an account of their own."
    )


def require(*, patient: Patient, is_present: bool, on: date) -> None:
    """Raises GuardianRequired where `patient` is a minor on the day `on`, and nobody says that a guardian is with them.

    A teenager with an account of their own says so themself: what is said is theirs to read, and the clinician sees who
    is there. That account was given them by who acts for them (docs/decisions/0013).
    """
    if patient.age_on(on) < people.OF_AGE and not is_present:
        raise GuardianRequired
