"""Who is told about a patient, where, and whether they agreed to it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection

from clinics.models import Message

# The patient themself, where they have contact of their own, and otherwise who acts for them. A parent is told about a
# small child in any case; from the age on at which their scope shrinks, the child's own contact takes their place: an
# account, an e-mail address, or a number that ever agreed to texts (one that never did reaches nobody).
# Days are the patient's; someone born on 29 February has their birthday on 1 March in common years (Patient.age_on).
REACHED = """
WITH subject AS (
  SELECT p.calendar_id AS id, p.user_id, p.birth_date, (%s::timestamptz AT TIME ZONE p.time_zone)::date AS today,
         (p.user_id IS NOT NULL OR p.email <> ''
          OR p.phone <> '' AND EXISTS (SELECT FROM clinics_contactpreference c
                                        WHERE c.patient_id = p.calendar_id AND c.sms_opted_in_at IS NOT NULL)
         ) AS has_contact
    FROM clinics_patient p
   WHERE p.calendar_id = ANY(%s::uuid[])
), person AS (
  SELECT id AS patient_id, user_id, id AS record_id, 0 AS rank FROM subject WHERE has_contact
  UNION ALL
  SELECT s.id, x.user_id, own.calendar_id, 1
    FROM subject s
    JOIN clinics_proxy x ON x.patient_id = s.id AND (x.ended_on IS NULL OR x.ended_on > s.today)
    JOIN clinics_user u ON u.id = x.user_id AND u.is_active
    LEFT JOIN clinics_patient own ON own.user_id = x.user_id
   WHERE s.birth_date > s.today - interval '18 years'
     AND (NOT s.has_contact OR extract(year FROM age(s.today, s.birth_date)) < x.shrinks_at_age)
)
SELECT person.patient_id, person.user_id, coalesce(u.email, r.email, ''), coalesce(r.phone, ''),
       coalesce(c.email_reminders, true),
       (o.id IS NULL AND c.sms_opted_in_at IS NOT NULL
        AND (c.sms_opted_out_at IS NULL OR c.sms_opted_out_at < c.sms_opted_in_at))
  FROM person
  LEFT JOIN clinics_user u ON u.id = person.user_id
  LEFT JOIN clinics_patient r ON r.calendar_id = person.record_id
  LEFT JOIN clinics_contactpreference c ON c.patient_id = person.record_id
  LEFT JOIN clinics_smsoptout o ON o.phone = r.phone AND o.ended_at IS NULL
 ORDER BY person.rank, person.user_id
"""
# What people can turn off and still be told what they caused, or must know.
OPTIONAL = (Message.Kind.REMINDER, Message.Kind.OFFER)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to tell. `user_id` is None for a patient without an account."""

    patient_id: UUID
    user_id: UUID | None
    email: str
    phone: str
    wants_reminders: bool
    wants_sms: bool

    def addresses(self, kind: str) -> dict[str, str]:
        """Where to tell them something of `kind`, by channel."""
        found = {}
        if self.email and (self.wants_reminders or kind not in OPTIONAL):
            found[Message.Channel.EMAIL.value] = self.email
        if self.phone and self.wants_sms and settings.SMS_ENABLED:
            found[Message.Channel.SMS.value] = self.phone
        return found


def of(patients: Iterable[UUID], *, now: datetime) -> dict[UUID, list[Recipient]]:
    """Who is told about each of `patients`. One statement, however many they are."""
    found: dict[UUID, list[Recipient]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(REACHED, [now, list(patients)])
        for row in cursor.fetchall():
            found[row[0]].append(Recipient(*row))
    return found
