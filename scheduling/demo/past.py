"""Visits that people with logins had, so that they have a history and count as established."""

import uuid
from datetime import datetime, time, timedelta

from clinics.models import Clinic, Room
from scheduling import intervals
from scheduling.demo import visits
from scheduling.demo.chance import key
from scheduling.demo.network import SITES
from scheduling.demo.patients import MEMBER_LOGINS
from scheduling.demo.staff import clinician_key
from scheduling.demo.visits import Wish
from scheduling.models import Appointment, AppointmentChange, VisitType

# Who, days ago, with which of the two physicians, what.
HAD = [
    (("patient@example.com",), 203, 0, "new-patient", "First visit"),
    (("patient@example.com",), 41, 1, "office", "Sore throat"),
    (("parent@example.com",), 160, 1, "new-patient", "First visit"),
    (("parent@example.com", 2), 95, 0, "well-child", "Yearly check"),
    *(((email,), 50 + number, number % 2, "office", "Cough") for number, email in enumerate(MEMBER_LOGINS[:10])),
]
AT = time(11)


def plant(*, now: datetime) -> None:
    """Enter these visits once, counted back from the first seed."""
    avon = Clinic.objects.get(slug="avon")
    today = intervals.local_date(now, avon.zone)
    room = Room.objects.filter(clinic=avon, kind="exam").earliest("name")
    visit_types = {found.code: found for found in VisitType.objects.all()}
    patients = {key("patient", *who) for who, *_ in HAD}
    if Appointment.objects.filter(pk__in=[visit_key(who, kind) for who, _, _, kind, _ in HAD]).exists():
        return
    grants, prices = visits.payers(patients), visits.prices()
    for who, ago, number, kind, reason in HAD:
        patient = key("patient", *who)
        start = intervals.instant(today - timedelta(days=ago), AT, avon.zone)
        wish = Wish(visit_key(who, kind), clinician_key(SITES[0], number), patient, visit_types[kind], start, reason)
        visit = visits.as_visit(wish, avon, room.pk, grants.get(patient), prices, now=now)
        visit.status = Appointment.Status.COMPLETED
        visit.save(force_insert=True)
        AppointmentChange.objects.bulk_create(visits.story(visit))


def visit_key(who: tuple[object, ...], kind: str) -> uuid.UUID:
    return key("visit", *who, kind)
