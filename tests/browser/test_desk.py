"""A clinic's managers in a real browser: an invoice, a refund that takes two of them, and a dispute."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinics.models import StaffRole, User
from clinics.sessions import SessionStore
from memberships.billing import settling
from memberships.models import Charge, Dispute, PaymentMethod, Refund
from tests import cast
from tests.calls import sign_in
from tests.world import World

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def at_work(page: Page, live_server: Any) -> Callable[[User], str]:
    """Signs somebody in, and says where."""

    def begin(user: User) -> str:
        address = f"http://localhost:{live_server.thread.port}"
        key = sign_in(user, SessionStore())
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": address}])
        return f"{address}/admin"

    return begin


def test_two_managers_pay_back_what_was_paid_by_hand(
    page: Page, world: World, at_work: Any, shot: Callable[[str], None]
):
    one, two = (cast.make_staff(world.avon.clinic, name, StaffRole.Role.MANAGER) for name in ("One", "Two"))
    address = at_work(one)

    page.goto(f"{address}/memberships/subscription/of/{world.patient.pk}/")
    shot("desk-memberships")
    page.get_by_role("link", name=str(world.invoice)).click()
    shot("desk-invoice-open")
    page.get_by_role("link", name="Paid by hand").click()
    page.get_by_label("What came in").fill("Check 107")
    shot("desk-invoice-paid-by-hand")
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_text("It is booked as paid.")).to_be_visible()
    shot("desk-invoice-paid")
    page.get_by_role("link", name="Pay back").click()
    page.get_by_label("US dollars").fill("500")
    page.get_by_label("Why").fill("Moved to Oregon, and was never seen")
    page.get_by_role("button", name="Pay back").click()
    expect(page.get_by_text("That is $99.00.")).to_be_visible()
    shot("desk-refund-refused")
    page.get_by_label("US dollars").fill("90")
    page.get_by_role("button", name="Pay back").click()
    expect(page.get_by_text("somebody else decides")).to_be_visible()
    shot("desk-refund-own")

    at_work(two)
    page.goto(f"{address}/")
    shot("desk-first")
    page.get_by_role("link", name="1 refund waiting for a second person").click()
    shot("desk-refunds")
    page.locator("tr.marked a").first.click()
    shot("desk-refund")
    page.get_by_role("button", name="Agree: pay $90.00 back").click()
    expect(page.get_by_text("You agreed. Pay it back, and say so here.")).to_be_visible()
    page.get_by_label("How it was paid back").fill("Transfer 22")
    shot("desk-refund-by-hand")
    page.get_by_role("button", name="It is paid back").click()
    expect(page.get_by_text("It is booked as paid back")).to_be_visible()
    page.get_by_role("link", name="History of this refund").click()
    shot("desk-refund-history")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/memberships/refund/")
    shot("desk-refunds-phone")

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    refund = Refund.objects.get()
    assert (refund.status, refund.amount, refund.asked_by, refund.decided_by) == ("succeeded", 9_000, one, two)


def test_a_manager_sees_which_disputes_are_to_be_answered(
    page: Page, world: World, at_work: Any, shot: Callable[[str], None]
):
    manager, now = cast.make_staff(world.avon.clinic, "Manager", StaffRole.Role.MANAGER), timezone.now()
    card = PaymentMethod.objects.create(
        user=world.invoice.payer, provider="stripe", token="c", brand="visa", last4="4242"
    )
    charge = Charge.objects.create(invoice=world.invoice, method=card, provider="stripe", amount=9_900, next_at=now)
    settling.charge_succeeded(charge.pk, provider_id="pi_1", now=now)
    for number, (stage, days, reason) in enumerate(
        [("open", 2, "product_unacceptable"), ("inquiry", 12, "fraudulent"), ("won", -30, "subscription_canceled")]
    ):
        due = now + timedelta(days=days)
        kept = {"stage": stage, "reason": reason, "answer_by": due, "amount": 3_000}
        Dispute.objects.create(charge=charge, provider_id=f"dp_{number}", **kept)
    address = at_work(manager)

    page.goto(f"{address}/")
    page.get_by_role("link", name="2 disputes to be answered at the payment provider").click()
    expect(page.get_by_text("Taken back", exact=True)).to_be_visible()
    expect(page.get_by_text("Won", exact=True)).to_have_count(0)
    page.goto(f"{address}/memberships/dispute/")
    expect(page.get_by_text("Won", exact=True)).to_be_visible()
    shot("desk-disputes")
    page.locator("tr.marked a").first.click()
    expect(page.get_by_text("Answer it at the payment provider")).to_be_visible()
    shot("desk-dispute")
    page.get_by_role("link", name=str(world.invoice)).click()
    expect(page.get_by_role("heading", name="Disputes")).to_be_visible()
    shot("desk-invoice-disputed")
