"""Somebody with a visit and a hold, and everybody who might look at them: for tests of who may do what."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from clinics.models import Clinician, Identifier, Organization, Patient, Proxy, Session, StaffRole, User
from memberships import enrolling
from memberships.billing import issuing
from memberships.models import Invoice, InvoiceLine, PaymentMethod, Price, Subscription
from scheduling import booking
from scheduling.models import Appointment, VisitType
from tests import cast
from tests.calls import sign_in
from tests.canaries import STEM
from tests.cast import NOW, Place, at
from virtualcare.models import Consult, IntakeForm

# Stands in everything about the patient: an answer that contains it shows something of them.
CANARY = f"{STEM}a"
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
    subscription: Subscription  # the patient's, which a parent pays for
    employer: Organization
    benefits: User  # its benefit staff
    invoice: Invoice  # that the owner pays, for the patient
    method: PaymentMethod  # the owner's card
    doctor: Clinician  # who had the patient in virtual care, and works at no clinic
    consult: Consult  # that is over and written up

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
    subscription = enrolling.join(
        patient=patient,
        payer=by_user(parent),
        price=Price.objects.select_related("plan").get(plan="standard"),
        members=[],
        method=None,
        accept_due=None,
        actor=by_user(parent),
        now=NOW,
    )
    employer = Organization.objects.create(kind=Organization.Kind.EMPLOYER, name="Works", slug="works")
    benefits = cast.make_user("benefits")
    benefits.staff_roles.create(role="benefits", organization=employer)
    line = issuing.Line(
        kind=InvoiceLine.Kind.MEMBERSHIP, description=f"{CANARY}, a year", amount=9_900, patient=patient.pk
    )
    with transaction.atomic():
        invoice = issuing.issue(payer=by_user(patient), kind=Invoice.Kind.FEE, lines=[line], on=NOW.date(), now=NOW)
    assert invoice
    method = PaymentMethod.objects.create(
        user=patient.user, provider="stripe", token="cus_1/pm_1", brand="visa", last4="4242"
    )
    doctor = cast.make_clinician(elsewhere.clinic, "Stone", user=cast.make_user("doctor"))
    consult = make_consult(patient, doctor)
    return World(
        avon,
        elsewhere,
        office,
        patient,
        visit,
        held,
        callers,
        session,
        subscription,
        employer,
        benefits,
        invoice,
        method,
        doctor,
        consult,
    )


def make_consult(patient: Patient, doctor: Clinician) -> Consult:
    """A consult by text of `patient` with `doctor` that was completed at NOW, with a message and a summary."""
    form = IntakeForm.objects.create(
        complaint="cough", version=1, name="Cough", acuity=3, written_at=NOW, published_at=NOW, is_sample=True
    )
    consult = Consult.objects.create(
        patient=patient,
        requested_by=by_user(patient),
        modality="text",
        status=Consult.Status.COMPLETED,
        created_at=NOW,
        street=f"1 {CANARY} Road",
        city="Avon",
        state="OH",
        postal_code="44011",
        form=form,
        acuity=3,
        queued_at=NOW,
        due_at=NOW,
        clinician=doctor,
        accepted_at=NOW,
        ended_at=NOW,
        seen_at=NOW,
        last_seq=1,
        price=0,
    )
    consult.carers.create(clinician=doctor, since=NOW)
    consult.chat.create(seq=1, role="patient", sender=patient.user, body=WHY, at=NOW)
    consult.summaries.create(version=1, clinician=doctor, released_at=NOW, reason=WHY, assessment=WHY, plan=WHY)
    return consult


def by_user(patient: Patient) -> User:
    assert patient.user
    return patient.user
