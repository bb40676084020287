"""What a clinician does with the patient they are offered."""

from datetime import datetime, timedelta

from django.db import transaction

from clinics.models import Clinician, User
from clinics.refusals import Refused
from scheduling import access
from virtualcare import duty
from virtualcare.models import Carer, Consult, Modality, PassedOn
from virtualcare.queue import claiming, records
from virtualcare.queue.records import Status

# Whom somebody declined is not offered to them again for so long: by then it may be that nobody else is there.
PASSED_ON_FOR = timedelta(minutes=2)


class OfferOver(Refused):
    code = "offer_over"
    detail = "This patient is not offered to you any more. Take the next one."


class NotLicensedThere(Refused):
    code = "not_licensed_there"
    detail = "You hold no licence where this patient is now, so you may not treat them. They keep their place."


class CapacityReached(Refused):
    code = "capacity_reached"
    detail = "You have as many patients as your shift allows. Finish one first."


class OwnCase(Refused):
    code = "own_case"
    detail = "This is you, or one of your family: another clinician has to see them. They keep their place."


class AlreadyInACall(Refused):
    code = "already_in_a_call"
    detail = "You are in a call already: a clinician is in one call at a time."


def accept(*, consult: Consult, clinician: Clinician, actor: User, now: datetime) -> Consult:
    """The clinician takes the patient whom they were offered. Accepting again changes nothing.

    Shift, capacity and licence are asked for once more. Raises OfferOver, and OwnCase, NotLicensedThere,
    duty.NotOnCall, AlreadyInACall and CapacityReached: then the patient waits on at their place.
    """
    refusal: Refused | None = None
    with transaction.atomic():
        duty.locked(clinician.pk, now=now)
        was = records.locked(consult.pk)
        if was is None or was.clinician_id != clinician.pk:
            raise OfferOver
        if was.status == Status.ACTIVE:
            return was
        # Asked of the database, whose clock offers run by.
        if was.status != Status.OFFERED or Consult.objects.offered_for_too_long().filter(pk=was.pk).exists():
            raise OfferOver
        refusal = obstacle(was, clinician, now=now)
        if refusal is None:
            first = was.accepted_at or now
            records.change(
                was, Status.ACTIVE, what="accepted", actor=actor, now=now, offer_expires_at=None, accepted_at=first
            )
            Carer.objects.get_or_create(consult=was, clinician=clinician, defaults={"since": now})
        else:
            wait_on(was, what="not_allowed", actor=actor, now=now)
    if refusal is not None:
        raise refusal
    return was


def obstacle(consult: Consult, clinician: Clinician, *, how: str | None = None, now: datetime) -> Refused | None:
    """Why `clinician`, whose duty is locked, may not have `consult` now, by its modality or by `how`: shift, licence
    where the patient is, capacity, or that it is their own.
    """
    if clinician.user and consult.patient_id in access.family(clinician.user, now=now).patients:
        return OwnCase()
    how = how or consult.modality
    shift = duty.shift_of(clinician.pk, now=now)
    if shift is None or how not in shift.modalities:
        return duty.NotOnCall()
    if consult.state not in duty.licensed_in(clinician.pk, now=now):
        return NotLicensedThere()
    held = Consult.objects.filter(clinician=clinician, status__in=Consult.HELD, modality=how).exclude(pk=consult.pk)
    if how == Modality.VIDEO and held.exists():
        return AlreadyInACall()
    return CapacityReached() if how == Modality.TEXT and held.count() >= shift.capacity else None


def decline(*, consult: Consult, clinician: Clinician, actor: User, now: datetime) -> None:
    """The clinician does not take the patient, who waits on at their place. Declining again changes nothing."""
    with transaction.atomic():
        duty.locked(clinician.pk, now=now)
        was = records.locked(consult.pk)
        if was is None or was.status != Status.OFFERED or was.clinician_id != clinician.pk:
            return
        pass_on(was, clinician, until=now + PASSED_ON_FOR)
        wait_on(was, what="declined", actor=actor, now=now)


def count_as_there(consult: Consult, *, now: datetime) -> None:
    """Who was cared for until `now` is not taken for gone: their time to come back begins here."""
    Consult.objects.filter(pk=consult.pk, seen_at__lt=now).update(seen_at=now, nudged_at=None)


def wait_on(consult: Consult, *, what: str, actor: User | None, now: datetime, note: str = "") -> None:
    """A locked consult goes back to the queue, at its place."""
    records.change(
        consult,
        Status.WAITING,
        what=what,
        actor=actor,
        now=now,
        note=note,
        clinician=consult.clinician_id,
        clinician_id=None,
        offer_expires_at=None,
    )


def pass_on(consult: Consult, clinician: Clinician, *, until: datetime) -> None:
    """For a while `consult` is not offered to `clinician` again."""
    PassedOn.objects.update_or_create(consult=consult, clinician=clinician, defaults={"until": until})


def time_out_offers(*, now: datetime, most: int = 500) -> int:
    """Offers that are over wait again; returns how many. Safe to run twice, and at once; claims do not wait for it."""
    over = Consult.objects.offered_for_too_long().order_by("offer_expires_at")
    timed_out = 0
    for pk in over.values_list("pk", flat=True)[:most]:
        with transaction.atomic():
            consult = over.select_for_update(no_key=True, skip_locked=True).filter(pk=pk).first()
            if consult is not None:
                claiming.time_out(consult, now=now)
                timed_out += 1
    return timed_out
