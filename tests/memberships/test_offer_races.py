"""What is asked and accepted by several at once happens once."""

from datetime import date
from typing import Any

import pytest

from clinics import links
from clinics.models import Message, Patient, User
from memberships.changing import inviting
from memberships.employers import claiming, offering
from memberships.models import BenefitGrant, BenefitOffer, MemberInvitation, Membership, Subscription
from tests import cast
from tests.cast import NOW, at_the_same_time
from tests.memberships import sponsors
from tests.memberships.selling import join, make_offer
from tests.memberships.sponsors import LOPEZ, TODAY, make_benefits, put

pytestmark = pytest.mark.django_db(transaction=True)


def of(patient: Patient) -> User:
    assert patient.user
    return User.objects.select_related("patient").get(pk=patient.user.pk)


def invite(subscription: Subscription, email: str) -> str:
    made = inviting.invite(
        subscription_id=subscription.pk, email=email, accept_due=None, actor=subscription.payer, now=NOW
    )
    return links.derived(made.pk)


@pytest.fixture
def own() -> Subscription:
    offer = make_offer()
    head = cast.make_patient("Guest", member=False)
    four = [cast.make_patient(f"Kin{number}", user=False, member=False) for number in range(4)]
    return join(head, offer.year, on=TODAY, members=four)


def test_two_who_accept_the_fifth_place_at_once_get_it_once(own: Subscription):
    asked = [(of(cast.make_patient(name, member=False)), invite(own, f"{name}@example.com")) for name in ("sam", "max")]

    outcomes = at_the_same_time(lambda one: inviting.accept(token=one[1], user=one[0], now=NOW), asked)

    assert [one for one in outcomes if not isinstance(one, Membership)] == ["too_many_members"]
    assert Membership.objects.filter(subscription=own, head__isnull=False).count() == 5
    assert MemberInvitation.objects.filter(accepted_at__isnull=False).count() == 1


def test_one_invitation_that_two_accept_at_once_is_accepted_once(own: Subscription):
    Membership.objects.filter(patient__given_name="Kin0").delete()
    code = invite(own, "sam@example.com")
    users = [of(cast.make_patient(name, member=False)) for name in ("sam", "max", "lou")]

    outcomes = at_the_same_time(lambda user: inviting.accept(token=code, user=user, now=NOW), users)

    assert sorted(one for one in outcomes if isinstance(one, str)) == ["not_found", "not_found"]
    assert Membership.objects.filter(subscription=own, head__isnull=False).count() == 4


def test_accepting_and_taking_back_at_once_does_one_of_them(own: Subscription):
    code = invite(own, "sam@example.com")
    made = MemberInvitation.objects.get()
    user = of(cast.make_patient("sam", member=False))

    def do(what: str) -> Any:
        if what == "accept":
            return inviting.accept(token=code, user=user, now=NOW)
        return inviting.withdraw(subscription=own, invitation_id=made.pk, now=NOW)

    outcomes = at_the_same_time(do, ["accept", "withdraw"])

    made.refresh_from_db()
    assert outcomes.count("not_found") == 1
    assert (made.accepted_at is None) != (made.withdrawn_at is None)
    is_member = Membership.objects.filter(subscription=own, patient=user.patient).exists()
    assert is_member == (made.accepted_at is not None)


def test_two_sweeps_at_once_ask_once_and_two_clicks_choose_once():
    offer = make_offer()
    works = sponsors.make_employer()
    sponsors.make_contract(works)
    put(works, LOPEZ, make_benefits(works))
    ana = cast.make_patient("Ana", born=date(1985, 3, 2), member=False)
    Patient.objects.filter(pk=ana.pk).update(family_name="Lopez")
    join(ana, offer.year, on=TODAY)
    sponsors.verify(ana.user)
    claiming.claim(user=of(ana), member_number="1001", birth_date=date(1985, 3, 2), now=NOW)
    # As it is before anybody asked.
    Message.objects.filter(template="benefit_begins").delete()
    BenefitOffer.objects.all().delete()
    BenefitGrant.objects.update(asked_at=None)

    asked = at_the_same_time(lambda _: offering.begin(now=NOW), range(4))
    made = BenefitOffer.objects.get()
    choices = at_the_same_time(
        lambda choice: offering.choose(
            offer_id=made.pk, claim_id=made.grant.claim_id, user=of(ana), choice=choice, now=NOW
        ),
        ["keep", "cancel", "pause"],
    )

    assert sorted(asked) == [0, 0, 0, 1]
    assert Message.objects.filter(template="benefit_begins").count() == 1
    assert [one for one in choices if isinstance(one, str)] == ["chosen_already"] * 2
    made.refresh_from_db()
    status = Subscription.objects.get(patient=ana).status
    assert status == {"keep": "active", "cancel": "ended", "pause": "pausing"}[made.choice]
