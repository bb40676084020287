"""Cards, as clients add and remove them."""

from typing import Any

import pytest

from clinics.models import Patient, User
from memberships import methods
from memberships.models import Charge, PaymentMethod
from memberships.payments.port import ProviderAway
from tests.calls import Caller
from tests.cast import NOW, at_the_same_time
from tests.memberships.payments.bank import Away
from tests.memberships.payments.conftest import Till, collect

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(payer: User) -> Caller:
    return Caller(payer)


def add(till: Till, me: Caller, user: User) -> Any:
    """As a client does: begin, take in the card, and say so."""
    begun = me.post("/payment-methods/setup")
    assert begun.status_code == 201, begun.json()
    card = till.bank.cards[begun.json()["client_secret"].removeprefix("secret_")]
    return me.post("/payment-methods", {"token": till.client_token(card)})


class TestAdding:
    def test_it_adds_a_card(self, till: Till, me: Caller, payer: User):
        added = add(till, me, payer)

        assert added.status_code == 201
        assert {name: added.json()[name] for name in ("brand", "last4", "expires_on")} == {
            "brand": "visa",
            "last4": "4242",
            "expires_on": "2030-01-01",
        }
        assert me.get("/payment-methods").json() == {"results": [added.json()], "next": None}

    def test_it_says_how_a_client_goes_on(self, till: Till, me: Caller):
        begun = me.post("/payment-methods/setup").json()

        assert begun["provider"] == till.name
        assert begun["public_key"].startswith("pk_")

    def test_it_adds_a_card_once_however_often_it_is_told(self, till: Till, me: Caller, payer: User):
        card = till.bank.add_card(payer.pk)
        key = {"Idempotency-Key": "one"}

        told = [me.post("/payment-methods", {"token": till.client_token(card)}, **key).json() for _ in range(3)]

        assert told[0] == told[1] == told[2]
        assert PaymentMethod.objects.count() == 1

    def test_its_token_is_shown_to_nobody_and_encrypted(self, till: Till, me: Caller, payer: User):
        added = add(till, me, payer)
        kept = PaymentMethod.objects.get()

        assert kept.token
        assert kept.token not in added.content.decode() + me.get("/payment-methods").content.decode()
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT token FROM memberships_paymentmethod")
            assert kept.token not in cursor.fetchone()[0]

    def test_it_adds_no_card_of_somebody_else(self, till: Till, me: Caller, stranger: Patient):
        card = till.bank.add_card(stranger.user_id)

        refused = me.post("/payment-methods", {"token": till.client_token(card)})

        assert (refused.status_code, refused.json()["code"]) == (400, "bad_payment_token")

    def test_it_says_when_the_provider_is_away(self, till: Till, me: Caller):
        till.bank.faults = [Away]
        answer = me.post("/payment-methods/setup")

        assert (answer.status_code, answer.json()["code"]) == (503, ProviderAway.code)

    @pytest.mark.django_db(transaction=True)
    def test_it_asks_the_provider_in_no_transaction(self, faker: Till, me: Caller, payer: User):
        from django.db import connection

        seen = []
        card = faker.bank.add_card(payer.pk)
        faker.bank.during = lambda: seen.append(connection.in_atomic_block)

        me.post("/payment-methods", {"token": card.id}, **{"Idempotency-Key": "one"})

        assert seen == [False]

    @pytest.mark.django_db(transaction=True)
    def test_it_adds_a_card_once_for_several_at_once(self, faker: Till, payer: User):
        card = faker.bank.add_card(payer.pk)

        made = at_the_same_time(lambda _: methods.save(user=payer, token=card.id).pk, range(4))

        assert len(set(made)) == 1

    @pytest.mark.parametrize("call", ["/payment-methods/setup", "/payment-methods"])
    def test_it_says_clearly_that_cards_are_not_taken(self, me: Caller, call: str):
        refused = me.post(call, {"token": "pm_1"} if call == "/payment-methods" else {})

        assert (refused.status_code, refused.json()["code"]) == (409, "cards_not_taken")
        assert "invoices say how they are paid" in refused.json()["detail"]


class TestRemoving:
    def test_it_is_charged_no_more_and_forgotten_by_its_provider(self, till: Till, me: Caller, payer: User):
        added = add(till, me, payer).json()

        assert me.delete(f"/payment-methods/{added['id']}").status_code == 204
        assert me.delete(f"/payment-methods/{added['id']}").status_code == 404
        assert me.get("/payment-methods").json()["results"] == []
        assert methods.forget_removed() == 1
        assert methods.forget_removed() == 0
        assert [card.gone for card in till.bank.cards.values()] == [True]
        assert PaymentMethod.objects.get().token == ""

    def test_it_is_not_forgotten_while_a_charge_is_under_way(self, till: Till, payer: User):
        charge = collect(till, payer)
        assert charge.method is not None
        methods.remove(method=charge.method, now=NOW)

        assert methods.forget_removed() == 0
        Charge.objects.update(status="failed")
        assert methods.forget_removed() == 1

    def test_it_is_forgotten_later_where_the_provider_is_away(self, till: Till, payer: User):
        methods.remove(method=till.method(payer), now=NOW)
        till.bank.faults = [Away]

        assert [methods.forget_removed(), methods.forget_removed()] == [0, 1]

    def test_it_is_theirs_alone(self, till: Till, payer: User, stranger: Patient):
        method = till.method(payer)

        assert Caller(stranger.user).delete(f"/payment-methods/{method.pk}").status_code == 404
        assert PaymentMethod.objects.get().removed_at is None
