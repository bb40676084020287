"""What patients ask after a consult: for DAYS, and how long they wait for an answer.

A clock (virtualcare.clocks) runs from the first message that nobody has answered to the clinician's next: a shorter one
for the first question after a consult, when most depends on it. It runs at night, too, for somebody is on call around
the clock. While it runs out people are told, each time more of them: see `tell_due` in virtualcare.reminding. What is
not written up yet when its clock runs out comes to colleagues by the same way.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, When

from clinics import messages
from clinics.models import Clinician, Patient, User
from clinics.refusals import NotFound
from scheduling import notices
from virtualcare import clocks, duty
from virtualcare.models import Carer, ChatMessage, Consult, OnCallShift, ReadMark, ReplyClock
from virtualcare.queue import records

DAYS = 14
# From this part of a clock's time on, in percent, whoever is on call may answer in the clinician's place.
OPEN_TO_OTHERS = 80


def is_open(consult: Consult, *, now: datetime) -> bool:
    """Whether the patient may still ask about `consult`, which is completed."""
    return now < open_until(consult, now=now)


def open_until(consult: Consult, *, now: datetime) -> datetime:
    """When the patient can no longer ask about `consult`; of one that goes on, by what is so if it ended `now`."""
    return (consult.ended_at or now) + timedelta(days=DAYS)


def is_waiting(consult: Consult) -> bool:
    """Whether the patient waits for an answer, however long ago they could ask."""
    return running(consult).exists()


def running(consult: Consult) -> QuerySet[ReplyClock]:
    """The consult's clock that runs, if any."""
    return clocks.running(consult).exclude(kind=ReplyClock.Kind.SUMMARY)


def asked(*, consult: Consult, now: datetime) -> None:
    """The patient wrote after a consult, whose row is locked: a clock runs from now on, unless one does already."""
    if is_waiting(consult):
        return
    asked_before = ReplyClock.objects.filter(consult=consult).exclude(kind=ReplyClock.Kind.SUMMARY)
    clocks.start(consult, ReplyClock.Kind.NEXT if asked_before.exists() else ReplyClock.Kind.FIRST, now=now)


def completed(*, consult: Consult) -> None:
    """`consult`, whose row is locked, is completed: what the patient asked since the conversation was over, and nobody
    answered, waits since it was written.
    """
    chat = ChatMessage.objects.filter(consult=consult, at__gte=consult.ended_at)
    answer = chat.filter(role=ChatMessage.Role.CLINICIAN).order_by("-seq").values_list("seq", flat=True).first() or 0
    question = chat.filter(role=ChatMessage.Role.PATIENT, seq__gt=answer).order_by("seq").first()
    if question is not None:
        asked(consult=consult, now=question.at)


def answered(*, consult: Consult, now: datetime) -> None:
    """A clinician wrote after a consult, whose row is locked: its clock stops, and the patient is told to look.

    They are told once, until they have read or written something again, and are not told what it says.
    """
    clocks.stop(consult, now=now)
    messages.queue(
        to=consult.patient,
        template="consult_reply",
        about=about(consult),
        dedupe_key=f"consult_reply:{consult.pk}:{seen_by_patient(consult)}",
        context=context(consult, now=now),
        now=now,
    )


def seen_by_patient(consult: Consult) -> int:
    """The last message that the patient, or who acts for them, wrote or has read; 0 for none."""
    carers = Carer.objects.filter(consult=consult, clinician__user=OuterRef("user"))
    read = ReadMark.objects.filter(~Exists(carers), consult=consult).order_by("-seq").values_list("seq", flat=True)
    wrote = ChatMessage.objects.filter(consult=consult, role=ChatMessage.Role.PATIENT).order_by("-seq")
    return max(read.first() or 0, wrote.values_list("seq", flat=True).first() or 0)


def about(consult: Consult) -> str:
    """What messages about `consult` are known by, other than those to who waits (queue.about), which are taken back."""
    return f"cared_for:{consult.pk}"


def context(consult: Consult, *, now: datetime) -> dict[str, str]:
    """What messages may say of a consult, and where to read on. Needs its patient."""
    return {
        "child": notices.first_name_of_child(consult.patient, now=now),
        "page": f"{settings.PUBLIC_URL}/consults/{consult.pk}",
    }


def unanswered(clinician: Clinician, user: User, *, now: datetime) -> QuerySet[ReplyClock]:
    """The clocks that run of consults which `clinician`, who is `user`, had, and of those that they may take.

    Each with `is_mine`, and its consult and patient loaded. Who had a consult answers for it; who has it writes it up.
    """
    had = Carer.objects.filter(consult=OuterRef("consult"), clinician=clinician)
    is_mine = Q(Exists(had), ~Q(kind=ReplyClock.Kind.SUMMARY)) | Q(consult__clinician=clinician)
    running = ReplyClock.objects.filter(answered_at__isnull=True).annotate(
        is_mine=Case(When(is_mine, then=True), default=False, output_field=BooleanField())
    )
    shown = running.filter(Q(is_mine=True) | may_take(clinician, user, now=now))
    return shown.select_related("consult__patient")


def may_take(clinician: Clinician, user: User, *, now: datetime) -> Q:
    """The condition on a clock that `clinician`, who is `user`, may answer in another's place.

    They are on call and licensed where the patient was, the other has left it for OPEN_TO_OTHERS percent of its time,
    and the patient is not themself or one of their family.
    """
    if not OnCallShift.objects.filter(clinician=clinician, during__contains=now).exists():
        return Q(pk__in=[])
    family = Patient.objects.acted_for_by(user, on=duty.days(now)[0]).values("pk")
    return Q(
        ~Q(consult__patient__in=family),
        told__gte=OPEN_TO_OTHERS,
        consult__state__in=duty.licensed_in(clinician.pk, now=now),
    )


def take(*, consult_id: UUID, clinician: Clinician, actor: User, now: datetime) -> ReplyClock:
    """`clinician`, who is `actor`, answers in another's place: from now on they read the consult and write in it.

    Where its summary is due they have the consult from now on, and write it up. Taking it again changes nothing. Raises
    NotFound where nobody waits there, or not for them.
    """
    with transaction.atomic():
        consult = records.locked(consult_id)
        found = unanswered(clinician, actor, now=now).filter(consult=consult_id).first()
        if consult is None or found is None:
            raise NotFound
        if not found.is_mine:  # type: ignore[attr-defined]  # annotated
            Carer.objects.get_or_create(consult=consult, clinician=clinician, defaults={"since": now})
            has_it = {"clinician_id": clinician.pk} if found.kind == ReplyClock.Kind.SUMMARY else {}
            records.change(
                consult, consult.status, what="covered", actor=actor, now=now, clinician=clinician.pk, **has_it
            )
    return found
