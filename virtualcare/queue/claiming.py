"""A clinician takes the next patient whom they may treat."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from clinics.models import Clinician, User
from clinics.refusals import Refused
from scheduling import access
from scheduling.claims import ClockTimestamp
from virtualcare import duty
from virtualcare.models import Consult, Duty
from virtualcare.queue import records
from virtualcare.queue.records import Status

OFFERED_FOR = timedelta(seconds=30)
# A patient who was not heard of for so long is passed over, and keeps their place.
PASSED_OVER_AFTER = timedelta(minutes=5)

# Who may be offered to a clinician, the longest due first. Said once: of what waits they see the same as they get.
# What was offered to somebody who let it pass waits again from that second on, whether or not a sweep has said so.
MAY_TAKE = """
  FROM virtualcare_consult AS waiting
 WHERE waiting.status IN ('waiting', 'offered')
   AND (waiting.status = 'waiting' OR waiting.offer_expires_at <= clock_timestamp())
   AND waiting.seen_at > %(heard_after)s
   AND waiting.modality IN (
         SELECT one.modality
           FROM virtualcare_oncallshift AS shift
          CROSS JOIN unnest(shift.modalities) AS one(modality)
          CROSS JOIN (
                SELECT count(*) FILTER (WHERE held.modality = 'text') AS texts,
                       count(*) FILTER (WHERE held.modality = 'video') AS calls
                  FROM virtualcare_consult AS held
                 WHERE held.clinician_id = %(clinician)s AND held.status IN ('offered', 'active')) AS load
          WHERE shift.clinician_id = %(clinician)s AND shift.during @> %(now)s::timestamptz
            AND CASE one.modality WHEN 'video' THEN load.calls = 0 ELSE load.texts < shift.capacity END)
   AND waiting.state IN (
         SELECT state FROM clinics_licence WHERE clinician_id = %(clinician)s AND during @> %(first_day)s::date
         INTERSECT
         SELECT state FROM clinics_licence WHERE clinician_id = %(clinician)s AND during @> %(last_day)s::date)
   AND NOT EXISTS (
         SELECT FROM virtualcare_passedon AS passed
          WHERE passed.consult_id = waiting.id AND passed.clinician_id = %(clinician)s
            AND passed.until > %(now)s::timestamptz)
   AND waiting.patient_id <> ALL (%(family)s::uuid[])
"""
CLAIM = f"""
WITH picked AS (
  SELECT waiting.id, waiting.status, waiting.clinician_id {MAY_TAKE}
   ORDER BY waiting.due_at, waiting.id
   LIMIT 1
     FOR UPDATE OF waiting SKIP LOCKED)
UPDATE virtualcare_consult AS taken
   SET status = 'offered', clinician_id = %(clinician)s, offer_expires_at = clock_timestamp() + %(offered_for)s
  FROM picked
 WHERE taken.id = picked.id
RETURNING taken.id, picked.status, picked.clinician_id
"""  # noqa: S608 - made of its own constants alone
COUNT = f"SELECT waiting.modality, count(*) {MAY_TAKE} GROUP BY waiting.modality"


class OfferOpen(Refused):
    code = "offer_open"
    detail = "A patient is offered to you already. Accept or decline them first."


def claim_next(*, clinician: Clinician, actor: User, now: datetime) -> Consult | None:
    """Offer a clinician, for OFFERED_FOR, the patient who is due first of those whom they may treat; None without any.

    One statement chooses: modality and capacity of their shift now, a licence where the patient is, nobody whom they
    passed on lately, nobody who went away. However many claim at once, nobody is claimed twice, and none waits for
    another. Raises OfferOpen while they have an offer, duty.NotOnCall and duty.NotAvailable.
    """
    with transaction.atomic():
        row = duty.locked(clinician.pk, now=now)[clinician.pk]
        require_duty(row, now=now)
        settle_offers(clinician, now=now)
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, asked(clinician, now=now))
            found = cursor.fetchone()
        if found is None:
            return None
        consult_id, before, passed_by = found
        consult = Consult.objects.select_related("patient", "clinician", "form").get(pk=consult_id)
        if before == Status.OFFERED:
            records.record(consult, before, what="timed_out", actor=None, now=now, clinician=passed_by)
        records.record(consult, Status.WAITING, what="offered", actor=actor, now=now, clinician=clinician.pk)
        return consult


def may_take(*, clinician: Clinician, now: datetime) -> dict[str, int]:
    """How many wait whom the clinician may take now, by modality."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, asked(clinician, now=now))
        return dict(cursor.fetchall())


def asked(clinician: Clinician, *, now: datetime) -> dict[str, Any]:
    """The parameters of MAY_TAKE, and of CLAIM."""
    last_day, first_day = duty.days(now)
    return {
        "clinician": clinician.pk,
        "now": now,
        "first_day": first_day,
        "last_day": last_day,
        "heard_after": now - PASSED_OVER_AFTER,
        "family": access.family(clinician.user, now=now).patients if clinician.user else [],
        "offered_for": OFFERED_FOR,
    }


def require_duty(row: Duty, *, now: datetime) -> None:
    """Raises duty.NotOnCall and duty.NotAvailable. Asking is being there."""
    if duty.shift_of(row.pk, now=now) is None:
        raise duty.NotOnCall
    if not row.available:
        raise duty.NotAvailable
    if row.heard_at < now:
        Duty.objects.filter(pk=row.pk).update(heard_at=now)


def settle_offers(clinician: Clinician, *, now: datetime) -> None:
    """What was offered to the clinician and is over waits again, at its place. Raises OfferOpen for what is not."""
    offered = Consult.objects.filter(clinician=clinician, status=Status.OFFERED).annotate(clock=ClockTimestamp())
    for consult in offered.select_for_update(no_key=True):
        if consult.offer_expires_at is None or consult.offer_expires_at > consult.clock:  # type: ignore[attr-defined]
            raise OfferOpen(consult=str(consult.pk))
        time_out(consult, now=now)


def time_out(consult: Consult, *, now: datetime) -> None:
    """A locked consult whose offer is over waits again, at its place."""
    records.change(
        consult,
        Status.WAITING,
        what="timed_out",
        actor=None,
        now=now,
        clinician=consult.clinician_id,
        clinician_id=None,
        offer_expires_at=None,
    )
