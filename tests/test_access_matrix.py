"""Every operation of the API, by who calls it. A route without a row here fails."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import transaction

import config.urls
from clinics.edge import Endpoint
from clinics.models import Patient
from clinics.shapes import MOST_UNKNOWN
from memberships.models import PaymentMethod
from tests.calls import API, Caller
from tests.canaries import FAMILY_NAME
from tests.cast import NOW
from tests.world import CANARY, ROLES, World
from virtualcare.demo import forms as samples
from virtualcare.models import Consult, IntakeForm

pytestmark = pytest.mark.django_db


def expected(*answers: str) -> dict[str, str]:
    """What each of ROLES gets: a status, and + when the answer shows something of the patient."""
    return dict(zip(ROLES, answers, strict=True))


NEWBORN = {"given_name": "New", "family_name": "Born", "birth_date": "2026-11-01"}
BROKEN = {
    "given_name": CANARY,
    "family_name": FAMILY_NAME,
    "birth_date": "2016-11-24",
    "reason": "Came in unconscious, nothing is known.",
}
EVERYBODY = expected("200", "200", "200", "200", "200", "200", "200", "200", "200")
# Employers are for their benefit staff alone (tests/memberships/test_employer_matrix.py).
NOT_THEIRS = expected("404", "404", "404", "404", "404", "404", "404", "404", "401")
# None of them has a record as a clinician.
NO_CLINICIAN = expected("403", "403", "403", "403", "403", "403", "403", "403", "401")
OF_THE_CONSULT = expected("200+", "200+", "404", "404", "404", "404", "404", "404", "401")
OF_THE_PATIENT = expected("200+", "200+", "200+", "404", "200+", "200+", "404", "404", "401")
# A clinic's staff see no memberships here: what they need is said with each visit.
OF_THE_FAMILY = expected("200+", "200+", "200+", "404", "404", "404", "404", "404", "401")
OF_THE_PAYER = expected("403", "200+", "403", "404", "404", "404", "404", "404", "401")
OF_THE_ONE_BILLED = expected("200+", "404", "404", "404", "404", "404", "404", "404", "401")


def teenager(world: World) -> UUID:
    """The patient, fourteen and without an account."""
    Patient.objects.filter(pk=world.patient.pk).update(user=None, birth_date="2012-11-24")
    return world.patient.calendar_id


def complaint() -> str:
    """One that is asked about."""
    samples.seed(now=NOW)
    return "sore_throat"


ASKING = {
    "modality": "text",
    "location": {"state": "OH", "street": "1 Main Street", "city": "Avon", "postal_code": "44011"},
    "complaint": "cough",
    "answers": {},
    "consents": ["telehealth"],
}


def asking() -> dict[str, Any]:
    """ASKING, where there is something to agree to."""
    samples.seed(now=NOW)
    return ASKING


def parents_card(world: World) -> UUID:
    """A card of who pays for the membership."""
    made = PaymentMethod.objects.create(user=world.callers["parent"], provider="stripe", token="cus_2/pm_2")
    return UUID(str(made.pk))


def diverted(world: World) -> UUID:
    """A consult of the patient's in which red flags sent them elsewhere."""
    samples.seed(now=NOW)
    consult = Consult.objects.create(
        patient=world.patient,
        requested_by=world.callers["parent"],
        status="diverted",
        modality="text",
        acuity=1,
        created_at=NOW,
        seen_at=NOW,
        ended_at=NOW,
        street=f"1 {CANARY} Road",
        city="Avon",
        state="OH",
        postal_code="44011",
        form=IntakeForm.objects.get(complaint="chest_pain"),
        answers={"breathing": True},
        advice="911",
    )
    return consult.pk


ROSTER = "employers/<uuid:employer_id>/rosters/<uuid:roster_id>"
Row = tuple[Callable[[Caller, World], Any], dict[str, str]]
MATRIX: dict[str, Row] = {
    "GET clinics": (lambda c, w: c.get("/clinics"), EVERYBODY),
    "GET clinics/<uuid:clinic_id>": (lambda c, w: c.get(f"/clinics/{w.avon.clinic.pk}"), EVERYBODY),
    "POST clinics/<uuid:clinic_id>/patients": (
        lambda c, w: c.post(f"/clinics/{w.avon.clinic.pk}/patients", {**NEWBORN, "email": "new@example.com"}),
        expected("403", "403", "403", "403", "201", "201", "403", "403", "401"),
    ),
    "GET coverage": (
        lambda c, w: c.get("/coverage", {"state": "OH", "modality": "text"}),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    "GET intake": (lambda c, w: c.get("/intake"), EVERYBODY),
    "GET intake/<slug:complaint>": (lambda c, w: c.get(f"/intake/{complaint()}"), EVERYBODY),
    # A limited parent knows of the consult, and says nothing in it.
    "POST consults/<uuid:consult_id>/acknowledge": (
        lambda c, w: c.post(f"/consults/{diverted(w)}/acknowledge"),
        expected("200", "200", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "GET clinicians": (lambda c, w: c.get("/clinicians"), EVERYBODY),
    "GET plans": (lambda c, w: c.get("/plans"), EVERYBODY),
    "GET memberships": (
        lambda c, w: c.get("/memberships"),
        expected("200+", "200+", "200+", "200", "200", "200", "200", "200", "401"),
    ),
    "POST memberships": (
        lambda c, w: c.post("/memberships", {"price": w.subscription.price_id}),
        expected("409", "201", "201", "201", "409", "409", "409", "409", "401"),
    ),
    "POST memberships of the patient": (
        lambda c, w: c.post("/memberships", {"price": w.subscription.price_id, "patient": str(w.patient.pk)}),
        expected("409", "409", "409", "404", "404", "404", "404", "404", "401"),
    ),
    "POST memberships/quote": (
        lambda c, w: c.post("/memberships/quote", {"price": w.subscription.price_id}),
        expected("409", "200", "200", "200", "409", "409", "409", "409", "401"),
    ),
    "POST memberships/quote of the patient": (
        lambda c, w: c.post(
            "/memberships/quote", {"price": w.subscription.price_id, "switch_from": str(w.subscription.pk)}
        ),
        expected("403", "409", "403", "404", "404", "404", "404", "404", "401"),
    ),
    "GET memberships/<uuid:membership_id>": (
        lambda c, w: c.get(f"/memberships/{w.subscription.pk}"),
        OF_THE_FAMILY,
    ),
    "POST memberships/<uuid:membership_id>/switch": (
        lambda c, w: c.post(f"/memberships/{w.subscription.pk}/switch", {"price": w.subscription.price_id}),
        expected("403", "409", "403", "404", "404", "404", "404", "404", "401"),
    ),
    "POST memberships/<uuid:membership_id>/pause": (
        lambda c, w: c.post(f"/memberships/{w.subscription.pk}/pause"),
        OF_THE_PAYER,
    ),
    "POST memberships/<uuid:membership_id>/resume": (
        lambda c, w: c.post(f"/memberships/{w.subscription.pk}/resume"),
        OF_THE_PAYER,
    ),
    "POST memberships/<uuid:membership_id>/cancel": (
        lambda c, w: c.post(f"/memberships/{w.subscription.pk}/cancel"),
        OF_THE_PAYER,
    ),
    "POST memberships/<uuid:membership_id>/payment-method": (
        lambda c, w: c.post(
            f"/memberships/{w.subscription.pk}/payment-method", {"payment_method": str(parents_card(w))}
        ),
        OF_THE_PAYER,
    ),
    "POST memberships/<uuid:membership_id>/payment-method of the patient": (
        lambda c, w: c.post(f"/memberships/{w.subscription.pk}/payment-method", {"payment_method": str(w.method.pk)}),
        expected("403", "404", "403", "404", "404", "404", "404", "404", "401"),
    ),
    # There is no price for further members here; to who may not change it that is nothing to know.
    "POST memberships/<uuid:membership_id>/members": (
        lambda c, w: c.post(f"/memberships/{w.subscription.pk}/members", {"patient": str(w.patient.pk)}),
        expected("403", "400", "403", "404", "404", "404", "404", "404", "401"),
    ),
    "DELETE memberships/<uuid:membership_id>/members/<uuid:patient_id>": (
        lambda c, w: c.delete(f"/memberships/{w.subscription.pk}/members/{w.patient.pk}"),
        expected("403", "404", "403", "404", "404", "404", "404", "404", "401"),
    ),
    "GET memberships/<uuid:membership_id>/invitations": (
        lambda c, w: c.get(f"/memberships/{w.subscription.pk}/invitations"),
        expected("403", "200", "403", "404", "404", "404", "404", "404", "401"),
    ),
    # There is no price for further members here.
    "POST memberships/<uuid:membership_id>/invitations": (
        lambda c, w: c.post(f"/memberships/{w.subscription.pk}/invitations", {"email": "sam@example.com"}),
        expected("403", "409", "403", "404", "404", "404", "404", "404", "401"),
    ),
    "DELETE memberships/<uuid:membership_id>/invitations/<uuid:invitation_id>": (
        lambda c, w: c.delete(f"/memberships/{w.subscription.pk}/invitations/{w.visit.pk}"),
        expected("403", "404", "403", "404", "404", "404", "404", "404", "401"),
    ),
    # The owner is a child, and staff have no record of their own.
    "POST me/membership-invitation/accept": (
        lambda c, w: c.post("/me/membership-invitation/accept", {"code": "A" * 22}),
        expected("400", "404", "404", "404", "409", "409", "409", "409", "401"),
    ),
    "POST me/membership-invitation/decline": (
        lambda c, w: c.post("/me/membership-invitation/decline", {"code": "A" * 22}),
        expected("404", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "GET entitlements": (
        lambda c, w: c.get("/entitlements", {"benefit": "office"}),
        expected("200", "200", "200", "200", "409", "409", "409", "409", "401"),
    ),
    "GET entitlements of the patient": (
        lambda c, w: c.get("/entitlements", {"benefit": "office", "patient": str(w.patient.pk)}),
        expected("200", "200", "200", "404", "404", "404", "404", "404", "401"),
    ),
    "GET me/proofs": (
        lambda c, w: c.get("/me/proofs"),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    "POST me/proofs": (
        lambda c, w: c.post("/me/proofs", {"verifier": "demo", "reference": "DEMO-1", "patient": str(w.patient.pk)}),
        expected("201", "201", "201", "404", "404", "404", "404", "404", "401"),
    ),
    "GET payment-methods": (
        lambda c, w: c.get("/payment-methods"),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    # This server takes no cards.
    "POST payment-methods": (
        lambda c, w: c.post("/payment-methods", {"token": "seti_1"}),
        expected("409", "409", "409", "409", "409", "409", "409", "409", "401"),
    ),
    "POST payment-methods/setup": (
        lambda c, w: c.post("/payment-methods/setup"),
        expected("409", "409", "409", "409", "409", "409", "409", "409", "401"),
    ),
    "DELETE payment-methods/<uuid:method_id>": (
        lambda c, w: c.delete(f"/payment-methods/{w.method.pk}"),
        expected("204", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "GET invoices": (
        lambda c, w: c.get("/invoices"),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    "GET invoices/<uuid:invoice_id>": (lambda c, w: c.get(f"/invoices/{w.invoice.pk}"), OF_THE_ONE_BILLED),
    "GET invoices/<uuid:invoice_id>/receipt.pdf": (
        lambda c, w: c.get(f"/invoices/{w.invoice.pk}/receipt.pdf"),
        expected("200", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "POST invoices/<uuid:invoice_id>/pay": (
        lambda c, w: c.post(f"/invoices/{w.invoice.pk}/pay", {"method": str(w.method.pk)}),
        OF_THE_ONE_BILLED,
    ),
    "GET visit-types": (lambda c, w: c.get("/visit-types"), EVERYBODY),
    "GET slots": (
        lambda c, w: c.get("/slots", {"visit_type": "office", "clinic": str(w.avon.clinic.pk)}),
        EVERYBODY,
    ),
    "GET slots of the patient": (
        lambda c, w: c.get(
            "/slots", {"visit_type": "office", "clinic": str(w.avon.clinic.pk), "patient": str(w.patient.pk)}
        ),
        expected("200", "200", "200", "404", "200", "200", "404", "404", "401"),
    ),
    "GET me": (lambda c, w: c.get("/me"), expected("200+", "200+", "200+", "200", "200", "200", "200", "200", "401")),
    "PATCH me": (
        lambda c, w: c.patch("/me", {"city": "Avon"}),
        expected("200+", "200+", "200+", "200", "409", "409", "409", "409", "401"),
    ),
    "GET me/access-log": (
        lambda c, w: c.get("/me/access-log"),
        expected("200", "200", "200", "200", "409", "409", "409", "409", "401"),
    ),
    "GET me/access-log of the patient": (
        lambda c, w: c.get("/me/access-log", {"patient": str(w.patient.pk)}),
        expected("200", "200", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "GET me/dependents": (
        lambda c, w: c.get("/me/dependents"),
        expected("200", "200+", "200+", "200", "200", "200", "200", "200", "401"),
    ),
    "GET me/preferences": (
        lambda c, w: c.get("/me/preferences"),
        expected("200", "200", "200", "200", "409", "409", "409", "409", "401"),
    ),
    "PATCH me/preferences": (
        lambda c, w: c.patch("/me/preferences", {"email_reminders": False}),
        expected("200", "200", "200", "200", "409", "409", "409", "409", "401"),
    ),
    # The owner is a child.
    "POST me/dependents": (
        lambda c, w: c.post("/me/dependents", NEWBORN),
        expected("400", "201", "201", "201", "201", "201", "201", "201", "401"),
    ),
    "GET me/calendar-feed": (
        lambda c, w: c.get("/me/calendar-feed"),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    "POST me/calendar-feed": (
        lambda c, w: c.post("/me/calendar-feed"),
        expected("201", "201", "201", "201", "201", "201", "201", "201", "401"),
    ),
    "DELETE me/calendar-feed": (
        lambda c, w: c.delete("/me/calendar-feed"),
        expected("204", "204", "204", "204", "204", "204", "204", "204", "401"),
    ),
    "GET me/work-calendar-feed": (
        lambda c, w: c.get("/me/work-calendar-feed"),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    # None of them has a record as a clinician.
    "POST me/work-calendar-feed": (
        lambda c, w: c.post("/me/work-calendar-feed"),
        expected("409", "409", "409", "409", "409", "409", "409", "409", "401"),
    ),
    "DELETE me/work-calendar-feed": (
        lambda c, w: c.delete("/me/work-calendar-feed"),
        expected("204", "204", "204", "204", "204", "204", "204", "204", "401"),
    ),
    # A limited parent no longer decides who else acts for the child.
    "GET me/dependents/<uuid:patient_id>/proxies": (
        lambda c, w: c.get(f"/me/dependents/{w.patient.pk}/proxies"),
        expected("404", "200", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "DELETE me/dependents/<uuid:patient_id>/proxies/<uuid:user_id>": (
        lambda c, w: c.delete(f"/me/dependents/{w.patient.pk}/proxies/{w.callers['limited parent'].pk}"),
        expected("404", "204", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "POST me/dependents/<uuid:patient_id>/invitations": (
        lambda c, w: c.post(f"/me/dependents/{w.patient.pk}/invitations", {"email": "sam@example.com"}),
        expected("404", "201", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "DELETE me/dependents/<uuid:patient_id>/invitations/<uuid:invitation_id>": (
        lambda c, w: c.delete(f"/me/dependents/{w.patient.pk}/invitations/{w.visit.pk}"),
        expected("404", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    # The patient is a child with an account.
    "POST me/dependents/<uuid:patient_id>/account-invitation": (
        lambda c, w: c.post(f"/me/dependents/{w.patient.pk}/account-invitation", {"email": "max@example.com"}),
        expected("404", "409", "409", "404", "404", "404", "404", "404", "401"),
    ),
    "POST me/dependents/<uuid:patient_id>/account-invitation of the patient": (
        lambda c, w: c.post(f"/me/dependents/{teenager(w)}/account-invitation", {"email": "max@example.com"}),
        expected("404", "201", "201", "404", "404", "404", "404", "404", "401"),
    ),
    "DELETE me/dependents/<uuid:patient_id>/account-invitation": (
        lambda c, w: c.delete(f"/me/dependents/{w.patient.pk}/account-invitation"),
        expected("404", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "POST me/account-invitation/accept": (
        lambda c, w: c.post("/me/account-invitation/accept", {"code": "AAAA-BBBB-CCCC"}),
        expected("404", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "POST me/invitations/accept": (
        lambda c, w: c.post("/me/invitations/accept", {"code": "AAAA-BBBB-CCCC"}),
        expected("404", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    # The front desk may not, the clinician here need not.
    "POST break-glass": (
        lambda c, w: c.post("/break-glass", {**BROKEN, "birth_date": str(w.patient.birth_date)}),
        expected("403", "403", "403", "403", "403", "409", "403", "403", "401"),
    ),
    "GET break-glass": (
        lambda c, w: c.get("/break-glass"),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    "GET break-glass/<uuid:access_id>": (
        lambda c, w: c.get(f"/break-glass/{w.visit.pk}"),
        expected("404", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "DELETE break-glass/<uuid:access_id>": (
        lambda c, w: c.delete(f"/break-glass/{w.visit.pk}"),
        expected("404", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "GET me/sessions": (
        lambda c, w: c.get("/me/sessions"),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    "DELETE me/sessions": (
        lambda c, w: c.delete("/me/sessions"),
        expected("204", "204", "204", "204", "204", "204", "204", "204", "401"),
    ),
    "DELETE me/sessions/<uuid:session_id>": (
        lambda c, w: c.delete(f"/me/sessions/{w.session}"),
        expected("204", "404", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "GET holds": (
        lambda c, w: c.get("/holds"),
        expected("200+", "200+", "200+", "200", "200", "200", "200", "200", "401"),
    ),
    "POST holds": (
        lambda c, w: c.post("/holds", {"slot": w.slot(), "patient": str(w.patient.pk)}),
        expected("201+", "201+", "201+", "404", "201+", "201+", "404", "404", "401"),
    ),
    "DELETE holds/<uuid:hold_id>": (
        lambda c, w: c.delete(f"/holds/{w.held.pk}"),
        expected("204", "204", "204", "404", "204", "204", "404", "404", "401"),
    ),
    "POST holds/<uuid:hold_id>/extend": (lambda c, w: c.post(f"/holds/{w.held.pk}/extend"), OF_THE_PATIENT),
    "GET appointments": (
        lambda c, w: c.get("/appointments"),
        expected("200+", "200+", "200+", "200", "200", "200", "200", "200", "401"),
    ),
    "POST appointments": (
        lambda c, w: c.post("/appointments", {"hold": str(w.held.pk)}),
        expected("201+", "201+", "201+", "404", "201+", "201+", "404", "404", "401"),
    ),
    "POST appointments/overbook": (
        lambda c, w: c.post(
            "/appointments/overbook", {"slot": w.slot(), "patient": str(w.patient.pk), "overbook_reason": "Urgent"}
        ),
        expected("403", "403", "403", "404", "201+", "201+", "404", "404", "401"),
    ),
    "GET appointments/<uuid:visit_id>": (lambda c, w: c.get(f"/appointments/{w.visit.pk}"), OF_THE_PATIENT),
    "GET appointments/<uuid:visit_id>/calendar.ics": (
        lambda c, w: c.get(f"/appointments/{w.visit.pk}/calendar.ics"),
        expected("200", "200", "200", "404", "200", "200", "404", "404", "401"),
    ),
    "GET appointments/<uuid:visit_id>/history": (
        lambda c, w: c.get(f"/appointments/{w.visit.pk}/history"),
        expected("200", "200", "200", "404", "200", "200", "404", "404", "401"),
    ),
    "POST appointments/<uuid:visit_id>/reschedule": (
        lambda c, w: c.post(f"/appointments/{w.visit.pk}/reschedule", {"slot": w.slot(14)}),
        OF_THE_PATIENT,
    ),
    "POST appointments/<uuid:visit_id>/reschedule to another clinic": (
        lambda c, w: c.post(f"/appointments/{w.visit.pk}/reschedule", {"slot": w.slot(14, w.elsewhere)}),
        expected("200+", "200+", "200+", "404", "403", "403", "404", "404", "401"),
    ),
    "POST appointments/<uuid:visit_id>/confirm": (
        lambda c, w: c.post(f"/appointments/{w.visit.pk}/confirm"),
        OF_THE_PATIENT,
    ),
    "POST appointments/<uuid:visit_id>/cancel": (
        lambda c, w: c.post(f"/appointments/{w.visit.pk}/cancel", {"reason": CANARY}),
        OF_THE_PATIENT,
    ),
    # Nothing was billed for it.
    "POST appointments/<uuid:visit_id>/waive-fee": (
        lambda c, w: c.post(f"/appointments/{w.visit.pk}/waive-fee", {"reason": "Snow."}),
        expected("403", "403", "403", "404", "409", "409", "404", "404", "401"),
    ),
    "POST appointments/<uuid:visit_id>/status": (
        lambda c, w: c.post(f"/appointments/{w.visit.pk}/status", {"to": "arrived"}),
        expected("403", "403", "403", "404", "200+", "200+", "404", "404", "401"),
    ),
    # Nothing was said of it yet.
    "POST appointments/<uuid:visit_id>/status/undo": (
        lambda c, w: c.post(f"/appointments/{w.visit.pk}/status/undo", {"said": "arrived"}),
        expected("403", "403", "403", "404", "409", "409", "404", "404", "401"),
    ),
    "GET employers/<uuid:employer_id>/enrollment": (
        lambda c, w: c.get(f"/employers/{w.employer.pk}/enrollment"),
        NOT_THEIRS,
    ),
    "POST employers/<uuid:employer_id>/invitations": (
        lambda c, w: c.post(f"/employers/{w.employer.pk}/invitations"),
        NOT_THEIRS,
    ),
    "GET employers/<uuid:employer_id>/roster-mapping": (
        lambda c, w: c.get(f"/employers/{w.employer.pk}/roster-mapping"),
        NOT_THEIRS,
    ),
    "PUT employers/<uuid:employer_id>/roster-mapping": (
        lambda c, w: c.put(f"/employers/{w.employer.pk}/roster-mapping", {"columns": {}}),
        NOT_THEIRS,
    ),
    "GET employers/<uuid:employer_id>/rosters": (lambda c, w: c.get(f"/employers/{w.employer.pk}/rosters"), NOT_THEIRS),
    "POST employers/<uuid:employer_id>/rosters": (
        lambda c, w: c.upload(f"/employers/{w.employer.pk}/rosters", b"", {"kind": "full"}),
        NOT_THEIRS,
    ),
    **{
        f"{'GET' if '.' in rest or rest in ('', '/rows') else 'POST'} {ROSTER}{rest}": (
            lambda c, w, rest=rest: (c.get if "." in rest or rest in ("", "/rows") else c.post)(
                f"/employers/{w.employer.pk}/rosters/{w.visit.pk}{rest}"
            ),
            NOT_THEIRS,
        )
        for rest in ("", "/rows", "/errors.csv", "/approve", "/reject", "/undo")
    },
    "GET employers/<uuid:employer_id>/usage": (
        lambda c, w: c.get(f"/employers/{w.employer.pk}/usage", {"period": "2026-10"}),
        NOT_THEIRS,
    ),
    "GET me/employer-benefit": (
        lambda c, w: c.get("/me/employer-benefit"),
        expected("200", "200", "200", "200", "200", "200", "200", "200", "401"),
    ),
    # The owner is a child, with whom somebody must be; staff have no record of their own.
    "POST consults": (
        lambda c, w: c.post("/consults", asking()),
        expected("403", "201", "201", "201", "409", "409", "409", "409", "401"),
    ),
    "POST consults of the patient": (
        lambda c, w: c.post("/consults", {**asking(), "patient": str(w.patient.pk), "guardian_present": True}),
        expected("201+", "201+", "403", "404", "404", "404", "404", "404", "401"),
    ),
    "GET consults": (
        lambda c, w: c.get("/consults"),
        expected("200+", "200+", "200+", "200", "200", "200", "200", "200", "401"),
    ),
    # The consult is over. Its clinicians, and its other states: tests/virtualcare/test_consult_matrix.py.
    "GET consults/<uuid:consult_id>": (lambda c, w: c.get(f"/consults/{w.consult.pk}"), OF_THE_FAMILY),
    "POST consults/<uuid:consult_id>/leave": (lambda c, w: c.post(f"/consults/{w.consult.pk}/leave"), OF_THE_CONSULT),
    "GET consults/<uuid:consult_id>/video": (
        lambda c, w: c.get(f"/consults/{w.consult.pk}/video"),
        expected("409", "409", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "POST consults/<uuid:consult_id>/video": (
        lambda c, w: c.post(f"/consults/{w.consult.pk}/video"),
        expected("409", "409", "404", "404", "404", "404", "404", "404", "401"),
    ),
    # Only who takes part reads and writes in a consult: not the clinic's staff, nor a limited parent.
    "GET consults/<uuid:consult_id>/messages": (
        lambda c, w: c.get(f"/consults/{w.consult.pk}/messages"),
        OF_THE_CONSULT,
    ),
    "POST consults/<uuid:consult_id>/messages": (
        lambda c, w: c.post(f"/consults/{w.consult.pk}/messages", {"client_id": str(w.visit.pk), "body": "Still?"}),
        expected("201+", "201+", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "POST consults/<uuid:consult_id>/read": (
        lambda c, w: c.post(f"/consults/{w.consult.pk}/read", {"seq": 1}),
        expected("200", "200", "404", "404", "404", "404", "404", "404", "401"),
    ),
    "GET consults/<uuid:consult_id>/summary": (lambda c, w: c.get(f"/consults/{w.consult.pk}/summary"), OF_THE_CONSULT),
    # What is the clinician's who has the patient: none of these (tests/virtualcare).
    "POST consults/<uuid:consult_id>/summary": (
        lambda c, w: c.post(f"/consults/{w.consult.pk}/summary", {"version": 1, "plan": "Rest."}),
        NOT_THEIRS,
    ),
    "GET consults/<uuid:consult_id>/note": (lambda c, w: c.get(f"/consults/{w.consult.pk}/note"), NOT_THEIRS),
    "PUT consults/<uuid:consult_id>/note": (
        lambda c, w: c.put(f"/consults/{w.consult.pk}/note", {"version": 0, "fields": {"plan": "Rest."}}),
        NOT_THEIRS,
    ),
    "GET consults/<uuid:consult_id>/slots": (
        lambda c, w: c.get(f"/consults/{w.consult.pk}/slots", {"visit_type": "office"}),
        NOT_THEIRS,
    ),
    "POST consults/<uuid:consult_id>/book": (
        lambda c, w: c.post(f"/consults/{w.consult.pk}/book", {"slot": w.slot()}),
        NOT_THEIRS,
    ),
    "GET consults/<uuid:consult_id>/colleagues": (
        lambda c, w: c.get(f"/consults/{w.consult.pk}/colleagues"),
        NOT_THEIRS,
    ),
    "POST consults/<uuid:consult_id>/transfer": (
        lambda c, w: c.post(f"/consults/{w.consult.pk}/transfer", {"note": "A rash."}),
        NO_CLINICIAN,
    ),
    "POST consults/<uuid:consult_id>/escalate": (
        lambda c, w: c.post(f"/consults/{w.consult.pk}/escalate", {"advice": "911", "note": "Chest pain."}),
        NO_CLINICIAN,
    ),
    "POST consults/<uuid:consult_id>/complete": (
        lambda c, w: c.post(f"/consults/{w.consult.pk}/complete"),
        NO_CLINICIAN,
    ),
    "GET clinician/status": (lambda c, w: c.get("/clinician/status"), NO_CLINICIAN),
    "PUT clinician/status": (lambda c, w: c.put("/clinician/status", {"available": False}), NO_CLINICIAN),
    "GET clinician/queue": (lambda c, w: c.get("/clinician/queue"), NO_CLINICIAN),
    "POST clinician/claims": (lambda c, w: c.post("/clinician/claims"), NO_CLINICIAN),
    "POST clinician/claims/<uuid:consult_id>/accept": (
        lambda c, w: c.post(f"/clinician/claims/{w.consult.pk}/accept"),
        NO_CLINICIAN,
    ),
    "POST clinician/claims/<uuid:consult_id>/decline": (
        lambda c, w: c.post(f"/clinician/claims/{w.consult.pk}/decline"),
        NO_CLINICIAN,
    ),
    "GET clinician/follow-ups": (lambda c, w: c.get("/clinician/follow-ups"), NO_CLINICIAN),
    "POST clinician/follow-ups/<uuid:consult_id>/take": (
        lambda c, w: c.post(f"/clinician/follow-ups/{w.consult.pk}/take"),
        NO_CLINICIAN,
    ),
    # None of them is on a roster, and none is told; staff have no record of their own.
    "POST me/employer-benefit": (
        lambda c, w: c.post("/me/employer-benefit", {"member_number": "1001", "birth_date": "1985-03-02"}),
        expected("202", "202", "202", "202", "409", "409", "409", "409", "401"),
    ),
    "DELETE me/employer-benefit/<uuid:claim_id>": (
        lambda c, w: c.delete(f"/me/employer-benefit/{w.visit.pk}"),
        NOT_THEIRS,
    ),
    # Nobody's employer pays for them (tests/memberships/test_besides.py).
    "POST me/employer-benefit/<uuid:claim_id>/offers/<uuid:offer_id>": (
        lambda c, w: c.post(f"/me/employer-benefit/{w.visit.pk}/offers/{w.visit.pk}", {"choice": "keep"}),
        NOT_THEIRS,
    ),
}
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> set[str]:
    """Every method of every route below /api/v1, as the URL configuration has it."""
    found = set()
    for route in config.urls.api:
        view: type[Endpoint] = route.callback.view_class  # type: ignore[union-attr]
        assert issubclass(view, Endpoint), f"{route.pattern} is not an Endpoint"
        found |= {f"{method.upper()} {route.pattern}" for method in METHODS if hasattr(view, method)}
    return found


def test_it_has_each_route_once():
    routes = [str(route.pattern) for route in config.urls.api]

    assert sorted(routes) == sorted(set(routes))


def test_it_has_a_row_for_every_operation_and_no_other():
    rows = {re.sub(r" (of the patient|to another clinic)$", "", name) for name in MATRIX}

    assert rows == operations()


@pytest.mark.parametrize("operation", MATRIX)
def test_it_answers_each_caller_as_expected(operation: str, world: World):
    call, wanted = MATRIX[operation]

    got = {}
    for role, user in world.callers.items():
        with transaction.atomic():
            answer = call(Caller(user), world)
            shows = "+" if CANARY.encode() in answer.content else ""
            got[role] = f"{answer.status_code}{shows}"
            transaction.set_rollback(True)

    assert got == wanted


@pytest.mark.parametrize("role", ROLES)
def test_it_refuses_methods_that_are_not_there(role: str, world: World):
    caller = Caller(world.callers[role])

    answers = {}
    for route in config.urls.api:
        path = re.sub(r"<(uuid|slug):\w+>", str(world.visit.pk), str(route.pattern))
        view: type[Endpoint] = route.callback.view_class  # type: ignore[union-attr]
        for method in METHODS:
            if not hasattr(view, method):
                answer = caller.client.generic(method.upper(), f"{API}/{path}", headers=caller.headers)
                answers[f"{method} {path}"] = answer.status_code

    allowed = {405} if role != "nobody" else {401, 405}
    assert {call: status for call, status in answers.items() if status not in allowed} == {}


WRITES = {
    "POST me/proofs": ("post", "/me/proofs", {"verifier": "demo", "reference": "DEMO-1"}),
    "POST payment-methods": ("post", "/payment-methods", {"token": "seti_1"}),
    "POST payment-methods/setup": ("post", "/payment-methods/setup", {}),
    "POST invoices/<uuid:invoice_id>/pay": ("post", "/invoices/{invoice}/pay", {"method": "{method}"}),
    "POST me/dependents/<uuid:patient_id>/invitations": (
        "post",
        "/me/dependents/{patient}/invitations",
        {"email": "sam@example.com"},
    ),
    "POST me/dependents/<uuid:patient_id>/account-invitation": (
        "post",
        "/me/dependents/{patient}/account-invitation",
        {"email": "max@example.com"},
    ),
    "POST me/account-invitation/accept": ("post", "/me/account-invitation/accept", {"code": "AAAA-BBBB-CCCC"}),
    "POST me/invitations/accept": ("post", "/me/invitations/accept", {"code": "AAAA-BBBB-CCCC"}),
    "POST break-glass": ("post", "/break-glass", BROKEN),
    "PATCH me": ("patch", "/me", {"city": "Avon"}),
    "PATCH me/preferences": ("patch", "/me/preferences", {}),
    "POST me/dependents": ("post", "/me/dependents", NEWBORN),
    "POST clinics/<uuid:clinic_id>/patients": (
        "post",
        "/clinics/{clinic}/patients",
        NEWBORN | {"email": "a@example.com"},
    ),
    "POST memberships": ("post", "/memberships", {"price": "1"}),
    "POST memberships/quote": ("post", "/memberships/quote", {"price": "1"}),
    "POST memberships/<uuid:membership_id>/switch": ("post", "/memberships/{subscription}/switch", {"price": "1"}),
    "POST memberships/<uuid:membership_id>/pause": ("post", "/memberships/{subscription}/pause", {}),
    "POST memberships/<uuid:membership_id>/resume": ("post", "/memberships/{subscription}/resume", {}),
    "POST memberships/<uuid:membership_id>/cancel": ("post", "/memberships/{subscription}/cancel", {}),
    "POST memberships/<uuid:membership_id>/payment-method": (
        "post",
        "/memberships/{subscription}/payment-method",
        {"payment_method": "{method}"},
    ),
    "POST memberships/<uuid:membership_id>/members": (
        "post",
        "/memberships/{subscription}/members",
        {"patient": "{patient}"},
    ),
    "POST memberships/<uuid:membership_id>/invitations": (
        "post",
        "/memberships/{subscription}/invitations",
        {"email": "sam@example.com"},
    ),
    "POST me/membership-invitation/accept": ("post", "/me/membership-invitation/accept", {"code": "AAAA"}),
    "POST me/membership-invitation/decline": ("post", "/me/membership-invitation/decline", {"code": "AAAA"}),
    "POST me/calendar-feed": ("post", "/me/calendar-feed", {}),
    "POST me/work-calendar-feed": ("post", "/me/work-calendar-feed", {}),
    "POST holds": ("post", "/holds", {"slot": "{slot}"}),
    "POST holds/<uuid:hold_id>/extend": ("post", "/holds/{held}/extend", {}),
    "POST appointments": ("post", "/appointments", {"hold": "{held}"}),
    "POST appointments/overbook": (
        "post",
        "/appointments/overbook",
        {"slot": "{slot}", "patient": "{patient}", "overbook_reason": "Urgent"},
    ),
    "POST appointments/<uuid:visit_id>/reschedule": ("post", "/appointments/{visit}/reschedule", {"slot": "{slot}"}),
    "POST appointments/<uuid:visit_id>/confirm": ("post", "/appointments/{visit}/confirm", {}),
    "POST appointments/<uuid:visit_id>/cancel": ("post", "/appointments/{visit}/cancel", {}),
    "POST appointments/<uuid:visit_id>/waive-fee": ("post", "/appointments/{visit}/waive-fee", {"reason": "Snow."}),
    "POST appointments/<uuid:visit_id>/status": ("post", "/appointments/{visit}/status", {"to": "arrived"}),
    "POST appointments/<uuid:visit_id>/status/undo": ("post", "/appointments/{visit}/status/undo", {"said": "arrived"}),
    "POST employers/<uuid:employer_id>/invitations": ("post", "/employers/{employer}/invitations", {}),
    "PUT employers/<uuid:employer_id>/roster-mapping": ("put", "/employers/{employer}/roster-mapping", {}),
    "POST employers/<uuid:employer_id>/rosters": ("upload", "/employers/{employer}/rosters", {"kind": "full"}),
    f"POST {ROSTER}/approve": ("post", "/employers/{employer}/rosters/{visit}/approve", {}),
    f"POST {ROSTER}/reject": ("post", "/employers/{employer}/rosters/{visit}/reject", {}),
    f"POST {ROSTER}/undo": ("post", "/employers/{employer}/rosters/{visit}/undo", {}),
    "POST me/employer-benefit": ("post", "/me/employer-benefit", {}),
    "POST consults": ("post", "/consults", ASKING),
    "POST consults/<uuid:consult_id>/leave": ("post", "/consults/{consult}/leave", {}),
    "POST consults/<uuid:consult_id>/acknowledge": ("post", "/consults/{consult}/acknowledge", {}),
    "POST consults/<uuid:consult_id>/video": ("post", "/consults/{consult}/video", {}),
    "POST consults/<uuid:consult_id>/transfer": ("post", "/consults/{consult}/transfer", {"note": "A rash."}),
    "POST consults/<uuid:consult_id>/escalate": (
        "post",
        "/consults/{consult}/escalate",
        {"advice": "911", "note": "Chest pain."},
    ),
    "POST consults/<uuid:consult_id>/complete": ("post", "/consults/{consult}/complete", {}),
    "PUT clinician/status": ("put", "/clinician/status", {"available": False}),
    "POST clinician/claims": ("post", "/clinician/claims", {}),
    "POST clinician/claims/<uuid:consult_id>/accept": ("post", "/clinician/claims/{consult}/accept", {}),
    "POST clinician/claims/<uuid:consult_id>/decline": ("post", "/clinician/claims/{consult}/decline", {}),
    "POST consults/<uuid:consult_id>/messages": (
        "post",
        "/consults/{consult}/messages",
        {"client_id": "{visit}", "body": "Still?"},
    ),
    "POST consults/<uuid:consult_id>/read": ("post", "/consults/{consult}/read", {"seq": "1"}),
    "POST consults/<uuid:consult_id>/summary": ("post", "/consults/{consult}/summary", {"version": "1"}),
    "PUT consults/<uuid:consult_id>/note": ("put", "/consults/{consult}/note", {"version": "0"}),
    "POST consults/<uuid:consult_id>/book": ("post", "/consults/{consult}/book", {"slot": "{slot}"}),
    "POST clinician/follow-ups/<uuid:consult_id>/take": ("post", "/clinician/follow-ups/{consult}/take", {}),
    "POST me/employer-benefit/<uuid:claim_id>/offers/<uuid:offer_id>": (
        "post",
        "/me/employer-benefit/{visit}/offers/{visit}",
        {"choice": "keep"},
    ),
}
DECLARED = {
    "POST memberships": {"price", "patient", "members", "proof", "payment_method", "accept_due"},
    "POST memberships/quote": {"price", "patient", "members", "proof", "switch_from"},
    "POST memberships/<uuid:membership_id>/switch": {"price", "accept_due"},
    "POST memberships/<uuid:membership_id>/resume": {"accept_due"},
    "POST memberships/<uuid:membership_id>/cancel": {"reason", "at_once"},
    "POST memberships/<uuid:membership_id>/payment-method": {"payment_method"},
    "POST memberships/<uuid:membership_id>/members": {"patient", "accept_due"},
    "POST memberships/<uuid:membership_id>/invitations": {"email", "accept_due"},
    "POST me/membership-invitation/accept": {"code"},
    "POST me/membership-invitation/decline": {"code"},
    "POST me/proofs": {"patient", "verifier", "reference"},
    "POST payment-methods": {"token"},
    "POST invoices/<uuid:invoice_id>/pay": {"method"},
    "POST me/dependents/<uuid:patient_id>/invitations": {"email", "relationship"},
    "POST me/dependents/<uuid:patient_id>/account-invitation": {"email"},
    "POST me/account-invitation/accept": {"code"},
    "POST me/invitations/accept": {"code"},
    "POST break-glass": {"given_name", "family_name", "birth_date", "reason"},
    "PATCH me": {
        "preferred_name", "phone", "street", "city", "state", "postal_code", "time_zone", "language",
    },
    "PATCH me/preferences": {"email_reminders", "sms"},
    "POST me/dependents": {
        "given_name", "family_name", "preferred_name", "birth_date", "sex", "relationship",
    },
    "POST clinics/<uuid:clinic_id>/patients": {"given_name", "family_name", "birth_date", "phone", "email"},
    "POST holds": {"slot", "patient"},
    "POST appointments": {"hold", "reason", "accept_price"},
    "POST appointments/overbook": {"slot", "patient", "overbook_reason", "reason", "accept_price"},
    "POST appointments/<uuid:visit_id>/reschedule": {"slot", "accept_price"},
    "POST appointments/<uuid:visit_id>/cancel": {"reason", "waive_fee"},
    "POST appointments/<uuid:visit_id>/waive-fee": {"reason"},
    "POST appointments/<uuid:visit_id>/status": {"to"},
    "POST appointments/<uuid:visit_id>/status/undo": {"said"},
    "POST employers/<uuid:employer_id>/invitations": {"people"},
    "PUT employers/<uuid:employer_id>/roster-mapping": {"columns", "relationships", "dates"},
    "POST employers/<uuid:employer_id>/rosters": {"file", "kind", "as_of"},
    "POST me/employer-benefit": {"patient", "member_number", "birth_date", "invitation"},
    "POST consults": {
        "patient", "modality", "location", "complaint", "answers", "consents", "guardian_present", "accept_price",
    },
    "POST consults/<uuid:consult_id>/video": {"consents"},
    "POST consults/<uuid:consult_id>/transfer": {"note", "to"},
    "POST consults/<uuid:consult_id>/escalate": {"advice", "note"},
    "POST consults/<uuid:consult_id>/complete": {"summary"},
    "PUT clinician/status": {"available"},
    "POST consults/<uuid:consult_id>/messages": {"client_id", "body"},
    "POST consults/<uuid:consult_id>/read": {"seq"},
    "POST consults/<uuid:consult_id>/summary": {
        "version", "reason", "assessment", "plan", "come_back_if", "follow_up",
    },
    "PUT consults/<uuid:consult_id>/note": {"version", "fields"},
    "POST consults/<uuid:consult_id>/book": {"slot"},
    "POST me/employer-benefit/<uuid:claim_id>/offers/<uuid:offer_id>": {"choice"},
}  # fmt: skip


def model_fields() -> set[str]:
    """The name of every column of every record of ours, and of its relation."""
    names: set[str] = set()
    for label in ("clinics", "memberships", "scheduling", "virtualcare"):
        for model in apps.get_app_config(label).get_models():
            names |= {field.name for field in model._meta.get_fields()}
            names |= {field.attname for field in model._meta.concrete_fields}
    return names


def test_it_offers_every_write_the_fields_of_every_model():
    writes = {operation for operation in operations() if operation.split()[0] in {"POST", "PUT", "PATCH"}}

    assert set(WRITES) == writes


@pytest.mark.parametrize("operation", WRITES)
def test_it_takes_no_field_that_it_does_not_declare(operation: str, world: World):
    method, path, body = WRITES[operation]
    names = {
        "slot": world.slot(),
        "held": world.held.pk,
        "visit": world.visit.pk,
        "patient": world.patient.pk,
        "clinic": world.avon.clinic.pk,
        "subscription": world.subscription.pk,
        "employer": world.employer.pk,
        "invoice": world.invoice.pk,
        "method": world.method.pk,
        "consult": world.consult.pk,
    }
    filled = {key: value.format(**names) if isinstance(value, str) else value for key, value in body.items()}
    caller = Caller(world.callers["staff here" if "overbook" in operation or "patients" in operation else "owner"])
    if "employers/" in operation:
        caller = Caller(world.benefits)
    others = sorted(model_fields() - DECLARED.get(operation, set()))
    before = snapshot()

    refused = set()
    for number in range(0, len(others), MOST_UNKNOWN):
        more = {**filled, **dict.fromkeys(others[number : number + MOST_UNKNOWN], "1")}
        if method == "upload":
            answer = caller.upload(path.format(**names), b"", more)
        else:
            answer = getattr(caller, method)(path.format(**names), more)
        assert answer.status_code == 400
        errors = answer.json()["errors"].items()
        refused |= {name for name, wrong in errors if [one["code"] for one in wrong] == ["unknown_field"]}

    assert len(others) > 100
    assert set(others) - refused == set()
    assert snapshot() == before


def snapshot() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for label in ("clinics", "memberships", "scheduling", "virtualcare")
        for model in apps.get_app_config(label).get_models()
        if model.__name__ not in {"Session"}
    ]


DECLARED_IN_QUERY = {("status", "enrollment")}
NEEDED = {
    "slots": "?visit_type=office",
    "entitlements": "?benefit=office",
    "coverage": "?state=OH&modality=text",
    "employers/<uuid:employer_id>/usage": "?period=2026-10",
    "consults/<uuid:consult_id>/slots": "?visit_type=office",
}


@pytest.mark.parametrize("route", sorted(name for name in operations() if name.startswith("GET ")))
@pytest.mark.parametrize(
    "parameter", ["ordering", "order_by", "sort", "fields", "patient__user", "user", "status", "search", "format"]
)
def test_it_filters_and_orders_by_what_it_declares_alone(route: str, parameter: str, world: World):
    caller = Caller(world.callers["owner"])
    ids = {"clinic": world.avon.clinic.pk, "visit": world.visit.pk}
    name = route.removeprefix("GET ")
    path = re.sub(
        r"<uuid:(\w+)_id>", lambda found: str(ids.get(found[1], world.visit.pk)), f"/{name}{NEEDED.get(name, '')}"
    ).replace("<slug:complaint>", "cough")

    answer = caller.get(f"{path}{'&' if '?' in path else '?'}{parameter}=patient")

    code = "invalid_choice" if (parameter, name.rpartition("/")[2]) in DECLARED_IN_QUERY else "unknown_field"
    assert (answer.status_code, answer.json()["errors"][parameter][0]["code"]) == (400, code)
