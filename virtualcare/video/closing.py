"""Ending calls: by whatever ends their consult, and by a sweep that looks whether everybody in one may still be.

A call is over for us at once, and nobody is let in any more; a worker then has the provider throw everybody out, as
often as it takes. Those in a call from device to device hear it by their sockets, and hang up.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from clinics.messages import kicking
from clinics.models import Session, User
from virtualcare import access, news, video
from virtualcare.models import Call, CallChange, CallParticipant, Consult, Modality
from virtualcare.video.port import Role, Unavailable

log = logging.getLogger(__name__)

TASK = "virtualcare.tasks.close_calls"
# What a provider does not do for so long, it is no longer asked to: by then nobody's token lets them in, and its rooms
# are closed for being empty.
GIVE_UP = timedelta(days=1)
AT_ONCE = 100


def close(*, consult: UUID, because: Call.Ended, now: datetime, note: str = "") -> None:
    """End the call of `consult`, if there is one, in the caller's transaction."""
    for call in Call.objects.filter(consult=consult, ended_at=None).values_list("pk", flat=True):
        end(call, consult=consult, because=because, now=now, note=note)


def end(
    call: UUID, *, consult: UUID, because: Call.Ended, now: datetime, note: str = "", event: str | None = None
) -> bool:
    """End one call, unless it is over. Returns whether it was not."""
    if not Call.objects.filter(pk=call, ended_at=None).update(ended_at=now, ended_because=because):
        return False
    CallParticipant.objects.filter(call=call, left_at=None).update(left_at=now)
    CallChange.objects.create(call_id=call, at=now, what=CallChange.What.ENDED, event=event, note=note or because)
    news.tell(consult, "call")
    transaction.on_commit(partial(kicking.ask, TASK))
    return True


def close_due(*, now: datetime) -> int:
    """Have providers throw out whoever is in a call that is over; how many calls that was done for."""
    due = Call.objects.filter(ended_at__isnull=False, closed_at=None).order_by("ended_at").values_list("pk", "provider")
    done = 0
    for pk, provider in due[:AT_ONCE]:
        try:
            video.of(provider).end(pk)
        except (Unavailable, KeyError) as error:
            log.warning("A call's provider does not close its room (%s): tried again", type(error).__name__)
            Call.objects.filter(pk=pk, ended_at__lt=now - GIVE_UP).update(closed_at=now)
        else:
            done += Call.objects.filter(pk=pk, closed_at=None).update(closed_at=now)
    return done


def end_unlawful(*, now: datetime) -> int:
    """End every call whose consult is not in one any more, or in which somebody is who may not be; how many."""
    ended = 0
    over = Call.objects.filter(ended_at=None).exclude(
        consult__status=Consult.Status.ACTIVE, consult__modality=Modality.VIDEO
    )
    for pk, consult in over.values_list("pk", "consult"):
        with transaction.atomic():
            ended += end(pk, consult=consult, because=Call.Ended.CONSULT, now=now)
    for call in {one.call for one in unwelcome(now=now)}:
        with transaction.atomic():
            ended += end(call.pk, consult=call.consult_id, because=Call.Ended.REVOKED, now=now)
    return ended


def unwelcome(*, now: datetime) -> list[CallParticipant]:
    """Those who are in an open call, or hold what lets them in, and may not."""
    inside = list(
        CallParticipant.objects.filter(call__ended_at=None)
        .filter(Q(left_at=None) | Q(left_at__gt=now - settings.VIDEO_LETS_IN_FOR))
        .select_related("user__patient", "call__consult__patient", "call__consult__clinician")
        .order_by("call", "pk")
    )
    signed_in = set(
        Session.objects.filter(id__in=[one.session for one in inside], expire_date__gt=now).values_list("id", flat=True)
    )
    return [
        one
        for one in inside
        if one.session not in signed_in
        or not one.user.is_active
        or role_of(one.user, one.call.consult, now=now) != one.role
    ]


def role_of(user: User, consult: Consult, *, now: datetime) -> Role | None:
    """As whom `user` may be in a call of `consult`, if at all: not the clinician who handed it over."""
    if consult.clinician is not None and consult.clinician.user_id == user.pk:
        return Role.CLINICIAN
    return Role.PATIENT if access.is_patients(user, consult, now=now) else None
