"""Joining: by card, by invoice, with family, with a proof, twice, and at once."""

from datetime import date, timedelta

import pytest

from memberships import enrolling, quoting
from memberships.billing import settling
from memberships.billing.issuing import TERMS
from memberships.enrolling import UnpaidBefore
from memberships.models import Charge, Invoice, Membership, Price, Subscription
from memberships.quoting import (
    AlreadyMember,
    AmountChanged,
    MemberTwice,
    PriceNotOnSale,
    ProofRequired,
    TooManyMembers,
)
from tests import cast
from tests.memberships.selling import is_covered, join, make_card, noon, prove

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
DAY = date(2026, 11, 24)


def quote(patient, price, *, members=(), on=DAY):
    return quoting.quote(patient=patient, payer=patient.user, price=price, members=list(members), today=on)


class TestQuote:
    def test_it_lists_what_is_due_and_when_it_renews(self, offer, guest, kin):
        quoted = quote(guest, offer.year, members=kin)

        assert [line.amount for line in quoted.lines] == [19_900, 6_600, 6_600]
        assert (quoted.due_now, quoted.renews_at) == (33_100, 33_100)
        assert quoted.renews_on == date(2027, 11, 24)
        assert not Invoice.objects.exists()

    def test_it_demands_a_proof_for_a_discount(self, offer, guest):
        with pytest.raises(ProofRequired):
            quote(guest, offer.discounted_month)
        prove(guest, on=DAY, until=DAY)
        with pytest.raises(ProofRequired):
            quote(guest, offer.discounted_month)

    def test_it_asks_no_proof_of_further_members(self, offer, guest, kin):
        prove(guest, on=DAY)

        assert quote(guest, offer.discounted_month, members=kin).due_now == 900 + 2 * 600

    def test_it_uses_up_credit(self, offer, guest):
        subscription = join(guest, offer.year, on=DAY)
        invoice = subscription.invoices.get()
        settling.paid_by_hand(invoice.pk, amount=20_000, reference="A cheque", actor=guest.user, now=noon(DAY))
        other = cast.make_patient("Other", user=False, member=False)

        quoted = quoting.quote(patient=other, payer=guest.user, price=offer.year, members=[], today=DAY)

        assert (quoted.credit, quoted.due_now) == (100, 19_800)

    @pytest.mark.parametrize("which", ["family_year", "family_month"])
    def test_it_sells_no_price_that_is_for_others(self, offer, which):
        with pytest.raises(PriceNotOnSale):
            quoting.price_on_sale(getattr(offer, which).pk, on=DAY)

    def test_it_sells_the_newest_price_alone(self, offer):
        newer = Price.objects.create(plan=offer.year.plan, interval="year", amount=24_900, from_on=DAY)

        assert quoting.price_on_sale(newer.pk, on=DAY) == newer
        for price, day in ((offer.year, DAY), (newer, DAY - timedelta(days=1))):
            with pytest.raises(PriceNotOnSale):
                quoting.price_on_sale(price.pk, on=day)


class TestJoin:
    def test_it_begins_at_once_on_an_invoice(self, offer, guest, kin):
        subscription = join(guest, offer.year, members=kin, on=DAY)

        invoice = subscription.invoices.get()
        assert subscription.status == "active"
        assert (invoice.status, invoice.due, invoice.due_on) == ("open", 33_100, DAY + TERMS)
        assert all(is_covered(patient, DAY) for patient in [guest, *kin])
        assert not Charge.objects.exists()

    @pytest.mark.parametrize("by_card", [True, False])
    def test_it_tells_what_all_of_them_cost(self, offer, guest, kin, mails, by_card):
        join(guest, offer.year, members=kin, method=make_card(guest.user) if by_card else None, on=DAY)
        for charge in Charge.objects.all():
            settling.charge_succeeded(charge.pk, provider_id="pi_1", now=noon(DAY))

        assert [told["amount"] for told in mails("membership_joined")] == [33_100]

    def test_it_begins_by_card_once_that_is_paid(self, offer, guest, kin):
        subscription = join(guest, offer.year, members=kin, method=make_card(guest.user), on=DAY)
        charge = Charge.objects.get()
        before = (subscription.status, is_covered(guest, DAY))

        settling.charge_succeeded(charge.pk, provider_id="pi_1", now=noon(DAY))

        subscription.refresh_from_db()
        assert before == ("incomplete", False)
        assert charge.amount == 33_100
        assert subscription.status == "active"
        assert all(is_covered(patient, DAY) for patient in [guest, *kin])
        assert Membership.objects.filter(source="family", head__patient=guest).count() == 2

    def test_a_success_told_twice_is_booked_once(self, offer, guest):
        join(guest, offer.year, method=make_card(guest.user), on=DAY)
        charge = Charge.objects.get()

        told = [settling.charge_succeeded(charge.pk, provider_id="pi_1", now=noon(DAY)) for _ in range(3)]

        assert told == [True, False, False]

    def test_a_trial_costs_nothing_until_it_is_over(self, offer, guest):
        Price.objects.filter(pk=offer.year.pk).update(trial_days=30)
        offer.year.refresh_from_db()

        subscription = join(guest, offer.year, method=make_card(guest.user), on=DAY, accept_due=0)

        assert (subscription.status, subscription.period_end) == ("trial", DAY + timedelta(days=30))
        assert is_covered(guest, DAY)
        assert not Invoice.objects.exists()

    def test_it_refuses_another_amount_than_was_agreed(self, offer, guest):
        with pytest.raises(AmountChanged) as refused:
            join(guest, offer.year, on=DAY, accept_due=9_900)

        assert refused.value.extra == {"due_now": 19_900}
        assert not Subscription.objects.exists()

    def test_nobody_pays_twice(self, offer, guest, kin):
        join(guest, offer.year, members=kin, on=DAY)

        for patient in [guest, *kin]:
            with pytest.raises(AlreadyMember):
                quoting.quote(patient=patient, payer=guest.user, price=offer.year, members=[], today=DAY)

    def test_nobody_is_family_of_two_who_both_wait_for_their_first_payment(self, offer, guest, kin):
        other = cast.make_patient("Other", member=False)
        waiting = join(guest, offer.year, members=kin, method=make_card(guest.user), on=DAY)

        with pytest.raises(AlreadyMember):
            join(other, offer.year, members=kin[:1], method=make_card(other.user), on=DAY)

        Subscription.objects.filter(pk=waiting.pk).update(status="ended", ended_on=DAY, end_reason="never_paid")
        assert join(other, offer.year, members=kin[:1], on=DAY).status == "active"

    def test_it_refuses_too_many_and_the_same_twice(self, offer, guest, kin):
        with pytest.raises(MemberTwice):
            join(guest, offer.year, members=[kin[0], kin[0]], on=DAY)
        with pytest.raises(MemberTwice):
            join(guest, offer.year, members=[guest], on=DAY)
        six = [cast.make_patient(f"Kid{n}", user=False, member=False) for n in range(6)]
        with pytest.raises(TooManyMembers):
            join(guest, offer.year, members=six, on=DAY)
        assert join(guest, offer.year, members=six[:5], on=DAY).status == "active"

    def test_who_did_not_pay_before_gets_nothing_on_trust(self, offer, guest):
        Invoice.objects.create(
            payer=guest.user, kind="fee", status="uncollectible", total=0, due=0, issued_on=DAY, due_on=DAY
        )

        with pytest.raises(UnpaidBefore):
            join(guest, offer.year, on=DAY)
        assert join(guest, offer.year, method=make_card(guest.user), on=DAY).status == "incomplete"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_join_at_once_one_does(offer, guest):
    outcomes = cast.at_the_same_time(lambda _: join(guest, offer.year, on=DAY).status, range(4))

    assert sorted(outcomes) == ["active", "already_member", "already_member", "already_member"]
    assert Invoice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_count_on_the_same_credit_at_once_one_is_asked_again(offer, guest, kin):
    subscription = join(guest, offer.year, on=DAY)
    settling.paid_by_hand(
        subscription.invoices.get().pk, amount=20_000, reference="Cheque", actor=guest.user, now=noon(DAY)
    )

    def joins(child):
        return enrolling.join(
            patient=child, payer=guest.user, price=offer.year, members=[], method=None, accept_due=19_800,
            actor=guest.user, now=noon(DAY),
        ).status  # fmt: skip

    outcomes = cast.at_the_same_time(joins, kin)

    assert sorted(outcomes) == ["active", "amount_changed"]


@pytest.mark.django_db(transaction=True)
def test_nobody_is_family_of_two(offer, kin):
    heads = [cast.make_patient(f"Head{n}", member=False) for n in range(3)]

    outcomes = cast.at_the_same_time(lambda head: join(head, offer.year, members=kin, on=DAY).status, heads)

    assert sorted(outcomes) == ["active", "already_member", "already_member"]
