"""Who works where: giving and taking roles, and switching accounts of staff on and off.

Those who run the server do it for all. A clinic's manager gives and takes the roles of MANAGED at that clinic. Nobody
does it for themself: a second person always has to.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from clinics import people
from clinics.models import Clinic, Organization, Patient, Session, StaffRole, User
from clinics.refusals import NotFound, Refused

Role = StaffRole.Role
MANAGED = (Role.FRONT_DESK, Role.CLINICIAN)
# Roles that are for an organization of a kind, and not for a clinic.
OF_ORGANIZATIONS = {Role.BENEFITS: Organization.Kind.EMPLOYER, Role.PARTNER: Organization.Kind.HEALTH_SYSTEM}


class OwnAccount(Refused):
    code = "own_account"
    status = 403
    detail = "Nobody changes their own roles or account here: ask somebody else who may."


class NotYoursToGive(Refused):
    code = "role_not_yours"
    status = 403
    detail = "Managers give and take the roles of front desk and clinician, at their own clinics."


class BadRole(Refused):
    code = "bad_role"
    status = 400
    detail = (
        "Benefit staff belong to an employer, a partner's staff to a health system, all others to either or a clinic."
    )


class NotYoursToSwitch(Refused):
    code = "account_not_yours"
    status = 403
    detail = (
        "Managers switch off accounts that have roles at their own clinics alone, and belong to no patient. "
        "Take the role away instead, or ask those who run the server."
    )


def is_operator(actor: User) -> bool:
    return actor.is_active and actor.is_staff and actor.is_superuser


def operators() -> QuerySet[User]:
    """Those who run the server."""
    return User.objects.filter(is_superuser=True, is_active=True)


def managers_of(patient_id: UUID) -> QuerySet[User]:
    """The managers of the clinics that know a patient, by a role there or at the clinic's health system."""
    clinics = Clinic.objects.filter(registrations__patient=patient_id)
    return User.objects.filter(
        Q(staff_roles__clinic__in=clinics) | Q(staff_roles__organization__in=clinics.values("health_system")),
        staff_roles__role=Role.MANAGER,
        is_active=True,
    ).distinct()


def accounts(actor: User) -> QuerySet[User]:
    """The accounts of staff that `actor` sees: all, or those with a role at a clinic they manage."""
    if is_operator(actor):
        return User.objects.filter(Q(is_staff=True) | Q(pk__in=StaffRole.objects.values("user")))
    managed = StaffRole.objects.managed_places(actor)
    return User.objects.filter(pk__in=StaffRole.objects.filter(clinic__in=managed.values("pk")).values("user"))


def give(
    *, email: str, role: str, clinic: Clinic | None = None, organization: Organization | None = None, actor: User
) -> StaffRole:
    """Give a role at a clinic, or at an organization and so at all its clinics, to the account of `email`.

    Where there is none it is made, without a password: its owner sets one by the code that is mailed to them. Whether
    there was one is not said. Given twice it is there once. Raises OwnAccount, NotYoursToGive and BadRole.
    """
    if (clinic is None) == (organization is None) or role not in Role.values:
        raise BadRole
    kind = OF_ORGANIZATIONS.get(Role(role), Organization.Kind.HEALTH_SYSTEM)
    if organization.kind != kind if organization is not None else Role(role) in OF_ORGANIZATIONS:
        raise BadRole
    with transaction.atomic():
        _require_may(actor, role, clinic)
        if email.lower() == actor.email:
            raise OwnAccount
        user = User.objects.select_for_update(no_key=True).filter(email=email.lower()).first()
        if user is None:
            user = people.open_account(email=email, password=None)
        given, _ = StaffRole.objects.get_or_create(user=user, role=role, clinic=clinic, organization=organization)
        _open_admin(user)
        return given


def take(*, role: StaffRole, actor: User) -> None:
    """Take a role away. It is gone by the next request. Raises OwnAccount, NotYoursToGive, and NotFound when it is."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=role.user_id)
        _require_may(actor, role.role, role.clinic)
        if user.pk == actor.pk:
            raise OwnAccount
        if not StaffRole.objects.filter(pk=role.pk).delete()[0]:
            raise NotFound
        _open_admin(user)


def switch(*, user: User, on: bool, actor: User, now: datetime) -> int:
    """Switch an account off, and end all its sessions; or on again. Returns how many sessions ended.

    Raises OwnAccount, NotYoursToSwitch, and NotFound for accounts that `actor` does not see.
    """
    with transaction.atomic():
        found = accounts(actor).select_for_update(no_key=True, of=("self",)).filter(pk=user.pk).first()
        if found is None:
            raise NotFound
        if found.pk == actor.pk:
            raise OwnAccount
        if not is_operator(actor):
            elsewhere = StaffRole.objects.filter(user=found).exclude(
                clinic__in=StaffRole.objects.managed_places(actor).values("pk"), role__in=MANAGED
            )
            if found.is_superuser or elsewhere.exists() or Patient.objects.filter(user=found).exists():
                raise NotYoursToSwitch
        User.objects.filter(pk=found.pk).update(is_active=on)
        return 0 if on else Session.objects.filter(user=found, expire_date__gt=now).delete()[0]


def _require_may(actor: User, role: str, clinic: Clinic | None) -> None:
    """Raises NotYoursToGive."""
    if is_operator(actor):
        return
    if clinic is None or role not in MANAGED or not StaffRole.objects.manages(actor, clinic.pk):
        raise NotYoursToGive


def _open_admin(user: User) -> None:
    """The admin is for those who care for patients somewhere, employers' benefit staff, and who run the server."""
    works = StaffRole.objects.filter(user=user, role__in=[*StaffRole.CARE, Role.BENEFITS]).exists()
    User.objects.filter(pk=user.pk).update(is_staff=works or user.is_superuser)
