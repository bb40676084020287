"""Nobody elsewhere sees a byte of a clinic's patients by any address of the admin, or changes a thing."""

import uuid
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver

from clinics.admin.site import site
from clinics.models import Patient, Proxy, StaffRole, User
from scheduling.models import Appointment, AppointmentChange, Claim
from tests import cast
from tests.calls import browser
from tests.world import CANARY, World

pytestmark = pytest.mark.django_db
# Its beginning, so that a page which repeats what was looked for is not taken for one that found it.
SOUGHT = CANARY[:5]
SEARCHES = [{}, {"q": SOUGHT}, {"q": "11/24/2016"}, {"q": SOUGHT, "day": "2026-11-24", "status": "all"}]
# What a list of ours could be asked by, if it let itself.
GUESSES = [
    {"patient__family_name__startswith": "E"},
    {"given_name__startswith": SOUGHT},
    {"o": "1"},
    {"all": ""},
    {"_to_field": "id"},
    {"_popup": "1"},
    {"e": "1"},
]


def patterns(entries: list[URLPattern | URLResolver], before: str = "/admin/") -> Iterator[tuple[str, list[str]]]:
    """Each address of the site, with the kinds of what stands in it."""
    for entry in entries:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns, route)
        elif not route.startswith("/admin/("):
            yield route, list(entry.pattern.converters)


def filled(route: str, kinds: list[str], value: object) -> str:
    for kind in kinds:
        for written in (f"<uuid:{kind}>", f"<path:{kind}>", f"<int:{kind}>", f"<str:{kind}>", f"<{kind}>"):
            route = route.replace(written, str(value))
    return route


def addresses(world: World, ids: list[object]) -> list[str]:
    """Every address, with each id where one stands in it."""
    found = []
    for route, kinds in patterns(site.get_urls()):
        for value in ids if kinds else [None]:
            address = filled(route, kinds, value)
            if "<" not in address:
                found.append(address)
    assert len(found) > 40
    return found


def forged(world: World) -> dict[str, str]:
    """A form that asks for everything at once."""
    return {
        "to": "arrived",
        "said": "booked",
        "slot": world.slot(15),
        "clinic": str(world.avon.clinic.pk),
        "clinician": str(world.avon.clinicians[0].pk),
        "given_name": SOUGHT,
        "family_name": "Example",
        "birth_date": "2016-11-24",
        "phone": "+12015550123",
        "reason": "x",
        "waive_fee": "on",
        "book": "1",
        "action": "delete_selected",
        "_selected_action": str(world.visit.pk),
        "post": "yes",
        "time_zone": "America/New_York",
        "language": "en",
    }


def everything() -> dict[str, int]:
    """How many rows there are of what matters, and what stands in those that could be changed."""
    models = [
        model for app in ("clinics", "scheduling", "memberships") for model in apps.get_app_config(app).get_models()
    ]
    kept = {"Session", "IdempotencyKey", "AccessEvent", "PatientSeen", "AccessRepeat", "Attempt"}
    return {model.__name__: model.objects.count() for model in models if model.__name__ not in kept}


def state(world: World) -> list[object]:
    return [
        everything(),
        list(Appointment.objects.order_by("pk").values()),
        list(Patient.objects.order_by("pk").values()),
        list(Claim.objects.order_by("pk").values()),
        list(AppointmentChange.objects.order_by("pk").values()),
    ]


def require_nothing(answer, address):
    body = b"" if answer.streaming else answer.content
    assert CANARY.encode() not in body, address
    assert CANARY not in str(answer.headers), address
    assert answer.status_code < 500, address


def ids(world: World) -> list[object]:
    return [
        world.visit.pk,
        world.held.pk,
        world.patient.pk,
        world.avon.clinic.pk,
        world.avon.clinicians[0].pk,
        uuid.UUID(int=7),
        "nonsense",
    ]


def test_staff_elsewhere_see_nothing_and_change_nothing(world):
    me, before = browser(world.callers["staff elsewhere"]), state(world)

    for address in addresses(world, ids(world)):
        if "logout" in address:
            continue
        for query in SEARCHES if address.endswith(("appointment/", "patient/")) else [{}]:
            require_nothing(me.get(address, query), address)
        require_nothing(me.post(address, forged(world)), address)
    for table in ("scheduling/appointment", "clinics/patient"):
        for guess in GUESSES:
            require_nothing(me.get(f"/admin/{table}/", guess), guess)
    for field in ("patient", "clinic", "user"):
        asked = {"app_label": "scheduling", "model_name": "appointment", "field_name": field, "term": SOUGHT}
        require_nothing(me.get("/admin/autocomplete/", asked), field)

    assert state(world) == before


@pytest.mark.parametrize("who", ["owner", "parent", "stranger", "partner", "benefits", "no role", "nobody"])
def test_those_whom_the_admin_is_not_for_get_nowhere(world, who):
    if who == "benefits":
        user: User | None = cast.make_user("hr", is_staff=True)
        employer = cast.make_system("Employer")
        StaffRole.objects.create(user=user, role="benefits", organization=employer)
    elif who == "no role":
        user = cast.make_user("none", is_staff=True)
    else:
        user = world.callers[who]
    me, before = browser(user), state(world)

    for address in addresses(world, [world.visit.pk]):
        if "logout" in address or "password" in address:
            continue
        for answer in (me.get(address), me.post(address, forged(world))):
            assert answer.status_code in (302, 403, 404), address
            require_nothing(answer, address)

    assert state(world) == before


def test_partners_patients_and_others_own_nothing_of_it_by_a_role_that_cares_elsewhere(world):
    """A parent who works at a desk elsewhere sees their child's visit in the app, not at their desk."""
    parent = world.callers["parent"]
    User.objects.filter(pk=parent.pk).update(is_staff=True)
    StaffRole.objects.create(user=parent, role="manager", clinic=world.elsewhere.clinic)
    assert Proxy.objects.filter(user=parent, patient=world.patient).exists()
    me = browser(User.objects.get(pk=parent.pk))

    for address in addresses(world, [world.visit.pk, world.patient.pk]):
        if "logout" not in address:
            require_nothing(me.get(address), address)


def test_it_does_show_it_to_those_who_work_there(world):
    """The control: the same addresses, by the clinic's own staff."""
    me = browser(world.callers["staff here"])

    shown = [
        address
        for address in addresses(world, [world.visit.pk, world.patient.pk])
        if "logout" not in address and CANARY.encode() in me.get(address).content
    ]

    assert len(shown) >= 8


class TestTakenAway:
    """Access ends with the next request."""

    def test_it_ends_with_the_account(self, world):
        user = world.callers["staff here"]
        me = browser(user)
        assert me.get("/admin/").status_code == 200

        User.objects.filter(pk=user.pk).update(is_active=False)

        assert me.get("/admin/").status_code == 302
        assert me.get(f"/admin/scheduling/appointment/{world.visit.pk}/change/").status_code == 302

    def test_it_ends_with_the_role(self, world):
        user = world.callers["staff here"]
        me = browser(user)

        StaffRole.objects.filter(user=user).update(clinic=world.elsewhere.clinic)
        require_nothing(me.get("/admin/"), "today")
        assert me.get(f"/admin/scheduling/appointment/{world.visit.pk}/change/").status_code == 404
        StaffRole.objects.filter(user=user).delete()

        assert me.get("/admin/").status_code == 302

    def test_it_ends_with_the_right_to_open_the_admin(self, world):
        user = world.callers["staff here"]
        me = browser(user)

        User.objects.filter(pk=user.pk).update(is_staff=False)

        assert me.get("/admin/").status_code == 302


def test_operators_see_no_patients(world):
    operator = User.objects.create_superuser("operator@example.com", None)
    me = browser(operator)

    for address in addresses(world, [world.visit.pk, world.patient.pk]):
        if "logout" not in address:
            require_nothing(me.get(address), address)
