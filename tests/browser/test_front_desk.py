"""A morning at the front desk, in a real browser: from signing in to the visit's history."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from clinics import people
from clinics.models import AccessEvent, StaffRole, User
from scheduling.models import Appointment, AppointmentChange
from tests import cast
from tests.cast import Place
from tests.signing import PASSWORD, totp

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
DESK = "desk@example.com"


@pytest.fixture
def clinic() -> Place:
    """Avon, in a time zone where it is a little after nine in the morning now, with hours of time to offer."""
    hours = 9 - datetime.now(UTC).hour
    hours = hours + 24 if hours < -12 else hours
    place = cast.make_place("Avon", rooms=2, time_zone=f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    office = cast.make_visit_type(name="Office visit")
    cast.make_shift(place, now, now + timedelta(hours=9), office)
    return place


@pytest.fixture
def dora(clinic: Place, settings: LazySettings) -> User:
    """The front desk, who has to set up a second factor first."""
    settings.STAFF_MFA_REQUIRED = True
    user = people.open_account(email=DESK, password=PASSWORD, is_staff=True)
    StaffRole.objects.create(user=user, role=StaffRole.Role.FRONT_DESK, clinic=clinic.clinic)
    return user


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill(DESK)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_it_takes_a_caller_from_the_telephone_to_the_waiting_room(
    page: Page, live_server: Any, dora: User, clinic: Place, shot: Callable[[str], None]
):
    at = f"http://localhost:{live_server.thread.port}"

    # The first time, the second factor is set up before anything else.
    page.goto(f"{at}/admin/")
    shot("staff-sign-in")
    sign_in(page)
    page.get_by_role("link", name="Set up an authenticator app").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()
    shot("staff-authenticator-app")
    seed = page.locator("code").first.inner_text().replace(" ", "")
    page.get_by_label("code").fill(totp(seed))
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/recovery*")
    shot("staff-recovery-codes")
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("main").get_by_role("button", name="Sign out").click()

    # From then on, it is asked for.
    page.goto(f"{at}/admin/")
    sign_in(page)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_label("code").fill(totp(seed, steps=1))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Avon")).to_be_visible()
    shot("dashboard-empty")

    # Somebody calls.
    page.get_by_role("link", name="Book for a caller").first.click()
    page.get_by_label("first name").fill("Nora")
    page.get_by_label("last name").fill("Vance")
    page.get_by_label("birth date").fill("1984-03-09")
    page.get_by_label("phone").fill("(201) 555-0142")
    shot("caller")
    page.get_by_role("button", name="Find or begin").click()
    shot("pick-a-time")
    page.locator("button.slot").nth(4).click()
    page.get_by_label("Why the patient comes").fill("Sore throat")
    page.get_by_label("The caller agrees").check()
    shot("hold")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_role("heading", name="Nora Vance", exact=True)).to_be_visible()
    shot("visit-booked")
    booked = Appointment.objects.get()

    # They call again, and come earlier.
    page.get_by_role("link", name="Move", exact=True).click()
    shot("move")
    page.locator("button.slot").nth(1).click()  # the first may begin meanwhile
    expect(page.get_by_role("heading", name="Nora Vance", exact=True)).to_be_visible()
    page.get_by_role("button", name="Arrived").click()
    shot("visit-arrived")
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("by")
    told = history.inner_text()
    page.goto(f"{at}/admin/scheduling/appointment/")
    shot("appointments")
    page.goto(f"{at}/admin/")
    shot("dashboard")
    expect(page.get_by_role("link", name="Nora Vance")).to_be_visible()

    visit = Appointment.objects.get()
    assert visit.status == Appointment.Status.ARRIVED
    assert visit.starts_at < booked.starts_at
    assert list(AppointmentChange.objects.values_list("kind", "actor")) == [
        (kind, dora.pk) for kind in ("held", "booked", "moved", "status")
    ]
    assert DESK in told
    assert AccessEvent.objects.filter(viewer=dora, via=AccessEvent.Via.ADMIN).exists()
