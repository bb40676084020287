"""An employer's benefit staff in a real browser: sending a roster, seeing what it would change, and approving it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from clinics.models import User
from clinics.sessions import SessionStore
from memberships.models import SponsoredPerson
from tests.calls import sign_in
from tests.memberships import sponsors
from tests.memberships.sponsors import IYER, LOPEZ, file

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_they_send_a_roster_and_approve_what_it_would_change(page: Page, live_server: Any, shot: Callable[[str], None]):
    employer = sponsors.make_employer()
    sponsors.make_contract(employer)
    hr = sponsors.make_benefits(employer)
    User.objects.filter(pk=hr.pk).update(is_staff=True)
    sponsors.put(employer, LOPEZ, hr)
    address = f"http://localhost:{live_server.thread.port}"
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": sign_in(hr, SessionStore()), "url": address}]
    )

    page.goto(f"{address}/admin/")
    shot("employer-first")
    page.get_by_role("link", name="Employers and rosters").click()
    expect(page.get_by_role("heading", name="Send a roster")).to_be_visible()
    shot("employer")
    lines = [LOPEZ[0].replace("Lopez", "Reyes"), *LOPEZ[1:3], *IYER, "1003,employee,=1+1,Evil,x,,2026-01-01,"]
    page.get_by_label("File (CSV)").set_input_files(
        {"name": "roster.csv", "mimeType": "text/csv", "buffer": file(*lines)}
    )
    page.get_by_role("button", name="See what it would change").click()
    expect(page.get_by_text("last name: Lopez → Reyes")).to_be_visible()
    shot("employer-roster")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("The roster is approved.")).to_be_visible()

    assert SponsoredPerson.objects.filter(employer=employer, last_name="Reyes").count() == 1
    page.get_by_role("link", name="Back to Lakeshore Tools").click()
    page.get_by_role("link", name="Who is on the roster").first.click()
    expect(page.get_by_text("Eve Iyer")).to_be_visible()
    page.get_by_label("Invite Eve Iyer").check()
    shot("employer-enrollment")
    page.get_by_role("button", name="Invite those chosen to claim").click()
    expect(page.get_by_text("1 person with an e-mail address")).to_be_visible()
    page.get_by_role("link", name="Invite everybody").click()
    expect(page.get_by_role("button", name="Invite everybody")).to_be_visible()
    shot("employer-invite")
    page.goto(f"{address}/admin/memberships/rostermapping/{employer.pk}/")
    page.get_by_label("member_number").fill("EE ID")
    page.get_by_label("Words for relationships").fill("kin = cousin")
    page.get_by_role("button", name="Read files so").click()
    expect(page.get_by_text("is not a word = one of")).to_be_visible()
    shot("employer-mapping")
    page.get_by_label("Words for relationships").fill("kin = child")
    page.get_by_role("button", name="Read files so").click()
    expect(page.get_by_text("The next file is read so.")).to_be_visible()
    page.goto(f"{address}/admin/scheduling/usagereport/{employer.pk}/?period=2026-01")
    expect(page.get_by_text("People, at least")).to_be_visible()
    shot("employer-use")


def test_an_operator_agrees_a_contract(page: Page, live_server: Any, shot: Callable[[str], None]):
    employer = sponsors.make_employer()
    sponsors.make_contract(employer)
    operator = User.objects.create_superuser("operator@example.com", None)
    address = f"http://localhost:{live_server.thread.port}"
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": sign_in(operator, SessionStore()), "url": address}]
    )

    page.goto(f"{address}/admin/memberships/roster/{employer.pk}/contract/")
    shot("employer-contract")
    page.get_by_label("From").fill("2099-01-01")
    page.get_by_label("US dollars for each person").fill("99.50")
    page.get_by_role("button", name="Agree this version").click()

    expect(page.get_by_text("The contract has a new version.")).to_be_visible()
    expect(page.get_by_text("$99.50 a year")).to_be_visible()
