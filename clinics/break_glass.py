"""Opening the record of a patient who is not one's own, in an emergency: with a reason, for an hour, not in silence."""

import logging
import uuid
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Func, Q, QuerySet
from django.db.models.functions import Now

from clinics import messages, people, staffing
from clinics.models import BreakGlass, Patient, StaffRole, User
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


class NotOpen(Refused):
    code = "break_glass_over"
    detail = "This access is over already."


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
    overseers = list(staffing.managers_of(opened.patient_id).exclude(pk=opened.user_id))
    told = overseers or list(staffing.operators())
    for manager in told:
        messages.queue(
            to=manager,
            template="break_glass",
            about=f"break_glass:{opened.pk}",
            dedupe_key=f"break_glass:{opened.pk}:{manager.pk}",
            context={
                "brand": "Sameday",
                "to_account": True,
                "who": opened.user.email,
                "role": opened.get_role_display(),
                "id": str(opened.pk),
                "is_manager": bool(overseers),
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
    if not _cut_short(BreakGlass.objects.filter(pk=access, user=user)):
        raise NotFound


def end_for(*, actor: User, access: uuid.UUID) -> None:
    """End somebody's access before its time, as a manager of a clinic of the patient's, or an operator.

    That it was `actor` is kept by the row's history. Raises NotFound where it is not theirs to end, and NotOpen where
    it is over.
    """
    theirs = BreakGlass.objects.filter(pk=access)
    if not staffing.is_operator(actor):
        theirs = theirs.of_patients_at(StaffRole.objects.managed_places(actor).values("pk"))
    with transaction.atomic():
        if not theirs.exists():
            raise NotFound
        if not _cut_short(BreakGlass.objects.filter(pk=access)):
            raise NotOpen
    log.warning("Break-glass access %s was ended by somebody who oversees it", access)


def _cut_short(accesses: QuerySet[BreakGlass]) -> int:
    """End those of `accesses` that hold, by the database's clock. Returns how many did."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE clinics_breakglass SET during = tstzrange(lower(during), greatest(now(), lower(during) + '1 us'))
            WHERE id = ANY (%s) AND during @> statement_timestamp()
            """,
            [[access.pk for access in accesses]],
        )
        ended: int = cursor.rowcount
    return ended
