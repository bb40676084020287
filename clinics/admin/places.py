"""Places in the admin: whose are whose."""

from django.db.models import QuerySet

from clinics.admin.work import Role, Work
from clinics.models import Clinic


def places(at: Work, *roles: Role) -> QuerySet[Clinic]:
    """The clinics at which somebody has one of `roles`; for those who run the server all."""
    clinics = Clinic.objects.all()
    return clinics if at.is_operator else clinics.filter(pk__in=at.at(*roles))
