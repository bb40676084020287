"""Telling a nurse of a patient who was sent elsewhere, and telling again until somebody acts.

Who is told: the nurses on call; where there are none, the managers of the patient's clinics; where there are none, who
runs the server. What is told says nothing of the patient: it leads to a page which is on record.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from clinics import messages, staffing
from clinics.killing import point
from clinics.messages import Stranger, Wanted
from clinics.models import User
from virtualcare.diverting.seeing import SEEN_FOR, SENT
from virtualcare.models import Consult, NurseAlert, NurseCall, NurseShift

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=5)
MOST = 4  # times that it is told
BATCH = 100
Reached = NurseAlert.Reached


def alert_nurse(consult: Consult, *, now: datetime) -> NurseAlert:
    """Tell of `consult`, whose patient was sent elsewhere, in the caller's transaction.

    That there was nobody to tell is kept and logged, too.
    """
    return tell(consult, number=1, now=now)


def tell(consult: Consult, *, number: int, now: datetime) -> NurseAlert:
    """The `number`th time. From the second on the managers are told with the nurses."""
    reached, people = whom(consult, number=number, now=now)
    alert = NurseAlert.objects.create(
        consult=consult, number=number, at=now, reached=reached, told=[user.pk for user in people]
    )
    to: list[User | Stranger] = [*people]
    if reached != Reached.NURSE and settings.NURSE_FALLBACK_EMAIL:
        to.append(Stranger(settings.NURSE_FALLBACK_EMAIL))
    context = {
        "to_account": True,
        "is_again": number > 1,
        "is_escalated": consult.status == Consult.Status.ESCALATED,
        "is_nurse": reached == Reached.NURSE,
        "page": settings.PUBLIC_URL + reverse("admin:virtualcare_nursealert_change", args=[consult.pk]),
    }
    messages.queue_all(
        [
            Wanted(
                to=one,
                template="diverted",
                about=about(consult),
                dedupe_key=f"diverted:{consult.pk}:{number}",
                context=context,
            )
            for one in to
        ],
        now=now,
    )
    if reached == Reached.NOBODY:
        log.error("Nobody could be told of diverted consult %s", consult.pk)
    elif reached != Reached.NURSE:
        log.warning("No nurse is on call: diverted consult %s was told to a %s", consult.pk, reached)
    return alert


def whom(consult: Consult, *, number: int, now: datetime) -> tuple[Reached, list[User]]:
    """Who is told, and as what. Somebody with several roles is told once."""
    shifts = NurseShift.objects.filter(during__contains=now).values("nurse")
    nurses = list(User.objects.filter(pk__in=shifts, is_active=True))
    if nurses and number == 1:
        return Reached.NURSE, nurses
    managers = list(staffing.managers_of(consult.patient_id))
    found = list({user.pk: user for user in [*nurses, *managers]}.values())
    if found:
        return (Reached.NURSE if nurses else Reached.MANAGER), found
    operators = list(staffing.operators())
    return (Reached.OPERATOR if operators else Reached.NOBODY), operators


def tell_again(*, now: datetime, most: int = BATCH) -> int:
    """Tell once more of those, at most `most`, whom nobody has called AGAIN after the last time, who have not said
    either that they read the advice: up to MOST times. Returns how many. Call it until none.

    Each is locked while it is told of: two sweeps at once tell once, and one that dies leaves all to the next.
    """
    first = NurseAlert.objects.filter(number=1, at__gt=now - SEEN_FOR, at__lte=now - AGAIN)
    last = NurseAlert.objects.filter(Q(number=MOST) | Q(at__gt=now - AGAIN), consult=OuterRef("pk"))
    calls = NurseCall.objects.filter(consult=OuterRef("pk"))
    with transaction.atomic():
        locked = list(
            Consult.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            .filter(
                ~Exists(last),
                ~Exists(calls),
                pk__in=first.values("consult"),
                acknowledged_at__isnull=True,
                status__in=SENT,
            )
            .order_by("created_at", "pk")[:most]
        )
        point("diversions locked")
        # What another sweep told, or a nurse wrote, before the lock is seen only by a statement of its own.
        told = NurseAlert.objects.filter(consult__in=locked).order_by("consult", "number")
        numbers = {alert.consult_id: alert.number for alert in told}
        done = {alert.consult_id for alert in told if alert.at > now - AGAIN}
        done |= set(NurseCall.objects.filter(consult__in=locked).values_list("consult_id", flat=True))
        due = [consult for consult in locked if consult.pk not in done]
        for consult in due:
            tell(consult, number=numbers[consult.pk] + 1, now=now)
        point("diversions told")
    return len(due)


def about(consult: Consult) -> str:
    return f"diversion:{consult.pk}"
