"""What people text us: STOP, HELP and START are answered here, the rest is for those whose message they answer."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from clinics import sms
from clinics.ids import new_id
from clinics.messages import outbox
from clinics.models import InboundSms, Message, Patient, SmsOptOut

TAKE_IN = """
INSERT INTO clinics_inboundsms (provider_id, phone, body, received_at) VALUES (%s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT inbound_sms_once DO NOTHING
"""
OPT_OUT = """
INSERT INTO clinics_smsoptout (phone, opted_out_at) VALUES (%s, %s)
ON CONFLICT (phone) WHERE ended_at IS NULL DO NOTHING
"""
MOST_ANSWERS = 20  # an hour and number
ANSWERS = {"stopped": "sms_stopped", "help": "sms_help", "started": "sms_started"}


def inbound(*, from_number: str, body: str, provider_id: str, now: datetime) -> InboundSms | None:
    """Take in a text once, do what STOP, HELP and START ask, and give back any other text: C, X, questions.

    None where nothing is left to do, as for a text that came before. Call it in the transaction in which you handle
    what is left, so that a text is either handled or, when the provider sends it again, still new.
    """
    text = InboundSms(
        provider_id=clean(provider_id, 64), phone=clean(from_number, 20), body=clean(body, 1600), received_at=now
    )
    if not text.provider_id or not text.phone:
        return None
    with transaction.atomic():
        # Of twins at once the second waits here for the first.
        is_new = inserted(TAKE_IN, [text.provider_id, text.phone, text.body, now])
        return text if is_new and not handled(text, now=now) else None


def inserted(statement: str, values: list[Any]) -> bool:
    """Whether an INSERT that leaves what is there made a row."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return bool(cursor.rowcount)


def clean(text: str, longest: int) -> str:
    """Text as PostgreSQL takes it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:longest].strip()


def handled(text: InboundSms, *, now: datetime) -> bool:
    """Do what a text asks that everybody may ask. Returns whether it asked any of that."""
    said = sms.word(text.body)
    if said is sms.Word.STOP:
        if opt_out(text.phone, now=now):
            is_cancel = sms.plain(text.body) == "CANCEL"
            answer(inbound=text, template=ANSWERS["stopped"], context={"is_cancel": is_cancel}, now=now)
    elif said is sms.Word.HELP:
        answer(inbound=text, template=ANSWERS["help"], context={}, now=now)
    elif said is sms.Word.START:
        ended = SmsOptOut.objects.filter(phone=text.phone, ended_at__isnull=True).update(ended_at=now)
        if not ended and sms.plain(text.body) == "YES":
            return False  # it answers another question
        answer(inbound=text, template=ANSWERS["started"], context={}, now=now)
    return said is not None


def opt_out(phone: str, *, now: datetime) -> bool:
    """Send nothing to a number any more, from what is queued on. Returns whether that is new."""
    with transaction.atomic():
        is_new = inserted(OPT_OUT, [phone, now])
        Message.objects.filter(channel="sms", status="queued", address=phone).exclude(kind="answer").update(
            status=Message.Status.SUPPRESSED, error="They texted STOP."
        )
    return is_new


def may_answer(phone: str, *, now: datetime) -> bool:
    """Whether an answer to a text may go to this number: they did not say STOP, and had fewer than MOST_ANSWERS in an
    hour, for at the other end there may be a program that answers, too. STOP, HELP and START are answered anyway.
    """
    if SmsOptOut.objects.filter(phone=phone, ended_at__isnull=True).exists():
        return False
    answered = Message.objects.filter(
        channel="sms", address=phone, kind=Message.Kind.ANSWER, due_at__gt=now - timedelta(hours=1)
    )
    return answered.count() < MOST_ANSWERS


def answer(*, inbound: InboundSms, template: str, context: dict[str, Any], now: datetime) -> list[Message]:
    """Queue an answer to a text, to the number it came from, in the caller's transaction. Once for each template."""
    language = Patient.objects.filter(phone=inbound.phone).order_by("created_at").values_list("language", flat=True)
    queued = Message(
        id=new_id(),
        channel=Message.Channel.SMS,
        address=inbound.phone,
        language=language.first() or "en",
        kind=Message.Kind.ANSWER,
        template=template,
        context=context,
        attachments=[],
        about=f"inbound:{inbound.provider_id}",
        dedupe_key=f"answer:{inbound.provider_id}:{template}",
        status=Message.Status.QUEUED,
        due_at=now,
        next_at=now,
    )
    return outbox.insert([queued], now=now)
