"""Coverage in a real browser: a manager sees on the map an hour that nobody covers, and puts somebody on call."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings

from clinics.models import Clinician, StaffRole
from clinics.sessions import SessionStore
from tests import cast
from tests.calls import sign_in
from tests.cast import NOW
from tests.virtualcare import people
from virtualcare.models import Consult, OnCallShift

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@time_machine.travel(NOW, tick=False)
def test_a_manager_finds_an_hour_that_nobody_covers_and_puts_somebody_on_call(live_server, page, shot):
    place = cast.make_place()
    Clinician.objects.filter(pk=place.clinicians[0].pk).update(user=cast.make_user("doctor", is_staff=True))
    place.clinicians[0].refresh_from_db()
    people.on_call(place.clinicians[0], starts=NOW, ends=NOW + timedelta(hours=30))
    people.on_call(people.make_doctor("Stone"), starts=NOW, ends=NOW + timedelta(days=6))
    a_wait_that_was_told()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    address = live_server.url.replace("127.0.0.1", "localhost")
    key = sign_in(cast.make_staff(place.clinic, "Manager", StaffRole.Role.MANAGER), SessionStore())
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": address}])

    page.goto(f"{address}/admin/")
    page.get_by_role("link", name="Coverage").click()
    page.get_by_role("table", name="OH").wait_for()
    shot("admin-coverage")
    nobody = page.get_by_role("link", name="0: nobody on call in OH, Nov 30, 2026, 09:00")
    colour = nobody.evaluate("link => getComputedStyle(link.parentElement).backgroundColor")
    nobody.click()
    page.get_by_label("Clinician", exact=True).select_option(label=place.clinicians[0].name)
    shot("admin-coverage-shift")
    page.get_by_role("button", name="Put on call").click()
    page.get_by_text(f"{place.clinicians[0].name} is on call then.").wait_for()
    shot("admin-on-call")
    page.get_by_role("link", name="Waits").click()
    page.get_by_role("img", name="Text: promise against actual").wait_for()
    shot("admin-waits")

    shift = OnCallShift.objects.order_by("-during").first()
    assert shift is not None
    assert shift.during.lower == NOW + timedelta(days=6)
    assert shift.modalities == ["video"]
    assert colour == "rgb(254, 226, 226)"
    assert refused == []


def a_wait_that_was_told() -> None:
    for days in range(1, 20):
        queued_at = NOW - timedelta(days=days)
        consult = people.waiting(now=queued_at)
        Consult.objects.filter(pk=consult.pk).update(
            promised_low=5,
            promised_high=12,
            accepted_at=queued_at + timedelta(minutes=days),
            status="cancelled",
        )
