"""What pays for a visit: what holds on the visit's own day."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import given
from hypothesis import strategies as st

from clinics.models import Organization
from memberships import entitlement
from memberships.entitlement import PER_VISIT, MembershipRequired, PriceChanged, Terms
from memberships.models import Membership, Plan, Price, VisitPrice
from tests import cast

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 24)
YESTERDAY, TOMORROW = DAY - timedelta(days=1), DAY + timedelta(days=1)


@pytest.fixture
def guest(db):
    """A patient who is no member."""
    return cast.make_patient("Guest", member=False)


def grant(patient, source, *, during=cast.ALWAYS, benefits=("*",)):
    """A membership of `patient` from this source."""
    if source == "self_paid":
        return cast.make_member(patient, during=during, benefits=benefits)
    plan, _ = Plan.objects.get_or_create(
        code=f"of-{source}-{'-'.join(benefits).replace('*', 'all')}",
        defaults={"name": source.title(), "audience": source, "benefits": list(benefits)},
    )
    needs = {
        "employer": {"sponsor": Organization.objects.filter(kind="employer").first() or employer()},
        "complimentary": {},
    }
    if source == "family":
        head = cast.make_member(cast.make_patient("Head", member=False))
        needs["family"] = {"head": head, "price": head.price}
    return Membership.objects.create(patient=patient, plan=plan, source=source, during=during, **needs[source])


def employer():
    return Organization.objects.create(kind="employer", name="Example Works", slug="example-works")


def price(amount, *, during=cast.ALWAYS, benefit="office"):
    return VisitPrice.objects.create(benefit=benefit, amount=amount, during=during)


def resolve(patient, on=DAY, benefit="office"):
    return entitlement.resolve(patient=patient, benefit=benefit, on=on)


class TestResolve:
    @pytest.mark.parametrize("source", Membership.Source.values)
    def test_it_covers_a_member_whatever_the_source_and_says_why(self, guest, source):
        membership = grant(guest, source)
        price(14_900)

        found = resolve(guest)

        assert (found.price, found.paid_by, found.membership_id) == (0, source, membership.pk)
        assert membership.plan.name in found.because

    def test_it_lets_what_costs_the_patient_least_pay(self, guest):
        granted = {source: grant(guest, source) for source in ("self_paid", "family", "complimentary", "employer")}

        for source in ("employer", "complimentary", "family", "self_paid"):
            assert resolve(guest).membership_id == granted[source].pk
            granted[source].delete()
        with pytest.raises(MembershipRequired):
            resolve(guest)

    def test_it_chooses_the_same_of_two_alike_every_time(self, guest):
        both = {grant(guest, "complimentary").pk for _ in range(2)}

        assert {resolve(guest).membership_id for _ in range(5)} == {min(both, key=str)}

    def test_it_asks_about_the_day_of_the_visit_from_the_first_up_to_the_last(self, guest):
        grant(guest, "self_paid", during=DateRange(DAY, TOMORROW))

        assert resolve(guest, on=DAY).price == 0
        for day in (YESTERDAY, TOMORROW):
            with pytest.raises(MembershipRequired):
                resolve(guest, on=day)

    def test_it_knows_what_a_plan_entitles_to(self, guest):
        grant(guest, "employer", benefits=("text", "video"))
        price(14_900)

        assert resolve(guest, benefit="video").paid_by == "employer"
        assert resolve(guest, benefit="office").paid_by == PER_VISIT
        with pytest.raises(MembershipRequired):
            resolve(guest, benefit="physical")

    def test_it_does_not_look_at_other_peoples_memberships(self, guest, pat):
        assert resolve(pat).price == 0
        with pytest.raises(MembershipRequired):
            resolve(guest)

    def test_it_takes_the_price_of_the_day(self, guest):
        price(14_900, during=DateRange(None, DAY))
        price(15_900, during=DateRange(DAY, TOMORROW))
        price(9_900, benefit="video")

        assert resolve(guest, on=YESTERDAY).price == 14_900
        assert resolve(guest, on=DAY).price == 15_900
        with pytest.raises(MembershipRequired):
            resolve(guest, on=TOMORROW)

    def test_it_names_the_plans_one_can_join_where_nothing_pays(self, guest):
        plan = Plan.objects.create(code="yearly", name="Yearly", audience="anyone", benefits=["*"])
        Plan.objects.create(code="old", name="Old", audience="anyone", benefits=["*"], on_sale=False)
        for amount, from_on in ((18_900, date(2025, 1, 1)), (19_900, DAY), (29_900, TOMORROW)):
            Price.objects.create(plan=plan, interval="year", amount=amount, from_on=from_on)

        with pytest.raises(MembershipRequired) as refused:
            resolve(guest)

        assert refused.value.help() == {
            "benefit": "office",
            "on": "2026-11-24",
            "plans": [
                {
                    "code": "yearly",
                    "name": "Yearly",
                    "audience": "anyone",
                    "benefits": ["*"],
                    "prices": [
                        {
                            "id": Price.objects.get(amount=19_900).pk,
                            "amount": 19_900,
                            "currency": "USD",
                            "interval": "year",
                            "audience": "anyone",
                            "requires_proof": False,
                            "trial_days": 0,
                        }
                    ],
                }
            ],
        }

    def test_it_takes_one_query_however_many_grants_there_are(self, guest, django_assert_num_queries):
        grant(guest, "self_paid")
        with django_assert_num_queries(1):
            resolve(guest)
        for _ in range(20):
            grant(guest, "complimentary")
        with django_assert_num_queries(1):
            resolve(guest)


class TestTerms:
    def test_they_answer_for_many_days_with_one_query(self, guest, django_assert_num_queries):
        grant(guest, "self_paid", during=DateRange(DAY, TOMORROW))
        price(14_900)

        with django_assert_num_queries(1):
            terms = entitlement.terms(patient_id=guest.pk, benefit="office")
            prices = [terms.on(DAY + timedelta(days=number)).price for number in range(-1, 3)]

        assert prices == [14_900, 0, 14_900, 14_900]

    def test_they_are_the_price_for_somebody_unknown(self, pat):
        price(14_900)

        assert entitlement.terms(patient_id=None, benefit="office").on(DAY).price == 14_900
        assert entitlement.terms(patient_id=None, benefit="physical").on(DAY) is None


class TestSettle:
    @pytest.fixture
    def terms(self, guest):
        price(14_900)
        return entitlement.terms(patient_id=guest.pk, benefit="office")

    def test_it_takes_the_price_that_was_agreed_to_and_no_other(self, terms):
        assert terms.settle(DAY, accept_price=14_900).paid_by == PER_VISIT
        for other in (0, 14_899, 14_901):
            with pytest.raises(PriceChanged) as changed:
                terms.settle(DAY, accept_price=other)
            assert changed.value.help() == {"price": 14_900}
        with pytest.raises(MembershipRequired) as required:
            terms.settle(DAY, accept_price=None)
        assert required.value.help()["price"] == 14_900

    def test_it_needs_no_agreement_where_a_membership_pays(self, pat, terms):
        covered = entitlement.terms(patient_id=pat.pk, benefit="office")

        for agreed in (None, 0, 14_900):
            assert covered.settle(DAY, accept_price=agreed).price == 0

    def test_it_asks_for_agreement_to_a_visit_that_is_free_for_all_too(self, guest):
        price(0, benefit="flu-shot")

        assert entitlement.terms(patient_id=guest.pk, benefit="flu-shot").settle(DAY, accept_price=0).price == 0

    @given(
        grants=st.lists(st.tuples(st.sampled_from(Membership.PRECEDENCE), st.integers(-3, 3), st.integers(1, 4))),
        amount=st.none() | st.integers(1, 100),
        accept=st.none() | st.integers(1, 100),
    )
    def test_it_never_charges_what_was_not_agreed_to(self, grants, amount, accept):
        line = entitlement._Line
        lines = [
            line("grant", uuid.uuid4(), source, "", DAY + timedelta(first), DAY + timedelta(first + days), 0)
            for source, first, days in grants
        ]
        lines += [] if amount is None else [line("price", None, "", "", None, None, amount)]
        live = [source for source, first, days in grants if first <= 0 < first + days]

        try:
            paid = Terms("office", tuple(lines)).settle(DAY, accept_price=accept)
        except PriceChanged:
            assert not live
            assert accept not in {None, amount}
        except MembershipRequired:
            assert not live
            assert accept is None or amount is None
        else:
            assert (paid.price, paid.paid_by) == (
                (0, min(live, key=Membership.PRECEDENCE.index)) if live else (accept, PER_VISIT)
            )


class TestConstraints:
    def test_a_benefit_has_one_price_a_day(self, db):
        price(14_900, during=DateRange(DAY, None))

        with pytest.raises(IntegrityError, match="visit_price_once"), transaction.atomic():
            price(1, during=DateRange(None, TOMORROW))

    @pytest.mark.parametrize(
        ("source", "constraint"),
        [
            ("employer", "membership_sponsor_is_an_employer"),
            ("family", "membership_family_has_a_head"),
            ("self_paid", "membership_paid_has_a_price"),
        ],
    )
    def test_a_membership_says_who_pays_for_it(self, guest, source, constraint):
        plan = Plan.objects.create(code="x", name="X", audience="anyone", benefits=["*"])
        paid = Price.objects.create(plan=plan, interval="year", amount=1, from_on=DAY) if source == "family" else None

        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Membership.objects.create(patient=guest, plan=plan, price=paid, source=source, during=cast.ALWAYS)
