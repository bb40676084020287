"""Those who oversee, in a real browser: what asks for them, records opened in an emergency, histories, a lost phone."""

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from playwright.sync_api import Page, expect

from clinics import acting, break_glass, staffing
from clinics.models import BreakGlass, Message, SecondFactorReset, StaffRole, User
from clinics.sessions import SessionStore
from scheduling import closures, intervals, shifts, time_off
from scheduling.shifts import WeeklyBlock
from tests import cast
from tests.calls import sign_in
from tests.cast import NOW, at
from tests.world import World

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
Role = StaffRole.Role


@pytest.fixture
def manager(world: World) -> User:
    return cast.make_staff(world.avon.clinic, "Manager", Role.MANAGER)


@pytest.fixture
def operator(world: World) -> User:
    return User.objects.create_superuser("operator@example.com", None)


@pytest.fixture
def at_work(page: Page, live_server: Any) -> Callable[[User], str]:
    """Signs somebody in, and says where."""

    def begin(user: User) -> str:
        address = f"http://localhost:{live_server.thread.port}"
        key = sign_in(user, SessionStore())
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": address}])
        return address

    return begin


def open_record(world: World, name: str, reason: str) -> BreakGlass:
    doctor = cast.make_staff(world.elsewhere.clinic, name, Role.CLINICIAN)
    patient = world.patient
    return break_glass.open_record(
        user=doctor,
        given_name=patient.given_name,
        family_name=patient.family_name,
        birth_date=patient.birth_date,
        reason=reason,
        now=NOW,
    )


def test_a_manager_ends_an_access_that_the_first_page_points_to(
    page: Page, world: World, manager: User, at_work: Any, shot: Callable[[str], None]
):
    first = open_record(world, "Surgeon", "Came in unconscious after a fall; allergies and medication are not known.")
    break_glass.end(user=first.user, access=first.pk)
    opened = open_record(world, "Doctor", "Chest pain, and cannot say what he takes; his wife is on her way.")
    Message.objects.filter(patient=world.patient).update(status="failed", error="550 no such mailbox")
    address = at_work(manager)

    page.goto(f"{address}/admin/")
    shot("admin-attention")
    page.get_by_role("link", name="1 record open in an emergency").click()
    page.wait_for_url("**/breakglass/?*")
    expect(page.get_by_role("row").filter(has_text="allergies")).to_have_count(0)
    shot("break-glass-open")
    page.goto(f"{address}/admin/clinics/breakglass/")
    shot("break-glass")
    page.locator("tr.marked a").click()
    shot("break-glass-access")
    page.get_by_role("button", name="End this access now").click()
    expect(page.get_by_text("The access is ended.")).to_be_visible()
    shot("break-glass-ended")
    page.goto(f"{address}/admin/clinics/breakglass/?q=nobody")
    shot("break-glass-none")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/admin/clinics/breakglass/")
    shot("break-glass-phone")

    assert not BreakGlass.objects.open().exists()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.history.latest("pgh_id").pgh_context["user"] == str(manager.pk)


def test_an_operator_resets_a_lost_second_factor(
    page: Page, world: World, operator: User, at_work: Any, shot: Callable[[str], None]
):
    desk = world.callers["staff here"]
    assert desk is not None
    Authenticator.objects.create(user=desk, type=Authenticator.Type.TOTP, data={})
    with acting.acting(operator):
        staffing.give(email=desk.email, role=Role.CLINICIAN, clinic=world.avon.clinic, actor=operator)
    address = at_work(operator)

    page.goto(f"{address}/admin/clinics/user/{desk.pk}/")
    shot("staff-account")
    page.get_by_role("link", name="Reset the second factor").click()
    shot("staff-reset")
    page.get_by_label("Why, and how you know").fill("Lost her phone on the bus; I called her back at home.")
    page.get_by_label("I spoke to them").check()
    page.get_by_role("button", name="Reset the second factor").click()
    expect(page.get_by_text("they are told")).to_be_visible()
    shot("staff-reset-done")
    page.get_by_role("link", name="History of this account").click()
    shot("staff-history")

    assert SecondFactorReset.objects.get().actor == operator
    assert not Authenticator.objects.exists()


def test_a_manager_reads_what_was_changed(
    page: Page, world: World, manager: User, at_work: Any, shot: Callable[[str], None]
):
    avon, clinician = world.avon, world.avon.clinicians[0]
    for days, starts in (((0, 1, 2), 9), ((0, 1, 2), 10), ((0, 1, 4), 10)):
        blocks = [WeeklyBlock(avon.clinic.pk, day, time(starts), time(17), (world.office.pk,)) for day in days]
        wanted: dict[str, Any] = {"clinician": clinician, "blocks": blocks, "from_on": date(2026, 12, 1), "now": NOW}
        with acting.acting(manager):
            digest = shifts.preview_weekly_hours(**wanted).digest
            shifts.change_weekly_hours(**wanted, actor=manager, accept=digest)
    by: dict[str, Any] = {"actor": manager, "now": NOW}
    evening = intervals.Span(at(18), at(20))
    added = shifts.add_shift(
        clinician=clinician, clinic=avon.clinic, during=evening, visit_types=[world.office.pk], **by
    )
    longer: dict[str, Any] = {
        "shift": added, "during": intervals.Span(at(18), at(21)), "visit_types": [world.office.pk], "now": NOW,
    }  # fmt: skip
    shifts.change_shift(**longer, actor=manager, accept=shifts.preview_shift_change(**longer).digest)
    with acting.acting(manager):
        closure, _ = closures.close(
            clinic=avon.clinic, start=at(12), end=at(12) + timedelta(days=1), reason="Snow", **by
        )
        closures.reopen(closure=closure)
    claim, _ = time_off.enter(of=clinician, start=at(21), end=at(23), reason="Dentist", **by)
    address = at_work(manager)

    for name, where, what in (
        ("history-weekly", f"scheduling/weeklyhours/{clinician.pk}/", "What was changed, when and by whom"),
        ("history-opening", f"clinics/openinghours/{avon.clinic.pk}/", "All changes, in full"),
        ("history-shifts", f"scheduling/shift/?clinic={avon.clinic.pk}", "What was changed by hand"),
        ("history-closures", "scheduling/closure/", "History of closures"),
        ("history-time-off", f"scheduling/claim/{claim.pk}/", "History of time off"),
    ):
        page.goto(f"{address}/admin/{where}")
        page.get_by_role("link", name=what).click()
        expect(page.get_by_role("columnheader", name="Who")).to_be_visible()
        expect(page.get_by_text(manager.email if name != "history-opening" else "the system").last).to_be_visible()
        shot(name)
