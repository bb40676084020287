"""Collecting what is due: once, whatever a provider, the network or a worker does."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from clinics.messages import kicking
from clinics.models import Message, User
from memberships import charging, ledger
from memberships.billing import issuing, settling
from memberships.ledger import Account
from memberships.models import Charge, JournalEntry, PaymentMethod
from tests.cast import NOW, at_the_same_time
from tests.memberships.payments.bank import Away, Lost
from tests.memberships.payments.conftest import Till, bill, collect

pytestmark = pytest.mark.django_db

SOON, DAY = timedelta(minutes=3), timedelta(days=1)


def send(after: timedelta = timedelta()) -> int:
    return charging.send_due(clock=lambda: NOW + after)


def now(charge: Charge) -> Charge:
    return Charge.objects.select_related("invoice").get(pk=charge.pk)


class TestSending:
    def test_it_collects_an_invoice(self, till: Till, payer: User):
        charge = collect(till, payer)

        assert send() == 1

        paid = now(charge)
        assert (paid.status, paid.provider_id in till.bank.charges) == ("succeeded", True)
        assert (paid.invoice.status, paid.invoice.due) == ("paid", 0)
        assert ledger.balance(Account.CASH) == 9_900
        assert send() == 0

    def test_it_keeps_an_invoice_open_whose_card_is_declined(self, till: Till, payer: User):
        charge = collect(till, payer, "declines")

        assert send() == 0

        failed = now(charge)
        assert (failed.status, failed.failure, failed.invoice.status) == ("failed", "insufficient_funds", "open")
        assert failed.invoice.next_attempt_on == NOW.date() + timedelta(days=17)
        assert Message.objects.filter(template="membership_payment_failed").count() == 1

    def test_it_asks_again_what_a_bank_takes_its_time_for(self, till: Till, payer: User):
        charge = collect(till, payer, "waits")
        send()
        (at_bank,) = till.bank.charges.values()
        assert now(charge).status == "pending"
        till.bank.decide(at_bank, "succeeded")

        assert send(SOON) == 1
        assert till.bank.taken == [9_900]

    def test_it_sends_the_others_where_one_cannot_be_sent(self, till: Till, payer: User, stranger: Any):
        broken, good = collect(till, payer), collect(till, stranger.user)
        Charge.objects.filter(pk=broken.pk).update(provider="nobody", next_at=NOW - SOON)

        assert send() == 1
        assert (now(broken).status, now(good).status) == ("pending", "succeeded")
        assert send() == 0  # it is not tried in a circle

    def test_it_sends_nothing_in_a_transaction(self, till: Till, payer: User):
        seen = []
        collect(till, payer)
        depth = len(connection.savepoint_ids)
        till.bank.during = lambda: seen.append(len(connection.savepoint_ids) - depth)

        send()

        assert seen == [0]

    def test_it_charges_no_more_than_is_due_by_then(self, till: Till, payer: User):
        charge = collect(till, payer)
        settling.credit(charge.invoice_id, amount=2_000, reason="Kindness", actor=None, now=NOW)

        send()

        assert till.bank.taken == [7_900]
        assert (now(charge).amount, now(charge).invoice.status) == (7_900, "paid")

    @pytest.mark.parametrize("lost", [False, True])
    def test_it_charges_nothing_that_is_paid_meanwhile(self, till: Till, payer: User, lost: bool):
        """Also where a worker took the charge and died before it sent it."""
        charge = collect(till, payer)
        if lost:
            charging.claim(now=NOW - SOON)
        settling.paid_by_hand(charge.invoice_id, amount=9_900, reference="Cheque 12", actor=payer, now=NOW)

        send()

        assert till.bank.taken == []
        assert (now(charge).status, now(charge).failure) == ("failed", "not_needed")

    def test_who_pays_what_is_settled_meanwhile_is_told_that_it_is_credit(self, till: Till, payer: User):
        charge = collect(till, payer, "unknown")
        send()
        settling.credit(charge.invoice_id, amount=9_900, reason="Kindness", actor=None, now=NOW)

        for _ in range(2):
            settling.charge_succeeded(charge.pk, provider_id="pi_1", now=NOW)

        told = Message.objects.get(template="membership_credited")
        assert (told.user, told.context["amount"]) == (payer, 9_900)

    def test_it_charges_no_card_that_was_removed(self, till: Till, payer: User):
        charge = collect(till, payer)
        PaymentMethod.objects.update(removed_at=NOW)

        send()

        assert till.bank.taken == []
        assert (now(charge).status, now(charge).failure) == ("failed", "method_removed")


class TestUnclear:
    def test_it_finds_a_charge_whose_answer_was_lost(self, till: Till, payer: User):
        charge = collect(till, payer)
        till.bank.faults = [Lost]
        send()
        assert (now(charge).status, now(charge).sent_at) == ("pending", NOW)

        assert send(SOON) == 1
        assert till.bank.taken == [9_900]
        assert now(charge).invoice.status == "paid"

    def test_it_finds_that_it_was_declined(self, till: Till, payer: User):
        charge = collect(till, payer, "declines")
        till.bank.faults = [Lost]
        send()

        send(SOON)

        assert (now(charge).status, now(charge).failure) == ("failed", "insufficient_funds")

    def test_it_sends_again_what_never_arrived(self, till: Till, payer: User):
        charge = collect(till, payer)
        till.bank.faults = [Away]
        send()

        assert send(SOON) == 1
        assert [one.key for one in till.bank.charges.values()] == [str(charge.pk)]

    def test_it_asks_less_often_the_longer_nobody_answers(self, till: Till, payer: User):
        charge = collect(till, payer)
        asked, moment = [], timedelta()
        for _ in range(9):
            till.bank.faults = [Away] * 3
            send(moment)
            till.bank.faults = []
            asked.append(int((now(charge).next_at - NOW - moment).total_seconds()))
            moment = now(charge).next_at - NOW

        assert asked[:4] == [30, 30, 60, 120]
        assert asked[-1] == 3_600
        assert send(moment) == 1
        assert till.bank.taken == [9_900]

    def test_it_leaves_alone_what_another_worker_has(self, till: Till, payer: User):
        charge = collect(till, payer)
        charging.claim(now=NOW)
        before = till.bank.calls

        assert send(timedelta(seconds=100)) == 0
        assert (now(charge).status, till.bank.calls) == ("pending", before)

    def test_it_takes_no_word_of_a_worker_whose_lease_is_over(self, till: Till, payer: User):
        """One that was slow says that it is unclear, after another has taken the charge."""
        charge = collect(till, payer)
        slow = charging.claim(now=NOW)
        other = charging.claim(now=NOW + SOON)
        assert slow is not None
        assert other is not None

        charging.tell(charge.pk, charging.UNCLEAR, now=NOW + SOON, lease=slow.next_at)

        assert now(charge).next_at == other.next_at


def test_it_would_charge_twice_under_another_key(faker: Till, payer: User, monkeypatch: pytest.MonkeyPatch):
    """The control: the same loss of an answer, where each try has a key of its own, as `test_it_finds_a_charge`."""
    collect(faker, payer)
    real = charging.wanted_of

    def renamed(charge: Charge, *, now: Any) -> Any:
        return replace(real(charge, now=now), key=uuid.uuid4())

    monkeypatch.setattr(charging, "wanted_of", renamed)
    faker.bank.faults = [Lost]
    send()

    send(SOON)

    assert faker.bank.taken == [9_900, 9_900]


class TestAction:
    """Where the payer's bank wants to see them: 3-D Secure."""

    @pytest.fixture
    def charge(self, till: Till, payer: User) -> Charge:
        charge = collect(till, payer, "asks")
        send()
        return charge

    def test_it_waits_for_the_payer(self, till: Till, charge: Charge):
        waiting = now(charge)

        assert (waiting.status, waiting.client_secret) == ("pending", f"{waiting.provider_id}_secret")
        till.bank.decide(till.bank.charges[waiting.provider_id], "succeeded")
        assert send(SOON) == 1
        assert (now(charge).status, now(charge).client_secret) == ("succeeded", "")

    def test_it_fails_when_they_fail_and_cannot_succeed_after(self, till: Till, charge: Charge):
        at_bank = till.bank.charges[now(charge).provider_id]
        till.bank.decide(at_bank, "failed", "payment_intent_authentication_failure")

        send(SOON)

        assert (now(charge).status, now(charge).client_secret) == ("failed", "")
        assert now(charge).failure == "payment_intent_authentication_failure"
        assert at_bank.status == "cancelled"

    def test_it_fails_after_a_day(self, till: Till, charge: Charge):
        send(DAY - timedelta(minutes=1))
        assert now(charge).status == "pending"
        Charge.objects.update(next_at=NOW)

        send(DAY)

        assert (now(charge).status, now(charge).failure) == ("failed", "authentication_timed_out")
        assert till.bank.charges[now(charge).provider_id].status == "cancelled"

    def test_it_is_paid_where_they_did_it_in_the_last_moment(self, till: Till, charge: Charge):
        at_bank = till.bank.charges[now(charge).provider_id]
        cancel = till.bank.cancel

        def a_moment_late(charge_id: str) -> Any:
            till.bank.decide(at_bank, "succeeded")
            return cancel(charge_id)

        till.bank.cancel = a_moment_late
        send(DAY)

        assert (now(charge).status, till.bank.taken) == ("succeeded", [9_900])

    def test_its_secret_is_not_in_history(self, charge: Charge):
        kept = charge.history.model

        assert "status" in {field.name for field in kept._meta.fields}
        assert "client_secret" not in {field.name for field in kept._meta.fields}


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_workers_charge_once(self, faker: Till, payer: User):
        charges = [collect(faker, payer) for _ in range(6)]

        done = at_the_same_time(lambda _: send(), range(3))

        assert sum(done) == 6
        assert faker.bank.taken == [9_900] * 6
        assert {now(charge).status for charge in charges} == {"succeeded"}
        assert ledger.balance(Account.CASH) == 6 * 9_900

    def test_two_who_ask_for_the_same_charge_book_it_once(self, faker: Till, payer: User):
        """Both after the lease was over: one was slow, and not dead."""
        charge = collect(faker, payer)
        faker.bank.faults = [Lost]
        send()
        taken = [charging.claim(now=NOW + SOON * step) for step in (1, 2)]
        assert all(taken)

        def work(one: Any) -> bool:
            return charging.tell(one.pk, charging.attempt(one, now=NOW), now=NOW, lease=one.next_at)

        assert sorted(at_the_same_time(work, taken)) == [False, True]
        assert faker.bank.taken == [9_900]
        assert JournalEntry.objects.filter(key=f"charge:{charge.pk}").count() == 1

    def test_it_tells_a_worker_as_soon_as_it_is_committed(
        self, faker: Till, payer: User, settings: Any, monkeypatch: pytest.MonkeyPatch
    ):
        told: list[Any] = []
        settings.MESSAGES_AT_ONCE = True
        monkeypatch.setattr(kicking.kicker, "kick", lambda *word: told.append(word))
        method, invoice = faker.method(payer), bill(payer)

        with transaction.atomic():
            issuing.collect(invoice, method=method, now=NOW)
            assert told == []

        assert told == [("charges", "memberships.tasks.send_payments")]


def test_it_ends_its_turn(faker: Till, payer: User):
    for _ in range(3):
        collect(faker, payer)
    with time_machine.travel(NOW):
        assert charging.send_due(clock=lambda: NOW, turn=0) == 1
