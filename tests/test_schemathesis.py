"""The whole API against its description, by generated requests of each kind of caller (promises 21, 39 and 43)."""

import os
from typing import Any

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

from tests.calls import sign_in
from tests.world import CANARY, ROLES, World

EXAMPLES = 100 if os.environ.get("SAMEDAY_PROOF") else 4
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


def real(case: Any, world: World, choice: int) -> None:
    """Put ids that exist where generated ones would only ever find nothing."""
    ids = {"hold_id": world.held.pk, "visit_id": world.visit.pk, "clinic_id": world.avon.clinic.pk}
    ids |= {"patient_id": world.patient.pk}
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
        ):
            if name in case.body:
                case.body[name] = value


@pytest.mark.parametrize("role", ROLES)
def test_it_keeps_to_its_description(role: str, schema: Any, world: World):
    user = world.callers[role]
    headers = {"X-Session-Token": sign_in(user)} if user else {}
    operations = [found.ok() for found in schema.get_all_operations()]

    for operation in operations:
        modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            modes.flatmap(lambda mode, of=operation: of.as_strategy(generation_mode=mode)),
            st.integers(0, 100),
        )
        def keeps(case: Any, choice: int) -> None:
            with transaction.atomic():
                real(case, world, choice)
                answer = case.call(headers=headers)
                case.validate_response(answer, checks=CHECKS, headers=headers)
                assert role not in OUTSIDERS or CANARY.encode() not in answer.content
                transaction.set_rollback(True)

        keeps()

    assert len(operations) >= 19
