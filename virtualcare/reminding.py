"""Telling of patients who wait for an answer or a summary after a consult, while the clock runs out: each time more
people.

At 50 percent of its time the clinician; at 80 whoever is on call and may treat the patient, too, and may do it from
then on; at 100 the nurses on call and the managers of the patient's clinics, who see to it that somebody does.
"""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, prefetch_related_objects

from clinics import messages, staffing
from clinics.killing import point
from clinics.messages import Wanted
from clinics.models import Licence, User
from virtualcare import duty, following, news
from virtualcare.models import NurseShift, OnCallShift, ReplyClock

BATCH = 100
# The stage of which somebody is to be told next: what was missed is told at once, with what is due.
DUE = """
SELECT clock.*, stage.percent
  FROM virtualcare_replyclock AS clock
 CROSS JOIN LATERAL (
       SELECT max(percent) AS percent FROM unnest(ARRAY[50, 80, 100]) AS one(percent)
        WHERE clock.started_at + (clock.due_at - clock.started_at) * (percent / 100.0) <= %(now)s) AS stage
 WHERE clock.answered_at IS NULL AND stage.percent > clock.told
 ORDER BY clock.due_at, clock.id
 LIMIT %(most)s
   FOR UPDATE OF clock SKIP LOCKED
"""


def tell_due(*, now: datetime, most: int = BATCH) -> int:
    """Tell of at most `most` clocks that have come to their next stage; returns how many. Call it until none.

    Each is locked while it is told of, and marked with that in one transaction: two sweeps at once tell once, and one
    that dies leaves all to the next. An answer that comes meanwhile waits for it, or is seen.
    """
    with transaction.atomic():
        found = list(ReplyClock.objects.raw(DUE, {"now": now, "most": most}))
        point("replies claimed")
        prefetch_related_objects(found, "consult__patient", "consult__clinician__user")
        wanted = [one for clock in found for one in told_of(clock, now=now)]
        messages.queue_all(wanted, now=now)
        point("replies written")
        for clock in found:
            ReplyClock.objects.filter(pk=clock.pk).update(told=clock.percent)  # type: ignore[attr-defined]
        point("replies marked")
        if found:
            news.tell_clinicians()
    point("replies committed")
    return len(found)


def told_of(clock: ReplyClock, *, now: datetime) -> list[Wanted]:
    """What is sent of `clock`, which has come to the stage `percent`. It says nothing of the patient."""
    percent: int = clock.percent  # type: ignore[attr-defined]  # of the statement
    people = {user.pk: user for user in whom(clock, percent, now=now)}
    context = {
        "to_account": True,
        "consult": str(clock.consult_id),
        "is_half": percent == 50,
        "is_late": percent == 100,
        "page": f"{settings.PUBLIC_URL}/console",
    }
    return [
        Wanted(
            to=user,
            template="summary_due" if clock.kind == ReplyClock.Kind.SUMMARY else "reply_due",
            about=following.about(clock.consult),
            dedupe_key=f"reply_due:{clock.pk}:{percent}",
            context=context,
        )
        for user in people.values()
    ]


def whom(clock: ReplyClock, percent: int, *, now: datetime) -> Iterator[User]:
    """Who is told of `clock` at the stage `percent`, and at those before it of which nobody was told."""
    consult = clock.consult
    if consult.clinician is not None and consult.clinician.user is not None:
        yield consult.clinician.user
    if clock.told < 80 <= percent:
        yield from on_call_in(consult.state, now=now)
    if percent == 100:
        nurses = NurseShift.objects.filter(during__contains=now).values("nurse")
        managers = staffing.managers_of(consult.patient_id).values("pk")
        responsible = list(User.objects.filter(Q(pk__in=nurses) | Q(pk__in=managers), is_active=True))
        yield from responsible or staffing.operators()


def on_call_in(state: str, *, now: datetime) -> QuerySet[User]:
    """Who is on call now with a licence in `state`."""
    licensed = Licence.objects.filter(state=state)
    for day in duty.days(now):
        licensed = licensed.filter(during__contains=day)
    shifts = OnCallShift.objects.filter(during__contains=now, clinician__in=licensed.values("clinician"))
    return User.objects.filter(clinician__in=shifts.values("clinician"))
