"""Invoices, as their payer reads and pays them."""

import io
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from clinics.models import AccessEvent, Patient, PatientSeen, Proxy, User
from memberships import charging, receipts, refunding, statements
from memberships.billing import issuing, settling
from memberships.models import Charge, Invoice, InvoiceLine
from tests.calls import Caller
from tests.cast import NOW, make_patient, make_user
from tests.memberships.payments.conftest import Till, bill, collect

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def me(payer: User) -> Caller:
    return Caller(payer)


def read(me: Caller, invoice: Any) -> Any:
    return me.get(f"/invoices/{invoice.pk}").json()


def text_of(me: Caller, invoice: Any) -> str:
    answer = me.get(f"/invoices/{invoice.pk}/receipt.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


class TestReading:
    def test_it_says_what_is_due_and_how_to_pay_by_hand(self, me: Caller, payer: User):
        said = read(me, bill(payer))

        assert (said["total"], said["due"], said["how"], said["action"]) == (9_900, 9_900, "by_hand", None)
        assert said["instructions"].startswith("Pay at any of our clinics")
        assert [(line["description"], line["amount"]) for line in said["lines"]] == [("Standard, a year", 9_900)]

    def test_it_says_what_was_paid_credited_and_paid_back(self, till: Till, me: Caller, payer: User):
        charge = collect(till, payer)
        charging.send_due(clock=lambda: NOW)
        refunding.ask(charge_id=charge.pk, amount=2_000, reason="Moved", actor=make_user("one"), now=NOW)

        said = read(me, charge.invoice)

        assert (said["status"], said["due"], said["how"]) == ("paid", 0, "nothing")
        assert [(note["amount"], note["reason"]) for note in said["credit_notes"]] == [(2_000, "Moved")]
        (paid,) = said["payments"]
        assert (paid["status"], paid["amount"], paid["refunded"]) == ("succeeded", 9_900, 2_000)
        assert paid["method"]["last4"] == "4242"

    @pytest.mark.parametrize(
        ("code", "told"), [("insufficient_funds", "insufficient_funds"), ("stolen_card", "card_declined")]
    )
    def test_it_says_no_more_of_a_declined_card_than_a_payer_may_know(
        self, till: Till, me: Caller, payer: User, code: str, told: str
    ):
        charge = collect(till, payer)
        Charge.objects.update(status="failed", failure=code)

        assert read(me, charge.invoice)["payments"][0]["failure"] == told

    def test_it_lists_the_newest_first_in_pages(self, me: Caller, payer: User, stranger: Patient):
        made = [bill(payer, amount) for amount in (100, 200, 300)]
        assert stranger.user is not None
        bill(stranger.user)

        first = me.get("/invoices", {"limit": 2}).json()
        second = me.client.get(first["next"], headers=me.headers).json()

        assert [one["id"] for one in first["results"] + second["results"]] == [str(one.pk) for one in reversed(made)]
        assert second["next"] is None

    def test_it_reads_a_long_one_with_no_more_statements(self, till: Till, me: Caller, payer: User):
        counts = []
        for length in (1, 20):
            lines = [issuing.Line(kind=InvoiceLine.Kind.MEMBERSHIP, description="x", amount=5) for _ in range(length)]
            invoice = issuing.issue(payer=payer, kind=Invoice.Kind.FEE, lines=lines, on=NOW.date(), now=NOW)
            assert invoice is not None
            for _ in range(length):
                settling.paid_by_hand(invoice.pk, amount=1, reference="x", actor=payer, now=NOW)
                settling.credit(invoice.pk, amount=1, reason="x", actor=None, now=NOW)
            with CaptureQueriesContext(
                connection,
            ) as statements_sent:
                read(me, invoice)
            counts.append(len(statements_sent))

        assert counts[0] == counts[1]


class TestWhoIsNamed:
    def test_reading_of_a_childs_membership_is_an_event_of_the_child(self, me: Caller, payer: User):
        child = make_patient("Mia", born=date(2018, 5, 4), user=False)
        Proxy.objects.create(user=payer, patient=child)
        invoice = bill(payer, patient=child)
        with time_machine.travel(NOW):
            for path in ("", "/receipt.pdf"):
                assert me.get(f"/invoices/{invoice.pk}{path}").status_code == 200

        seen = PatientSeen.objects.filter(patient_id=child.pk).values_list("event", flat=True)
        events = AccessEvent.objects.filter(pk__in=seen)
        assert {event.what for event in events} == {"memberships"}
        assert {event.page for event in events} == {"GET invoices/{id}", "GET invoices/{id}/receipt.pdf"}

    def test_whom_it_is_for_does_not_read_who_pays(self, pat: Patient, stranger: Patient):
        assert stranger.user is not None
        invoice = bill(stranger.user, patient=pat)

        assert Caller(pat.user).get(f"/invoices/{invoice.pk}").status_code == 404


class TestPaying:
    def test_it_is_paid_with_another_card(self, till: Till, me: Caller, payer: User):
        charge = collect(till, payer, "declines")
        charging.send_due(clock=lambda: NOW)
        other = till.method(payer)

        answer = me.post(f"/invoices/{charge.invoice_id}/pay", {"method": str(other.pk)}, **{"Idempotency-Key": "1"})
        replayed = me.post(f"/invoices/{charge.invoice_id}/pay", {"method": str(other.pk)}, **{"Idempotency-Key": "1"})
        charging.send_due(clock=lambda: NOW + timedelta(days=400))

        assert (answer.status_code, answer.json()["how"]) == (200, "card")
        assert [one["status"] for one in answer.json()["payments"]] == ["failed", "pending"]
        assert (replayed.json(), replayed["Idempotent-Replayed"]) == (answer.json(), "true")
        assert (read(me, charge.invoice)["status"], till.bank.taken) == ("paid", [9_900])

    def test_it_is_charged_once_at_a_time(self, till: Till, me: Caller, payer: User):
        charge = collect(till, payer)

        again = me.post(f"/invoices/{charge.invoice_id}/pay", {"method": str(charge.method_id)})

        assert (again.status_code, again.json()["code"]) == (409, "charge_under_way")

    def test_nothing_is_charged_that_is_paid(self, till: Till, me: Caller, payer: User):
        charge = collect(till, payer)
        charging.send_due(clock=lambda: NOW)

        again = me.post(f"/invoices/{charge.invoice_id}/pay", {"method": str(charge.method_id)})

        assert (again.status_code, again.json()["code"]) == (409, "invoice_not_open")

    def test_it_is_paid_with_ones_own_card_alone(self, till: Till, me: Caller, payer: User, stranger: Patient):
        invoice = bill(payer)
        assert stranger.user is not None
        theirs = till.method(stranger.user)

        assert me.post(f"/invoices/{invoice.pk}/pay", {"method": str(theirs.pk)}).status_code == 404
        assert not Charge.objects.exists()

    def test_it_says_what_the_payers_bank_waits_for(self, till: Till, me: Caller, payer: User):
        charge = collect(till, payer, "asks")
        charging.send_due(clock=lambda: NOW)

        action = read(me, charge.invoice)["action"]

        assert action["client_secret"] == Charge.objects.get().client_secret
        assert action["public_key"].startswith("pk_")
        till.bank.decide(next(iter(till.bank.charges.values())), "succeeded")
        charging.send_due(clock=lambda: NOW + timedelta(hours=1))
        assert read(me, charge.invoice)["action"] is None


class TestReceipt:
    def test_it_is_a_receipt_of_what_was_paid(self, till: Till, me: Caller, payer: User, pat: Patient):
        charge = collect(till, payer)
        charging.send_due(clock=lambda: NOW)
        refunding.ask(charge_id=charge.pk, amount=2_000, reason="Moved away", actor=make_user("one"), now=NOW)

        text = text_of(me, charge.invoice)

        for words in (
            f"Receipt {charge.invoice}", pat.name, payer.email, "Standard, a year", "$99.00",
            "Credit note: Moved away", "-$20.00", "Paid on 2026-11-24 by visa ending in 4242", "Paid back", "$0.00",
        ):  # fmt: skip
            assert words in text, words

    def test_it_is_an_invoice_until_then(self, me: Caller, payer: User):
        text = text_of(me, bill(payer))

        assert "Invoice INV-" in text
        assert "Pay at any of our clinics" in text

    def test_it_turns_pages(self, me: Caller, payer: User):
        lines = [
            issuing.Line(kind=InvoiceLine.Kind.MEMBERSHIP, description=f"Line {n}: {'long ' * 25}", amount=n)
            for n in range(1, 81)
        ]
        invoice = issuing.issue(payer=payer, kind=Invoice.Kind.FEE, lines=lines, on=NOW.date(), now=NOW)
        assert invoice is not None

        text = text_of(me, invoice)

        assert all(f"Line {n}:" in text for n in range(1, 81))

    @pytest.mark.parametrize(
        ("words", "drawn"),
        [
            ("Zoë Núñez", "Zoë Núñez"),
            ("Nguyễn Łukasz Đặng", "Nguyen Lukasz Dang"),
            ("이수진", "???"),
            ("<b>&amp;</b> <img src='http://169.254.169.254/'/>", "<b>&amp;</b> <img src='http://169.254.169.254/'/>"),
            ("a\x00b\nc\u202e", "a?b c?"),
            ("x" * 160, "x" * 160),
        ],
    )
    def test_it_draws_words_as_they_are(self, me: Caller, payer: User, words: str, drawn: str):
        assert receipts.drawn(words).replace("\n", "") == drawn
        line = issuing.Line(kind=InvoiceLine.Kind.MEMBERSHIP, description=words.replace("\x00", "?"), amount=5)
        invoice = issuing.issue(payer=payer, kind=Invoice.Kind.FEE, lines=[line], on=NOW.date(), now=NOW)
        assert invoice is not None

        assert drawn[:20].split(maxsplit=1)[0] in text_of(me, invoice)

    def test_it_is_the_same_file_each_time(self, payer: User):
        statement = statements.read(bill(payer))

        assert receipts.pdf_of(statement) == receipts.pdf_of(statement)
