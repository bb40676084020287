"""Fetching consults for those who take part in them."""

import uuid
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from clinics import people
from clinics.models import Clinician, Proxy, StaffRole, User
from clinics.refusals import NotFound, Refused
from virtualcare.models import ChatMessage, Consult, ConsultChange

Role = ChatMessage.Role


class NotAClinician(Refused):
    code = "not_a_clinician"
    status = 403
    detail = "This is for clinicians on call."


class NoLongerYours(Refused):
    code = "no_longer_yours"
    detail = "This consult is not with you any more. Look at it again."


def consult(user: User, consult_id: uuid.UUID, *, now: datetime) -> Consult:
    """The consult `consult_id`, all that it shows loaded, which `user` may know of. Raises NotFound otherwise.

    Those are the patient, who acts for them, and the clinicians to whom it is offered or who had it. A parent whose
    child has grown up so far knows of it and reads nothing in it: see `takes_part`.
    """
    today = people.today_of(user, now=now)
    found = (
        Consult.objects.visible_to(user, on=today)
        .select_related("patient", "clinician", "form")
        .filter(pk=consult_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def taken_part(user: User, consult_id: uuid.UUID, *, now: datetime) -> Consult:
    """The consult `consult_id`, which `user` reads and writes in. Raises NotFound otherwise."""
    found, _ = part_taken(user, consult_id, now=now)
    return found


def part_taken(user: User, consult_id: uuid.UUID, *, now: datetime) -> tuple[Consult, ChatMessage.Role]:
    """The consult `consult_id`, which `user` reads and writes in, and on which side. Raises NotFound otherwise."""
    found = consult(user, consult_id, now=now)
    side = side_of(user, found, now=now)
    if side is None:
        raise NotFound
    return found, side


def takes_part(user: User, consult: Consult, *, now: datetime) -> bool:
    """Whether `user` reads what is said in `consult`, which they know of: see `side_of`."""
    return side_of(user, consult, now=now) is not None


def side_of(user: User, consult: Consult, *, now: datetime) -> ChatMessage.Role | None:
    """On which side of `consult`, which they know of, `user` reads what is said.

    None for whom it is only offered to, and for a parent whose child has grown up so far.
    """
    if is_patients(user, consult, now=now):
        return Role.PATIENT
    return Role.CLINICIAN if consult.carers.filter(clinician__user=user).exists() else None


def is_patients(user: User, consult: Consult, *, now: datetime) -> bool:
    """Whether `user` is the patient of `consult`, or acts for them and still reads everything."""
    if consult.patient.user_id == user.pk:
        return True
    today = people.today_of(user, now=now)
    proxy = (
        Proxy.objects.active(on=today).filter(user=user, patient=consult.patient_id).select_related("patient").first()
    )
    return proxy is not None and proxy.is_full(now=now)


def in_care(user: User, consult_id: uuid.UUID, *, now: datetime) -> Consult:
    """The consult `consult_id`, which is with the clinician who `user` is. Raises NotFound, and NoLongerYours where
    they had it once.
    """
    found = consult(user, consult_id, now=now)
    if found.clinician is not None and found.clinician.user_id == user.pk and found.status != Consult.Status.OFFERED:
        return found
    if found.carers.filter(clinician__user=user).exists():
        raise NoLongerYours
    raise NotFound


def offered(clinician: Clinician, consult_id: uuid.UUID) -> Consult:
    """The consult `consult_id`, which is offered to `clinician` or was, for accepting or declining it: it may be over.
    Nothing of it is for them to read by this. Raises NotFound for who was never offered it.
    """
    told = ConsultChange.objects.filter(consult=OuterRef("pk"), clinician=clinician)
    found = Consult.objects.filter(Q(clinician=clinician) | Exists(told), pk=consult_id).first()
    if found is None:
        raise NotFound
    return found


def clinician(user: User) -> Clinician:
    """The clinician who `user` is. Raises NotAClinician."""
    found = Clinician.objects.filter(user=user, user__is_active=True).first()
    if found is None:
        raise NotAClinician
    return found


def sees_counts(user: User) -> bool:
    """Whether `user` is told how many clinicians are on call: clinicians, managers and those who run the server."""
    if not user.is_active:
        return False
    managing = StaffRole.objects.filter(user=user, role=StaffRole.Role.MANAGER)
    return user.is_superuser or Clinician.objects.filter(user=user).exists() or managing.exists()
