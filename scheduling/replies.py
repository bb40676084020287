"""Texts that answer a message about a visit: C confirms it, X cancels it.

Whoever texts from a patient's number speaks for that patient and for the children they act for. Only a text that is
clear is acted on: where there are several visits the answer lists them, and a number means the visit that list gave it,
whatever was booked or moved since; a late cancellation is done when they say that they know what it costs.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from clinics import messages
from clinics.models import InboundSms, Message, Patient, Proxy
from scheduling import answers, notices
from scheduling.booking import NotCancellable, NotConfirmable, VisitMoved
from scheduling.models import Appointment, AppointmentChange

SMS = AppointmentChange.Via.SMS
CONFIRM = frozenset(["C", "CONFIRM", "CONFIRMED", "YES", "Y", "CONFIRMO", "CONFIRMAR", "SI"])
CANCEL = frozenset(["X", "CANCEL", "CANCELAR", "CANCELO"])
SURE = frozenset(["OK", "YES", "SI", "SURE"])
# What people say around it.
FILLING = frozenset(
    [
        *("PLEASE", "THE", "MY", "THIS", "VISIT", "APPOINTMENT", "THANKS"),
        *("POR", "FAVOR", "LA", "MI", "ESTA", "VISITA", "CITA", "GRACIAS"),
    ]
)
# A list fits into one text.
MOST = 3
# A number means the visit that a list of so long ago gave it.
LIST_HOLDS_FOR = timedelta(hours=24)
WHICH = "reply_which"


@dataclass(frozen=True, slots=True)
class Said:
    """What a text asks: to confirm or to cancel (neither: it is not understood), which visit, and if they are sure."""

    act: str | None
    number: int | None = None
    is_sure: bool = False


def understood(body: str) -> Said:
    """What `body` asks, in any case, punctuation and with or without accents, in English or Spanish."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", body.upper()) if not unicodedata.combining(letter)
    )
    tokens = re.findall(r"[^\W\d_]+|[0-9]+", plain)
    words, numbers = {token for token in tokens if not token[0].isdigit()}, [t for t in tokens if t[0].isdigit()]
    if len(numbers) > 1 or words - CONFIRM - CANCEL - SURE - FILLING:
        return Said(None)
    number = int(numbers[0][:4]) if numbers else None
    if words & CANCEL:
        return Said(None) if words & (CONFIRM - SURE) else Said(notices.CANCEL, number, bool(words & SURE))
    return Said(notices.CONFIRM, number) if words & CONFIRM else Said(None)


def take_in(*, from_number: str, body: str, provider_id: str, now: datetime) -> None:
    """Take in a text and do what it asks, once: sent again by the provider, it does nothing."""
    with transaction.atomic():
        text = messages.inbound(from_number=from_number, body=body, provider_id=provider_id, now=now)
        if text is not None:
            template, context = answered(text, now=now)
            if template and messages.may_answer(text.phone, now=now):
                messages.answer(inbound=text, template=template, context=context, now=now)


def answered(text: InboundSms, *, now: datetime) -> tuple[str, dict[str, Any]]:
    """Do what `text` asks; the template and context of the answer, or no template where a notice says it already."""
    patients = list(Patient.objects.filter(phone=text.phone).values_list("pk", "user_id"))
    if not patients:
        return "reply_unknown", {}
    said = understood(text.body)
    if said.act is None:
        return "reply_help", {}
    visits = upcoming(patients, now=now)
    if not visits:
        return "reply_no_visit", {}
    visit, sequence = chosen(said, visits, text.phone, now=now)
    if visit is None:
        return which(visits, said, now=now)
    try:
        if said.act == notices.CONFIRM:
            return "reply_confirmed", told(answers.confirm(visit, via=SMS, sequence=sequence, now=now), now=now)
        hours = answers.late_fee(visit, now=now)
        if hours is not None and not said.is_sure:
            return "reply_late", {**told(visit, now=now), "hours": hours, "number": said.number}
        return cancelled(answers.cancel(visit, via=SMS, sequence=sequence, now=now), text.phone, now=now)
    except (NotConfirmable, NotCancellable, VisitMoved):
        # It changed between the look and the lock.
        return which(upcoming(patients, now=now), said, now=now)


def upcoming(patients: list[tuple[Any, Any]], *, now: datetime) -> list[Appointment]:
    """Booked visits to come of these patients (ids and accounts) and of those they act for, the next first."""
    users = [user for _, user in patients if user is not None]
    theirs = Proxy.objects.active(on=now.date()).filter(user__in=users, user__is_active=True)
    whose = Q(patient__in=[pk for pk, _ in patients]) | Q(patient__in=theirs.values("patient"))
    found = Appointment.objects.filter(whose, status=Appointment.Status.BOOKED, starts_at__gt=now)
    return list(found.with_what_it_shows().order_by("starts_at", "id")[: MOST + 1])


def chosen(said: Said, visits: list[Appointment], phone: str, *, now: datetime) -> tuple[Appointment | None, int]:
    """The visit they mean, and its sequence as they know it; None where that is not clear."""
    if said.number is None:
        return (visits[0], visits[0].sequence) if len(visits) == 1 else (None, 0)
    last = Message.objects.filter(address=phone, template=WHICH, channel="sms", created_at__gt=now - LIST_HOLDS_FOR)
    context = last.order_by("-created_at").values_list("context", flat=True).first() or {}
    for listed in context.get("visits", []):
        visit = next((visit for visit in visits if str(visit.pk) == listed["id"]), None)
        if listed["number"] == said.number and visit:
            return visit, listed["sequence"]
    if not context and len(visits) == said.number == 1:
        return visits[0], visits[0].sequence
    return None, 0


def which(visits: list[Appointment], said: Said, *, now: datetime) -> tuple[str, dict[str, Any]]:
    """The list of `visits` to choose from."""
    if not visits:
        return "reply_no_visit", {}
    listed = [
        {"number": number, "id": str(visit.pk), "sequence": visit.sequence, **told(visit, now=now)}
        for number, visit in enumerate(visits[:MOST], 1)
    ]
    letter = "C" if said.act == notices.CONFIRM else "X"
    return WHICH, {"visits": listed, "letter": letter, "is_more": len(visits) > MOST}


def told(visit: Appointment, *, now: datetime) -> dict[str, Any]:
    """What an answer says of a visit."""
    return {
        "start": visit.local_start.isoformat(),
        "clinic": visit.clinic.name,
        "child": notices.first_name_of_child(visit.patient, now=now),
    }


def cancelled(visit: Appointment, phone: str, *, now: datetime) -> tuple[str, dict[str, Any]]:
    """The answer to a cancellation: none where the notice of it goes to the same phone."""
    notice = Message.objects.filter(
        about=notices.about(visit), template=notices.Told.CANCELLED, channel="sms", address=phone, status="queued"
    )
    if notice.exists():
        return "", {}
    return "reply_cancelled", {**told(visit, now=now), "is_late": visit.is_late_cancellation}
