"""Somebody with a visit and a hold, and everybody who might look at them: for tests of who may do what."""

import uuid
from dataclasses import dataclass
from typing import Any

from clinics.models import Identifier, Patient, Proxy, Session, StaffRole, User
from scheduling import booking
from scheduling.models import Appointment, VisitType
from tests import cast
from tests.calls import sign_in
from tests.cast import NOW, Place, at

# Stands in everything about the patient: an answer that contains it shows something of them.
CANARY = "Canaria"
# Why the patient comes, which a limited parent is not told.
WHY = f"{CANARY} coughs"
ROLES = [
    "owner",
    "parent",
    "limited parent",
    "stranger",
    "staff here",
    "clinician here",
    "staff elsewhere",
    "partner",
    "nobody",
]


@dataclass
class World:
    """Somebody with a visit and a hold at Avon, and those who are around them."""

    avon: Place
    elsewhere: Place
    office: VisitType
    patient: Patient
    visit: Appointment
    held: Appointment
    callers: dict[str, User | None]
    session: uuid.UUID  # one of the owner's

    def slot(self, hour: int = 15, place: Place | None = None) -> str:
        return (place or self.avon).slot(at(hour), self.office).id


def make(avon: Place, office: VisitType) -> World:
    """The world at NOW."""
    elsewhere = cast.make_place("Hartford")
    cast.make_shift(elsewhere, at(9), at(17), office)
    cast.make_room(avon.clinic, "Exam A")
    patient = cast.make_patient(CANARY, born=NOW.date().replace(year=2016))
    Patient.objects.filter(pk=patient.pk).update(street=f"1 {CANARY} Road", preferred_name=CANARY)
    Identifier.objects.create(patient=patient, system="urn:mrn", value=f"{CANARY}-1")
    parent = cast.make_patient("Parent")
    Proxy.objects.create(user=parent.user, patient=patient)
    limited = cast.make_patient("Limited")
    Proxy.objects.create(user=limited.user, patient=patient, shrinks_at_age=9)
    by: dict[str, Any] = {"actor": patient.user, "source": Appointment.Source.PATIENT, "now": NOW}
    first, _ = booking.hold(patient=patient, slot=avon.slot(at(10), office), **by)
    visit = booking.book(held=first, reason=WHY, accept_price=None, actor=by["actor"], now=NOW)
    held, _ = booking.hold(patient=patient, slot=avon.slot(at(11), office), **by)
    partner = cast.make_user("partner", is_staff=True)
    partner.staff_roles.create(role="partner", organization=avon.clinic.health_system)
    callers = {
        "owner": patient.user,
        "parent": parent.user,
        "limited parent": limited.user,
        "stranger": cast.make_patient("Stranger").user,
        "staff here": cast.make_staff(avon.clinic),
        "clinician here": cast.make_staff(avon.clinic, "Clinician", StaffRole.Role.CLINICIAN),
        "staff elsewhere": cast.make_staff(elsewhere.clinic),
        "partner": partner,
        "nobody": None,
    }
    assert patient.user
    sign_in(patient.user)
    session = Session.objects.get(user=patient.user).id
    return World(avon, elsewhere, office, patient, visit, held, callers, session)
