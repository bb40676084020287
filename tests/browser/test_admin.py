"""The admin in a real browser: a front desk books for a caller, moves the visit and marks it as arrived."""

import pytest
from django.conf import settings

from clinics.sessions import SessionStore
from tests import cast
from tests.calls import sign_in
from tests.cast import at

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def refused(page):
    """What our policy refused to run or to load."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    return said


def test_a_desk_books_for_a_caller_moves_the_visit_and_marks_it_as_arrived(world, live_server, page, shot, refused):
    cast.make_room(world.avon.clinic, "Exam B")
    address = live_server.url.replace("127.0.0.1", "localhost")
    key = sign_in(world.callers["staff here"], SessionStore())
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": address}])

    page.goto(f"{address}/admin/")
    page.get_by_role("heading", name="Coming next").wait_for()
    shot("admin-today")
    page.get_by_role("link", name="Book for a caller").first.click()
    for label, text in (
        ("First name", "Mia"),
        ("Last name", "Lopez"),
        ("Birth date", "5/4/1988"),
        ("Phone", "2015550123"),
    ):
        page.get_by_label(label, exact=True).fill(text)
    shot("admin-caller")
    page.get_by_role("button", name="Find or begin").click()
    page.get_by_role("button", name="3:00 PM", exact=True).wait_for()
    shot("admin-times")
    page.get_by_role("button", name="3:00 PM", exact=True).click()
    page.get_by_label("Why the patient comes").fill("Sore throat")
    page.get_by_role("checkbox").check()
    shot("admin-hold")
    page.get_by_role("button", name="Book", exact=True).click()
    page.get_by_text("Booked.").wait_for()
    page.get_by_role("link", name="Move").click()
    page.get_by_role("button", name="4:00 PM", exact=True).click()
    page.get_by_text("Moved.").wait_for()
    page.get_by_role("button", name="Arrived").click()
    page.get_by_text("Marked as arrived.").wait_for()
    shot("admin-visit")
    page.goto(f"{address}/admin/scheduling/appointment/")
    page.get_by_text("Mia Lopez").wait_for()
    shot("admin-day")
    page.set_viewport_size({"width": 390, "height": 844})
    shot("admin-day-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{address}/admin/clinics/patient/{world.patient.pk}/change/")
    shot("admin-patient-phone")
    page.goto(f"{address}/admin/")
    shot("admin-today-phone")

    visit = world.visit.__class__.objects.get(patient__family_name="Lopez")
    assert (visit.status, visit.starts_at) == ("arrived", at(16))
    assert refused == []
