"""Refunds, disputes and invoices in the admin: what a clinic's managers do there, and that nobody else gets in."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinics.models import AccessEvent, Patient, Proxy, StaffRole, User
from memberships import charging, refunding
from memberships.billing import settling
from memberships.models import Charge, CreditNote, Dispute, Invoice, Refund
from tests import cast
from tests.calls import browser
from tests.cast import NOW, Place, make_patient
from tests.memberships.payments.conftest import Till, bill, collect
from tests.memberships.selling import check_books

pytestmark = pytest.mark.django_db
AT = "/admin/memberships"
Role = StaffRole.Role


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield
        check_books()


@pytest.fixture
def member(avon: Place, payer: User, pat: Patient) -> Patient:
    """Who pays, registered at Avon."""
    cast.register(pat, avon.clinic)
    return pat


@pytest.fixture
def one(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "One", Role.MANAGER)


@pytest.fixture
def two(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "Two", Role.MANAGER)


def paid_by_card(till: Till, member: Patient, amount: int = 9_900) -> Charge:
    assert member.user is not None
    invoice = bill(member.user, amount, patient=member)
    charge = Charge.objects.create(
        invoice=invoice, method=till.method(member.user), provider=till.name, amount=amount, next_at=NOW
    )
    charging.send_due(clock=lambda: NOW)
    charge.refresh_from_db()
    assert charge.status == "succeeded"
    return charge


def paid_by_hand(member: Patient, actor: User, amount: int = 9_900) -> Charge:
    assert member.user is not None
    invoice = bill(member.user, amount, patient=member)
    return settling.paid_by_hand(invoice.pk, amount=amount, reference="Check 7", actor=actor, now=NOW)


@pytest.fixture
def paid(faker: Till, member: Patient) -> Charge:
    """99 dollars, by card."""
    return paid_by_card(faker, member)


@pytest.fixture
def asked(paid: Charge, one: User) -> Refund:
    """90 dollars of it, which wait for a second person."""
    return refunding.ask(charge_id=paid.pk, amount=9_000, reason="Moved away", actor=one, now=NOW)


def dispute(charge: Charge, number: int = 1, **fields: Any) -> Dispute:
    kept = {"amount": charge.amount, "reason": "product_unacceptable", "stage": "inquiry", **fields}
    return Dispute.objects.create(charge=charge, provider_id=f"dp_{number}", **kept)


def pay_back(who: User, charge: Charge, amount: str = "90", reason: str = "Moved away", key: str = "k") -> Any:
    path = f"{AT}/invoice/{charge.invoice_id}/pay-back/{charge.pk}/"
    return browser(who).post(path, {"once": key, "amount": amount, "reason": reason})


def act(who: User, refund: Refund, what: str, **fields: str) -> Any:
    return browser(who).post(f"{AT}/refund/{refund.pk}/{what}/", {"once": f"{what}{who.pk}", **fields})


def page(who: User, path: str) -> str:
    answer = browser(who).get(path)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def status(refund: Refund) -> str:
    refund.refresh_from_db()
    return refund.status


class TestAsking:
    def test_a_manager_asks_from_the_invoice_and_a_large_one_waits(
        self, paid: Charge, member: Patient, one: User, two: User
    ):
        invoice = page(one, f"{AT}/invoice/{paid.invoice_id}/change/")
        form = page(one, f"{AT}/invoice/{paid.invoice_id}/pay-back/{paid.pk}/")
        done = pay_back(one, paid)

        refund = Refund.objects.get()
        assert f"/pay-back/{paid.pk}/" in invoice
        assert 'value="99.00"' in form
        assert (done.status_code, done["Location"]) == (302, f"{AT}/refund/{refund.pk}/change/")
        assert (refund.status, refund.amount, refund.reason, refund.asked_by) == ("proposed", 9_000, "Moved away", one)
        assert refund.history.get().pgh_context["user"] == str(one.pk)
        assert "You asked for it" in page(one, done["Location"])
        assert "Agree: pay $90.00 back" in page(two, done["Location"])

    def test_a_second_click_asks_once(self, paid: Charge, one: User):
        answers = [pay_back(one, paid, "10"), pay_back(one, paid, "10")]

        assert answers[0]["Location"] == answers[1]["Location"]
        assert Refund.objects.get().status == "pending"

    def test_too_much_is_refused_with_what_is_left(self, paid: Charge, one: User):
        answer = pay_back(one, paid, "99.01")

        assert answer.status_code == 422
        assert "That is $99.00." in answer.content.decode()
        assert not Refund.objects.exists()

    @pytest.mark.parametrize("wrong", [{"amount": "x"}, {"amount": "-1"}, {"amount": "0"}, {"reason": " "}])
    def test_what_is_no_amount_or_has_no_reason_is_shown_again(self, paid: Charge, one: User, wrong: dict[str, str]):
        assert pay_back(one, paid, **wrong).status_code == 422
        assert not Refund.objects.exists()

    def test_of_an_open_invoice_it_says_what_to_do_instead(self, paid: Charge, one: User):
        invoice = Invoice.objects.filter(pk=paid.invoice_id)
        invoice.update(status="open", due=1)

        answer = pay_back(one, paid)

        assert answer.status_code == 422
        assert "let it cost less by a credit note" in answer.content.decode()
        invoice.update(status="paid", due=0)

    def test_a_charge_of_another_invoice_is_none_of_it(self, paid: Charge, faker: Till, member: Patient, one: User):
        other = paid_by_card(faker, member)

        path = f"{AT}/invoice/{paid.invoice_id}/pay-back/{other.pk}/"

        assert browser(one).post(path, {"amount": "1", "reason": "x"}).status_code == 404


class TestDeciding:
    def test_a_second_person_agrees_and_it_goes_out(self, faker: Till, asked: Refund, two: User):
        done = act(two, asked, "approve")
        refunding.send_due(clock=lambda: NOW)

        assert done.status_code == 302
        assert (status(asked), asked.decided_by, faker.bank.given_back) == ("succeeded", two, [9_000])

    @pytest.mark.parametrize(("what", "fields"), [("approve", {}), ("reject", {"reason": "No."})])
    def test_who_asked_for_it_is_told_that_somebody_else_decides(
        self, asked: Refund, one: User, what: str, fields: dict[str, str]
    ):
        answer = act(one, asked, what, **fields)

        assert answer.status_code == 422
        assert "Somebody else decides on what you asked for." in answer.content.decode()
        assert status(asked) == "proposed"

    def test_a_second_person_rejects_it_for_a_reason(self, asked: Refund, one: User, two: User):
        without = act(two, asked, "reject", reason=" ")
        done = act(two, asked, "reject", reason="They used it.")

        assert (without.status_code, done.status_code) == (422, 302)
        assert "Say why." in without.content.decode()
        assert (status(asked), asked.decided_because) == ("rejected", "They used it.")
        assert "They used it." in page(one, f"{AT}/refund/{asked.pk}/change/")
        assert not CreditNote.objects.exists()

    def test_it_is_decided_once(self, asked: Refund, two: User):
        act(two, asked, "reject", reason="They used it.")

        answer = act(two, asked, "approve")

        assert answer.status_code == 422
        assert "decided already" in answer.content.decode()

    def test_it_says_when_there_is_not_so_much_left(self, asked: Refund, paid: Charge, two: User):
        taken = dispute(paid, stage="open", amount=5_000)

        answer = act(two, asked, "approve")

        assert answer.status_code == 422
        assert "That is $49.00." in answer.content.decode()
        taken.delete()

    def test_its_history_says_who_did_what_in_dollars(self, asked: Refund, two: User):
        act(two, asked, "reject", reason="They used it.")

        told = page(two, f"{AT}/refund/{asked.pk}/history/")

        assert "$90.00" in told
        assert "They used it." in told
        assert two.email in told
        assert "9000" not in told

    def test_nothing_is_decided_by_following_a_link(self, asked: Refund, two: User):
        for what in ("approve", "reject", "paid-back"):
            assert browser(two).get(f"{AT}/refund/{asked.pk}/{what}/").status_code == 404
        assert status(asked) == "proposed"


class TestByHand:
    def test_what_was_paid_by_hand_is_paid_back_by_hand_and_said_so(self, member: Patient, one: User):
        charge = paid_by_hand(member, one)
        pay_back(one, charge, "40")
        refund = Refund.objects.get()

        shown = page(one, f"{AT}/refund/{refund.pk}/change/")
        without = act(one, refund, "paid-back", reference="")
        done = act(one, refund, "paid-back", reference="Transfer 9")

        assert "Pay it back by hand" in shown
        assert (without.status_code, done.status_code) == (422, 302)
        assert (status(refund), refund.provider_id) == ("succeeded", "Transfer 9")

    def test_of_a_card_nobody_says_so(self, paid: Charge, one: User):
        refund = refunding.ask(charge_id=paid.pk, amount=100, reason="x", actor=one, now=NOW)

        answer = act(one, refund, "paid-back", reference="Transfer 9")

        assert answer.status_code == 422
        assert status(refund) == "pending"

    def test_money_that_came_in_by_hand_is_booked_once(self, member: Patient, payer: User, one: User):
        invoice = bill(payer, patient=member)
        path = f"{AT}/invoice/{invoice.pk}/paid/"
        sent = {"once": "k", "amount": "99", "reference": "Check 7"}

        wrong = browser(one).post(path, {**sent, "amount": "0"})
        answers = [browser(one).post(path, sent) for _ in range(2)]
        late = browser(one).post(path, {**sent, "once": "other"})

        assert [answer.status_code for answer in (wrong, *answers, late)] == [422, 302, 302, 422]
        assert "nothing is left to pay" in late.content.decode()
        assert (Charge.objects.get().provider_id, Charge.objects.get().amount) == ("Check 7", 9_900)
        invoice.refresh_from_db()
        assert invoice.status == "paid"


class TestLists:
    def test_what_waits_stands_first_and_states_narrow_it(
        self, faker: Till, asked: Refund, paid: Charge, member: Patient, one: User, two: User
    ):
        by_hand = refunding.ask(
            charge_id=paid_by_hand(member, one).pk, amount=200, reason="By hand", actor=one, now=NOW
        )
        small = refunding.ask(charge_id=paid.pk, amount=100, reason="Newest", actor=two, now=NOW)
        path = f"{AT}/refund/"

        def listed(who: User, state: str = "") -> list[str]:
            return re.findall(rf"{path}([0-9a-f-]{{36}})/change/", page(who, f"{path}?state={state}"))

        assert listed(one) == [str(row.pk) for row in (asked, by_hand, small)]
        assert (listed(one, "decide"), listed(two, "decide")) == ([], [str(asked.pk)])
        assert listed(one, "by_hand") == [str(by_hand.pk)]
        assert (listed(one, "proposed"), listed(one, "failed")) == ([str(asked.pk)], [])
        assert len(listed(one, "nonsense")) == 3

    def test_disputes_are_in_the_order_of_their_days_and_those_that_are_over_last(self, paid: Charge, one: User):
        over = dispute(paid, 1, stage="won", answer_by=NOW - timedelta(days=9))
        late = dispute(paid, 2, answer_by=NOW + timedelta(days=9))
        soon = dispute(paid, 3, answer_by=NOW + timedelta(days=2))
        whenever = dispute(paid, 4)
        path = f"{AT}/dispute/"

        def listed(state: str = "") -> list[str]:
            return re.findall(rf"{path}([0-9a-f-]{{36}})/change/", page(one, f"{path}?state={state}"))

        assert listed() == [str(row.pk) for row in (soon, late, whenever, over)]
        assert (listed("over"), len(listed("open"))) == ([str(over.pk)], 3)
        assert page(one, path).count('<tr class="marked">') == 1

    def test_a_dispute_says_what_it_is_about_and_when_it_is_due(self, paid: Charge, member: Patient, one: User):
        made = dispute(paid, answer_by=NOW + timedelta(days=2), stage="open", amount=0 + 5_000)

        told = page(one, f"{AT}/dispute/{made.pk}/change/")
        history = page(one, f"{AT}/dispute/{made.pk}/history/")

        for words in ("$50.00", "product unacceptable", "Nov 26, 2026, 09:00 EST", str(paid.invoice), member.name):
            assert words in told, words
        assert "$50.00" in history

    @pytest.mark.parametrize("what", ["refund", "dispute", "invoice"])
    def test_they_take_as_many_statements_for_many_as_for_one(
        self, what: str, paid: Charge, member: Patient, one: User
    ):
        client = browser(one)
        path = f"{AT}/invoice/{paid.invoice_id}/change/" if what == "invoice" else f"{AT}/{what}/"

        def more(count: int, first: int) -> int:
            for number in range(first, first + count):
                refunding.ask(charge_id=paid.pk, amount=10, reason="x", actor=one, now=NOW)
                dispute(paid, number, amount=1)
            client.get(path)
            with CaptureQueriesContext(connection) as sent:
                assert client.get(path).status_code == 200
            return len(sent)

        assert more(1, 1) == more(20, 2)


class TestInvoices:
    def test_it_shows_what_is_to_be_paid_unless_asked_for_others(self, paid: Charge, member: Patient, one: User):
        assert member.user is not None
        due = bill(member.user, 1_900, patient=member)

        first, everything, none = (page(one, f"{AT}/invoice/{which}") for which in ("", "?state=", "?state=void"))

        assert [str(due) in shown for shown in (first, everything, none)] == [True, True, False]
        assert [str(paid.invoice) in shown for shown in (first, everything, none)] == [False, True, False]
        assert "None is in this state." in none

    @pytest.mark.parametrize("written", ["INV-{:06}", "inv {}", "{}", " #{} "])
    def test_it_finds_the_one_whose_number_somebody_reads_from_paper(
        self, paid: Charge, faker: Till, member: Patient, one: User, written: str
    ):
        other = paid_by_card(faker, member).invoice

        found = browser(one).get(f"{AT}/invoice/", {"number": written.format(paid.invoice.number)}).content.decode()

        assert str(paid.invoice) in found
        assert str(other) not in found

    @pytest.mark.parametrize("wrong", ["INV-", "banana", "-1", "٣", "9" * 19, "9" * 4_000, "\0", "1.5"])
    def test_what_is_no_number_finds_nothing(self, paid: Charge, one: User, wrong: str):
        answer = browser(one).get(f"{AT}/invoice/", {"number": wrong})

        assert answer.status_code == 200
        assert "has this number" in answer.content.decode()

    def test_another_clinics_is_not_found_by_its_number(self, paid: Charge, member: Patient):
        elsewhere = cast.make_staff(cast.make_place("Hartford").clinic, "Elsewhere", Role.MANAGER)

        found = browser(elsewhere).get(f"{AT}/invoice/", {"number": str(paid.invoice.number)}).content.decode()

        assert "has this number" in found
        assert member.name not in found

    def test_it_takes_as_many_statements_however_many_there_are(self, paid: Charge, member: Patient, one: User):
        def statements() -> int:
            with CaptureQueriesContext(
                connection,
            ) as asked:
                page(one, f"{AT}/invoice/?state=")
            return len(asked)

        page(one, f"{AT}/invoice/?state=")
        few = statements()
        assert member.user is not None
        for _ in range(5):
            bill(member.user, 1_900, patient=member)

        assert statements() == few


class TestFirstPage:
    def counts(self, who: User) -> dict[str, int]:
        found = re.findall(r"<strong>(\d+)</strong> (refunds?|disputes?) ([a-z ]+)</a>", page(who, "/admin/"))
        return {f"{thing} {said}": int(count) for count, thing, said in found}

    def test_it_counts_what_waits_for_who_may_decide(
        self, asked: Refund, paid: Charge, member: Patient, one: User, two: User, desk: User
    ):
        refunding.ask(charge_id=paid_by_hand(member, one).pk, amount=200, reason="x", actor=one, now=NOW)
        dispute(paid)
        dispute(paid, 2, stage="lost", amount=1)
        both = {"refund to be paid back by hand": 1, "dispute to be answered at the payment provider": 1}

        assert self.counts(two) == {"refund waiting for a second person": 1, **both}
        assert self.counts(one) == both
        assert self.counts(desk) == {}
        assert self.counts(User.objects.create_superuser("operator@example.com", None)) == {}
        for address in re.findall(r'href="([^"]+/(?:refund|dispute)/\?state=[^"]+)"', page(two, "/admin/")):
            assert "None is in this state" not in page(two, address)


class TestWhoSeesIt:
    def everything(self, paid: Charge, asked: Refund, disputed: Dispute) -> dict[str, Callable[[Client], Any]]:
        def get(path: str) -> Callable[[Client], Any]:
            return lambda client: client.get(f"{AT}/{path}")

        def post(path: str) -> Callable[[Client], Any]:
            sent = {"once": "k", "amount": "1", "reason": "x", "reference": "x"}
            return lambda client: client.post(f"{AT}/{path}", sent)

        invoice, refund = f"invoice/{paid.invoice_id}", f"refund/{asked.pk}"
        return {
            "refunds": get("refund/"),
            "refund": get(f"{refund}/change/"),
            "refund history": get(f"{refund}/history/"),
            **{what: post(f"{refund}/{what}/") for what in ("approve", "reject", "paid-back")},
            "disputes": get("dispute/"),
            "dispute": get(f"dispute/{disputed.pk}/change/"),
            "dispute history": get(f"dispute/{disputed.pk}/history/"),
            "invoices": get("invoice/?state="),
            "invoice": get(f"{invoice}/change/"),
            "invoice history": get(f"{invoice}/history/"),
            "paid": post(f"{invoice}/paid/"),
            "pay back": post(f"{invoice}/pay-back/{paid.pk}/"),
        }

    def test_each_page_and_button_is_for_managers_of_the_clinic(
        self, paid: Charge, asked: Refund, member: Patient, two: User, desk: User, payer: User
    ):
        disputed = dispute(paid)
        elsewhere = cast.make_staff(cast.make_place("Hartford").clinic, "Elsewhere", Role.MANAGER)
        operator = User.objects.create_superuser("operator@example.com", None)
        calls = self.everything(paid, asked, disputed)
        before = (list(Refund.objects.values()), Charge.objects.count())
        lists = {"refunds", "disputes", "invoices"}

        for name, call in calls.items():
            for user in (elsewhere, operator, payer, None):
                answer = call(browser(user))
                empty = user == elsewhere and name in lists
                assert answer.status_code in ((200,) if empty else (302, 403, 404)), (name, user)
                assert str(paid.invoice) not in answer.content.decode()
                assert member.name not in answer.content.decode()
            read = name in ("invoices", "invoice", "invoice history")
            assert call(browser(desk)).status_code == (200 if read else 403), name

        assert (list(Refund.objects.values()), Charge.objects.count()) == before
        for name in (
            "refunds",
            "refund",
            "refund history",
            "disputes",
            "dispute",
            "dispute history",
            "invoice",
            "invoices",
        ):
            assert str(paid.invoice) in calls[name](browser(two)).content.decode() or "history" in name, name

    def test_that_it_was_read_is_on_record(self, paid: Charge, asked: Refund, one: User, member: Patient):
        page(one, f"{AT}/refund/")
        page(one, f"{AT}/refund/{asked.pk}/change/")
        page(one, f"{AT}/invoice/?state=paid")
        page(one, f"{AT}/invoice/{paid.invoice_id}/change/")

        events = AccessEvent.objects.filter(viewer=one, what="memberships", patients__patient=member)
        assert set(events.values_list("page", flat=True)) == {
            "admin:refund:list",
            "admin:refund:page",
            "admin:invoice:list",
            "admin:invoice:page",
        }

    @pytest.mark.parametrize("how", ["payer", "patient", "parent"])
    def test_nobody_decides_on_their_own_or_their_familys(
        self, how: str, faker: Till, avon: Place, member: Patient, one: User, two: User
    ):
        kin = make_patient("Kin", born=NOW.date().replace(year=2018), user=False)
        cast.register(kin, avon.clinic)
        if how == "patient":
            Patient.objects.filter(pk=kin.pk).update(user=two)
        if how == "parent":
            Proxy.objects.create(user=two, patient=kin)
        assert member.user is not None
        invoice = bill(two if how == "payer" else member.user, patient=kin)
        charge = settling.paid_by_hand(invoice.pk, amount=9_900, reference="Check", actor=one, now=NOW)
        refund = refunding.ask(charge_id=charge.pk, amount=9_000, reason="x", actor=one, now=NOW)

        assert act(two, refund, "approve").status_code == 404
        assert pay_back(two, charge, "1").status_code == 404
        assert str(refund.pk) not in page(two, f"{AT}/refund/")
        assert str(refund.pk) in page(one, f"{AT}/refund/")
        assert status(refund) == "proposed"

    def test_a_familys_invoice_names_nobody_who_is_no_patient_here(
        self, member: Patient, payer: User, one: User, faker: Till
    ):
        other = make_patient("Faraway", user=False)
        invoice = bill(payer, patient=member)
        invoice.lines.create(kind="family", description="Family: Faraway", amount=0, patient=other)

        told = page(one, f"{AT}/invoice/{invoice.pk}/change/")

        assert "of another clinic" in told
        assert "Faraway" not in told

    def test_a_declined_charge_is_not_paid_back(self, faker: Till, member: Patient, payer: User, one: User):
        charge = collect(faker, payer, "declines")
        charge.invoice.lines.create(kind="family", description="x", amount=0, patient=member)
        charging.send_due(clock=lambda: NOW)

        assert pay_back(one, charge, "1").status_code == 404
