"""What people want to be sent, and where."""

from datetime import datetime
from typing import Any

from django.db import transaction

from clinics import messages, people
from clinics.models import ContactPreference, Patient, SmsOptOut, User
from clinics.people import NoPatientRecord
from clinics.refusals import Refused


class NoPhone(Refused):
    """Texts for somebody whose number we don't have."""

    code = "no_phone"
    status = 409
    detail = "Add your mobile number to your record first: PATCH /me with `phone`."


def own(user: User) -> Patient:
    """Raises NoPatientRecord."""
    patient = people.own_record(user)
    if patient is None:
        raise NoPatientRecord
    return patient


def of(patient: Patient) -> dict[str, Any]:
    """What `patient` wants to be sent, and whether their number texted STOP, so that no text reaches it."""
    chosen = ContactPreference.objects.filter(patient=patient).first() or ContactPreference(patient=patient)
    return {
        "email_reminders": chosen.email_reminders,
        "sms": chosen.wants_sms,
        "sms_stopped": bool(patient.phone)
        and SmsOptOut.objects.filter(phone=patient.phone, ended_at__isnull=True).exists(),
    }


def change(patient: Patient, *, now: datetime, email_reminders: bool | None = None, sms: bool | None = None) -> None:
    """Change what `patient` wants to be sent. Agreeing to texts is answered by one. Raises NoPhone."""
    if sms and not patient.phone:
        raise NoPhone
    with transaction.atomic():
        ContactPreference.objects.bulk_create([ContactPreference(patient=patient)], ignore_conflicts=True)
        chosen = ContactPreference.objects.select_for_update().get(patient=patient)
        if email_reminders is not None:
            chosen.email_reminders = email_reminders
        if sms is not None and sms != chosen.wants_sms:
            chosen.sms_opted_in_at = now if sms else chosen.sms_opted_in_at
            chosen.sms_opted_out_at = None if sms else now
        else:
            sms = None
        chosen.save(update_fields=["email_reminders", "sms_opted_in_at", "sms_opted_out_at"])
        if sms:
            about = f"patient:{patient.pk}"
            messages.queue(
                to=patient,
                template="sms_started",
                about=about,
                dedupe_key=f"sms_started:{patient.pk}:{now.isoformat()}",
                context={},
                channels=["sms"],
                now=now,
            )
