"""Who looked at whose record: writing it down (docs/decisions).

A look is written in one statement, in the transaction it is called in. Looking again at the same within FOR adds an
AccessRepeat: rows are only ever added, so an event cannot be made longer, but what it covers can.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from clinics import people
from clinics.acting import acting
from clinics.models import User
from clinics.models.audit import AccessEvent

__all__ = ["FOR", "AccessEvent", "acting", "shown"]

FOR = timedelta(minutes=15)

# The basis, where it is not given, is what all of those shown have in common. Of several roles the one at a clinic
# that knows a patient shown goes first.
WRITE = """
WITH asked AS (SELECT %s::uuid AS viewer, %s::uuid[] AS patients, %s::timestamptz AS now, %s::text AS basis),
known AS (
  SELECT coalesce(nullif(asked.basis, ''), CASE WHEN NOT EXISTS (
      SELECT FROM unnest(asked.patients) AS one WHERE NOT EXISTS (
        SELECT FROM clinics_proxy AS p
        WHERE p.user_id = asked.viewer AND p.patient_id = one AND (p.ended_on IS NULL OR p.ended_on > asked.now::date)))
    THEN 'proxy' WHEN NOT EXISTS (
      SELECT FROM unnest(asked.patients) AS one WHERE NOT EXISTS (
        SELECT FROM clinics_breakglass AS b
        WHERE b.user_id = asked.viewer AND b.patient_id = one AND b.during @> clock_timestamp()))
    THEN 'break_glass' ELSE 'care' END) AS basis
  FROM asked),
earlier AS (
  SELECT id FROM clinics_accessevent, asked, known
  WHERE viewer_id = asked.viewer AND at > %s::timestamptz AND at <= asked.now
    AND page = %s::text AND shown = %s::uuid AND via = %s::text AND clinics_accessevent.basis = known.basis
  ORDER BY at DESC LIMIT 1),
again AS (
  INSERT INTO clinics_accessrepeat (event_id, at) SELECT earlier.id, asked.now FROM earlier, asked RETURNING event_id),
event AS (
  INSERT INTO clinics_accessevent
    (viewer_id, at, page, shown, via, basis, what, role, clinic_id, organization_id)
  SELECT asked.viewer, asked.now, %s::text, %s::uuid, %s::text, known.basis, %s::text,
    coalesce(staff.role, ''), staff.clinic_id, staff.organization_id
  FROM asked CROSS JOIN known LEFT JOIN LATERAL (
    SELECT s.role, s.clinic_id, s.organization_id FROM clinics_staffrole AS s
    WHERE s.user_id = asked.viewer AND known.basis <> 'proxy'
    ORDER BY s.role IN ('front_desk', 'manager', 'clinician') DESC, EXISTS (
      SELECT FROM clinics_registration AS r WHERE r.clinic_id = s.clinic_id AND r.patient_id = ANY (asked.patients)
    ) DESC, s.id LIMIT 1) AS staff ON true
  WHERE NOT EXISTS (SELECT FROM earlier) RETURNING id)
INSERT INTO clinics_patientseen (event_id, patient_id) SELECT event.id, unnest(asked.patients) FROM event, asked
"""


def shown(
    *,
    viewer: User,
    patients: Iterable[UUID],
    page: str,
    now: datetime,
    via: AccessEvent.Via,
    basis: AccessEvent.Basis | str = "",
    what: AccessEvent.What = AccessEvent.What.RECORD,
) -> None:
    """Write down that `viewer` is shown something of `patients`, in the caller's transaction, before it is shown.

    `page` is a route's template, never an address with ids or values. Without `basis` it is `proxy` where the viewer is
    the proxy of all of them, `break_glass` where they opened all of them in an emergency, otherwise `care`. Own records
    are left out; where nothing else is shown nothing is written, and it costs no statement. Otherwise one, however many
    patients. Needs the viewer's `patient` loaded.
    """
    own = people.own_record(viewer)
    others = sorted({patient for patient in patients if own is None or patient != own.pk})
    if not others:
        return
    whom = digest(others)
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE,
            [viewer.pk, others, now, basis, now - FOR, page, whom, via, page, whom, via, what],
        )


def digest(patients: list[UUID]) -> UUID:
    """Stands for `patients`, in order: itself for one, 128 bits of SHA-256 for several."""
    if len(patients) == 1:
        return patients[0]
    return UUID(bytes=hashlib.sha256(b"".join(patient.bytes for patient in patients)).digest()[:16])
