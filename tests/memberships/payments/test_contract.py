"""What every payment provider does alike: ours that goes wrong, Stripe through its own library, and none at all."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from memberships.payments.manual import Provider as Manual
from memberships.payments.port import (
    About,
    BadToken,
    Became,
    CardsNotTaken,
    ChargeNews,
    ChargeWanted,
    DisputeNews,
    Forged,
    RefundNews,
    RefundWanted,
    Stage,
    Unavailable,
)
from tests.cast import NOW
from tests.memberships.payments.bank import Away, Lost
from tests.memberships.payments.conftest import Till

USER, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def wanted(till: Till, manner: str = "good", **changed: Any) -> ChargeWanted:
    asked: dict[str, Any] = {"key": uuid.uuid4(), "amount": 9_900, "description": "Invoice INV-000001", "since": NOW}
    if "token" not in changed:
        changed["token"] = till.token(USER, manner)
    return ChargeWanted(**{**asked, **changed})


def back(charge: str, amount: int = 9_900) -> RefundWanted:
    return RefundWanted(key=uuid.uuid4(), amount=amount, charge=charge, since=NOW)


class TestCards:
    def test_it_keeps_a_card_that_was_set_up(self, till: Till):
        begun = till.provider.setup(user=USER, known="")
        (card,) = till.bank.cards.values()
        saved = till.provider.save(till.client_token(card), user=USER)

        assert begun == f"secret_{card.id}"
        assert till.provider.public_key.startswith("pk_")
        assert (saved.brand, saved.last4, saved.expires_on.isoformat()) == ("visa", "4242", "2030-01-01")

    def test_it_sets_up_a_second_card_beside_the_first(self, till: Till):
        first = till.token(USER)
        till.provider.setup(user=USER, known=first)

        assert {card.user for card in till.bank.cards.values()} == {str(USER)}

    def test_it_keeps_no_card_of_somebody_else(self, till: Till):
        card = till.bank.add_card(OTHER)

        with pytest.raises(BadToken):
            till.provider.save(till.client_token(card), user=USER)

    @pytest.mark.parametrize("token", ["", "pm_99", "seti_99", "é", "../payouts", "pm_1?x=1", "x" * 500])
    def test_it_keeps_nothing_that_is_no_card(self, till: Till, token: str):
        with pytest.raises(BadToken):
            till.provider.save(token, user=USER)

    def test_it_forgets_a_card_also_twice(self, till: Till):
        asked = wanted(till)
        till.provider.forget(asked.token)
        till.provider.forget(asked.token)

        assert till.provider.charge(asked).became is Became.FAILED
        assert till.bank.taken == []

    def test_it_says_when_it_is_away(self, till: Till):
        card = till.bank.add_card(USER)
        for ask in (
            lambda: till.provider.setup(user=USER, known=""),
            lambda: till.provider.save(till.client_token(card), user=USER),
            lambda: till.provider.find_charge(wanted(till, token="cus_1/pm_1"), provider_id=""),
            lambda: till.provider.cancel_charge("pi_1"),
            lambda: till.provider.find_refund(back("pi_1"), provider_id=""),
            lambda: list(till.provider.events(since=NOW)),
            lambda: till.provider.fetch(About.CHARGE, "pi_1"),
        ):
            till.bank.faults = [Away]
            with pytest.raises(Unavailable):
                ask()


class TestCharge:
    def test_it_charges(self, till: Till):
        outcome = till.provider.charge(wanted(till))

        assert outcome.became is Became.SUCCEEDED
        assert outcome.provider_id in till.bank.charges
        assert till.bank.taken == [9_900]

    def test_it_says_why_it_was_declined(self, till: Till):
        outcome = till.provider.charge(wanted(till, "declines"))

        assert (outcome.became, outcome.failure) == (Became.FAILED, "insufficient_funds")

    def test_it_charges_once_for_a_key(self, till: Till):
        asked = wanted(till)

        first, second = till.provider.charge(asked), till.provider.charge(asked)

        assert first == second
        assert till.bank.taken == [9_900]

    def test_it_charges_nothing_more_under_a_key_of_another_amount(self, till: Till):
        asked = wanted(till)
        till.provider.charge(asked)

        till.provider.charge(wanted(till, key=asked.key, token=asked.token, amount=1))

        assert till.bank.taken == [9_900]

    @pytest.mark.parametrize("fault", [Away, Lost])
    def test_it_says_when_nobody_knows(self, till: Till, fault: type[Exception]):
        asked = wanted(till)
        till.bank.faults = [fault]

        assert till.provider.charge(asked).became is Became.UNCLEAR
        found = till.provider.find_charge(asked, provider_id="")
        assert found.became is (Became.SUCCEEDED if fault is Lost else Became.ABSENT)
        assert till.provider.charge(asked).became is Became.SUCCEEDED
        assert till.bank.taken == [9_900]

    def test_it_finds_one_among_many(self, till: Till):
        token = till.token(USER)
        asked = [wanted(till, token=token, amount=amount) for amount in range(100, 110)]
        made = [till.provider.charge(one) for one in asked]

        assert [till.provider.find_charge(one, provider_id="") for one in asked] == made
        assert till.provider.find_charge(wanted(till, token=token), provider_id="").became is Became.ABSENT

    def test_it_waits_for_a_bank(self, till: Till):
        asked = wanted(till, "waits")
        outcome = till.provider.charge(asked)
        before = till.provider.find_charge(asked, provider_id=outcome.provider_id)
        till.bank.decide(till.bank.charges[outcome.provider_id], "succeeded")
        after = till.provider.find_charge(asked, provider_id=outcome.provider_id)

        assert (outcome.became, before.became, after.became) == (Became.PENDING, Became.PENDING, Became.SUCCEEDED)

    def test_it_asks_the_payer_to_act(self, till: Till):
        asked = wanted(till, "asks")
        outcome = till.provider.charge(asked)
        till.bank.decide(till.bank.charges[outcome.provider_id], "succeeded")

        assert (outcome.became, outcome.client_secret) == (Became.ACTION, f"{outcome.provider_id}_secret")
        assert till.provider.find_charge(asked, provider_id="").became is Became.SUCCEEDED

    def test_it_closes_what_a_payer_does_not_do(self, till: Till):
        outcome = till.provider.charge(wanted(till, "asks"))

        assert till.provider.cancel_charge(outcome.provider_id).became is Became.FAILED
        assert till.provider.cancel_charge(outcome.provider_id).became is Became.FAILED

    def test_it_closes_nothing_that_succeeded(self, till: Till):
        outcome = till.provider.charge(wanted(till))

        assert till.provider.cancel_charge(outcome.provider_id).became is Became.SUCCEEDED


class TestRefund:
    @pytest.fixture
    def charge(self, till: Till) -> str:
        return till.provider.charge(wanted(till)).provider_id

    def test_it_pays_back_a_part_and_the_rest(self, till: Till, charge: str):
        outcomes = [till.provider.refund(back(charge, amount)).became for amount in (3_000, 6_900)]

        assert outcomes == [Became.SUCCEEDED, Became.SUCCEEDED]

    def test_it_pays_back_no_more_than_was_paid(self, till: Till, charge: str):
        till.provider.refund(back(charge, 9_000))

        outcome = till.provider.refund(back(charge, 901))

        assert (outcome.became, outcome.failure) == (Became.FAILED, "charge_already_refunded")
        assert till.bank.given_back == [9_000]

    def test_it_pays_back_once_for_a_key(self, till: Till, charge: str):
        asked = back(charge, 1_000)

        assert till.provider.refund(asked) == till.provider.refund(asked)
        assert till.bank.given_back == [1_000]

    @pytest.mark.parametrize("fault", [Away, Lost])
    def test_it_says_when_nobody_knows(self, till: Till, charge: str, fault: type[Exception]):
        asked = back(charge)
        till.bank.faults = [fault]

        assert till.provider.refund(asked).became is Became.UNCLEAR
        found = till.provider.find_refund(asked, provider_id="")
        assert found.became is (Became.SUCCEEDED if fault is Lost else Became.ABSENT)
        assert till.provider.refund(asked).became is Became.SUCCEEDED
        assert till.bank.given_back == [9_900]

    def test_it_waits_for_a_bank(self, till: Till, charge: str):
        till.bank.refunds_wait = True
        asked = back(charge)
        outcome = till.provider.refund(asked)
        till.bank.settle(till.bank.refunds[outcome.provider_id], "failed")
        found = till.provider.find_refund(asked, provider_id=outcome.provider_id)

        assert outcome.became is Became.PENDING
        assert found.became is Became.FAILED
        assert found.failure

    def test_it_pays_back_nothing_that_is_disputed(self, till: Till, charge: str):
        till.bank.dispute(charge, "open")

        assert till.provider.refund(back(charge)).became is Became.FAILED


class TestEvents:
    def test_it_says_what_is_new_and_how_it_stands(self, till: Till):
        asked = wanted(till)
        charge = till.provider.charge(asked)
        refunded = back(charge.provider_id, 100)
        refund = till.provider.refund(refunded)
        till.bank.dispute(charge.provider_id, "open")

        events = [till.provider.event(*till.signed(one), now=NOW) for one in till.bank.told]
        news = [till.provider.fetch(one.about, one.object_id) for one in events]

        assert [one.about for one in events] == [About.CHARGE, About.REFUND, About.DISPUTE]
        assert news[0] == ChargeNews(asked.key, charge)
        assert news[1] == RefundNews(refunded.key, charge.provider_id, 100, refund)
        assert isinstance(news[2], DisputeNews)
        assert (news[2].charge, news[2].amount, news[2].stage) == (charge.provider_id, 9_900, Stage.OPEN)

    def test_it_says_how_it_stands_now_and_not_what_an_event_said(self, till: Till):
        till.provider.charge(wanted(till, "waits"))
        (charge,) = till.bank.charges.values()
        till.bank.decide(charge, "succeeded")
        event = till.provider.event(*till.signed(till.bank.told[0]), now=NOW)

        news = till.provider.fetch(event.about, event.object_id)

        assert isinstance(news, ChargeNews)
        assert news.outcome.became is Became.SUCCEEDED

    def test_it_takes_none_that_is_forged_or_stale(self, till: Till):
        till.provider.charge(wanted(till))
        (event,) = till.bank.told
        body, headers = till.signed(event)
        (name,) = headers
        late = NOW + timedelta(minutes=5, seconds=1)

        for given, said, now in [
            (body + b" ", headers, NOW),
            (body, {}, NOW),
            (body, {name: ""}, NOW),
            (body, {name: "t=1,v1=é"}, NOW),
            (*till.signed(event, secret="whsec_other"), NOW),
            (*till.signed(event, secret=""), NOW),
            (body, headers, late),
            (body, headers, NOW - timedelta(minutes=6)),
        ]:
            with pytest.raises(Forged):
                till.provider.event(given, said, now=now)
        assert till.provider.event(body, headers, now=late - timedelta(seconds=1)).id == event.id

    def test_it_lists_those_that_never_came(self, till: Till):
        for _ in range(5):
            till.provider.charge(wanted(till))
        till.bank.now = NOW + timedelta(hours=1)
        till.provider.charge(wanted(till))

        assert {one.id for one in till.provider.events(since=NOW)} == {one.id for one in till.bank.told}
        assert [one.id for one in till.provider.events(since=till.bank.now)] == [till.bank.told[-1].id]


class TestNone:
    """`manual` takes no cards: it charges nothing, believes no event, and leaves paying back to people."""

    def test_it_takes_no_card(self):
        for ask in (lambda: Manual().setup(user=USER, known=""), lambda: Manual().save("pm_1", user=USER)):
            with pytest.raises(CardsNotTaken):
                ask()
        Manual().forget("pm_1")

    def test_it_charges_nothing(self):
        asked = ChargeWanted(key=USER, amount=1, token="", description="", since=NOW)

        assert {
            Manual().charge(asked).became,
            Manual().find_charge(asked, provider_id="").became,
            Manual().cancel_charge("").became,
        } == {Became.FAILED}

    def test_it_leaves_paying_back_to_people(self):
        asked = back("Cheque 12")

        assert Manual().refund(asked).became is Became.PENDING
        assert Manual().find_refund(asked, provider_id="").became is Became.PENDING

    def test_it_believes_no_event(self):
        with pytest.raises(Forged):
            Manual().event(b"{}", {}, now=NOW)
        assert list(Manual().events(since=NOW)) == []
        assert Manual().fetch(About.CHARGE, "x") is None
