"""Patients in the middle of a consult whose clinician is not heard of any more.

A console says every half minute that it is there (presence). Where it has been silent for CALLED_BACK_AFTER its
clinician is called back by mail; where that brings nobody within GIVEN_BACK_AFTER more, the patient waits
again, at the place they had, for whoever is on duty: the first to come may be the one who was away. Silence alone gives
nobody back: after an outage, in which nobody could be heard, everybody has that long to be there again.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from clinics import messages
from virtualcare import chat, duty, following, wording
from virtualcare.models import Consult
from virtualcare.queue import offers

CALLED_BACK_AFTER = timedelta(minutes=5)
GIVEN_BACK_AFTER = timedelta(minutes=5)


def left_alone(*, now: datetime) -> QuerySet[Consult]:
    """Consults under way whose clinician was not heard of for CALLED_BACK_AFTER."""
    return Consult.objects.filter(status=Consult.Status.ACTIVE, clinician__duty__heard_at__lte=now - CALLED_BACK_AFTER)


def call_back(*, now: datetime, most: int = 500) -> int:
    """Have clinicians told that a patient is left alone, once for each time they go; returns of how many patients."""
    untold = Q(called_back_at=None) | Q(called_back_at__lt=F("clinician__duty__heard_at"))
    with transaction.atomic():
        found = list(
            left_alone(now=now)
            .filter(untold)
            .select_for_update(of=["self"], no_key=True, skip_locked=True)
            .select_related("clinician__user", "clinician__duty")
            .order_by("id")[:most]
        )
        Consult.objects.filter(pk__in=[consult.pk for consult in found]).update(called_back_at=now)
        messages.queue_all([one for consult in found for one in told_of(consult, now=now)], now=now)
    return len(found)


def told_of(consult: Consult, *, now: datetime) -> list[messages.Wanted]:
    """What is sent to the clinician of a consult, of which it says no more than its number."""
    if consult.clinician is None or consult.clinician.user is None:
        return []
    return [
        messages.Wanted(
            to=consult.clinician.user,
            template="consult_left_alone",
            about=following.about(consult),
            dedupe_key=f"consult_left_alone:{consult.pk}:{consult.clinician.duty.heard_at.isoformat()}",
            context={
                "to_account": True,
                "consult": str(consult.pk),
                "minutes": int(GIVEN_BACK_AFTER.total_seconds() // 60),
                "page": f"{settings.PUBLIC_URL}/console",
            },
            expires_at=now + GIVEN_BACK_AFTER,
        )
    ]


def give_back(*, now: datetime, most: int = 500) -> int:
    """Have patients wait again whose clinician was called back and did not come; returns how many.

    Safe to run twice and at once. Who comes back meanwhile keeps the patient. Whose row somebody has locked does
    something just now, or another sweep gives back theirs: nobody else's patients wait for it.
    """
    gone = left_alone(now=now).filter(
        called_back_at__gt=F("clinician__duty__heard_at"), called_back_at__lte=now - GIVEN_BACK_AFTER
    )
    of_clinicians: dict[UUID, list[UUID]] = defaultdict(list)
    for pk, clinician in gone.order_by("due_at", "id").values_list("pk", "clinician")[:most]:
        if clinician is not None:
            of_clinicians[clinician].append(pk)
    given_back = 0
    for clinician, consults in of_clinicians.items():
        with transaction.atomic():
            if not duty.lock_at_once(clinician):
                continue
            left = gone.filter(clinician=clinician, pk__in=consults).order_by("due_at", "id")
            locked = left.select_for_update(of=["self"], no_key=True, skip_locked=True).select_related("patient")
            for consult in locked:
                offers.count_as_there(consult, now=now)
                offers.wait_on(consult, what="unattended", actor=None, now=now)
                chat.system(consult=consult, body=wording.said(consult, "unattended", {}), now=now)
                given_back += 1
    return given_back
