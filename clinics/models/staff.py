"""What people who work here may do, and where."""

import uuid

from django.db import models
from django.db.models import Q

from clinics.models.accounts import User
from clinics.models.history import tracked
from clinics.models.places import Clinic, Organization


class StaffRoleQuerySet(models.QuerySet["StaffRole"]):
    def care_places(self, user: User) -> models.QuerySet[Clinic]:
        """The clinics at which `user` cares for patients, by a role there or at the clinic's health system."""
        return self.places(user, *StaffRole.CARE)

    def managed_places(self, user: User) -> models.QuerySet[Clinic]:
        """The clinics that `user` manages, one by one or by their health system."""
        return self.places(user, StaffRole.Role.MANAGER)

    def places(self, user: User, *held: "StaffRole.Role") -> models.QuerySet[Clinic]:
        """The clinics at which `user` has a role of those `held`, there or at the clinic's health system."""
        roles = self.filter(user=user, user__is_active=True, role__in=held)
        return Clinic.objects.filter(
            Q(pk__in=roles.values("clinic")) | Q(health_system__in=roles.values("organization"))
        )

    def works_at(self, user: User, clinic: uuid.UUID) -> bool:
        """Whether `user` cares for patients at `clinic`."""
        return self.care_places(user).filter(pk=clinic).exists()

    def manages(self, user: User, clinic: uuid.UUID) -> bool:
        """Whether `user` is a manager of `clinic`."""
        return self.managed_places(user).filter(pk=clinic).exists()


@tracked()
class StaffRole(models.Model):
    """A role of `user` at one clinic, or at an organization and so at all its clinics."""

    class Role(models.TextChoices):
        FRONT_DESK = "front_desk"
        MANAGER = "manager"
        CLINICIAN = "clinician"
        BENEFITS = "benefits", "Employer's benefit staff"
        PARTNER = "partner", "Partner health system's staff"

    # Roles that care for patients: they see those who are registered at their clinics.
    CARE = (Role.FRONT_DESK, Role.MANAGER, Role.CLINICIAN)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="staff_roles")
    role = models.CharField(max_length=10, choices=Role)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, null=True, blank=True, related_name="staff_roles")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="staff_roles"
    )

    objects = StaffRoleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(clinic__isnull=True) ^ Q(organization__isnull=True), name="staff_role_one_place"
            ),
            models.UniqueConstraint(
                fields=["user", "role", "clinic", "organization"], nulls_distinct=False, name="staff_role_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.clinic_id or self.organization_id}"
