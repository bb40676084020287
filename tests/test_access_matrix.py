"""Every operation of the API, by who calls it. A route without a row here fails."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

import config.urls
from clinics.edge import Endpoint
from tests.calls import API, Caller
from tests.world import CANARY, ROLES, World

pytestmark = pytest.mark.django_db


def expected(*answers: str) -> dict[str, str]:
    """What each of ROLES gets: a status, and + when the answer shows something of the patient."""
    return dict(zip(ROLES, answers, strict=True))


NEWBORN = {"given_name": "New", "family_name": "Born", "birth_date": "2026-11-01"}
BROKEN = {
    "given_name": CANARY,
    "family_name": "Example",
    "birth_date": "2016-11-24",
    "reason": "Came in unconscious, nothing is known.",
}
EVERYBODY = expected("200", "200", "200", "200", "200", "200", "200", "200", "200")
OF_THE_PATIENT = expected("200+", "200+", "200+", "404", "200+", "200+", "404", "404", "401")

Row = tuple[Callable[[Caller, World], Any], dict[str, str]]
MATRIX: dict[str, Row] = {
    "GET clinics": (lambda c, w: c.get("/clinics"), EVERYBODY),
    "GET clinics/<uuid:clinic_id>": (lambda c, w: c.get(f"/clinics/{w.avon.clinic.pk}"), EVERYBODY),
    "POST clinics/<uuid:clinic_id>/patients": (
        lambda c, w: c.post(f"/clinics/{w.avon.clinic.pk}/patients", {**NEWBORN, "email": "new@example.com"}),
        expected("403", "403", "403", "403", "201", "201", "403", "403", "401"),
    ),
    "GET clinicians": (lambda c, w: c.get("/clinicians"), EVERYBODY),
    "GET plans": (lambda c, w: c.get("/plans"), EVERYBODY),
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
        path = re.sub(r"<uuid:\w+>", str(world.visit.pk), str(route.pattern))
        view: type[Endpoint] = route.callback.view_class  # type: ignore[union-attr]
        for method in METHODS:
            if not hasattr(view, method):
                answer = caller.client.generic(method.upper(), f"{API}/{path}", headers=caller.headers)
                answers[f"{method} {path}"] = answer.status_code

    allowed = {405} if role != "nobody" else {401, 405}
    assert {call: status for call, status in answers.items() if status not in allowed} == {}


WRITES = {
    "POST me/dependents/<uuid:patient_id>/invitations": (
        "post",
        "/me/dependents/{patient}/invitations",
        {"email": "sam@example.com"},
    ),
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
}
DECLARED = {
    "POST me/dependents/<uuid:patient_id>/invitations": {"email", "relationship"},
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
}  # fmt: skip


def model_fields() -> set[str]:
    """The name of every column of every record of ours, and of its relation."""
    names: set[str] = set()
    for label in ("clinics", "memberships", "scheduling"):
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
    }
    filled = {key: value.format(**names) for key, value in body.items()}
    caller = Caller(world.callers["staff here" if "overbook" in operation or "patients" in operation else "owner"])
    others = sorted(model_fields() - DECLARED.get(operation, set()))
    before = snapshot()

    taken = []
    for name in others:
        answer = getattr(caller, method)(path.format(**names), {**filled, name: "1"})
        if answer.status_code != 400 or answer.json()["errors"][name][0]["code"] != "unknown_field":
            taken.append((name, answer.status_code))

    assert len(others) > 100
    assert taken == []
    assert snapshot() == before


def snapshot() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for label in ("clinics", "memberships", "scheduling")
        for model in apps.get_app_config(label).get_models()
        if model.__name__ not in {"Session"}
    ]


NEEDED = {"slots": "?visit_type=office"}


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
    )

    answer = caller.get(f"{path}{'&' if '?' in path else '?'}{parameter}=patient")

    assert (answer.status_code, answer.json()["errors"][parameter][0]["code"]) == (400, "unknown_field")
