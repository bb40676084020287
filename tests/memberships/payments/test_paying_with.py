"""Another card for a membership: from now on, for what is overdue, and by the way of paying an invoice."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine

from clinics.models import Patient, User
from memberships import changing, charging, methods
from memberships.models import Charge, Invoice, Subscription
from tests.calls import Caller
from tests.cast import at_the_same_time, make_patient
from tests.memberships.payments.conftest import Till, bill
from tests.memberships.selling import Offer, join, noon, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
START = date(2026, 11, 24)
NOW = noon(START)
RENEWAL = date(2027, 11, 24)


@pytest.fixture
def payer(guest: Patient) -> User:
    assert guest.user is not None
    return guest.user


@pytest.fixture
def me(payer: User) -> Caller:
    return Caller(payer)


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def joined(guest: Patient, offer: Offer, till: Till, manner: str = "good") -> Subscription:
    """Paid with a first card, which behaves as `manner` says."""
    assert guest.user is not None
    made = join(guest, offer.year, on=START, method=till.method(guest.user, manner))
    charging.send_due(clock=lambda: NOW)
    made.refresh_from_db()
    return made


def lapsed(guest: Patient, offer: Offer, till: Till) -> Subscription:
    """Past due: its renewal was declined."""
    made = joined(guest, offer, till)
    for card in till.bank.cards.values():
        card.manner = "declines"
    sweep(RENEWAL)
    charging.send_due(clock=lambda: noon(RENEWAL))
    made.refresh_from_db()
    assert made.status == "past_due"
    return made


def post(me: Caller, subscription: Subscription, method: Any) -> Any:
    return me.post(f"/memberships/{subscription.pk}/payment-method", {"payment_method": str(method.pk)})


class TestFromNowOn:
    def test_it_is_shown_and_the_next_renewal_is_charged_to_it(
        self, offer: Offer, faker: Till, guest: Patient, payer: User, me: Caller
    ):
        mine = joined(guest, offer, faker)
        first, other = mine.method, faker.method(payer)

        answer = post(me, mine, other)

        assert first is not None
        assert (answer.status_code, answer.json()["payment_method"]["id"]) == (200, str(other.pk))
        assert me.get(f"/memberships/{mine.pk}").json()["payment_method"]["id"] == str(other.pk)
        assert Charge.objects.count() == 1
        sweep(RENEWAL)
        assert Charge.objects.get(status="pending").method == other

    def test_one_that_is_paid_by_hand_is_paid_with_a_card_from_then_on(
        self, offer: Offer, faker: Till, guest: Patient, payer: User, me: Caller
    ):
        mine, card = join(guest, offer.year, on=START), faker.method(payer)
        assert post(me, mine, card).status_code == 200
        assert not Charge.objects.exists()  # it is due in two weeks

        sweep(START + timedelta(days=14))

        assert Charge.objects.get().method == card

    def test_it_is_written_down_once(self, offer: Offer, faker: Till, guest: Patient, payer: User, me: Caller):
        mine, card = joined(guest, offer, faker), faker.method(payer)

        post(me, mine, card)
        post(me, mine, card)

        change = mine.changes.get(action="pay_with")
        assert (change.actor, change.from_status, change.to_status) == (payer, "active", "active")
        assert change.detail == "visa …4242"

    def test_somebody_elses_card_or_one_that_was_removed_is_none(
        self, offer: Offer, faker: Till, guest: Patient, payer: User, me: Caller, stranger: Patient
    ):
        mine = joined(guest, offer, faker)
        assert stranger.user is not None
        theirs, removed = faker.method(stranger.user), faker.method(payer)
        methods.remove(method=removed, now=NOW)

        answers = [post(me, mine, theirs), post(me, mine, removed)]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert Subscription.objects.get().method == mine.method

    def test_what_has_ended_is_paid_with_nothing(
        self, offer: Offer, faker: Till, guest: Patient, payer: User, me: Caller
    ):
        mine = joined(guest, offer, faker)
        changing.stop(subscription_id=mine.pk, reason="", actor=payer, by_support=True, now=NOW)

        answer = post(me, mine, faker.method(payer))

        assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")

    def test_another_who_sees_it_is_not_told_which_card_pays(
        self, offer: Offer, faker: Till, payer: User, me: Caller, guest: Patient
    ):
        kid = make_patient("Kid", born=date(2016, 3, 1), member=False)
        kid.proxies.create(user=payer)
        bought = me.post(
            "/memberships",
            {"price": offer.year.pk, "patient": str(kid.pk), "payment_method": str(faker.method(payer).pk)},
        ).json()

        seen = Caller(kid.user).get(f"/memberships/{bought['id']}").json()

        assert bought["payment_method"]["last4"] == "4242"
        assert (seen["payment_method"], seen["can"]) == (None, [])


class TestOverdue:
    def test_what_is_overdue_is_charged_to_it_at_once(self, offer: Offer, faker: Till, guest: Patient, payer: User):
        mine = lapsed(guest, offer, faker)
        with time_machine.travel(noon(RENEWAL + timedelta(days=1)), tick=False):
            answer = post(Caller(payer), mine, faker.method(payer))
            charging.send_due(clock=lambda: noon(RENEWAL + timedelta(days=1)))

        assert answer.json()["status"] == "past_due"
        mine.refresh_from_db()
        assert mine.status == "active"
        assert not Invoice.objects.filter(status="open").exists()

    def test_it_is_not_charged_twice_while_a_payment_is_under_way(
        self, offer: Offer, faker: Till, guest: Patient, payer: User
    ):
        mine, card = lapsed(guest, offer, faker), faker.method(payer)
        with time_machine.travel(noon(RENEWAL + timedelta(days=1)), tick=False):
            me = Caller(payer)
            post(me, mine, card)
            again = post(me, mine, faker.method(payer))

        assert again.status_code == 200
        assert Charge.objects.filter(status="pending").count() == 1


class TestKeeping:
    def pay(self, me: Caller, invoice: Invoice, method: Any, **more: Any) -> Any:
        return me.post(f"/invoices/{invoice.pk}/pay", {"method": str(method.pk), **more})

    def test_an_invoice_is_paid_with_a_card_that_is_kept(
        self, offer: Offer, till: Till, guest: Patient, payer: User, me: Caller
    ):
        mine = joined(guest, offer, till, "declines")
        card, invoice = till.method(payer), Invoice.objects.get()

        answer = self.pay(me, invoice, card, keep=True)
        charging.send_due(clock=lambda: NOW + timedelta(minutes=3))

        assert answer.status_code == 200
        mine.refresh_from_db()
        assert (mine.status, mine.method, till.bank.taken) == ("active", card, [19_900])

    def test_without_asking_the_membership_keeps_its_own(
        self, offer: Offer, faker: Till, guest: Patient, payer: User, me: Caller
    ):
        mine = joined(guest, offer, faker, "declines")

        self.pay(me, Invoice.objects.get(), faker.method(payer))

        assert Subscription.objects.get().method == mine.method

    def test_of_a_fee_there_is_no_membership_to_keep_it_for(self, faker: Till, payer: User, me: Caller):
        fee = bill(payer)

        refused = self.pay(me, fee, faker.method(payer), keep=True)

        assert (refused.status_code, refused.json()["code"]) == (409, "no_membership")
        assert not Charge.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_card_that_is_removed_at_the_same_time_pays_for_nothing(
    offer: Offer, faker: Till, guest: Patient, payer: User
):
    mine = joined(guest, offer, faker)

    for _ in range(5):
        card = faker.method(payer)
        acts = [
            partial(changing.pay_with, subscription_id=mine.pk, method=card, actor=payer, now=NOW),
            partial(methods.remove, method=card, now=NOW),
        ]
        at_the_same_time(lambda act: str(bool(act())), acts)

        held = Subscription.objects.select_related("method").get()
        assert held.method is None or held.method.removed_at is None
