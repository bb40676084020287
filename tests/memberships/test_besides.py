"""An employer begins to pay for who pays themself: they are asked, once, and nothing is done by itself."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from clinics.messages import claiming as sending
from clinics.messages import rendering
from clinics.models import Message, Organization, Patient, Proxy, User
from memberships import changing, ledger
from memberships.billing import settling
from memberships.employers import claiming, granting, offering
from memberships.models import (
    BenefitClaim,
    BenefitOffer,
    Membership,
    Subscription,
    SubscriptionChange,
)
from memberships.money import share
from memberships.quoting import AlreadyMember
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.memberships import sponsors
from tests.memberships.selling import join, noon
from tests.memberships.sponsors import LOPEZ, TODAY, make_benefits, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
BEGAN = date(2026, 9, 1)
RENEWS = date(2027, 9, 1)
LEFT = share(19_900, (RENEWS - TODAY).days, 365)
BORN = {"Ana": date(1985, 3, 2), "Ben": date(1984, 7, 12), "Cia": date(2015, 5, 5)}
NUMBER = "1001"


def person(name: str, *, user: bool = True) -> Patient:
    patient = cast.make_patient(name, born=BORN[name], user=user, member=False)
    Patient.objects.filter(pk=patient.pk).update(family_name="Lopez")
    return Patient.objects.get(pk=patient.pk)


def of(patient: Patient) -> User:
    assert patient.user
    return User.objects.select_related("patient").get(pk=patient.user.pk)


def claim(patient: Patient, *, now: Any = NOW) -> BenefitClaim:
    born = BORN[patient.given_name]
    [made] = claiming.claim(user=of(patient), member_number=NUMBER, birth_date=born, now=now)
    return made


def mails() -> list[dict[str, Any]]:
    return [one.context for one in Message.objects.filter(template="benefit_begins").order_by("pk")]


def sweep(offset: int) -> int:
    """Let the sweeps run so many days later. How many questions were asked."""
    now = NOW + timedelta(days=offset)
    granting.bring_in_step(now=now)
    return offering.begin(now=now)


def shown(caller: Caller) -> list[dict[str, Any]]:
    return [offer for one in caller.get("/me/employer-benefit").json()["results"] for offer in one["offers"]]


def choose(patient: Patient, choice: str, *, now: Any = NOW) -> BenefitOffer:
    offer = BenefitOffer.objects.latest("pk")
    return offering.choose(offer_id=offer.pk, claim_id=offer.grant.claim_id, user=of(patient), choice=choice, now=now)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def works(offer: Any) -> Organization:
    employer = sponsors.make_employer()
    sponsors.make_contract(employer)
    return employer


@pytest.fixture
def hr(works: Organization) -> User:
    return make_benefits(works)


@pytest.fixture
def rostered(works: Organization, hr: User) -> None:
    put(works, LOPEZ, hr)


@pytest.fixture
def ana(rostered: None) -> Patient:
    ana = person("Ana")
    sponsors.verify(ana.user)
    return ana


def buy(patient: Patient, price: Any, *, members: Any = (), paid: bool = True) -> Subscription:
    """A yearly membership since BEGAN."""
    made = join(patient, price, on=BEGAN, members=members)
    if paid:
        [invoice] = made.invoices.all()
        settling.paid_by_hand(invoice.pk, amount=invoice.due, reference="1", actor=made.payer, now=noon(BEGAN))
    return made


@pytest.fixture
def own(ana: Patient, offer: Any) -> Subscription:
    return buy(ana, offer.year)


class TestAsking:
    def test_by_a_claim_they_are_asked_at_once_what_becomes_of_theirs(self, ana: Patient, own: Subscription):
        claim(ana)

        [context] = mails()
        assert Message.objects.get(template="benefit_begins").user == ana.user
        assert context["options"] == {
            "keep": {"from_on": "2027-09-01", "by": "", "costs": 19_900, "credit": 0, "owed_less": 0},
            "pause": {"from_on": "2027-09-01", "by": "2027-08-31", "costs": 0, "credit": 0, "owed_less": 0},
            "cancel": {"from_on": "2026-11-24", "by": "", "costs": 0, "credit": LEFT, "owed_less": 0},
        }

    def test_the_mail_names_the_three_with_what_they_cost_in_both_languages(self, ana: Patient, own: Subscription):
        claim(ana)
        [context] = mails()

        english, spanish = (
            rendering.write(template="benefit_begins", channel="email", language=language, context=context)
            for language in ("en", "es-MX")
        )

        credit = f"${LEFT / 100:.2f}"
        for said in ("$199.00 on September 1, 2027", "Choose it by August 31, 2027", f"{credit} back as credit"):
            assert said in english.body
        for said in (
            "$199.00 el 1 de septiembre de 2027",
            "el 31 de agosto de 2027",
            f"devuelve {credit} como crédito",
        ):
            assert said in spanish.body
        assert "Lopez" not in english.body + spanish.body

    def test_it_goes_to_who_decides(self, ana: Patient, own: Subscription):
        claim(ana)

        [outgoing] = [one for one in sending.claim("email", now=NOW).outgoing if "Lakeshore" in one.subject]
        assert outgoing.to == of(ana).email

    def test_what_begins_later_is_asked_on_its_day(self, works: Organization, hr: User, offer: Any):
        put(works, [LOPEZ[0].replace("2026-01-01", "2026-12-01")], hr)
        ana = person("Ana")
        sponsors.verify(ana.user)
        buy(ana, offer.year)
        claim(ana)

        asked = [sweep(offset) for offset in (0, 6, 7, 7, 8)]

        assert asked == [0, 0, 1, 0, 0]
        assert len(mails()) == 1

    def test_a_roster_that_brings_somebody_back_after_a_gap_asks_anew(
        self, ana: Patient, own: Subscription, works: Organization, hr: User
    ):
        claim(ana)
        choose(ana, "keep")
        put(works, [LOPEZ[0] + "2026-11-25"], hr, kind="changes")
        sweep(0)

        put(works, [LOPEZ[0].replace("2026-01-01", "2026-12-10")], hr, kind="changes")

        assert [sweep(offset) for offset in (0, 15, 16, 17)] == [0, 0, 1, 0]
        assert BenefitOffer.objects.count() == 2

    def test_another_plan_or_employer_that_follows_at_once_is_no_new_start(
        self, ana: Patient, own: Subscription, works: Organization
    ):
        claim(ana)
        other = sponsors.make_employer("Other")
        sponsors.make_contract(other)
        put(other, [LOPEZ[0].replace("1001", "77").replace("2026-01-01", "2026-11-26")], make_benefits(other))
        claiming.claim(user=of(ana), member_number="77", birth_date=BORN["Ana"], now=NOW)

        assert [sweep(offset) for offset in (1, 2, 3)] == [0, 0, 0]
        assert len(mails()) == 1

    def test_claimed_twice_it_is_asked_once(self, ana: Patient, own: Subscription):
        made = claim(ana)
        assert claim(ana) == made
        granting.release(made, now=NOW)
        claim(ana)

        assert len(mails()) == 1

    def test_who_pays_for_nothing_is_asked_nothing_nor_later(self, ana: Patient, offer: Any):
        claim(ana)
        buy(ana, offer.year)

        assert sweep(1) == 0
        assert mails() == []

    def test_where_they_live_it_is_the_day_before(self, ana: Patient, own: Subscription):
        Patient.objects.filter(pk=ana.pk).update(time_zone="Pacific/Honolulu")
        early = NOW.replace(hour=6)  # one in the morning in Ohio

        claim(ana, now=early)
        before = len(mails())
        offering.begin(now=NOW)

        assert (before, len(mails())) == (0, 1)

    def test_nothing_is_done_by_itself(self, ana: Patient, own: Subscription):
        was = list(SubscriptionChange.objects.values())
        claim(ana)
        sweep(1)

        own.refresh_from_db()
        assert own.status == "active"
        assert list(SubscriptionChange.objects.values()) == was


class TestChoosing:
    def test_it_stands_until_they_choose(self, ana: Patient, own: Subscription):
        made = claim(ana)
        me = Caller(ana.user)

        [asked] = shown(me)
        path = f"/me/employer-benefit/{made.pk}/offers/{asked['id']}"
        answers = [me.post(path, {"choice": "keep"}, **{"Idempotency-Key": key}) for key in ("a", "a", "b")]

        assert asked["membership"] == str(own.pk)
        assert [(one["code"], one["costs"], one["credit"]) for one in asked["choices"]] == [
            ("keep", 19_900, 0), ("pause", 0, 0), ("cancel", 0, LEFT),
        ]  # fmt: skip
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert [answer.json()["choice"] for answer in answers] == ["keep"] * 3
        assert shown(me) == []
        assert me.post(path, {"choice": "pause"}).json()["code"] == "chosen_already"
        own.refresh_from_db()
        assert own.status == "active"

    def test_pausing_is_at_the_renewal(self, ana: Patient, own: Subscription):
        claim(ana)

        choose(ana, "pause")
        choose(ana, "pause")

        own.refresh_from_db()
        assert own.status == "pausing"
        assert SubscriptionChange.objects.filter(subscription=own, action="pause").count() == 1

    def test_cancelling_gives_back_what_it_said(self, ana: Patient, own: Subscription):
        made = claim(ana)
        me = Caller(ana.user)
        [asked] = shown(me)

        answer = me.post(f"/me/employer-benefit/{made.pk}/offers/{asked['id']}", {"choice": "cancel"})

        own.refresh_from_db()
        assert answer.status_code == 200
        assert (own.status, own.ended_on) == ("ended", TODAY)
        assert ledger.credit_of(of(ana)) == LEFT == asked["choices"][2]["credit"]

    def test_what_is_not_paid_yet_is_owed_less(self, ana: Patient, offer: Any):
        own = buy(ana, offer.year, paid=False)
        claim(ana)

        assert mails()[0]["options"]["cancel"] | {"from_on": ""} == {
            "from_on": "", "by": "", "costs": 0, "credit": 0, "owed_less": LEFT,
        }  # fmt: skip
        choose(ana, "cancel")
        assert own.invoices.get().due == 19_900 - LEFT

    def test_one_that_is_past_due_ends_and_is_owed_no_more(self, ana: Patient, offer: Any):
        own = buy(ana, offer.year, paid=False)
        Subscription.objects.filter(pk=own.pk).update(status="past_due", past_due_since=BEGAN)
        claim(ana)

        assert list(mails()[0]["options"]) == ["keep", "cancel"]
        choose(ana, "cancel")
        own.refresh_from_db()
        assert (own.status, own.invoices.get().status) == ("ended", "void")

    @pytest.mark.parametrize("do", [changing.pause, changing.stop])
    def test_changing_the_membership_itself_answers_it(self, ana: Patient, own: Subscription, do: Any):
        claim(ana)
        reason = {"reason": ""} if do is changing.stop else {}
        later = NOW + timedelta(minutes=5)

        do(subscription_id=own.pk, actor=of(ana), now=later, **reason)

        assert shown(Caller(ana.user)) == []
        with pytest.raises(offering.OfferOver):
            choose(ana, "keep", now=later)

    def test_an_employer_that_stopped_has_nothing_to_ask(self, ana: Patient, own: Subscription):
        made = claim(ana)
        granting.release(made, now=NOW)

        with pytest.raises(offering.OfferOver):
            choose(ana, "cancel", now=NOW + timedelta(days=2))
        own.refresh_from_db()
        assert own.status == "active"

    def test_what_is_not_offered_is_refused(self, ana: Patient, own: Subscription):
        claim(ana)

        with pytest.raises(offering.NotAChoice) as refused:
            choose(ana, "leave")
        assert refused.value.extra == {"choices": ["keep", "pause", "cancel"]}

    def test_it_is_nobody_elses_to_see_or_to_choose(self, ana: Patient, own: Subscription, hr: User):
        made = claim(ana)
        path = f"/me/employer-benefit/{made.pk}/offers/{BenefitOffer.objects.get().pk}"

        for user in (person("Ben").user, hr):
            assert shown(Caller(user)) == []
            assert Caller(user).post(path, {"choice": "keep"}).status_code == 404
        assert Caller().post(path, {"choice": "keep"}).status_code == 401
        assert BenefitOffer.objects.get().choice == ""


class TestFamilies:
    @pytest.fixture
    def cia(self, ana: Patient) -> Patient:
        child = person("Cia", user=False)
        Proxy.objects.create(user=of(ana), patient=child)
        return child

    def test_who_acts_for_a_child_decides_for_the_child(self, ana: Patient, cia: Patient, offer: Any):
        own = buy(ana, offer.year, members=[cia])
        claim(ana)
        [made] = claiming.claim(user=of(ana), patient_id=cia.pk, now=NOW)

        about_all, about_cia = mails()

        assert about_all["others"] == "Cia"
        assert about_all["options"]["keep"]["costs"] == 19_900 + 6_600
        assert (about_cia["child"], about_cia["is_payer"]) == ("Cia", True)
        assert about_cia["options"]["keep"]["costs"] == 6_600
        choose(ana, "leave")
        assert Membership.objects.get(patient=cia, subscription=own).during.upper == RENEWS
        assert made.patient_id == cia.pk

    def test_a_spouse_in_somebody_elses_membership_decides_for_themself(self, ana: Patient, offer: Any):
        ben = person("Ben")
        own = buy(ana, offer.year, members=[ben])
        claim(ben)

        [message] = Message.objects.filter(template="benefit_begins")
        left = share(6_600, (RENEWS - TODAY).days, 365)
        assert message.user == ben.user
        assert (message.context["is_payer"], message.context["others"]) == (False, "")
        assert message.context["options"]["cancel"]["credit"] == left
        them = Caller(ben.user)
        [asked] = shown(them)
        place = Membership.objects.get(patient=ben, subscription=own)
        assert asked["membership"] == str(place.pk)
        assert them.get(f"/memberships/{place.pk}").json()["payer"] == "somebody else"
        assert them.get("/me/employer-benefit").json()["results"][0]["paid_besides"] == [str(place.pk)]
        choose(ben, "cancel")
        choose(ben, "cancel")

        own.refresh_from_db()
        place.refresh_from_db()
        assert (own.status, place.during.upper) == ("active", TODAY)
        assert ledger.credit_of(of(ana)) == left

    def test_who_left_today_is_not_back_for_nothing(self, ana: Patient, offer: Any):
        ben = person("Ben")
        own = join(ana, offer.year, on=TODAY, members=[ben])
        claim(ben)
        choose(ben, "cancel")

        with pytest.raises(AlreadyMember):
            changing.add_member(subscription_id=own.pk, member=ben, accept_due=None, actor=own.payer, now=NOW)

    def test_the_head_is_no_further_member(self, ana: Patient, own: Subscription):
        claim(ana)

        with pytest.raises(changing.NotAMember):
            changing.stop_member(subscription_id=own.pk, member=ana.pk, actor=of(ana), now=NOW)

    def test_leaving_at_once_takes_somebody_else_who_pays(self, ana: Patient, offer: Any):
        ben = person("Ben")
        own = buy(ana, offer.year, members=[ben])

        with pytest.raises(changing.NotPaidByOthers):
            changing.stop_member(subscription_id=own.pk, member=ben.pk, actor=own.payer, now=NOW)
