"""Paying back: never more than came, by two people above a limit, and once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings

from clinics.models import User
from memberships import charging, ledger, refunding
from memberships.billing import settling
from memberships.ledger import Account
from memberships.models import Charge, CreditNote, Dispute, Invoice, JournalEntry, Refund
from tests.cast import NOW, at_the_same_time, make_user
from tests.memberships.payments.bank import Away, Lost
from tests.memberships.payments.conftest import Till, bill, collect

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=3)


@pytest.fixture
def one() -> User:
    """Of support."""
    return make_user("one")


@pytest.fixture
def two() -> User:
    return make_user("two")


@pytest.fixture
def paid(till: Till, payer: User) -> Charge:
    """99 dollars that were paid by card."""
    charge = collect(till, payer)
    charging.send_due(clock=lambda: NOW)
    return Charge.objects.get(pk=charge.pk)


def ask(charge: Charge, amount: int, actor: User) -> Refund:
    return refunding.ask(charge_id=charge.pk, amount=amount, reason="Moved away", actor=actor, now=NOW)


def send(after: timedelta = timedelta()) -> int:
    return refunding.send_due(clock=lambda: NOW + after)


def status() -> list[str]:
    return list(Refund.objects.order_by("pk").values_list("status", flat=True))


def balances(payer: User) -> tuple[int, int, int]:
    return ledger.balance(Account.CASH), ledger.balance(Account.REFUNDING), ledger.credit_of(payer)


class TestAsking:
    def test_a_small_one_goes_at_once(self, till: Till, paid: Charge, payer: User, one: User):
        refund = ask(paid, 5_000, one)
        assert (refund.status, balances(payer)) == ("pending", (9_900, -5_000, 0))

        assert send() == 1
        assert till.bank.given_back == [5_000]
        assert (status(), balances(payer)) == (["succeeded"], (4_900, 0, 0))
        note = CreditNote.objects.get()
        assert (note.amount, note.reason, note.actor) == (5_000, "Moved away", one)
        assert ledger.balance(Account.REVENUE) == -4_900

    def test_a_large_one_waits_for_a_second_person(self, till: Till, paid: Charge, payer: User, one: User, two: User):
        refund = ask(paid, 5_001, one)
        send()
        assert (status(), till.bank.given_back, CreditNote.objects.count()) == (["proposed"], [], 0)

        refunding.approve(refund_id=refund.pk, actor=two, now=NOW)
        send()

        assert (status(), till.bank.given_back) == (["succeeded"], [5_001])
        kept = Refund.objects.get()
        assert (kept.asked_by, kept.decided_by) == (one, two)

    def test_small_steps_of_one_person_count_together(self, paid: Charge, one: User, two: User):
        steps = [ask(paid, 2_500, one).status, ask(paid, 2_500, one).status, ask(paid, 1, one).status]

        assert steps == ["pending", "pending", "proposed"]

    @pytest.mark.parametrize("decide", [refunding.approve, partial(refunding.reject, reason="Unproven")])
    def test_nobody_decides_on_what_they_asked_for(self, paid: Charge, one: User, decide: Callable[..., Any]):
        refund = ask(paid, 9_000, one)

        with pytest.raises(refunding.SamePerson):
            decide(refund_id=refund.pk, actor=one, now=NOW)
        assert status() == ["proposed"]

    def test_one_that_is_rejected_leaves_everything_as_it_was(self, till: Till, paid: Charge, one: User, two: User):
        refund = ask(paid, 9_900, one)

        refunding.reject(refund_id=refund.pk, reason="It was used", actor=two, now=NOW)
        send()

        assert (status(), till.bank.given_back, CreditNote.objects.count()) == (["rejected"], [], 0)
        assert Refund.objects.get().decided_because == "It was used"
        assert ask(paid, 9_900, one).status == "proposed"

    @pytest.mark.parametrize("decide", [refunding.approve, partial(refunding.reject, reason="Unproven")])
    def test_it_is_decided_once(self, paid: Charge, one: User, two: User, decide: Callable[..., Any]):
        refund = ask(paid, 9_000, one)
        refunding.approve(refund_id=refund.pk, actor=two, now=NOW)

        with pytest.raises(refunding.Decided):
            decide(refund_id=refund.pk, actor=two, now=NOW)

    def test_it_is_never_more_than_was_paid(self, till: Till, paid: Charge, one: User, two: User):
        ask(paid, 4_000, one)
        for amount in (5_901, 0, -1, 10**9):
            with pytest.raises(refunding.RefundTooLarge):
                ask(paid, amount, two)
        first = ask(paid, 5_900, two)

        assert refunding.left_of(paid) == 0
        refunding.approve(refund_id=first.pk, actor=one, now=NOW)
        send()
        assert sum(till.bank.given_back) == 9_900

    def test_what_a_bank_took_back_meanwhile_is_not_paid_back_too(self, paid: Charge, one: User, two: User):
        refund = ask(paid, 9_900, one)
        Dispute.objects.create(charge=paid, provider_id="dp_1", amount=9_900, stage=Dispute.Stage.OPEN)

        with pytest.raises(refunding.RefundTooLarge) as refused:
            refunding.approve(refund_id=refund.pk, actor=two, now=NOW)

        assert refused.value.extra["most"] == 0
        assert status() == ["proposed"]

    def test_it_is_nothing_of_what_was_not_paid(self, till: Till, payer: User, one: User):
        declined = collect(till, payer, "declines")
        charging.send_due(clock=lambda: NOW)

        with pytest.raises(refunding.NotPaid):
            ask(declined, 1, one)

    def test_what_is_credit_already_is_not_credited_twice(self, till: Till, paid: Charge, payer: User, one: User):
        settling.credit(paid.invoice_id, amount=3_000, reason="Kindness", actor=one, now=NOW)

        ask(paid, 5_000, one)
        send()

        assert sorted(CreditNote.objects.values_list("amount", flat=True)) == [2_000, 3_000]
        assert balances(payer) == (4_900, 0, 0)

    def test_what_was_paid_twice_goes_back_without_a_credit_note(self, till: Till, payer: User, one: User):
        charge = collect(till, payer, "waits")
        charging.send_due(clock=lambda: NOW)
        settling.paid_by_hand(charge.invoice_id, amount=9_900, reference="Cheque 7", actor=one, now=NOW)
        till.bank.decide(next(iter(till.bank.charges.values())), "succeeded")
        charging.send_due(clock=lambda: NOW + SOON)
        assert ledger.credit_of(payer) == 9_900

        ask(charge, 5_000, one)
        send()

        assert (CreditNote.objects.count(), balances(payer)) == (0, (14_800, 0, 4_900))

    def test_an_open_invoice_is_credited_instead(self, till: Till, paid: Charge, payer: User, one: User):
        Invoice.objects.filter(pk=paid.invoice_id).update(status="open", due=1)

        with pytest.raises(refunding.NotSettled):
            ask(paid, 100, one)

    def test_what_was_paid_of_an_invoice_given_up_goes_back(self, faker: Till, payer: User, one: User):
        invoice = bill(payer)
        charge = settling.paid_by_hand(invoice.pk, amount=4_000, reference="Cheque", actor=one, now=NOW)
        settling.give_up(Invoice.objects.get(), now=NOW)

        ask(charge, 4_000, one)

        assert (ledger.balance(Account.REFUNDING), ledger.credit_of(payer)) == (-4_000, 0)
        assert ledger.balance(Account.BAD_DEBT) == 5_900

    def test_the_limit_is_a_setting(self, paid: Charge, one: User, settings: LazySettings):
        settings.REFUND_ALONE_UP_TO = 0

        assert ask(paid, 1, one).status == "proposed"


class TestSending:
    @pytest.mark.parametrize("fault", [Away, Lost])
    def test_it_goes_back_once_whatever_is_lost(
        self, till: Till, paid: Charge, payer: User, one: User, fault: type[Exception]
    ):
        ask(paid, 5_000, one)
        till.bank.faults = [fault]
        assert send() == 0
        assert status() == ["pending"]

        assert send(SOON) == 1
        assert till.bank.given_back == [5_000]
        assert balances(payer) == (4_900, 0, 0)

    def test_one_that_is_refused_is_credit(self, till: Till, paid: Charge, payer: User, one: User):
        till.bank.refund(key="", charge=paid.provider_id, amount=9_000)  # at the provider, and not told yet
        ask(paid, 5_000, one)

        send()

        assert (status(), balances(payer)) == (["failed"], (9_900, 0, 5_000))
        assert Refund.objects.get().failure == "charge_already_refunded"

    def test_it_waits_for_a_bank(self, till: Till, paid: Charge, one: User):
        till.bank.refunds_wait = True
        ask(paid, 5_000, one)
        send()
        assert status() == ["pending"]
        till.bank.settle(next(iter(till.bank.refunds.values())), "succeeded")

        assert send(SOON) == 1

    def test_it_sends_the_others_where_one_cannot_be_sent(self, till: Till, payer: User, one: User):
        first, second = collect(till, payer), collect(till, payer)
        charging.send_due(clock=lambda: NOW)
        for charge in (first, second):
            ask(charge, 100, one)
        Charge.objects.filter(pk=first.pk).update(provider="nobody")

        assert send() == 1
        assert sorted(status()) == ["pending", "succeeded"]


class TestByHand:
    def test_what_was_paid_by_hand_is_paid_back_by_hand(self, payer: User, one: User):
        charge = settling.paid_by_hand(bill(payer).pk, amount=9_900, reference="Cheque 7", actor=one, now=NOW)
        refund = ask(charge, 5_000, one)

        assert send() == 0
        assert (status(), balances(payer)) == (["pending"], (9_900, -5_000, 0))
        refunding.paid_back_by_hand(refund_id=refund.pk, reference="Transfer 1", now=NOW)

        assert (status(), balances(payer)) == (["succeeded"], (4_900, 0, 0))
        with pytest.raises(refunding.Decided):
            refunding.paid_back_by_hand(refund_id=refund.pk, reference="Transfer 1", now=NOW)

    def test_nobody_says_so_of_a_card(self, faker: Till, payer: User, one: User):
        charge = collect(faker, payer)
        charging.send_due(clock=lambda: NOW)
        refund = ask(charge, 5_000, one)

        with pytest.raises(refunding.Decided):
            refunding.paid_back_by_hand(refund_id=refund.pk, reference="x", now=NOW)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_it_is_never_more_than_was_paid(self, faker: Till, payer: User):
        charge = collect(faker, payer)
        charging.send_due(clock=lambda: NOW)
        people = [make_user(f"support{number}") for number in range(6)]

        asked = at_the_same_time(lambda person: ask(charge, 3_000, person).status, people)
        done = at_the_same_time(lambda _: send(), range(3))

        assert sorted(asked) == ["pending"] * 3 + ["refund_too_large"] * 3
        assert sum(done) == 3
        assert faker.bank.given_back == [3_000] * 3
        assert balances(payer) == (900, 0, 0)

    def test_it_is_decided_by_one(self, faker: Till, payer: User, one: User):
        charge = collect(faker, payer)
        charging.send_due(clock=lambda: NOW)
        refund = ask(charge, 9_900, one)
        others = [make_user(f"other{number}") for number in range(4)]

        def decide(person: User) -> str:
            return str(refunding.approve(refund_id=refund.pk, actor=person, now=NOW).status)

        assert sorted(at_the_same_time(decide, others)) == ["pending"] + ["refund_decided"] * 3
        assert JournalEntry.objects.filter(key__startswith=f"refund:{refund.pk}").count() == 1
