"""Who is at work in the admin: their roles, and the clinics and employers that they have them at."""

import uuid
from dataclasses import dataclass, field
from typing import cast

from django.http import HttpRequest

from clinics.models import Clinic, Organization, StaffRole, User

Role = StaffRole.Role


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody may do here at this instant. Asked anew with each request: a role that is taken away is gone."""

    user: User | None = None
    is_operator: bool = False
    clinics: dict[uuid.UUID, Clinic] = field(default_factory=dict)
    roles: dict[uuid.UUID, frozenset[str]] = field(default_factory=dict)
    # Whose benefit staff they are: that opens the pages of these employers, and no list of anybody's patients.
    employers: dict[uuid.UUID, Organization] = field(default_factory=dict)

    @property
    def may_enter(self) -> bool:
        """Whether the admin is for them: operators, staff who care for patients, and employers' benefit staff."""
        return self.is_operator or bool(self.clinics) or bool(self.employers)

    @property
    def serves_employers(self) -> bool:
        return self.is_operator or bool(self.employers)

    def at(self, *roles: Role) -> list[uuid.UUID]:
        """The clinics at which they have one of `roles`."""
        return [clinic for clinic, held in self.roles.items() if held & set(roles)]


def of(request: HttpRequest) -> Work:
    """The work of who is signed in, in two statements a request."""
    known = getattr(request, "sameday_work", None)
    if known is None:
        known = find(request.user) if request.user.is_authenticated else Work()
        request.sameday_work = known  # type: ignore[attr-defined]
    return cast(Work, known)


def find(user: User) -> Work:
    """The work of `user`: none unless their account is active and may open the admin."""
    if not (user.is_active and user.is_staff):
        return Work()
    clinics = {clinic.pk: clinic for clinic in StaffRole.objects.care_places(user).order_by("name", "pk")}
    given = list(StaffRole.objects.filter(user=user).select_related("organization"))
    held = [role for role in given if role.role in StaffRole.CARE]
    employers = {
        role.organization.pk: role.organization
        for role in given
        if role.role == Role.BENEFITS and role.organization and role.organization.kind == Organization.Kind.EMPLOYER
    }
    roles = {
        clinic.pk: frozenset(
            role.role for role in held if role.clinic_id == clinic.pk or role.organization_id == clinic.health_system_id
        )
        for clinic in clinics.values()
    }
    return Work(user, user.is_superuser, clinics, roles, employers)
