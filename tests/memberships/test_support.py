"""What a clinic's people see and do about memberships in the admin."""

import pytest
import time_machine

from clinics.models import AccessEvent, StaffRole
from memberships.models import CreditNote, Invoice, Membership, Subscription
from tests import cast
from tests.calls import browser
from tests.cast import NOW
from tests.memberships.selling import check_books, is_covered, join

pytestmark = pytest.mark.django_db
OF = "/admin/memberships/subscription/of/"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield
        check_books()


@pytest.fixture
def here(avon, offer, guest):
    """The guest, a member, registered at Avon."""
    cast.register(guest, avon.clinic)
    return join(guest, offer.year, on=NOW.date())


@pytest.fixture
def manager(avon):
    return cast.make_staff(avon.clinic, "Manager", StaffRole.Role.MANAGER)


@pytest.fixture
def elsewhere():
    return cast.make_staff(cast.make_place("Hartford").clinic, "Elsewhere", StaffRole.Role.MANAGER)


class TestLooking:
    def test_it_says_why_a_day_is_covered_and_that_is_on_record(self, here, guest, desk):
        page = browser(desk).get(f"{OF}{guest.pk}/", {"benefit": "office", "on": "2027-11-24"})

        text = page.content.decode()
        assert "Covered by Annual" in text
        assert "$199.00" in text
        assert AccessEvent.objects.filter(viewer=desk, what="memberships").count() == 1

    def test_the_list_has_those_registered_here_alone(self, here, guest, desk, offer):
        other = cast.make_patient("Other", member=False)
        join(other, offer.year, on=NOW.date())

        page = browser(desk).get("/admin/memberships/subscription/").content.decode()

        assert str(guest) in page
        assert str(other) not in page

    def test_it_opens_to_nobody_elsewhere(self, here, guest, elsewhere, pat):
        for user in (elsewhere, pat.user, guest.user, None):
            answer = browser(user).get(f"{OF}{guest.pk}/")
            assert answer.status_code in (302, 404)
            assert "Annual" not in answer.content.decode()

    def test_it_says_that_something_is_no_benefit(self, here, guest, desk):
        page = browser(desk).get(f"{OF}{guest.pk}/", {"benefit": "banana", "on": "2027-11-24"}).content.decode()

        assert "There is no such benefit" in page
        assert "Covered by" not in page

    def test_it_asks_for_a_day(self, here, guest, desk):
        assert browser(desk).get(f"{OF}{guest.pk}/", {"benefit": "office", "on": "soon"}).status_code == 200


class TestDoing:
    GIFT = {"first": "2026-11-24", "after": "2026-12-24", "reason": "We were closed for snow."}

    def test_a_manager_gives_a_membership_for_a_reason(self, here, guest, manager, offer):
        type(offer.year.plan).objects.create(code="gift", name="Gift", audience="complimentary", benefits=["*"])

        given = browser(manager).post(f"{OF}{guest.pk}/give/", self.GIFT)
        again = browser(manager).post(f"{OF}{guest.pk}/give/", self.GIFT)

        assert (given.status_code, again.status_code) == (302, 409)
        gift = Membership.objects.get(source="complimentary")
        assert gift.reason == "We were closed for snow."
        assert gift.history.get().pgh_context["user"] == str(manager.pk)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"first": "2026-11-23"},
            {"after": "2026-11-24"},
            {"after": "2028-11-24"},
            {"reason": " "},
            {"first": "9999-01-01", "after": "9999-12-31"},
        ],
    )
    def test_it_gives_nothing_for_no_reason_the_past_or_for_ever(self, here, guest, manager, offer, wrong):
        type(offer.year.plan).objects.create(code="gift", name="Gift", audience="complimentary", benefits=["*"])

        answer = browser(manager).post(f"{OF}{guest.pk}/give/", {**self.GIFT, **wrong})

        assert answer.status_code == 400
        assert not Membership.objects.filter(source="complimentary").exists()

    def test_a_manager_credits_an_invoice_but_no_more_than_it_came_to(self, here, guest, manager):
        invoice = Invoice.objects.get()
        path = f"{OF}{guest.pk}/credit/{invoice.pk}/"

        too_much = browser(manager).post(path, {"amount": "199.01", "reason": "Sorry."})
        done = browser(manager).post(path, {"amount": "50.25", "reason": "Sorry."})

        assert (too_much.status_code, done.status_code) == (400, 302)
        assert (CreditNote.objects.get().amount, CreditNote.objects.get().actor) == (5_025, manager)
        invoice.refresh_from_db()
        assert invoice.due == 19_900 - 5_025

    def test_a_manager_ends_it_at_once(self, here, guest, manager):
        answer = browser(manager).post(f"{OF}{guest.pk}/end/{here.pk}/", {"reason": "They moved.", "at_once": "on"})

        assert answer.status_code == 302
        assert Subscription.objects.get().status == "ended"
        assert Invoice.objects.get().due == 0
        assert not is_covered(guest, cast.date(2026, 11, 25))

    def test_the_front_desk_reads_and_does_nothing(self, here, guest, desk):
        client = browser(desk)
        invoice = Invoice.objects.get()

        assert "End it" not in client.get(f"{OF}{guest.pk}/").content.decode()
        for path in ("give/", f"credit/{invoice.pk}/", f"end/{here.pk}/"):
            assert client.post(f"{OF}{guest.pk}/{path}", {"reason": "x", "amount": "1"}).status_code == 403
        assert Subscription.objects.get().status == "active"

    def test_nobody_looks_after_their_own(self, avon, offer, manager):
        own = cast.make_patient("Own", user=False, member=False)
        type(own).objects.filter(pk=own.pk).update(user=manager)
        own.refresh_from_db()
        cast.register(own, avon.clinic)

        assert browser(manager).post(f"{OF}{own.pk}/give/", self.GIFT).status_code == 404
