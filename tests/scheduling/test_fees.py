"""What a visit costs that was cancelled late or missed: billed once, taken back, waived."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics.models import Proxy
from memberships import ledger, refunding
from memberships.billing import settling
from memberships.fees import NoFee
from memberships.models import CreditNote, Fee, Invoice, InvoiceLine
from scheduling import arrivals, fees
from scheduling.booking.records import Status
from scheduling.fees import WaiverReason
from scheduling.models import CancellationPolicy
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at
from tests.memberships.selling import check_books, sweep
from tests.scheduling import acts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rules(db):
    CancellationPolicy.objects.create(
        free_until_hours_before=4, fee_code="late", no_show_fee_code="missed", during=cast.ALWAYS
    )
    for code, name, amount in (("late", "Late cancellation", 2_500), ("missed", "Missed visit", 3_500)):
        Fee.objects.create(code=code, name=name, amount=amount, during=cast.ALWAYS)
    yield
    check_books()


@pytest.fixture
def visit(avon, office, pat):
    """Two hours from NOW."""
    return acts.book(pat, avon.slot(at(11), office))


def test_cancelling_late_is_billed_to_the_patient(visit, pat):
    acts.cancel(visit)
    acts.cancel(visit)

    invoice = Invoice.objects.get()
    line = invoice.lines.get()
    assert (invoice.payer, invoice.kind, invoice.due) == (pat.user, "fee", 2_500)
    assert (line.kind, line.about, line.patient) == ("late_cancel", f"appointment:{visit.pk}", pat)


def test_cancelling_in_time_costs_nothing(avon, office, pat):
    visit = acts.book(pat, avon.slot(at(16), office))

    acts.cancel(visit)

    assert not Invoice.objects.exists()


def test_a_code_without_a_fee_on_the_day_costs_nothing(visit):
    Fee.objects.filter(code="late").update(during=DateRange(cast.date(2020, 1, 1), cast.date(2026, 11, 24)))

    acts.cancel(visit)

    assert not Invoice.objects.exists()


def test_for_a_child_who_acts_for_them_pays(avon, office, pat):
    child = cast.make_patient("Kid", user=False, born=NOW.date().replace(year=2018))
    Proxy.objects.create(user=pat.user, patient=child)
    visit = acts.book(pat, avon.slot(at(11), office))
    type(visit).objects.filter(pk=visit.pk).update(patient=child)
    visit.refresh_from_db()

    fees.bill(visit, InvoiceLine.Kind.LATE_CANCEL, "late", now=NOW)

    assert Invoice.objects.get().payer == pat.user


class TestMissed:
    def missed(self, visit, desk, now):
        return arrivals.advance(visit=visit, to=Status.NO_SHOW, actor=desk, now=now)

    def test_it_is_billed_and_taken_back_and_billed_again(self, visit, desk):
        self.missed(visit, desk, at(12))
        arrivals.undo(visit=visit, said=Status.NO_SHOW, actor=desk, now=at(12))
        taken_back = [invoice.due for invoice in Invoice.objects.all()]

        self.missed(visit, desk, at(12, 10))
        self.missed(visit, desk, at(12, 10))

        assert taken_back == [0]
        assert [invoice.due for invoice in Invoice.objects.order_by("number")] == [0, 3_500]


class TestWaiving:
    def test_staff_waive_it_with_a_reason_that_is_kept(self, visit, desk):
        acts.cancel(visit)

        answer = Caller(desk).post(f"/appointments/{visit.pk}/waive-fee", {"reason": "Snow."})

        assert answer.status_code == 200
        note = CreditNote.objects.get()
        assert (note.amount, note.reason, note.actor) == (2_500, "Snow.", desk)
        assert Invoice.objects.get().status == "paid"
        again = Caller(desk).post(f"/appointments/{visit.pk}/waive-fee", {"reason": "Snow."})
        assert (again.status_code, again.json()["code"]) == (409, "no_fee")

    def test_what_was_paid_becomes_credit(self, visit, desk, pat):
        acts.cancel(visit)
        settling.paid_by_hand(Invoice.objects.get().pk, amount=2_500, reference="Cash", actor=desk, now=NOW)

        fees.waive(visit=visit, reason="Snow.", actor=desk, now=NOW)

        assert ledger.credit_of(pat.user) == 2_500

    def test_what_was_given_up_unpaid_becomes_no_credit(self, visit, desk, pat):
        acts.cancel(visit)
        sweep(NOW.date() + timedelta(days=40))
        given_up = Invoice.objects.get().status

        fees.waive(visit=visit, reason="Snow.", actor=desk, now=NOW)

        assert given_up == "uncollectible"
        assert ledger.credit_of(pat.user) == 0
        assert ledger.balance(ledger.Account.BAD_DEBT) == ledger.balance(ledger.Account.REVENUE) == 0

    def test_what_was_paid_back_already_is_not_waived_once_more(self, visit, desk, pat):
        acts.cancel(visit)
        charge = settling.paid_by_hand(Invoice.objects.get().pk, amount=2_500, reference="Cash", actor=desk, now=NOW)
        refunding.ask(charge_id=charge.pk, amount=2_500, reason="Snow.", actor=desk, now=NOW)

        with pytest.raises(NoFee):
            fees.waive(visit=visit, reason="Snow.", actor=desk, now=NOW)

        fees.take_back(visit, actor=desk, now=NOW)
        assert CreditNote.objects.count() == 1

    def test_what_was_credited_in_part_is_waived_for_the_rest(self, visit, desk, pat):
        acts.cancel(visit)
        settling.credit(Invoice.objects.get().pk, amount=1_000, reason="Kindness", actor=desk, now=NOW)

        fees.waive(visit=visit, reason="Snow.", actor=desk, now=NOW)

        assert list(CreditNote.objects.order_by("at", "pk").values_list("amount", flat=True)) == [1_000, 1_500]
        assert Invoice.objects.get().due == 0

    def test_it_needs_a_reason_and_a_fee(self, visit, desk):
        with pytest.raises(NoFee):
            fees.waive(visit=visit, reason="Snow.", actor=desk, now=NOW)
        with pytest.raises(WaiverReason):
            fees.waive(visit=visit, reason=" ", actor=desk, now=NOW)
