"""Nobody elsewhere sees a byte of a clinic's patients by any address of the admin, or changes a thing."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Func, Model
from django.db.models.functions import Now
from django.urls import URLPattern, URLResolver

from clinics import acting
from clinics.admin.site import site
from clinics.models import BreakGlass, Clinician, Patient, Proxy, SecondFactorReset, StaffRole, User
from memberships import refunding
from memberships.billing import settling
from memberships.models import Dispute, Invoice, Refund, Roster
from scheduling import closures, time_off
from scheduling.models import Appointment, AppointmentChange, Claim
from tests import cast
from tests.calls import browser
from tests.canaries import FAMILY_NAME
from tests.cast import NOW, at
from tests.memberships import sponsors
from tests.world import CANARY, WHY, World
from virtualcare import consulting, diverting, on_call
from virtualcare.models import Advice, Consult, IntakeForm, Modality, NurseCall, NurseShift, OnCallShift

pytestmark = [pytest.mark.slow(minutes=4), pytest.mark.django_db]
# Its beginning, so that a page which repeats what was looked for is not taken for one that found it.
SOUGHT = CANARY[:5]
SEARCHES = [{}, {"q": SOUGHT}, {"q": "11/24/2016"}, {"q": SOUGHT, "day": "2026-11-24", "status": "all"}]
# What the pages of no other app are about: their ids are tried in their own alone.
AT_HOME = (BreakGlass, User, Roster, Invoice, Refund, Dispute, Consult, OnCallShift, NurseShift)
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


def addresses(world: World, things: list[object]) -> list[str]:
    """Every address, with the id of each thing where one stands in it; see AT_HOME."""
    found = []
    for route, kinds in patterns(site.get_urls()):
        for thing in [*things, *of_care(world)] if kinds else [None]:
            if isinstance(thing, AT_HOME) and not route.startswith(f"/admin/{thing._meta.app_label}/"):
                continue
            address = filled(route, kinds, thing.pk if isinstance(thing, Model) else thing)
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
        "family_name": FAMILY_NAME,
        "birth_date": "2016-11-24",
        "phone": "+12015550123",
        "reason": "x" * 20,
        "sure": "on",
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
        model
        for app in ("clinics", "scheduling", "memberships", "virtualcare")
        for model in apps.get_app_config(app).get_models()
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
        list(BreakGlass.objects.order_by("pk").values()),
        list(User.objects.order_by("pk").values("pk", "is_active", "is_staff")),
        *(list(kind.objects.order_by("pk").values()) for kind in (Consult, OnCallShift, NurseShift, NurseCall)),
    ]


def require_nothing(answer, address):
    body = b"" if answer.streaming else answer.content
    assert CANARY.encode() not in body, address
    assert CANARY not in str(answer.headers), address
    assert answer.status_code < 500, address


@pytest.fixture
def billed(world: World) -> None:
    """What the patient paid by hand, of which somebody wants to give back some, and a bank asks."""
    by = world.callers["staff here"]
    assert by is not None
    with acting.acting(by):
        charge = settling.paid_by_hand(world.invoice.pk, amount=9_900, reference=f"{CANARY} 7", actor=by, now=NOW)
        refunding.ask(charge_id=charge.pk, amount=9_000, reason=f"{CANARY} moved", actor=by, now=NOW)
        Dispute.objects.create(charge=charge, provider_id="dp_1", amount=900, reason=CANARY, stage="inquiry")


@pytest.fixture
def planted(world: World, billed: None) -> BreakGlass:
    """What the histories tell of Avon, and a record of its patient that was opened from elsewhere."""
    avon, by = world.avon, world.callers["staff here"]
    assert by is not None
    kept: dict[str, Any] = {
        "clinic": avon.clinic,
        "start": at(20),
        "end": at(21),
        "reason": f"{CANARY} snow",
        "now": NOW,
    }
    with acting.acting(by):
        closure, _ = closures.close(**kept, actor=by)
        closures.reopen(closure=closure)
        closures.close(**kept, actor=by)
        claim, _ = time_off.enter(
            of=avon.clinicians[0], start=at(20), end=at(21), reason=f"{CANARY} away", actor=by, now=NOW
        )
        time_off.withdraw(claim=claim, actor=by, now=NOW)
        cast.make_clinician(avon.clinic, family_name=CANARY)
        StaffRole.objects.create(user=cast.make_user(CANARY.lower()), role="clinician", clinic=avon.clinic)
        SecondFactorReset.objects.create(user=by, at=NOW, reason=f"{CANARY} lost a phone")
    doctor = cast.make_staff(cast.make_place("Elyria").clinic, "Doctor", StaffRole.Role.CLINICIAN)
    return BreakGlass.objects.create(
        user=doctor,
        patient=world.patient,
        role="clinician",
        reason=f"{CANARY} came in unconscious.",
        during=Func(Now(), Now() + timedelta(hours=1), function="tstzrange"),
    )


@pytest.fixture
def roster(world: World) -> Roster:
    """One of an employer's, with somebody of the canary's name on it."""
    employer = sponsors.make_employer("Works")
    sponsors.make_contract(employer)
    lines = [f"1,employee,{CANARY},{CANARY},1980-01-01,,2026-01-01,", f"2,employee,{CANARY},{CANARY},x,,2026-01-01,"]
    return sponsors.put(employer, lines, sponsors.make_benefits(employer))


def money(world: World) -> list[Any]:
    """The patient's invoice, and what was planted of it."""
    return [world.invoice, *Refund.objects.all(), *Dispute.objects.all()]


@pytest.fixture
def sent_elsewhere(world: World) -> Consult:
    """The patient's, whom red flags sent on: a manager of Avon was told, and called."""
    manager, parent = cast.make_staff(world.avon.clinic, "Chief", StaffRole.Role.MANAGER), world.callers["parent"]
    assert parent is not None
    consult = consulting.divert(
        patient=world.patient,
        modality=Modality.TEXT,
        form=IntakeForm.objects.get(complaint="cough"),
        advice=Advice.CALL_911,
        answers={"note": WHY},
        actor=parent,
        now=NOW,
        street=f"1 {CANARY} Road",
        city="Avon",
        state="OH",
        postal_code="44011",
    )
    diverting.note_call(consult=consult, by=manager, note=f"{CANARY} is on their way.", now=NOW)
    return consult


@pytest.fixture
def planned(world: World) -> list[Any]:
    """Who is on call of Avon's people, in shifts to come and one that was changed."""
    avon = world.avon.clinic
    by: dict[str, Any] = {"actor": world.callers["staff here"], "now": NOW}
    doctor = cast.make_clinician(avon, family_name=CANARY, user=cast.make_user("away", is_staff=True))
    nurse = cast.make_user("nurse", is_staff=True)
    StaffRole.objects.create(user=nurse, role="clinician", clinic=avon)
    how: dict[str, Any] = {"start": at(12), "modalities": ["text"], "capacity": 2}
    shift = on_call.add(clinician=doctor, end=at(20), **how, **by)
    on_call.change(shift=shift, end=at(21), **how, **by)
    return [shift, on_call.add_nurse(nurse=nurse, start=at(12), end=at(20), **by)]


def of_care(world: World) -> list[Any]:
    """What there is of the patient's in virtual care, and of those who give it. Forms are the whole network's."""
    return [*Consult.objects.all(), *OnCallShift.objects.all(), *NurseShift.objects.all()]


def things(world: World) -> list[object]:
    return [
        *Roster.objects.all(),
        *(roster.employer for roster in Roster.objects.all()),
        world.visit,
        world.held,
        world.patient,
        world.avon.clinic,
        world.avon.clinicians[0],
        *BreakGlass.objects.all(),
        *money(world),
        world.callers["staff here"],
        uuid.UUID(int=7),
        "nonsense",
    ]


@pytest.mark.parametrize("who", ["front desk", "manager"])
def test_staff_elsewhere_see_nothing_and_change_nothing(world, planted, roster, sent_elsewhere, planned, who):
    manager = cast.make_staff(world.elsewhere.clinic, "Else", StaffRole.Role.MANAGER)
    me, before = browser(manager if who == "manager" else world.callers["staff elsewhere"]), state(world)

    for address in addresses(world, things(world)):
        if "logout" in address:
            continue
        for query in SEARCHES if address.endswith(("appointment/", "patient/", "breakglass/")) else [{}]:
            require_nothing(me.get(address, query), address)
        require_nothing(me.post(address, forged(world)), address)
    for table in ("scheduling/appointment", "clinics/patient"):
        for guess in GUESSES:
            require_nothing(me.get(f"/admin/{table}/", guess), guess)
    for field in ("patient", "clinic", "user"):
        asked = {"app_label": "scheduling", "model_name": "appointment", "field_name": field, "term": SOUGHT}
        require_nothing(me.get("/admin/autocomplete/", asked), field)
    shift, nurse = planned
    for page in (f"oncallshift/{shift.pk}/", f"nurseshift/{nurse.pk}/", f"nursealert/{sent_elsewhere.pk}/"):
        assert me.get(f"/admin/virtualcare/{page}").status_code in (403, 404), page

    assert state(world) == before


@pytest.mark.parametrize("who", ["owner", "parent", "stranger", "partner", "benefits", "no role", "nobody"])
def test_those_whom_the_admin_is_not_for_get_nowhere(world, sent_elsewhere, who):
    if who == "benefits":
        user: User | None = cast.make_user("hr", is_staff=True)
        employer = cast.make_system("Employer")
        StaffRole.objects.create(user=user, role="benefits", organization=employer)
    elif who == "no role":
        user = cast.make_user("none", is_staff=True)
    else:
        user = world.callers[who]
    me, before = browser(user), state(world)

    for address in addresses(world, [world.visit]):
        if "logout" in address or "password" in address:
            continue
        for answer in (me.get(address), me.post(address, forged(world))):
            assert answer.status_code in (302, 403, 404), address
            require_nothing(answer, address)

    assert state(world) == before


def test_benefit_staff_see_their_employer_and_neither_patients_nor_another_one(
    world, planted, roster, sent_elsewhere, planned
):
    employer = sponsors.make_employer("Else")
    hr = sponsors.make_benefits(employer, "else")
    User.objects.filter(pk=hr.pk).update(is_staff=True)
    mine = sponsors.put(employer, sponsors.LOPEZ, hr)
    me, before, opened = browser(hr), state(world), set()
    theirs = [world.visit, world.patient, world.avon.clinic, planted, roster, roster.employer, *money(world)]

    for address in addresses(world, [*theirs, mine, employer]):
        if "logout" in address or "password" in address:
            continue
        answer = me.get(address)
        require_nothing(answer, address)
        if answer.status_code == 200:
            opened.add(address.replace(str(mine.pk), "ROSTER").replace(str(employer.pk), "EMPLOYER"))
        if str(mine.pk) not in address:  # what they may change is theirs
            require_nothing(me.post(address, forged(world)), address)

    assert state(world) == before
    at = "/admin/memberships/roster/"
    assert opened == {
        "/admin/",
        "/admin/jsi18n/",
        "/admin/search/",
        *(f"{at}EMPLOYER/{page}" for page in ("", "enrollment/")),
        *(f"{at}of/ROSTER/{page}" for page in ("", "errors.csv")),
        "/admin/scheduling/usagereport/EMPLOYER/",
        "/admin/memberships/rostermapping/EMPLOYER/",
        "/admin/memberships/sponsorinvitation/EMPLOYER/",
    }


def test_the_employers_own_staff_are_shown_it(world, roster):
    """The control: the same addresses, by those who sent it."""
    User.objects.filter(pk=roster.uploaded_by_id).update(is_staff=True)
    me = browser(User.objects.get(pk=roster.uploaded_by_id))

    shown = [
        address
        for address in addresses(world, [roster, roster.employer])
        if "logout" not in address and CANARY.encode() in me.get(address).content
    ]

    assert len(shown) == 3  # who is on it, the roster, and its errors


def test_partners_patients_and_others_own_nothing_of_it_by_a_role_that_cares_elsewhere(world):
    """A parent who works at a desk elsewhere sees their child's visit in the app, not at their desk."""
    parent = world.callers["parent"]
    User.objects.filter(pk=parent.pk).update(is_staff=True)
    StaffRole.objects.create(user=parent, role="manager", clinic=world.elsewhere.clinic)
    assert Proxy.objects.filter(user=parent, patient=world.patient).exists()
    me = browser(User.objects.get(pk=parent.pk))

    for address in addresses(world, [world.visit, world.patient]):
        if "logout" not in address:
            require_nothing(me.get(address), address)


def test_it_does_show_it_to_those_who_work_there(world, planted, sent_elsewhere, planned):
    """The control: the same addresses, by a manager of the clinic."""
    me = browser(cast.make_staff(world.avon.clinic, "Manager", StaffRole.Role.MANAGER))

    shown = [
        address
        for address in addresses(
            world,
            [
                world.visit,
                world.patient,
                planted,
                world.callers["staff here"],
                *money(world),
            ],
        )
        if "logout" not in address and CANARY.encode() in me.get(address).content
    ]

    assert len(shown) >= 12
    told = ("breakglass/", f"{planted.pk}/", "closure/history/", "claim/history/")
    assert [end for end in told if not any(address.endswith(end) for address in shown)] == []
    of_money = {f"/admin/memberships/{type(one).__name__.lower()}/{one.pk}/change/" for one in money(world)}
    assert len(of_money) == 3
    assert {*of_money, "/admin/memberships/refund/", "/admin/memberships/dispute/"} <= set(shown)
    assert f"/admin/clinics/user/{world.callers['staff here'].pk}/history/" in shown
    shift, nurse = planned
    care = {
        "nursealert/",
        f"nursealert/{sent_elsewhere.pk}/",
        "oncallshift/",
        f"oncallshift/{shift.pk}/",
        f"oncallshift/{shift.pk}/history/",
    }
    assert {f"/admin/virtualcare/{page}" for page in care} <= set(shown)
    assert nurse.nurse.email in me.get(f"/admin/virtualcare/nurseshift/{nurse.pk}/").content.decode()
    # Nobody but who takes part reads a consult: no page of the admin is about it.
    assert not any(str(world.consult.pk) in address for address in shown)


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


def test_operators_see_no_patients(world, billed, sent_elsewhere, planned):
    # They do see who works there.
    Clinician.objects.filter(family_name=CANARY).update(family_name="Reyes")
    operator = User.objects.create_superuser("operator@example.com", None)
    me = browser(operator)
    access = BreakGlass.objects.create(
        user=world.callers["staff elsewhere"],
        patient=world.patient,
        role="clinician",
        reason=f"{CANARY} came in unconscious.",
        during=Func(Now(), Now() + timedelta(hours=1), function="tstzrange"),
    )

    for address in addresses(world, [world.visit, world.patient, access, *money(world)]):
        if "logout" not in address:
            require_nothing(me.get(address), address)
