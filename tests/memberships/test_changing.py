"""Each cell of the table of transitions, on the first, a middle and the last day of a period, and twice in a day."""

from contextlib import nullcontext
from datetime import date, timedelta
from typing import Any

import pytest

from clinics.messages import rendering
from memberships import changing, enrolling, ledger, transitions
from memberships.billing import settling
from memberships.changing import NotAMember, NotPaidByOthers, OtherSwitch
from memberships.models import Charge, CreditNote, Invoice, Membership, PaymentMethod, Subscription
from memberships.money import share
from memberships.quoting import AlreadyMember, AmountChanged, ProofRequired, TooManyMembers
from memberships.transitions import MATRIX, OF_PEOPLE, Action, NotInThisState
from tests import cast
from tests.memberships.selling import is_covered, join, make_card, noon, prove, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
START = date(2026, 11, 24)
MONTH_END = date(2026, 12, 24)
DAYS = {"first": START, "middle": date(2026, 12, 9), "last": date(2026, 12, 23)}
Status = Subscription.Status


def monthly(patient, offer, *, members=(), paid=True):
    """A monthly membership by invoice, with its first month paid."""
    prove(patient, on=START)
    subscription = join(patient, offer.discounted_month, members=members, on=START)
    if paid:
        pay(subscription)
    return subscription


def pay(subscription):
    invoice = subscription.invoices.get()
    settling.paid_by_hand(invoice.pk, amount=invoice.due, reference="Cheque", actor=subscription.payer, now=noon(START))


def stop(subscription, *, on):
    changing.stop(subscription_id=subscription.pk, reason="", actor=subscription.payer, by_support=True, now=noon(on))


def do(action, subscription, *, on, actor=None, price=None, member=None, accept_due=None):
    common: dict[str, Any] = {"subscription_id": subscription.pk, "actor": actor or subscription.payer, "now": noon(on)}
    calls = {
        Action.SWITCH: lambda: changing.switch(price=price, accept_due=accept_due, **common),
        Action.PAUSE: lambda: changing.pause(**common),
        Action.RESUME: lambda: changing.resume(accept_due=accept_due, **common),
        Action.CANCEL: lambda: changing.cancel(reason="", **common),
        Action.ADD: lambda: changing.add_member(member=member, accept_due=accept_due, **common),
        Action.PAY_WITH: lambda: changing.pay_with(method=card_of(subscription.payer), **common),
        Action.REMOVE: lambda: changing.remove_member(member=member.pk, **common),
    }
    return calls[action]()


def card_of(user):
    return PaymentMethod.objects.filter(user=user).first() or make_card(user)


def bring_to(status, subscription):
    """A subscription in this state, its period as it was."""
    fields: dict[str, dict[str, Any]] = {
        Status.PAST_DUE: {"past_due_since": START},
        Status.ENDED: {"ended_on": START, "end_reason": "cancelled"},
        Status.TRIAL: {"period": -1, "anchor_on": MONTH_END},
    }
    Subscription.objects.filter(pk=subscription.pk).update(status=status, **fields.get(status, {}))
    subscription.refresh_from_db()
    return subscription


class TestEachCell:
    @pytest.mark.parametrize("when", DAYS)
    @pytest.mark.parametrize("status", Status.values)
    @pytest.mark.parametrize("action", OF_PEOPLE)
    def test_it_does_what_the_table_says_and_nothing_else(self, offer, guest, kin, action, status, when):
        subscription = bring_to(status, monthly(guest, offer, members=kin[:1]))
        member = kin[1] if action == Action.ADD else kin[0]
        to = MATRIX[action].get(Status(status))

        with nullcontext() if to else pytest.raises(NotInThisState, match=transitions.INSTEAD[Status(status)][:20]):
            do(action, subscription, on=DAYS[when], price=offer.discounted_year, member=member)

        subscription.refresh_from_db()
        assert subscription.status == (to or status)

    @pytest.mark.parametrize("when", DAYS)
    @pytest.mark.parametrize("action", [one for one in OF_PEOPLE if one != Action.SWITCH])
    def test_twice_in_a_day_is_as_once(self, offer, guest, kin, action, when):
        subscription = monthly(guest, offer, members=kin[:1])
        member = kin[1] if action == Action.ADD else kin[0]
        do(action, subscription, on=DAYS[when], member=member)
        before = (subscription.changes.count(), Invoice.objects.count(), Membership.objects.count())

        do(action, subscription, on=DAYS[when], member=member)

        assert (subscription.changes.count(), Invoice.objects.count(), Membership.objects.count()) == before


class TestSwitch:
    @pytest.mark.parametrize(("when", "left"), [("first", 30), ("middle", 15), ("last", 1)])
    def test_from_month_to_year_is_now_with_the_unused_days_given_back(self, offer, guest, kin, when, left):
        day = DAYS[when]
        subscription = monthly(guest, offer, members=kin[:1])

        do(Action.SWITCH, subscription, on=day, price=offer.discounted_year)

        subscription.refresh_from_db()
        invoice = Invoice.objects.latest("number")
        assert [line.amount for line in invoice.lines.all()] == [
            9_900, 6_600, -share(900, left, 30), -share(600, left, 30),
        ]  # fmt: skip
        assert (subscription.price, subscription.anchor_on) == (offer.discounted_year, day)
        assert subscription.period_end == day.replace(year=day.year + 1)
        assert is_covered(guest, day)
        assert is_covered(kin[0], day + timedelta(days=300))

    def test_what_support_has_credited_is_not_given_back_once_more(self, offer, guest, kin):
        subscription = monthly(guest, offer, members=kin[:1])
        settling.credit(subscription.invoices.get().pk, amount=1_000, reason="Sorry", actor=guest.user, now=noon(START))

        do(Action.SWITCH, subscription, on=START, price=offer.discounted_year)

        lines = Invoice.objects.latest("number").lines.all()
        assert [line.amount for line in lines] == [9_900, 6_600, -500]

    def test_it_tells_what_all_of_them_will_cost(self, offer, guest, kin, mails):
        prove(guest, on=START)
        subscription = join(guest, offer.discounted_year, members=kin, on=START)

        do(Action.SWITCH, subscription, on=START, price=offer.discounted_month)

        [context] = mails("membership_changed")
        assert context["amount"] == 2_100
        written = rendering.write(template="membership_changed", channel="email", language="en", context=context)
        assert "From November 24, 2027 on it is Discounted, $21.00 a month." in written.body

    def test_from_year_to_month_is_at_renewal(self, offer, guest):
        prove(guest, on=START)
        subscription = join(guest, offer.discounted_year, on=START)
        pay(subscription)

        do(Action.SWITCH, subscription, on=DAYS["middle"], price=offer.discounted_month)
        subscription.refresh_from_db()
        then = (subscription.price, subscription.next_price, Invoice.objects.count())
        sweep(date(2027, 11, 24))

        subscription.refresh_from_db()
        assert then == (offer.discounted_year, offer.discounted_month, 1)
        assert (subscription.price, subscription.next_price) == (offer.discounted_month, None)
        assert (subscription.anchor_on, subscription.period_end) == (date(2027, 11, 24), date(2027, 12, 24))
        assert Invoice.objects.latest("number").total == 900

    def test_a_planned_switch_is_taken_back_by_switching_back(self, offer, guest):
        prove(guest, on=START)
        subscription = join(guest, offer.discounted_year, on=START)
        do(Action.SWITCH, subscription, on=START, price=offer.discounted_month)

        do(Action.SWITCH, subscription, on=START, price=offer.discounted_year)

        subscription.refresh_from_db()
        assert subscription.next_price is None
        with pytest.raises(OtherSwitch):
            do(Action.SWITCH, subscription, on=START, price=offer.discounted_year)

    def test_month_to_year_and_back_in_a_day_bills_the_year_once(self, offer, guest):
        subscription = monthly(guest, offer)
        do(Action.SWITCH, subscription, on=START, price=offer.discounted_year)

        do(Action.SWITCH, subscription, on=START, price=offer.discounted_month)

        subscription.refresh_from_db()
        assert sum(invoice.total for invoice in Invoice.objects.all()) == 9_900
        assert subscription.next_price == offer.discounted_month

    def test_it_entitles_by_the_other_plan_from_that_day(self, offer, guest):
        offer.year.plan.benefits = ["office"]
        offer.year.plan.save(update_fields=["benefits"])
        subscription = monthly(guest, offer)

        do(Action.SWITCH, subscription, on=DAYS["middle"], price=offer.year)

        plans = dict(Membership.objects.filter(patient=guest).values_list("plan_id", "during"))
        assert plans["discounted"].upper == DAYS["middle"] == plans["annual"].lower
        assert plans["annual"].upper is None

    def test_it_demands_the_proof_of_a_discount_and_the_amount_agreed(self, offer, guest):
        subscription = join(guest, offer.year, on=START)

        with pytest.raises(ProofRequired):
            do(Action.SWITCH, subscription, on=START, price=offer.discounted_month)
        prove(guest, on=START)
        subscription = bring_to(Status.ACTIVE, subscription)
        do(Action.SWITCH, subscription, on=START, price=offer.discounted_month)
        subscription.refresh_from_db()
        assert subscription.next_price == offer.discounted_month

    def test_it_refuses_another_amount(self, offer, guest):
        subscription = monthly(guest, offer)

        with pytest.raises(AmountChanged) as refused:
            do(Action.SWITCH, subscription, on=DAYS["middle"], price=offer.discounted_year, accept_due=9_900)

        assert refused.value.extra["due_now"] == 9_900 - 450
        subscription.refresh_from_db()
        assert subscription.price == offer.discounted_month


class TestStopping:
    def test_a_cancelled_membership_is_theirs_to_the_end_of_the_period(self, offer, guest, kin):
        subscription = monthly(guest, offer, members=kin)

        do(Action.CANCEL, subscription, on=DAYS["middle"])
        sweep(MONTH_END)

        subscription.refresh_from_db()
        assert (subscription.status, subscription.ended_on) == ("ended", MONTH_END)
        for patient in [guest, *kin]:
            assert is_covered(patient, MONTH_END - timedelta(days=1))
            assert not is_covered(patient, MONTH_END)
        assert Invoice.objects.count() == 1

    def test_a_cancellation_is_taken_back_but_for_members_who_were_removed(self, offer, guest, kin):
        subscription = monthly(guest, offer, members=kin)
        do(Action.REMOVE, subscription, on=START, member=kin[0])
        do(Action.CANCEL, subscription, on=START)

        do(Action.RESUME, subscription, on=DAYS["last"])

        later = MONTH_END + timedelta(days=40)
        assert [is_covered(patient, later) for patient in (guest, *kin)] == [True, False, True]

    @pytest.mark.parametrize("paid", [True, False])
    @pytest.mark.parametrize(("action", "template"), [(Action.CANCEL, "cancelled"), (Action.PAUSE, "paused")])
    def test_it_tells_what_is_still_to_be_paid(self, offer, guest, mails, action, template, paid):
        subscription = monthly(guest, offer, paid=paid)

        do(action, subscription, on=START)

        [context] = mails(f"membership_{template}")
        assert context["owed"] == (0 if paid else 900)
        for language in ("en", "es"):
            written = rendering.write(
                template=f"membership_{template}", channel="email", language=language, context=context
            )
            assert ("$9.00" in written.body) is not paid

    def test_a_pause_covers_nothing_and_costs_nothing_until_it_is_over(self, offer, guest, kin):
        subscription = monthly(guest, offer, members=kin)
        do(Action.PAUSE, subscription, on=DAYS["first"])
        for days in range(40, 100, 10):
            sweep(START + timedelta(days=days))
        subscription.refresh_from_db()
        paused = (subscription.status, is_covered(guest, MONTH_END), Invoice.objects.count())

        day = date(2027, 3, 31)
        do(Action.RESUME, subscription, on=day, accept_due=2_100)

        subscription.refresh_from_db()
        assert paused == ("paused", False, 1)
        assert (subscription.status, subscription.anchor_on) == ("active", day)
        assert subscription.period_end == date(2027, 4, 30)
        assert all(is_covered(patient, day) for patient in [guest, *kin])
        assert not is_covered(guest, day - timedelta(days=1))

    def test_who_pauses_and_pays_late_is_paused_all_the_same(self, offer, guest):
        subscription = monthly(guest, offer, paid=False)
        do(Action.PAUSE, subscription, on=START)
        overdue = START + timedelta(days=20)
        sweep(overdue)

        settling.paid_by_hand(
            subscription.invoices.get().pk, amount=900, reference="Cheque", actor=guest.user, now=noon(overdue)
        )
        sweep(MONTH_END)

        subscription.refresh_from_db()
        assert (subscription.status, Invoice.objects.count()) == ("paused", 1)
        assert [is_covered(guest, day) for day in (DAYS["last"], MONTH_END)] == [True, False]

    def test_who_is_past_due_and_cancels_owes_nothing(self, offer, guest):
        subscription = bring_to(Status.PAST_DUE, monthly(guest, offer, paid=False))

        do(Action.CANCEL, subscription, on=DAYS["middle"])

        subscription.refresh_from_db()
        assert (subscription.status, subscription.ended_on) == ("ended", DAYS["middle"])
        assert list(Invoice.objects.values_list("status", "due")) == [("void", 0)]
        assert not is_covered(guest, DAYS["middle"])

    def test_who_left_without_paying_gets_no_more_on_trust(self, offer, guest):
        overdue = START + timedelta(days=20)
        subscription = bring_to(Status.PAST_DUE, monthly(guest, offer, paid=False))
        do(Action.CANCEL, subscription, on=overdue)

        with pytest.raises(enrolling.UnpaidBefore):
            join(guest, offer.year, on=overdue)

        assert join(guest, offer.year, method=make_card(guest.user), on=overdue).status == "incomplete"

    def test_a_pause_ends_on_trust_for_nobody_who_owes(self, offer, guest):
        subscription = monthly(guest, offer, paid=False)
        do(Action.PAUSE, subscription, on=START)
        sweep(MONTH_END)

        with pytest.raises(enrolling.UnpaidBefore):
            do(Action.RESUME, subscription, on=MONTH_END)

        subscription.refresh_from_db()
        assert subscription.status == "paused"

    def test_it_stops_at_once_only_where_others_pay(self, offer, guest):
        subscription = join(guest, offer.year, method=make_card(guest.user), on=START)
        settling.charge_succeeded(Charge.objects.get().pk, provider_id="pi_1", now=noon(START))
        day = START + timedelta(days=73)
        common = {"subscription_id": subscription.pk, "reason": "", "actor": guest.user, "now": noon(day)}
        with pytest.raises(NotPaidByOthers):
            changing.stop(**common)
        Membership.objects.create(patient=guest, plan=offer.year.plan, source="complimentary", during=cast.ALWAYS)

        changing.stop(**common)

        note = CreditNote.objects.get()
        assert note.amount == share(19_900, 292, 365)
        subscription.refresh_from_db()
        assert subscription.status == "ended"

    def test_it_stops_at_once_on_the_day_of_a_switch_with_all_of_it_back(self, offer, guest):
        subscription = monthly(guest, offer)
        do(Action.SWITCH, subscription, on=START, price=offer.discounted_year)
        year = Invoice.objects.latest("number")
        settling.paid_by_hand(year.pk, amount=9_000, reference="Cheque", actor=guest.user, now=noon(START))

        stop(subscription, on=START)

        assert ledger.credit_of(guest.user) == 9_900

    def test_it_stops_at_once_though_support_has_credited_something(self, offer, guest):
        subscription = monthly(guest, offer)
        settling.credit(subscription.invoices.get().pk, amount=300, reason="Sorry", actor=guest.user, now=noon(START))

        stop(subscription, on=START)

        assert ledger.credit_of(guest.user) == 900


class TestFamily:
    @pytest.mark.parametrize(("when", "left"), [("first", 30), ("middle", 15), ("last", 1)])
    def test_a_member_costs_the_days_that_are_left(self, offer, guest, kin, when, left):
        subscription = monthly(guest, offer)

        do(Action.ADD, subscription, on=DAYS[when], member=kin[0], accept_due=share(600, left, 30))
        sweep(MONTH_END)

        assert [invoice.total for invoice in Invoice.objects.order_by("number")] == [900, share(600, left, 30), 1_500]
        assert is_covered(kin[0], DAYS[when])

    def test_who_is_removed_stays_to_the_end_and_comes_back_for_nothing(self, offer, guest, kin):
        subscription = monthly(guest, offer, members=kin)
        do(Action.REMOVE, subscription, on=START, member=kin[0])
        left = (is_covered(kin[0], MONTH_END - timedelta(days=1)), is_covered(kin[0], MONTH_END))

        do(Action.ADD, subscription, on=DAYS["last"], member=kin[0])

        assert left == (True, False)
        assert is_covered(kin[0], MONTH_END)
        assert Invoice.objects.count() == 1

    def test_who_leaves_and_comes_back_after_a_switch_pays_from_the_day_they_would_have_left(self, offer, guest, kin):
        subscription = monthly(guest, offer, members=kin[:1])
        do(Action.REMOVE, subscription, on=START, member=kin[0])
        do(Action.SWITCH, subscription, on=START, price=offer.discounted_year)
        subscription.refresh_from_db()

        due = share(6_600, (subscription.period_end - MONTH_END).days, 365)
        do(Action.ADD, subscription, on=DAYS["middle"], member=kin[0], accept_due=due)

        assert Invoice.objects.latest("number").total == due
        assert [is_covered(kin[0], day) for day in (DAYS["last"], MONTH_END, date(2028, 6, 1))] == [True] * 3
        assert Membership.objects.filter(patient=kin[0], during__contains=MONTH_END).count() == 1

    def test_at_most_five(self, offer, guest):
        six = [cast.make_patient(f"Kid{n}", user=False, member=False) for n in range(6)]
        subscription = monthly(guest, offer, members=six[:5])

        with pytest.raises(TooManyMembers):
            do(Action.ADD, subscription, on=START, member=six[5])

    def test_nobody_who_is_a_member_elsewhere(self, offer, guest):
        other = cast.make_patient("Other", member=False)
        join(other, offer.year, on=START)
        subscription = monthly(guest, offer)

        with pytest.raises(AlreadyMember):
            do(Action.ADD, subscription, on=START, member=other)

    def test_a_stranger_is_not_removed(self, offer, guest, kin):
        subscription = monthly(guest, offer)

        for nobody in (kin[0], guest):
            with pytest.raises(NotAMember):
                do(Action.REMOVE, subscription, on=START, member=nobody)


@pytest.mark.django_db(transaction=True)
def test_clicks_at_once_are_done_one_after_the_other(offer, guest, kin):
    subscription = monthly(guest, offer)
    clicks = [
        lambda: do(Action.SWITCH, subscription, on=START, price=offer.discounted_year).status,
        lambda: do(Action.SWITCH, subscription, on=START, price=offer.discounted_year).status,
        lambda: do(Action.ADD, subscription, on=START, member=kin[0]).status,
        lambda: do(Action.ADD, subscription, on=START, member=kin[0]).status,
    ]

    outcomes = cast.at_the_same_time(lambda click: click(), clicks)

    assert set(outcomes) <= {"active", "same_price"}
    assert Membership.objects.filter(patient=kin[0], during__upper_inf=True).count() == 1
    assert Invoice.objects.filter(total__gte=8_900).count() == 1
