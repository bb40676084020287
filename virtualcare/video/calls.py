"""Calls of consults: turning a conversation by text into one, joining it, and what is heard of those in it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from clinics.faults import violates
from clinics.models import User
from clinics.refusals import Refused
from virtualcare import access, duty, news, video
from virtualcare.intake import consents
from virtualcare.models import (
    Call,
    CallChange,
    CallParticipant,
    ConsentText,
    Consult,
    ConsultConsent,
    Modality,
)
from virtualcare.queue import offers, records
from virtualcare.queue.offers import AlreadyInACall, NotLicensedThere
from virtualcare.video import closing
from virtualcare.video.port import Event, JoinInfo, Kind, Role

What = CallChange.What
Status = Consult.Status
LONGEST_ID = 80  # of an event; CallChange.event has room for a provider's name beside it


class NotInCall(Refused):
    code = "not_in_call"
    detail = (
        "There is no call to join: a consult is in one while it is active and held by video. Look at the consult again."
    )


class ClinicianTurnsOn(Refused):
    code = "clinician_turns_on_video"
    status = 403
    detail = "The clinician turns a conversation into a call. Ask for it by text."


class NoVideoNow(Refused):
    code = "no_video_now"
    detail = "Your shift has no video calls now. Go on by text, or hand the patient over."


class ConsentNeeded(Refused):
    """`consents` holds each text that is lacking, as intake's `consent_required` has it."""

    code = "video_consent_required"
    detail = "Read what is in consents first, and agree by POST consults/{id}/video with their codes."


def to_video(*, consult: Consult, actor: User, now: datetime) -> Consult:
    """Go on by video with a consult that is held by text. The clinician does; again changes nothing.

    The patient joins, or goes on by text beside it. It costs them what they accepted for text. What is asked of who
    accepts a call is asked here. Raises VideoNotOffered, ClinicianTurnsOn, ConsultChanged for a consult that is not
    active, NoVideoNow, OwnCase, NotLicensedThere, AlreadyInACall.
    """
    video.current()
    if closing.role_of(actor, consult, now=now) != Role.CLINICIAN:
        raise ClinicianTurnsOn
    try:
        with transaction.atomic():
            duty.locked(*([consult.clinician_id] if consult.clinician_id else []), now=now)
            locked = records.lock(consult, [Status.ACTIVE])
            if locked.clinician_id is None or locked.clinician_id != consult.clinician_id:
                raise records.ConsultChanged(status_now=locked.status)
            if locked.modality == Modality.VIDEO:
                return locked
            require_call(locked, now=now)
            records.change(locked, Status.ACTIVE, what="to_video", actor=actor, now=now, modality=Modality.VIDEO)
            news.tell(locked.pk, "call")
            return locked
    except IntegrityError as error:
        if not violates(error, "consult_one_call"):
            raise
        raise AlreadyInACall from error


def require_call(consult: Consult, *, now: datetime) -> None:
    """Raises what `queue.accept` does where the clinician who has `consult` may not take it by video now."""
    if consult.clinician is None:
        return
    refusal = offers.obstacle(consult, consult.clinician, how=Modality.VIDEO, now=now)
    if isinstance(refusal, duty.NotOnCall):
        raise NoVideoNow
    if refusal is not None:
        raise refusal


def agree(*, consult: Consult, user: User, codes: Sequence[str], now: datetime) -> Consult:
    """Keep that `user`, the patient or who acts for them, agrees to what a call takes where they are, by `codes`.

    Raises ClinicianTurnsOn where the consult is held by text, NotInCall, ConsentRequired with what is lacking.
    """
    with transaction.atomic():
        locked = records.locked(consult.pk)
        if locked is not None and locked.status == Status.ACTIVE and locked.modality == Modality.TEXT:
            raise ClinicianTurnsOn
        if locked is None or locked.status != Status.ACTIVE:
            raise NotInCall
        texts = lacking(locked, now=now)
        consents.require(texts, codes)
        consents.given(consult=locked, texts=texts, user=user, now=now)
    return locked


def lacking(consult: Consult, *, now: datetime) -> list[ConsentText]:
    """What the patient has not agreed to and a call takes where they are: only of a consult that began by text."""
    if not consult.changes.filter(what="to_video").exists():
        return []
    agreed = set(ConsultConsent.objects.filter(consult=consult).values_list("text", flat=True))
    on = consult.patient.today(now=now)
    texts = consents.texts(modality=Modality.VIDEO, state=consult.state, on=on)
    return [text for text in texts if text.pk not in agreed]


def join(*, consult: Consult, user: User, session: UUID, now: datetime) -> tuple[UUID, JoinInfo]:
    """How `user`, who takes part in `consult`, joins its call, which begins with the first who asks; and as whom.

    Asked again it gives the same for some minutes more. `session` is the sign-in that asks. Raises VideoNotOffered,
    NotInCall, NoLongerYours, NotLicensedThere, ConsentNeeded.
    """
    provider = video.current()
    with transaction.atomic():
        locked = records.locked(consult.pk)
        if locked is None or locked.status != Status.ACTIVE or locked.modality != Modality.VIDEO:
            raise NotInCall
        locked.patient = consult.patient
        role = closing.role_of(user, locked, now=now)
        if role is None:
            raise access.NoLongerYours
        if role == Role.CLINICIAN:
            require_licence(locked, now=now)
        elif texts := lacking(locked, now=now):
            raise ConsentNeeded(consents=[consents.shown(text) for text in texts])
        call = begun(locked, provider=provider.name, now=now)
        participant = let_in(call, user=user, role=role, session=session, now=now)
    # The provider that holds the call: settings may have another by now.
    info = video.of(call.provider).join(room=call.pk, participant=participant.pk, role=role, now=now)
    return participant.pk, info


def require_licence(consult: Consult, *, now: datetime) -> None:
    """Raises NotLicensedThere where the clinician who has `consult` may not treat the patient where they are."""
    if consult.clinician_id and consult.state not in duty.licensed_in(consult.clinician_id, now=now):
        raise NotLicensedThere


def begun(consult: Consult, *, provider: str, now: datetime) -> Call:
    """The call that `consult`, which is locked, is in: a new one where there is none."""
    call = Call.objects.filter(consult=consult, ended_at=None).first()
    if call is None:
        call = Call.objects.create(consult=consult, provider=provider, started_at=now)
        CallChange.objects.create(call=call, at=now, what=What.BEGUN, note=provider)
    return call


def let_in(call: Call, *, user: User, role: Role, session: UUID, now: datetime) -> CallParticipant:
    """The participant of `call` who `user` is, from this sign-in."""
    participant, is_new = CallParticipant.objects.get_or_create(
        call=call, user=user, defaults={"role": role, "session": session, "let_in_at": now}
    )
    if is_new:
        CallChange.objects.create(call=call, participant=participant, at=now, what=What.LET_IN)
    elif participant.session != session:
        participant.session = session
        participant.save(update_fields=["session"])
    return participant


def heard(event: Event, *, provider: str, now: datetime) -> None:
    """Keep what a provider told of a call, once, in whatever order it is told."""
    if event.kind is Kind.OTHER or event.room is None:
        return
    name = named(provider, event.id)
    with transaction.atomic():
        call = Call.objects.select_for_update(no_key=True).filter(pk=event.room, provider=provider).first()
        if call is None or call.ended_at or CallChange.objects.filter(event=name).exists():
            return
        if event.kind is Kind.CLOSED:
            closing.end(call.pk, consult=call.consult_id, because=Call.Ended.PROVIDER, now=now, event=name)
            return
        participant = call.participants.filter(pk=event.participant).first() if event.participant else None
        if participant is not None and event.kind is Kind.JOINED:
            came(participant, at=event.at, event=name)
        elif participant is not None:
            went(participant, at=event.at, event=name)


def named(provider: str, event: str) -> str:
    """What an event is known by: its id, or a digest of one that is longer than a column, or no plain text."""
    if len(event) > LONGEST_ID or not event.isprintable():
        event = hashlib.sha256(event.encode(errors="surrogatepass")).hexdigest()
    return f"{provider}:{event}"


def came(participant: CallParticipant, *, at: datetime, event: str | None = None) -> None:
    """Note that somebody is in the room, for the first time or again."""
    CallParticipant.objects.filter(pk=participant.pk).update(
        joined_at=participant.joined_at or at,
        came_at=max(participant.came_at or at, at),
        left_at=participant.left_at if participant.left_at and participant.left_at > at else None,
        reconnects=participant.reconnects + (participant.joined_at is not None),
    )
    note(participant, What.JOINED, at=at, event=event)


def went(participant: CallParticipant, *, at: datetime, event: str | None = None) -> None:
    """Note that somebody left the room, unless they came again since."""
    if participant.came_at is None or participant.came_at <= at:
        CallParticipant.objects.filter(pk=participant.pk).update(left_at=at)
    note(participant, What.LEFT, at=at, event=event)


def note(participant: CallParticipant, what: What, *, at: datetime, event: str | None = None) -> None:
    call = participant.call_id
    CallChange.objects.create(call_id=call, participant=participant, at=at, what=what, event=event)
