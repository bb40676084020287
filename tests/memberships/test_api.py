"""Memberships by the API, as a client uses them."""

import pytest
import time_machine

from clinics.models import Proxy
from memberships.models import Invoice, Membership, Proof, Subscription
from tests import cast
from tests.calls import Caller
from tests.canaries import FAMILY_NAME
from tests.cast import NOW
from tests.memberships.selling import prove

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def child(guest):
    child = cast.make_patient("Kid", user=False, member=False, born=NOW.date().replace(year=2018))
    Proxy.objects.create(user=guest.user, patient=child)
    return child


def join(me, price, **more):
    return me.post("/memberships", {"price": price.pk, **more})


class TestJoining:
    def test_the_plans_say_what_can_be_bought(self, offer):
        plans = {plan["code"]: plan["prices"] for plan in Caller().get("/plans").json()["results"]}

        assert [(one["amount"], one["interval"], one["requires_proof"]) for one in plans["discounted"]] == [
            (900, "month", True), (9_900, "year", True),
        ]  # fmt: skip
        assert plans["annual"][0]["id"] == offer.year.pk

    def test_a_quote_then_the_membership(self, offer, guest, child):
        me = Caller(guest.user)
        wanted = {"price": offer.year.pk, "members": [str(child.pk)]}

        quoted = me.post("/memberships/quote", wanted).json()
        joined = me.post("/memberships", {**wanted, "accept_due": quoted["due_now"]})

        assert (quoted["due_now"], quoted["renews_on"]) == (26_500, "2027-11-24")
        assert joined.status_code == 201
        body = joined.json()
        assert (body["status"], body["renews_on"]) == ("active", "2027-11-24")
        assert [member["patient"]["name"] for member in body["members"]] == [f"Kid {FAMILY_NAME}"]
        assert me.get("/memberships").json()["results"] == [body]
        assert me.get(f"/memberships/{body['id']}").json() == body
        entitled = me.get("/entitlements", {"benefit": "text", "patient": str(child.pk), "on": "2027-11-23"}).json()
        assert (entitled["entitled"], entitled["source"], entitled["price"]) == (True, "family", 0)

    def test_the_same_key_joins_once(self, offer, guest):
        me = Caller(guest.user)

        first, second = (
            me.post("/memberships", {"price": offer.year.pk}, **{"Idempotency-Key": "join-1"}) for _ in range(2)
        )

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert Subscription.objects.count() == 1

    def test_a_discount_takes_a_proof_of_ones_own(self, offer, guest):
        stranger = cast.make_patient("Stranger", member=False)
        theirs = prove(stranger, on=NOW.date())
        me = Caller(guest.user)

        refused = join(me, offer.discounted_month)
        not_mine = join(me, offer.discounted_month, proof=str(theirs.pk))

        assert (refused.status_code, refused.json()["code"]) == (403, "proof_required")
        assert not_mine.status_code == 404
        prove(guest, on=NOW.date())
        assert join(me, offer.discounted_month).status_code == 201

    def test_a_proof_that_is_named_is_the_one_that_counts(self, offer, guest):
        held, gone = prove(guest, on=NOW.date()), prove(guest, on=NOW.date())
        Proof.objects.filter(pk=gone.pk).update(status="lapsed", lapsed_at=NOW)
        me, price = Caller(guest.user), {"price": offer.discounted_month.pk}

        quoted = me.post("/memberships/quote", {**price, "proof": str(gone.pk)})
        refused = join(me, offer.discounted_month, proof=str(gone.pk))

        assert [(one.status_code, one.json()["code"]) for one in (quoted, refused)] == [
            (403, "proof_holds_no_more")
        ] * 2
        newer = prove(guest, on=NOW.date())
        assert join(me, offer.discounted_month, proof=str(held.pk)).status_code == 201
        assert Subscription.objects.get().proof_id == held.pk != newer.pk

    def test_nobody_is_added_who_is_not_theirs(self, offer, guest, kin):
        me = Caller(guest.user)

        assert join(me, offer.year, members=[str(kin[0].pk)]).status_code == 404
        assert not Subscription.objects.exists()

    def test_another_amount_is_refused_with_what_is_due(self, offer, guest):
        answer = join(Caller(guest.user), offer.year, accept_due=1)

        assert (answer.status_code, answer.json()["code"], answer.json()["due_now"]) == (409, "amount_changed", 19_900)

    def test_a_price_that_is_not_there_names_those_that_are(self, offer, guest):
        answer = Caller(guest.user).post("/memberships", {"price": 2**31 - 1})

        assert (answer.status_code, answer.json()["code"]) == (409, "price_not_on_sale")
        assert answer.json()["plans"]


class TestChanging:
    @pytest.fixture
    def mine(self, offer, guest):
        prove(guest, on=NOW.date())
        return f"/memberships/{join(Caller(guest.user), offer.discounted_month).json()['id']}"

    def test_one_click_cancels_and_one_takes_it_back(self, guest, mine):
        me = Caller(guest.user)

        cancelled = me.post(f"{mine}/cancel").json()
        again = me.post(f"{mine}/cancel").json()
        resumed = me.post(f"{mine}/resume").json()

        assert (cancelled["status"], cancelled["ends_on"], cancelled["renews_on"]) == ("cancelling", "2026-12-24", None)
        assert again == cancelled
        assert (resumed["status"], resumed["ends_on"]) == ("active", None)

    def test_a_switch_is_quoted_and_done(self, offer, guest, mine):
        me = Caller(guest.user)
        wanted = {"price": offer.discounted_year.pk}

        quoted = me.post("/memberships/quote", {**wanted, "switch_from": mine.rpartition("/")[2]}).json()
        switched = me.post(f"{mine}/switch", {**wanted, "accept_due": quoted["due_now"]}).json()

        assert [line["amount"] for line in quoted["lines"]] == [9_900, -900]
        assert quoted["at_once"] is True
        assert (switched["price"]["amount"], switched["renews_on"]) == (9_900, "2027-11-24")

    def test_a_member_comes_and_goes(self, offer, guest, child, mine):
        me = Caller(guest.user)

        added = me.post(f"{mine}/members", {"patient": str(child.pk), "accept_due": 600}).json()
        removed = me.delete(f"{mine}/members/{child.pk}").json()

        assert [member["ends_on"] for member in added["members"]] == [None]
        assert [member["ends_on"] for member in removed["members"]] == ["2026-12-24"]

    def test_what_it_can_do_is_said_and_what_it_cannot_is_refused(self, guest, mine):
        me = Caller(guest.user)
        me.post(f"{mine}/pause")

        answer = me.post(f"{mine}/members", {"patient": str(guest.pk)})

        assert set(me.get(mine).json()["can"]) == {"resume", "cancel", "remove_member", "pay_with"}
        assert (answer.status_code, answer.json()["code"]) == (409, "not_in_this_state")
        assert "resume it first" in answer.json()["detail"]


class TestEntitlement:
    def test_it_says_what_ended_and_what_a_visit_costs(self, offer, guest):
        Membership.objects.create(
            patient=guest,
            plan=offer.year.plan,
            source="complimentary",
            during=cast.DateRange(cast.date(2026, 1, 1), cast.date(2026, 11, 1)),
        )

        said = Caller(guest.user).get("/entitlements", {"benefit": "text"}).json()

        assert (said["entitled"], said["source"], said["price"]) == (False, None, None)
        assert said["explanation"].endswith("Annual ended before November 1, 2026.")

    @pytest.mark.parametrize("benefit", ["banana", "OFFICE"])
    def test_what_is_no_benefit_is_covered_by_no_plan_for_all_of_them(self, avon, offer, guest, benefit):
        join(Caller(guest.user), offer.year)

        answer = Caller(guest.user).get("/entitlements", {"benefit": benefit})

        covered = [Caller(guest.user).get("/entitlements", {"benefit": one}).json() for one in ("text", "office")]
        assert all(one["entitled"] for one in covered)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_benefit")

    def test_it_takes_as_many_statements_whoever_has_whatever(self, offer, guest, django_assert_num_queries):
        me = Caller(guest.user)
        join(me, offer.year)
        me.get("/memberships")
        with django_assert_num_queries(4) as few:
            me.get("/memberships")
        for _ in range(20):
            Membership.objects.create(patient=guest, plan=offer.year.plan, source="complimentary", during=cast.ALWAYS)
        with django_assert_num_queries(len(few)):
            assert len(me.get("/memberships").json()["results"]) == 21
        assert Invoice.objects.count() == 1
