"""Who is at work in the admin: their roles, and the clinics they have them at."""

import uuid
from dataclasses import dataclass, field
from typing import cast

from django.http import HttpRequest

from clinics.models import Clinic, StaffRole, User

Role = StaffRole.Role


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody may do here at this instant. Asked anew with each request: a role that is taken away is gone."""

    user: User | None = None
    is_operator: bool = False
    clinics: dict[uuid.UUID, Clinic] = field(default_factory=dict)
    roles: dict[uuid.UUID, frozenset[str]] = field(default_factory=dict)

    @property
    def may_enter(self) -> bool:
        """Whether the admin is for them: for operators, and for staff who care for patients somewhere."""
        return self.is_operator or bool(self.clinics)

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
    held = list(StaffRole.objects.filter(user=user, role__in=StaffRole.CARE)) if clinics else []
    roles = {
        clinic.pk: frozenset(
            role.role for role in held if role.clinic_id == clinic.pk or role.organization_id == clinic.health_system_id
        )
        for clinic in clinics.values()
    }
    return Work(user, user.is_superuser, clinics, roles)
