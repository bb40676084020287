"""Opening the record of a patient who is not one's own, in an emergency: with a reason, for an hour, not in silence."""

import logging
import uuid
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Func, Q, QuerySet
from django.db.models.functions import Now

from clinics import messages, people
from clinics.models import BreakGlass, Clinic, Patient, StaffRole, User
from clinics.refusals import NotFound, Refused

log = logging.getLogger(__name__)

LASTS = timedelta(hours=1)
MOST_OPEN = 5
# Whose work it is to know what is wrong with somebody, or to answer for those who do.
ROLES = (StaffRole.Role.CLINICIAN, StaffRole.Role.MANAGER)
NOW, LATER = Now(), Now() + LASTS


class NotForYou(Refused):
    code = "break_glass_not_allowed"
    status = 403
    detail = "Only clinicians and managers open the record of a patient who is not theirs."


class NotNeeded(Refused):
    code = "break_glass_not_needed"
    detail = "You may see this patient's record already."


class TooManyOpen(Refused):
    code = "too_many_break_glass"
    detail = f"You have opened {MOST_OPEN} records in this way. End one of these accesses first."


def open_record(
    *, user: User, given_name: str, family_name: str, birth_date: date, reason: str, now: datetime
) -> BreakGlass:
    """Let `user` read the record of the one patient of exactly this name (in any case) and birth date, for LASTS.

    Managers of the patient's clinics are told at once; where there are none, the operators. Raises NotForYou; NotFound
    where nobody or more than one fits, which look the same; NotNeeded, TooManyOpen.
    """
    role = StaffRole.objects.filter(user=user, user__is_active=True, role__in=ROLES).order_by("role").first()
    if role is None:
        raise NotForYou
    with transaction.atomic():
        # Two requests at once would each count without the other.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        name = Q(given_name__iexact=given_name) | Q(preferred_name__iexact=given_name)
        found = list(Patient.objects.filter(name, family_name__iexact=family_name, birth_date=birth_date)[:2])
        if len(found) != 1:
            raise NotFound("No record fits exactly, or more than one does.")
        [patient] = found
        today = people.today_of(user, now=now)
        if Patient.objects.visible_to(user, on=today).filter(pk=patient.pk).exists():
            raise NotNeeded
        if BreakGlass.objects.open().filter(user=user).count() >= MOST_OPEN:
            raise TooManyOpen
        opened = BreakGlass.objects.create(
            user=user, patient=patient, role=role.role, reason=reason, during=Func(NOW, LATER, function="tstzrange")
        )
        opened.refresh_from_db()
        told = tell(opened, now=now)
    log.warning("Break-glass access %s was opened by a %s; %d people are told", opened.pk, role.role, told)
    return opened


def tell(opened: BreakGlass, *, now: datetime) -> int:
    """Queue the alarm about an access, without anything of the patient. Returns how many are told."""
    clinics = Clinic.objects.filter(registrations__patient=opened.patient_id)
    managers = User.objects.filter(
        Q(staff_roles__clinic__in=clinics) | Q(staff_roles__organization__in=clinics.values("health_system")),
        staff_roles__role=StaffRole.Role.MANAGER,
        is_active=True,
    ).exclude(pk=opened.user_id)
    told = list(managers.distinct()) or list(User.objects.filter(is_superuser=True, is_active=True))
    for manager in told:
        messages.queue(
            to=manager,
            template="break_glass",
            about=f"break_glass:{opened.pk}",
            dedupe_key=f"break_glass:{opened.pk}:{manager.pk}",
            context={
                "brand": "Sameday",
                "who": opened.user.email,
                "role": opened.get_role_display(),
                "id": str(opened.pk),
            },
            now=now,
        )
    return len(told)


def overseen_by(user: User) -> QuerySet[BreakGlass]:
    """The accesses of `user`, and those to records of patients of the clinics that they manage."""
    return BreakGlass.objects.overseen_by(user).select_related("user", "patient")


def opened_by(user: User, access: uuid.UUID) -> BreakGlass:
    """An access of `user` that still holds. Raises NotFound."""
    found = (
        BreakGlass.objects.open().filter(user=user, user__is_active=True, pk=access).select_related("patient").first()
    )
    if found is None:
        raise NotFound
    return found


def end(*, user: User, access: uuid.UUID) -> None:
    """End an access of `user` before its time. Raises NotFound where it does not hold (any more)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE clinics_breakglass SET during = tstzrange(lower(during), greatest(now(), lower(during) + '1 us'))
            WHERE id = %s AND user_id = %s AND during @> statement_timestamp()
            """,
            [access, user.pk],
        )
        if not cursor.rowcount:
            raise NotFound
