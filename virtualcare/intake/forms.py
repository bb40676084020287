"""Which complaints there are, and the version of each that is asked now."""

from django.db.models import QuerySet

from clinics.refusals import NotFound
from virtualcare.models import IntakeForm


class UnknownComplaint(NotFound):
    code = "unknown_complaint"
    detail = "There is no such complaint: GET intake lists those that there are."


def complaints() -> QuerySet[IntakeForm]:
    """The version in force of each complaint that patients may come with."""
    return IntakeForm.objects.in_force()


def published(complaint: str) -> IntakeForm:
    """The version of `complaint` in force. Raises UnknownComplaint."""
    found = complaints().filter(complaint=complaint).first()
    if found is None:
        raise UnknownComplaint
    return found
