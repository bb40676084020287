"""Five years of a membership, day by day: leap days and month ends, tasks that run twice or not at all, and money."""

import random
from contextlib import suppress
from datetime import date, timedelta

import pytest

from clinics.refusals import Refused
from memberships import changing, periods
from memberships.billing import dunning, renewing, settling, sweeping
from memberships.models import Charge, Invoice, Membership
from memberships.transitions import NotInThisState
from tests import cast
from tests.memberships.selling import check_books, is_covered, join, make_card, noon, prove, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
YEARS = 5
DAY = timedelta(days=1)


def pay_all(day):
    """Each charge that waits succeeds, each open invoice is paid by hand."""
    for charge in Charge.objects.filter(status="pending"):
        settling.charge_succeeded(charge.pk, provider_id=f"pi_{charge.pk}"[:80], now=noon(day))
    for invoice in Invoice.objects.filter(status="open"):
        settling.paid_by_hand(invoice.pk, amount=invoice.due, reference="Cheque", actor=invoice.payer, now=noon(day))


def due_days(anchor, interval, *, until):
    """The first days of the periods that were to be billed before `until`."""
    days = []
    while (day := periods.start_of(anchor, interval, len(days))) < until:
        days.append(day)
    return days


class TestRenewals:
    @pytest.mark.parametrize(
        ("anchor", "interval"),
        [
            (date(2024, 2, 29), "year"),
            (date(2024, 2, 29), "month"),
            (date(2026, 1, 31), "month"),
            (date(2026, 8, 31), "month"),
            (date(2026, 11, 24), "year"),
        ],
    )
    def test_each_period_is_billed_once_on_its_day(self, offer, guest, anchor, interval):
        prove(guest, on=anchor)
        price = offer.discounted_year if interval == "year" else offer.discounted_month
        subscription = join(guest, price, on=anchor)
        end = date(anchor.year + YEARS, 12, 1)
        expected = due_days(anchor, interval, until=end)

        for day in expected[1:]:
            pay_all(day - DAY)
            for near in (day - DAY, day, day):  # the day before nothing, and twice on the day once
                sweep(near)

        begun = [invoice.lines.get().during.lower for invoice in subscription.invoices.order_by("number")]
        assert begun == expected
        assert all(is_covered(guest, day) for day in expected)

    def test_what_was_missed_for_days_is_billed_for_the_days_of_then(self, offer, guest):
        prove(guest, on=date(2026, 1, 31))
        subscription = join(guest, offer.discounted_month, on=date(2026, 1, 31))
        pay_all(date(2026, 1, 31))

        sweep(date(2026, 3, 3))

        subscription.refresh_from_db()
        invoice = subscription.invoices.latest("number")
        during = invoice.lines.get().during
        assert (during.lower, during.upper) == (date(2026, 2, 28), date(2026, 3, 31))
        assert invoice.issued_on == date(2026, 3, 3)
        assert is_covered(guest, date(2026, 3, 1))

    def test_what_was_missed_for_months_is_billed_month_by_month(self, offer, guest):
        prove(guest, on=date(2026, 1, 31))
        subscription = join(guest, offer.discounted_month, method=make_card(guest.user), on=date(2026, 1, 31))
        pay_all(date(2026, 1, 31))

        sweep(date(2026, 5, 1))

        starts = [invoice.lines.get().during.lower for invoice in subscription.invoices.order_by("number")]
        assert starts == [date(2026, month, day) for month, day in ((1, 31), (2, 28), (3, 31), (4, 30))]

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_bill_once(self, offer, guest):
        subscription = join(guest, offer.year, on=date(2026, 11, 24))
        pay_all(date(2026, 11, 24))

        done = cast.at_the_same_time(lambda _: renewing.run(now=noon(date(2027, 11, 24))), range(4))

        assert sum(done) == 1
        assert subscription.invoices.count() == 2

    def test_a_trial_becomes_a_paid_period_on_its_own_anchor(self, offer, guest):
        type(offer.year).objects.filter(pk=offer.year.pk).update(trial_days=30)
        offer.year.refresh_from_db()
        subscription = join(guest, offer.year, on=date(2026, 1, 1))

        sweep(date(2026, 1, 31))

        subscription.refresh_from_db()
        assert (subscription.status, subscription.anchor_on, subscription.period) == ("active", date(2026, 1, 31), 0)
        assert subscription.period_end == date(2027, 1, 31)
        assert Invoice.objects.get().total == 19_900


class TestLostDiscounts:
    def lapse(self, guest, *, on):
        guest.proofs.update(status="lapsed", lapsed_at=noon(on))

    def test_it_renews_at_the_list_price_that_was_announced(self, offer, guest, mails):
        prove(guest, on=date(2026, 11, 24))
        subscription = join(guest, offer.discounted_year, on=date(2026, 11, 24))
        pay_all(date(2026, 11, 24))
        self.lapse(guest, on=date(2027, 10, 20))
        for day in (date(2027, 10, 21), date(2027, 10, 22)):
            sweep(day)

        sweep(date(2027, 11, 24))

        subscription.refresh_from_db()
        assert subscription.price == offer.year
        assert Invoice.objects.latest("number").total == 19_900
        [told] = mails("membership_renewal")
        assert (told["amount"], told["was"], told["is_lapsed"]) == (19_900, 9_900, True)
        assert is_covered(guest, date(2027, 11, 24))
        assert is_covered(guest, date(2027, 11, 23))

    def test_what_was_not_announced_in_time_renews_at_the_discount_once_more(self, offer, guest, mails):
        prove(guest, on=date(2026, 11, 24))
        subscription = join(guest, offer.discounted_year, on=date(2026, 11, 24))
        pay_all(date(2026, 11, 24))
        self.lapse(guest, on=date(2027, 11, 20))

        sweep(date(2027, 11, 20))
        sweep(date(2027, 11, 24))

        subscription.refresh_from_db()
        assert subscription.price == offer.discounted_year
        assert mails("membership_renewal") == []

    def test_a_monthly_one_is_told_15_days_before_it_costs_more(self, offer, guest, mails):
        prove(guest, on=date(2026, 11, 24))
        subscription = join(guest, offer.discounted_month, on=date(2026, 11, 24))
        pay_all(date(2026, 11, 24))
        self.lapse(guest, on=date(2026, 12, 15))
        totals = {}

        for days in range(21, 70):
            day = date(2026, 11, 24) + timedelta(days=days)
            sweep(day)
            pay_all(day)
            totals[day] = Invoice.objects.latest("number").total

        subscription.refresh_from_db()
        assert totals[date(2026, 12, 24)] == 900  # nine days after the verifier's word is too soon
        assert totals[date(2027, 1, 24)] == 19_900
        assert len(mails("membership_renewal")) == 1
        assert subscription.price == offer.year

    def test_who_proves_it_again_keeps_the_discount(self, offer, guest):
        prove(guest, on=date(2026, 11, 24))
        subscription = join(guest, offer.discounted_year, on=date(2026, 11, 24))
        pay_all(date(2026, 11, 24))
        self.lapse(guest, on=date(2027, 10, 20))
        sweep(date(2027, 10, 21))
        guest.proofs.update(status="verified", lapsed_at=None)

        sweep(date(2027, 11, 24))

        subscription.refresh_from_db()
        assert subscription.price == offer.discounted_year


class TestNotices:
    def test_an_annual_renewal_is_announced_once_15_to_45_days_before(self, offer, guest, mails):
        join(guest, offer.year, on=date(2026, 11, 24))
        pay_all(date(2026, 11, 24))
        told = {}

        for days in range(300, 366):
            day = date(2026, 11, 24) + timedelta(days=days)
            sweep(day)
            told[day] = len(mails("membership_renewal"))

        first = min(day for day, count in told.items() if count)
        assert timedelta(days=15) <= date(2027, 11, 24) - first <= timedelta(days=45)
        assert told[date(2027, 11, 24)] == 1

    def test_those_that_are_no_news_keep_no_other_from_its_turn(self, offer, guest, mails, monkeypatch):
        monkeypatch.setattr(sweeping, "MOST", 1)
        other = cast.make_patient("Other", member=False)
        prove(guest, on=date(2026, 11, 24))
        join(guest, offer.discounted_month, on=date(2026, 11, 24))
        join(other, offer.year, on=date(2025, 12, 26))

        renewing.announce(now=noon(date(2026, 12, 1)))

        assert [told["amount"] for told in mails("membership_renewal")] == [19_900]

    def test_a_monthly_one_is_not(self, offer, guest, mails):
        prove(guest, on=date(2026, 11, 24))
        join(guest, offer.discounted_month, on=date(2026, 11, 24))
        for days in range(60):
            sweep(date(2026, 11, 24) + timedelta(days=days))
            pay_all(date(2026, 11, 24) + timedelta(days=days))

        assert mails("membership_renewal") == []


class TestUnpaid:
    def test_an_invoice_by_hand_is_reminded_of_and_given_up(self, offer, guest, mails):
        subscription = join(guest, offer.year, on=date(2026, 11, 24))
        status = {}

        for days in range(40):
            day = date(2026, 11, 24) + timedelta(days=days)
            sweep(day)
            subscription.refresh_from_db()
            status[days] = subscription.status

        assert [status[days] for days in (13, 14, 34, 35)] == ["active", "past_due", "past_due", "ended"]
        assert [told["is_reminder"] for told in mails("membership_payment_due")] == [False, True, True, True]
        assert subscription.end_reason == "unpaid"
        assert Invoice.objects.get().status == "uncollectible"
        assert not is_covered(guest, date(2026, 12, 29))

    def test_those_that_wait_for_their_next_reminder_keep_no_other_from_its_turn(
        self, offer, guest, mails, monkeypatch
    ):
        other = cast.make_patient("Other", member=False)
        for patient, day in ((guest, 24), (other, 25)):
            join(patient, offer.year, on=date(2026, 11, day))
        monkeypatch.setattr(sweeping, "MOST", 1)

        for _ in range(3):
            dunning.run(now=noon(date(2026, 12, 9)))

        assert list(Invoice.objects.order_by("number").values_list("reminded", flat=True)) == [1, 1]

    def test_a_card_is_tried_again_on_its_days_and_then_given_up(self, offer, guest):
        subscription = join(guest, offer.year, method=make_card(guest.user), on=date(2026, 11, 24))
        pay_all(date(2026, 11, 24))
        tried = []

        for days in range(30):
            day = date(2027, 11, 24) + timedelta(days=days)
            sweep(day)
            for charge in Charge.objects.filter(status="pending"):
                tried.append(days)
                settling.charge_failed(charge.pk, failure="card_declined", today=day, now=noon(day))

        subscription.refresh_from_db()
        assert tried == [0, 3, 7, 14]
        assert (subscription.status, subscription.ended_on) == ("ended", date(2027, 12, 15))

    def test_who_pays_late_goes_on_as_if_it_had_been_in_time(self, offer, guest):
        subscription = join(guest, offer.year, method=make_card(guest.user), on=date(2026, 11, 24))
        pay_all(date(2026, 11, 24))
        sweep(date(2027, 11, 24))
        failed = Charge.objects.get(status="pending")
        settling.charge_failed(
            failed.pk, failure="card_declined", today=date(2027, 11, 24), now=noon(date(2027, 11, 24))
        )
        subscription.refresh_from_db()
        was = subscription.status

        # The provider says days later that it was paid after all.
        settling.charge_succeeded(failed.pk, provider_id="pi_late", now=noon(date(2027, 11, 29)))

        subscription.refresh_from_db()
        assert (was, subscription.status) == ("past_due", "active")
        assert subscription.period_end == date(2028, 11, 24)

    def test_what_comes_for_an_invoice_given_up_is_credit(self, offer, guest):
        join(guest, offer.year, on=date(2026, 11, 24))
        late = Invoice.objects.get()
        charge = Charge.objects.create(invoice=late, provider="fake", amount=19_900, next_at=noon(date(2026, 11, 24)))
        Charge.objects.filter(pk=charge.pk).update(status="failed")
        for days in range(40):
            dunning.run(now=noon(date(2026, 11, 24) + timedelta(days=days)))

        settling.charge_succeeded(charge.pk, provider_id="pi_late", now=noon(date(2027, 2, 1)))

        late.refresh_from_db()
        assert late.status == "uncollectible"


def act(chance, subscription, *, prices, kin, on):
    """Do one thing that people or a provider may do, or be refused."""
    common = {"subscription_id": subscription.pk, "actor": subscription.payer, "now": noon(on)}
    acts = [
        (2, lambda: changing.switch(price=chance.choice(prices), accept_due=None, **common)),
        (1, lambda: changing.pause(**common)),
        (3, lambda: changing.resume(accept_due=None, **common)),
        (2, lambda: changing.add_member(member=chance.choice(kin), accept_due=None, **common)),
        (1, lambda: changing.remove_member(member=chance.choice(kin).pk, **common)),
        (0.2, lambda: changing.stop(reason="", by_support=True, **common)),
        (9, lambda: pay_all(on)),
        (2, lambda: decline_all(on)),
    ]
    weights, calls = zip(*acts, strict=True)
    with suppress(Refused):
        chance.choices(calls, weights)[0]()


def decline_all(day):
    for charge in Charge.objects.filter(status="pending"):
        settling.charge_failed(charge.pk, failure="card_declined", today=day, now=noon(day))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_do_for_five_years_each_cent_is_booked(offer, guest, kin, seed):
    """Random clicks, payments, declines and days without a sweep; the books are looked at all along."""
    chance = random.Random(seed)
    day = date(2024, 2, 29)
    prove(guest, on=day)
    ways = [make_card(guest.user), None]
    prices = [offer.year, offer.discounted_year, offer.discounted_month]
    subscription = join(guest, chance.choice(prices), method=chance.choice(ways), on=day)

    while day < date(2029, 3, 1):
        day += timedelta(days=chance.choice([0, 1, 3, 10, 30]))
        act(chance, subscription, prices=prices, kin=kin, on=day)
        if chance.random() < 0.8:
            sweep(day)

        check_books()
        assert Membership.objects.filter(patient=guest, during__contains=day).count() <= 1
        subscription.refresh_from_db()
        if subscription.status == "ended":
            pay_all(day)
            # So that they may try again.
            Invoice.objects.filter(status__in=["uncollectible", "void"]).update(status="paid")
            subscription = join(guest, chance.choice(prices), method=chance.choice(ways), on=day)
        # What was to end with its period did, though the sweep that says so was missed.
        is_over = subscription.status in ("pausing", "cancelling") and day >= subscription.period_end
        assert is_covered(guest, day) or is_over or subscription.status in ("incomplete", "paused", "ended")


def test_it_refuses_what_a_membership_that_ended_cannot_do(offer, guest):
    subscription = join(guest, offer.year, on=date(2026, 11, 24))
    changing.stop(
        subscription_id=subscription.pk, reason="", actor=guest.user, by_support=True, now=noon(date(2026, 12, 1))
    )

    with pytest.raises(NotInThisState):
        changing.resume(subscription_id=subscription.pk, accept_due=None, actor=guest.user, now=noon(date(2026, 12, 2)))
