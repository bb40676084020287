"""What providers tell: twice, late, in another order, never, forged. It ends as they have it (promise 42)."""

import itertools
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from stripe import WebhookSignature

from clinics.models import User
from memberships import charging, ledger, provider_events, refunding
from memberships.ledger import Account
from memberships.models import Charge, Dispute, JournalEntry, ProviderEvent, Refund
from tests.cast import NOW, at_the_same_time
from tests.memberships.payments.bank import SECRET, Away, Told
from tests.memberships.payments.conftest import Till, collect, open_till

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=3)


def take_in(after: timedelta = timedelta()) -> int:
    return provider_events.take_in_due(clock=lambda: NOW + after)


def deliver(till: Till, *events: Told) -> None:
    for event in events:
        body, headers = till.signed(event)
        provider_events.receive(provider=till.name, body=body, headers=headers, now=NOW)


def now(charge: Charge) -> Charge:
    return Charge.objects.select_related("invoice").get(pk=charge.pk)


class TestCharges:
    def test_it_tells_before_the_providers_own_answer(self, till: Till, payer: User):
        """The row is still pending, and its worker still waits."""
        charge = collect(till, payer)
        seen = []

        def meanwhile() -> None:
            deliver(till, *till.bank.told)
            seen.append((take_in(), now(charge).status))

        till.bank.during = meanwhile
        charging.send_due(clock=lambda: NOW)

        assert seen == [(1, "succeeded")]
        assert now(charge).invoice.status == "paid"
        assert ledger.balance(Account.CASH) == 9_900

    def test_it_tells_of_a_charge_whose_answer_was_lost(self, till: Till, payer: User):
        charge = collect(till, payer)
        till.bank.charge(key=str(charge.pk), amount=charge.amount, card=next(iter(till.bank.cards)))
        deliver(till, *till.bank.told)

        assert take_in() == 1
        assert now(charge).status == "succeeded"

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_it_ends_the_same_in_any_order(self, till: Till, payer: User, order: tuple[int, ...]):
        charge = collect(till, payer, "waits")
        charging.send_due(clock=lambda: NOW)
        (at_bank,) = till.bank.charges.values()
        till.bank.decide(at_bank, "failed", "insufficient_funds")
        till.bank.decide(at_bank, "succeeded")

        for number in order:
            deliver(till, till.bank.told[number], till.bank.told[number])
            take_in()

        assert (now(charge).status, now(charge).invoice.status) == ("succeeded", "paid")
        assert ledger.balance(Account.CASH) == 9_900

    def test_one_that_failed_and_is_paid_after_all_counts(self, till: Till, payer: User):
        charge = collect(till, payer, "waits")
        charging.send_due(clock=lambda: NOW)
        (at_bank,) = till.bank.charges.values()
        till.bank.decide(at_bank, "failed", "insufficient_funds")
        deliver(till, till.bank.told[-1])
        take_in()
        assert now(charge).status == "failed"
        till.bank.decide(at_bank, "succeeded")
        deliver(till, till.bank.told[-1])

        take_in()

        assert (now(charge).status, now(charge).invoice.status) == ("succeeded", "paid")

    def test_it_closes_at_the_provider_what_a_payer_failed_to_do(self, till: Till, payer: User):
        charge = collect(till, payer, "asks")
        charging.send_due(clock=lambda: NOW)
        (at_bank,) = till.bank.charges.values()
        till.bank.decide(at_bank, "failed", "payment_intent_authentication_failure")
        deliver(till, till.bank.told[-1])

        take_in()

        assert (now(charge).status, at_bank.status) == ("failed", "cancelled")

    def test_what_is_not_ours_means_nothing(self, till: Till, payer: User):
        """Another system of the same account charges, too."""
        card = till.bank.add_card(payer.pk)
        for key in ("", str(uuid.uuid4())):
            till.bank.charge(key=key, amount=5, card=card.id)
        for charge in list(till.bank.charges):
            till.bank.refund(key="", charge=charge, amount=1)
            till.bank.dispute(charge, "open")
        deliver(till, *till.bank.told)

        assert take_in() == 6
        assert not JournalEntry.objects.exists()
        assert not Dispute.objects.exists()


class TestInbox:
    def test_it_takes_in_an_event_once(self, till: Till, payer: User):
        collect(till, payer)
        charging.send_due(clock=lambda: NOW)

        deliver(till, *till.bank.told * 3)

        assert ProviderEvent.objects.count() == 1
        assert (take_in(), take_in()) == (1, 0)

    def test_it_finds_those_that_never_came(self, till: Till, payer: User):
        charge = collect(till, payer)
        charging.send_due(clock=lambda: NOW)
        till.bank.dispute(now(charge).provider_id, "open")

        provider_events.catch_up(now=NOW)
        provider_events.catch_up(now=NOW + timedelta(hours=1))

        assert take_in() == 2
        assert Dispute.objects.get().stage == "open"

    def test_it_waits_for_a_provider_that_is_away(self, till: Till, payer: User):
        charge = collect(till, payer)
        till.bank.charge(key=str(charge.pk), amount=charge.amount, card=next(iter(till.bank.cards)))
        deliver(till, *till.bank.told)
        till.bank.faults = [Away]

        assert (take_in(), now(charge).status) == (0, "pending")
        assert (take_in(SOON), now(charge).status) == (1, "succeeded")

    def test_it_hears_the_others_where_one_cannot_be(self, till: Till, payer: User):
        charge = collect(till, payer)
        charging.send_due(clock=lambda: NOW)
        deliver(till, *till.bank.told)
        ProviderEvent.objects.create(
            provider="nobody", event_id="1", kind="x", about="charge", received_at=NOW, next_at=NOW - SOON
        )

        assert take_in() == 1
        assert now(charge).status == "succeeded"

    def test_it_does_all_of_what_an_event_means_or_nothing(
        self, faker: Till, payer: User, monkeypatch: pytest.MonkeyPatch
    ):
        charge = collect(faker, payer)
        faker.bank.charge(key=str(charge.pk), amount=charge.amount, card=next(iter(faker.bank.cards)))
        deliver(faker, *faker.bank.told)
        real = ledger.post

        def post(*_: Any, **__: Any) -> None:
            raise RuntimeError("no more")

        monkeypatch.setattr(ledger, "post", post)
        assert (take_in(), now(charge).status) == (0, "pending")
        monkeypatch.setattr(ledger, "post", real)

        assert (take_in(SOON), now(charge).status) == (1, "succeeded")

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_do_it_once(self, faker: Till, payer: User):
        charge = collect(faker, payer)
        faker.bank.charge(key=str(charge.pk), amount=charge.amount, card=next(iter(faker.bank.cards)))
        faker.bank.dispute(next(iter(faker.bank.charges)), "open")
        body, headers = faker.signed(faker.bank.told[0])

        def receive(_: Any) -> None:
            provider_events.receive(provider="fake", body=body, headers=headers, now=NOW)

        assert at_the_same_time(receive, range(4)) == [None] * 4
        done = at_the_same_time(lambda _: take_in(), range(3))

        assert sum(done) == 1
        assert ledger.balance(Account.CASH) == 9_900


class TestDisputes:
    @pytest.fixture
    def paid(self, till: Till, payer: User) -> Charge:
        charge = collect(till, payer)
        charging.send_due(clock=lambda: NOW)
        return now(charge)

    @staticmethod
    def books() -> tuple[int, int, int]:
        return tuple(ledger.balance(one) for one in (Account.CASH, Account.DISPUTED, Account.BAD_DEBT))  # type: ignore[return-value]

    @pytest.mark.parametrize(
        ("stages", "books"),
        [
            (["inquiry"], (9_900, 0, 0)),
            (["inquiry", "closed"], (9_900, 0, 0)),
            (["open"], (0, 9_900, 0)),
            (["inquiry", "open", "won"], (9_900, 0, 0)),
            (["open", "lost"], (0, 0, 9_900)),
            (["open", "lost", "open", "won"], (9_900, 0, 0)),  # an appeal
        ],
    )
    def test_it_is_booked_as_it_goes(self, till: Till, paid: Charge, stages: list[str], books: tuple[int, ...]):
        for stage in stages:
            till.bank.dispute(paid.provider_id, stage)
            deliver(till, till.bank.told[-1])
            take_in()

        dispute = Dispute.objects.get()
        assert (dispute.charge_id, dispute.stage, dispute.amount) == (paid.pk, stages[-1], 9_900)
        assert self.books() == books
        assert paid.invoice.status == "paid"

    def test_it_is_booked_once_told_late_and_twice(self, till: Till, paid: Charge):
        for stage in ("open", "lost"):
            till.bank.dispute(paid.provider_id, stage)
        deliver(till, *reversed(till.bank.told * 2))

        take_in()

        assert self.books() == (0, 0, 9_900)

    def test_what_a_bank_took_is_not_paid_back_by_us_as_well(self, till: Till, paid: Charge, stranger: Any):
        till.bank.dispute(paid.provider_id, "open")
        deliver(till, till.bank.told[-1])
        take_in()

        with pytest.raises(refunding.RefundTooLarge):
            refunding.ask(charge_id=paid.pk, amount=1, reason="Twice?", actor=stranger.user, now=NOW)


class TestRefunds:
    def test_one_made_at_the_provider_is_taken_over(self, till: Till, payer: User):
        charge = collect(till, payer)
        charging.send_due(clock=lambda: NOW)
        till.bank.refund(key="", charge=now(charge).provider_id, amount=4_000)
        deliver(till, *till.bank.told * 2)

        take_in()

        refund = Refund.objects.get()
        assert (refund.status, refund.amount, refund.asked_by) == ("succeeded", 4_000, None)
        assert ledger.balance(Account.CASH) == 5_900
        assert ledger.balance(Account.REVENUE) == -5_900
        assert ledger.credit_of(payer) == 0

    def test_one_of_ours_that_comes_back_is_credit_again(self, till: Till, payer: User, stranger: Any):
        charge = collect(till, payer)
        charging.send_due(clock=lambda: NOW)
        refunding.ask(charge_id=charge.pk, amount=4_000, reason="Moved", actor=stranger.user, now=NOW)
        refunding.send_due(clock=lambda: NOW)
        assert Refund.objects.get().status == "succeeded"
        till.bank.settle(next(iter(till.bank.refunds.values())), "failed")
        deliver(till, till.bank.told[-1])

        take_in()

        assert Refund.objects.get().status == "failed"
        assert (ledger.balance(Account.CASH), ledger.credit_of(payer)) == (9_900, 4_000)


class TestWebhook:
    """Stripe calls us."""

    @pytest.fixture
    def stripe(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Till:
        return open_till("stripe", settings, monkeypatch)

    @pytest.fixture
    def event(self, stripe: Till, payer: User) -> Told:
        charge = collect(stripe, payer)
        stripe.bank.charge(key=str(charge.pk), amount=charge.amount, card=next(iter(stripe.bank.cards)))
        return stripe.bank.told[0]

    @staticmethod
    def post(body: bytes, headers: dict[str, str], after: timedelta = timedelta()) -> int:
        with time_machine.travel(NOW + after, tick=False):
            return (
                Client(enforce_csrf_checks=True)
                .post("/webhooks/stripe", body, "application/json", headers=headers)
                .status_code
            )

    def test_it_keeps_an_event_and_answers(self, stripe: Till, event: Told):
        assert self.post(*stripe.signed(event)) == 204

        assert take_in() == 1
        assert Charge.objects.get().status == "succeeded"

    def test_it_answers_twice_what_came_twice(self, stripe: Till, event: Told):
        assert [self.post(*stripe.signed(event)) for _ in range(2)] == [204, 204]
        assert ProviderEvent.objects.count() == 1

    def test_it_believes_no_forgery_and_nothing_stale(self, stripe: Till, event: Told, settings: Any):
        body, headers = stripe.signed(event)

        answers = [
            self.post(body.replace(b"pi_", b"px_"), headers),
            self.post(body, {}),
            self.post(body, {"Stripe-Signature": "t=,v1="}),
            self.post(b"\xff\xfe", headers),
            self.post(*stripe.signed(event, secret="whsec_other")),
            self.post(body, headers, timedelta(minutes=6)),
            self.post(body, headers, -timedelta(minutes=6)),
        ]
        settings.STRIPE = {**settings.STRIPE, "WEBHOOK_SECRET": ""}
        answers.append(self.post(*stripe.signed(event, secret="")))

        assert answers == [403] * 8
        assert not ProviderEvent.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [b"", b"{}", b"[]", b"null", b'{"id": 1, "type": 2, "data": {"object": 3}}', b'{"data": {"object": null}}'],
    )
    def test_it_takes_signed_rubbish_for_a_forgery(self, stripe: Till, body: bytes):
        header = WebhookSignature.generate_signature_header(body.decode(), SECRET, int(NOW.timestamp()))

        assert self.post(body, {"Stripe-Signature": header}) == 403

    def test_it_takes_posts_alone(self):
        assert Client().get("/webhooks/stripe").status_code == 405

    def test_it_answers_at_once_and_asks_nobody(self, stripe: Till, event: Told):
        """One statement, whatever Stripe does meanwhile."""
        before = stripe.bank.calls
        with CaptureQueriesContext(connection) as statements:
            assert self.post(*stripe.signed(event)) == 204

        written = [one["sql"] for one in statements if "SAVEPOINT" not in one["sql"]]
        assert len(written) == 1
        assert stripe.bank.calls == before


def test_a_server_that_takes_no_cards_believes_nobody(payer: User):
    assert Client().post("/webhooks/stripe", b"{}", "application/json").status_code == 403
