"""What is said in a consult: in one order without gaps, each thing once.

    message, is_new = chat.send(
        consult=consult, sender=user, role=Role.PATIENT, client_id=client_id, body="It hurts.", now=now)
    messages, more = chat.since(consult=consult, after_seq=17, limit=200)

A client sends with an id of its own until it has an answer, and reads from the last `seq` that it has: so whatever is
lost on the way, every client ends with the same. A socket says no more than that there is news.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from clinics.models import Clinician, Proxy, User
from clinics.refusals import Refused
from virtualcare import following, news
from virtualcare.access import NoLongerYours
from virtualcare.models import Carer, ChatMessage, Consult, ReadMark

Role, Status = ChatMessage.Role, Consult.Status
LONGEST = 4000  # characters
MOST = 200  # messages in one answer

# The row's lock keeps others waiting until this message is committed: no number is left out, none is seen before.
TAKE_SEQ = "UPDATE virtualcare_consult SET last_seq = last_seq + 1 WHERE id = %s RETURNING last_seq"
# Nobody reads what is not written yet, nor unreads anything.
MARK = """
INSERT INTO virtualcare_readmark AS mark (consult_id, user_id, seq, at)
SELECT id, %s, least(%s, last_seq), %s FROM virtualcare_consult WHERE id = %s
ON CONFLICT ON CONSTRAINT read_mark_once DO UPDATE SET seq = excluded.seq, at = excluded.at
 WHERE mark.seq < excluded.seq
RETURNING seq
"""


class BadMessage(Refused):
    code = "bad_message"
    status = 400
    detail = f"A message has 1 to {LONGEST} characters, and is text."


class ClientIdReused(Refused):
    code = "client_id_reused"
    status = 422
    detail = "You sent another message with this client_id. Take a new one for each new message."


class ChatClosed(Refused):
    code = "chat_closed"
    detail = "This consult is over, and what you write here would not be read. In an emergency call 911."

    NOT_BEGUN: ClassVar[str] = "Nothing can be written here before the questions are answered."
    FOLLOW_UP_OVER: ClassVar[str] = (
        f"Questions after this consult could be asked for {following.DAYS} days. Ask for a new one; in an emergency"
        " call 911."
    )


def send(
    *, consult: Consult, sender: User, role: ChatMessage.Role, client_id: UUID | None, body: str, now: datetime
) -> tuple[ChatMessage, bool]:
    """Say `body`, trimmed, in a consult that `sender` takes part in as `role`; returns it, and whether it is new.

    With a `client_id` that the sender used in this consult before, it is the message of then. Patients write from when
    they wait until following.DAYS after it is completed, the clinician while the consult is with them, and whoever had
    it after it is completed. Raises BadMessage, ClientIdReused where the message of then said something else,
    ChatClosed, and NoLongerYours.
    """
    text = said(body)
    with transaction.atomic():
        was = Consult.objects.select_for_update(no_key=True).get(pk=consult.pk)
        before = sent(was, sender, client_id) if client_id is not None else None
        if before is not None:
            if before.body != text:
                raise ClientIdReused
            return before, False
        require_open(was, sender, role, now=now)
        # Who waited for the end to be written down wrote after it, and waits for an answer.
        now = max(now, was.ended_at or now)
        message = say(was, role=role, sender=sender, client_id=client_id, body=text, now=now)
        if was.status == Status.COMPLETED:
            (following.asked if role == Role.PATIENT else following.answered)(consult=was, now=now)
    return message, True


def system(*, consult: Consult, body: str, now: datetime) -> ChatMessage:
    """Say in a consult's chat what happened to it, such as that somebody joined. Part of the caller's transaction."""
    return say(consult, role=Role.SYSTEM, sender=None, client_id=None, body=said(body), now=now)


def since(*, consult: Consult, after_seq: int, limit: int) -> tuple[list[ChatMessage], bool]:
    """At most `limit` of what was said after the message `after_seq`, in its order; and whether there is more.

    Each with its sender, and who they are, loaded: one statement.
    """
    found = ChatMessage.objects.filter(consult=consult, seq__gt=after_seq).select_related("sender__clinician")
    messages = list(found.order_by("seq")[: min(limit, MOST) + 1])
    return messages[: min(limit, MOST)], len(messages) > min(limit, MOST)


def mark_read(*, consult: Consult, reader: User, seq: int, now: datetime) -> bool:
    """Note that `reader` has read up to `seq`, of what there is. Returns whether that is further than before."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(MARK, [reader.pk, seq, now, consult.pk])
            moved = cursor.fetchone() is not None
        if moved:
            news.tell(consult.pk, "read")
    return moved


def read_up_to(consult: Consult) -> dict[str, int]:
    """Up to where somebody of either side has read: `{"patient": 3, "clinician": 5}`, 0 for nothing.

    Of the clinicians those count who may answer: who has it, and after it is completed whoever had it. What somebody
    read who handed it over is nothing to who waits for an answer.
    """
    carers = Carer.objects.filter(consult=OuterRef("consult"), clinician__user=OuterRef("user"))
    answering = carers if consult.status == Status.COMPLETED else carers.filter(clinician=consult.clinician_id)
    marks = ReadMark.objects.filter(consult=consult).annotate(is_carers=Exists(carers), counts=Exists(answering))
    read = {Role.PATIENT.value: 0, Role.CLINICIAN.value: 0}
    for is_carers, seq in marks.filter(Q(is_carers=False) | Q(counts=True)).values_list("is_carers", "seq"):
        side = (Role.CLINICIAN if is_carers else Role.PATIENT).value
        read[side] = max(read[side], seq)
    return read


def teller(consult: Consult, reader: User, messages: list[ChatMessage]) -> Callable[[ChatMessage], dict[str, Any]]:
    """A function that tells one of `messages` to `reader`, in JSON.

    Clinicians are named; who writes for a patient is told by what they are to them. Needs the consult's patient loaded.
    """
    patient = consult.patient
    others = {one.sender_id for one in messages if one.role == Role.PATIENT and one.sender_id != patient.user_id}
    proxies = Proxy.objects.filter(patient=patient, user__in=others) if others else Proxy.objects.none()
    relations = dict(proxies.values_list("user", "relationship"))

    def name(message: ChatMessage) -> str | None:
        if message.sender is None:
            return None
        if message.role == Role.CLINICIAN:
            clinician: Clinician | None = getattr(message.sender, "clinician", None)
            return clinician.name if clinician else "Clinician"
        if message.sender_id == patient.user_id:
            return patient.name
        relation = relations.get(message.sender.pk, Proxy.Relationship.PARENT)
        return f"{Proxy.Relationship(relation).label} of {patient.name}"

    def tell(message: ChatMessage) -> dict[str, Any]:
        return {
            "seq": message.seq,
            "role": message.role,
            "sender_name": name(message),
            "body": message.body,
            "at": message.at.isoformat(),
            "mine": message.sender_id == reader.pk,
        }

    return tell


def said(body: str) -> str:
    """What is kept of `body`. Raises BadMessage."""
    text = body.strip()
    if not 1 <= len(text) <= LONGEST or "\0" in text:
        raise BadMessage
    return text


def sent(consult: Consult, sender: User, client_id: UUID) -> ChatMessage | None:
    """What `sender` said in `consult` with this id of theirs, if anything."""
    found = ChatMessage.objects.filter(consult=consult, sender=sender, client_id=client_id)
    return found.select_related("sender__clinician").first()


def say(
    consult: Consult, *, role: ChatMessage.Role, sender: User | None, client_id: UUID | None, body: str, now: datetime
) -> ChatMessage:
    """Append to the chat, under the consult's lock, which taking a number takes where it is not held."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_SEQ, [consult.pk])
        (seq,) = cursor.fetchone()
    message = ChatMessage.objects.create(
        consult=consult, seq=seq, role=role, sender=sender, client_id=client_id, body=body, at=now
    )
    consult.last_seq = seq
    news.tell(consult.pk, "chat", seq=seq)
    return message


def require_open(consult: Consult, sender: User, role: ChatMessage.Role, *, now: datetime) -> None:
    """Raises ChatClosed and NoLongerYours unless `sender` may write now in `consult`, which is locked."""
    if consult.status == Status.INTAKE:
        raise ChatClosed(ChatClosed.NOT_BEGUN)
    if consult.status == Status.COMPLETED:
        # Whoever asked on the last day gets an answer, too.
        is_owed = role == Role.CLINICIAN and following.is_waiting(consult)
        if not (following.is_open(consult, now=now) or is_owed):
            raise ChatClosed(ChatClosed.FOLLOW_UP_OVER)
        return
    if consult.status in Consult.OVER:
        raise ChatClosed
    if role == Role.CLINICIAN:
        # Who had it reads on, and leaves the talking to who has it. While it is offered nobody has it.
        theirs = Clinician.objects.filter(pk=consult.clinician_id, user=sender)
        if consult.status == Status.OFFERED or not theirs.exists():
            raise NoLongerYours
