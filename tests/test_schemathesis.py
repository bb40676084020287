"""The whole API against its description, by generated requests of each kind of caller (promises 21, 39 and 43)."""

from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.db import transaction
from django.test.client import ClientHandler
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from clinics.models import Patient
from tests.calls import sign_in
from tests.cast import NOW
from tests.sizes import FULL
from tests.virtualcare import people
from tests.world import CANARY, ROLES, World
from virtualcare.demo import forms as samples
from virtualcare.models import Duty

EXAMPLES = 100 if FULL else 4
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
]

# Nothing that these are answered may hold a byte of the patient.
OUTSIDERS = {"stranger", "staff elsewhere", "partner", "nobody"}

pytestmark = pytest.mark.django_db


handler = ClientHandler(enforce_csrf_checks=True)


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The project as WSGI on the test's own database connection, which a server would close between requests."""
    answer = handler(environ)
    start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
    return [answer.content]


@pytest.fixture
def schema(db: None) -> Any:
    return schemathesis.openapi.from_wsgi("/api/schema?format=json", application)


@pytest.fixture
def consults(world: World, stranger: Patient) -> list[UUID]:
    """The patient's that is over, one in the care of the world's doctor, and one that waits."""
    samples.seed(now=NOW)
    Duty.objects.create(clinician=world.doctor, available=True, changed_at=NOW, heard_at=NOW)
    people.on_call(world.doctor)
    in_care = people.waiting(world.patient)
    assert people.taken(world.doctor) == in_care
    return [world.consult.pk, in_care.pk, people.waiting(stranger).pk]


def real(case: Any, world: World, consults: list[UUID], choice: int) -> None:
    """Put ids that exist where generated ones would only ever find nothing."""
    ids = {"hold_id": world.held.pk, "visit_id": world.visit.pk, "clinic_id": world.avon.clinic.pk}
    ids |= {"patient_id": world.patient.pk, "invoice_id": world.invoice.pk, "method_id": world.method.pk}
    ids |= {"consult_id": consults[choice // 2 % len(consults)]}
    if choice % 2:
        for name in list(case.path_parameters or {}):
            if name in ids:
                case.path_parameters[name] = str(ids[name])
    if choice % 2 and isinstance(case.query, dict) and "visit_type" in case.query:
        case.query |= {"visit_type": "office", "near": "44011"}
    if choice % 3 and isinstance(case.body, dict):
        for name, value in (
            ("slot", world.slot(9 + choice % 8)),
            ("hold", str(world.held.pk)),
            ("patient", str(world.patient.pk)),
            ("method", str(world.method.pk)),
            ("complaint", "cough"),
            ("answers", {}),
            ("consents", ["telehealth"]),
            ("version", choice % 3),
        ):
            if name in case.body:
                case.body[name] = value


@pytest.mark.parametrize("role", [*ROLES, "clinician on call"])
def test_it_keeps_to_its_description(role: str, schema: Any, world: World, consults: list[UUID]):
    user = world.doctor.user if role == "clinician on call" else world.callers[role]
    headers = {"X-Session-Token": sign_in(user)} if user else {}
    operations = [found.ok() for found in schema.get_all_operations()]

    for operation in operations:
        modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])

        @settings(
            max_examples=EXAMPLES,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            modes.flatmap(lambda mode, of=operation: of.as_strategy(generation_mode=mode)),
            st.integers(0, 100),
        )
        def keeps(case: Any, choice: int) -> None:
            with transaction.atomic():
                real(case, world, consults, choice)
                answer = case.call(headers=headers)
                case.validate_response(answer, checks=CHECKS, headers=headers)
                assert role not in OUTSIDERS or CANARY.encode() not in answer.content
                transaction.set_rollback(True)

        keeps()

    assert len(operations) >= 19
