"""An employer stops paying: what is told of it, what can be taken instead, and what becomes of booked visits."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from clinics.messages import rendering
from clinics.models import Message, Patient, User
from memberships.employers import claiming, contracts, granting
from memberships.models import BenefitClaim, Membership, Plan, Price
from scheduling import booking, ended_benefits
from scheduling.models import Appointment
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at
from tests.memberships import sponsors
from tests.memberships.sponsors import LOPEZ, TODAY, day, make_benefits, put

pytestmark = pytest.mark.django_db
LAST_DAY = day(9)
GRACE = 5
ENDS = day(15)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def price(db: None) -> Price:
    """What is offered at the end: sold to nobody else."""
    plan = Plan.objects.create(code="leavers", name="After work", audience="anyone", benefits=["*"], on_sale=False)
    return Price.objects.create(plan=plan, interval="year", amount=14_900, from_on=date(2026, 1, 1))


@pytest.fixture
def ana(price: Price) -> Patient:
    """Whose employer's contract ends on LAST_DAY, with some days of grace, and who has claimed."""
    works = sponsors.make_employer()
    sponsors.make_contract(works, conversion=price, end_rule="grace", grace_days=GRACE)
    put(works, LOPEZ, make_benefits(works))
    patient = cast.make_patient("Ana", born=date(1985, 3, 2), member=False)
    Patient.objects.filter(pk=patient.pk).update(family_name="Lopez")
    patient.refresh_from_db()
    sponsors.verify(patient.user)
    claiming.claim(user=of(patient), member_number="1001", birth_date=date(1985, 3, 2), now=NOW)
    return patient


@pytest.fixture
def visits(ana: Patient) -> list[Appointment]:
    """Booked for the day before the end, and for two days after it; one of those is cancelled."""
    place = cast.make_place(rooms=2)
    office = cast.make_visit_type()
    made = []
    for offset in (14, 20, 21):
        cast.make_shift(place, at(9, days=offset), at(17, days=offset), office)
        slot = place.slot(at(10, 30, days=offset), office)
        by: dict[str, Any] = {"actor": ana.user, "source": Appointment.Source.PATIENT, "now": NOW}
        held, _ = booking.hold(patient=ana, slot=slot, **by)
        made.append(booking.book(held=held, reason="", accept_price=None, actor=of(ana), now=NOW))
    return made


def of(patient: Patient) -> User:
    assert patient.user
    return User.objects.select_related("patient").get(pk=patient.user.pk)


def stop() -> None:
    works = BenefitClaim.objects.get().person.employer
    contracts.end(employer=works, last_day=LAST_DAY, actor=None, today=TODAY, now=NOW)
    granting.bring_in_step(now=NOW)


def told(*, now: Any = NOW) -> dict[str, Any]:
    assert ended_benefits.tell(now=now) == 1
    return dict(Message.objects.get(template="benefit_ends").context)


class TestTelling:
    def test_it_says_which_visits_stay_and_what_they_cost(self, ana: Patient, visits: list[Appointment]):
        booking.cancel(visit=visits[2], reason="", actor=of(ana), source=Appointment.Source.PATIENT, now=NOW)
        stop()

        context = told()

        assert Membership.objects.get(patient=ana).during.upper == ENDS
        [stays] = context["visits"]
        assert stays == {
            "day": {"en": "December 14, 2026", "es": "14 de diciembre de 2026"},
            "clock": {"en": "10:30 AM", "es": "10:30"},
            "price": "",
        }

    def test_the_visits_keep_what_pays_for_them(self, ana: Patient, visits: list[Appointment]):
        stop()
        told()

        kept = Appointment.objects.get(pk=visits[1].pk)
        assert (kept.status, kept.price, kept.paid_by) == ("booked", 0, "employer")

    def test_the_mail_has_the_price_the_way_to_it_and_the_visits(self, ana: Patient, visits: list[Appointment]):
        stop()
        context = told()

        english, spanish = (
            rendering.write(template="benefit_ends", channel="email", language=language, context=context)
            for language in ("en", "es")
        )

        for said in (
            "up to and including December 8, 2026",
            "- December 14, 2026, 10:30 AM: nothing\n- December 15, 2026, 10:30 AM: nothing\n",
            "$149 a year (After work)",
            "by February 6, 2027",
        ):
            assert said in english.body
        for said in ("- 14 de diciembre de 2026, 10:30: nada\n", "$149 al año", "el 6 de febrero de 2027"):
            assert said in spanish.body

    def test_a_price_that_was_agreed_is_said(self, ana: Patient, visits: list[Appointment]):
        Appointment.objects.filter(pk=visits[1].pk).update(price=14_900)
        stop()

        assert [visit["price"] for visit in told()["visits"]] == ["$149", ""]

    def test_it_takes_as_many_statements_for_many_visits(
        self, ana: Patient, visits: list[Appointment], django_assert_num_queries: Any
    ):
        stop()
        grants = [Membership.objects.get(patient=ana).benefit_grant]

        with django_assert_num_queries(1):
            found = ended_benefits.staying(grants)
        assert [len(one) for one in found.values()] == [2]


class TestTakingIt:
    def quote(self, patient: Patient, price: Price) -> Any:
        return Caller(patient.user).post("/memberships/quote", {"price": price.pk})

    def test_it_is_shown_quoted_and_bought_though_nobody_else_can_buy_it(self, ana: Patient, price: Price):
        stop()
        told()
        me = Caller(ana.user)

        [benefit] = me.get("/me/employer-benefit").json()["results"]
        quoted = self.quote(ana, price)
        bought = me.post("/memberships", {"price": price.pk, "accept_due": quoted.json()["due_now"]})

        assert benefit["conversion"] == {
            "price": price.pk, "plan": "After work", "amount": 14_900, "interval": "year", "until_on": "2027-02-06",
        }  # fmt: skip
        assert (quoted.status_code, quoted.json()["due_now"]) == (200, 14_900)
        assert (bought.status_code, bought.json()["status"]) == (201, "active")
        assert self.quote(cast.make_patient("Other", member=False), price).json()["code"] == "price_not_on_sale"

    @pytest.mark.parametrize(("after", "status"), [(0, 200), (59, 200), (60, 409)])
    def test_it_can_be_taken_for_a_while_after_the_end(self, ana: Patient, price: Price, after: int, status: int):
        stop()
        with time_machine.travel(NOW + timedelta(days=15 + after), tick=False):
            [benefit] = Caller(ana.user).get("/me/employer-benefit").json()["results"]
            assert self.quote(ana, price).status_code == status
        assert (benefit["conversion"] is not None) == (status == 200)

    def test_while_nothing_ends_it_is_not_on_offer(self, ana: Patient, price: Price):
        assert self.quote(ana, price).status_code == 409
        assert Caller(ana.user).get("/me/employer-benefit").json()["results"][0]["conversion"] is None

    def test_who_gave_the_benefit_up_is_offered_nothing(self, ana: Patient, price: Price):
        granting.release(BenefitClaim.objects.get(), now=NOW)

        assert self.quote(ana, price).status_code == 409
        assert ended_benefits.tell(now=NOW + timedelta(days=2)) == 0
