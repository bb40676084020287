"""Claiming what an employer pays for, and what it grants while roster and contract change."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics import links, people
from clinics.models import Message, Organization, Patient, Proxy, User
from memberships import entitlement
from memberships.employers import claiming, contracts, granting, inviting, telling
from memberships.models import BenefitClaim, Membership, Plan, Price, SponsoredPerson, SponsorInvitation
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.memberships import sponsors
from tests.memberships.sponsors import IYER, LOPEZ, TODAY, day, make_benefits, put

pytestmark = pytest.mark.django_db
BORN = {"Ana": date(1985, 3, 2), "Ben": date(1984, 7, 12), "Cia": date(2015, 5, 5), "Dan": date(2015, 5, 5)}
BY_NUMBER: dict[str, Any] = {"member_number": "1001", "birth_date": BORN["Ana"]}
JSON_BY_NUMBER = {"member_number": "1001", "birth_date": "1985-03-02"}


def person(name: str, *, family: str = "Lopez", born: date | None = None, user: bool = True) -> Patient:
    patient = cast.make_patient(name, born=born or BORN[name], user=user, member=False)
    Patient.objects.filter(pk=patient.pk).update(family_name=family)
    return Patient.objects.get(pk=patient.pk)


def of(patient: Patient) -> User:
    assert patient.user
    return User.objects.select_related("patient").get(pk=patient.user.pk)


def claim(patient: Patient, *, now: Any = NOW, **proof: Any) -> list[BenefitClaim]:
    return claiming.claim(user=of(patient), now=now, **proof)


def days(patient: Patient) -> list[tuple[date, date | None]]:
    found = Membership.objects.filter(patient=patient, source="employer").order_by("during")
    return [(grant.during.lower, grant.during.upper) for grant in found]


def pays(patient: Patient, on: date) -> str | None:
    found = entitlement.terms(patient_id=patient.pk, benefit="office").on(on)
    return found.paid_by if found else None


def step(offset: int = 0) -> Any:
    """Let the sweep run, so many days later; when that is."""
    now = NOW + timedelta(days=offset)
    granting.bring_in_step(now=now)
    return now


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def works(db: None) -> Organization:
    employer = sponsors.make_employer()
    sponsors.make_contract(employer, end_rule="grace", grace_days=30)
    return employer


@pytest.fixture
def hr(works: Organization) -> User:
    return make_benefits(works)


@pytest.fixture
def rostered(works: Organization, hr: User) -> None:
    put(works, [*LOPEZ, *IYER], hr)


@pytest.fixture
def newcomer(rostered: None) -> Patient:
    """Ana, before she verified the address that the roster has for her."""
    return person("Ana")


@pytest.fixture
def ana(newcomer: Patient) -> Patient:
    sponsors.verify(newcomer.user)
    return newcomer


class TestProofs:
    def test_by_member_number_and_birth_date(self, ana: Patient, works: Organization):
        [made] = claim(ana, **BY_NUMBER)

        grant = Membership.objects.get(patient=ana)
        assert (made.by, made.person.first_name) == ("number", "Ana")
        assert (grant.source, grant.sponsor, grant.plan_id) == ("employer", works, "employer")
        assert (grant.during.lower, grant.during.upper) == (TODAY, None)
        assert pays(ana, TODAY) == "employer"

    def test_by_a_verified_address_of_the_account(self, newcomer: Patient):
        sponsors.verify(newcomer.user, "Ana@Works.example")

        assert [one.by for one in claim(newcomer)] == ["email"]

    def test_an_address_that_is_not_verified_is_none(self, newcomer: Patient):
        sponsors.verify(newcomer.user, verified=False)

        with pytest.raises(claiming.BenefitNotFound):
            claim(newcomer)
        assert claim(newcomer, **BY_NUMBER) == []

    def test_people_without_an_address_are_not_found_by_none(self, rostered: None):
        """Ben has no e-mail address on the roster, and his account none that is verified."""
        with pytest.raises(claiming.BenefitNotFound):
            claim(person("Ben"))

    def test_by_an_invitation(self, ana: Patient, works: Organization):
        inviting.ask(employer=works, people_ids=None, now=NOW)
        inviting.send_invitations(now=NOW)
        invitation = SponsorInvitation.objects.get(person__first_name="Ana")

        assert [one.by for one in claim(ana, invitation=links.derived(invitation.pk))] == ["invitation"]
        invitation.refresh_from_db()
        assert invitation.used_at == NOW

    def test_an_invitation_that_is_over_is_none(self, ana: Patient, works: Organization):
        inviting.ask(employer=works, people_ids=None, now=NOW)
        inviting.send_invitations(now=NOW)
        token = links.derived(SponsorInvitation.objects.get(person__first_name="Ana").pk)

        with pytest.raises(claiming.BenefitNotFound):
            claim(ana, invitation=token, now=NOW + inviting.LASTS)

    def test_an_adult_dependent_claims_by_the_familys_number(self, rostered: None):
        ben = person("Ben")

        assert [one.person.relationship for one in claim(ben, member_number="1001", birth_date=BORN["Ben"])] == [
            "spouse"
        ]

    def test_twice_is_once(self, ana: Patient):
        assert claim(ana, **BY_NUMBER) == claim(ana, **BY_NUMBER)
        assert len(days(ana)) == 1

    @pytest.mark.parametrize(
        "proof",
        [
            {"member_number": "1001"},
            {"birth_date": BORN["Ana"]},
            {**BY_NUMBER, "invitation": "x"},
        ],
    )
    def test_it_takes_one_whole_proof(self, ana: Patient, proof: Any):
        with pytest.raises(claiming.OneProof):
            claim(ana, **proof)

    def test_a_name_may_be_shortened_or_have_changed(self, rostered: None):
        married = person("Ana", family="Reyes")
        sponsors.verify(married.user)

        assert claim(married, **BY_NUMBER)

    def test_accents_and_case_make_no_other_name(self, rostered: None):
        ana = person("ANA", family="LÓPEZ", born=BORN["Ana"])
        sponsors.verify(ana.user)

        assert claim(ana, **BY_NUMBER)


class TestFamily:
    @pytest.fixture
    def cia(self, ana: Patient) -> Patient:
        return self.child(ana, "Cia")

    def child(self, parent: Patient, name: str) -> Patient:
        child = person(name, user=False)
        Proxy.objects.create(user=of(parent), patient=child)
        return child

    def test_who_has_claimed_claims_for_a_child_they_act_for(self, ana: Patient, cia: Patient):
        claim(ana, **BY_NUMBER)

        assert [(one.by, one.person.first_name) for one in claim(ana, patient_id=cia.pk)] == [("family", "Cia")]
        assert pays(cia, TODAY) == "employer"

    def test_twins_are_claimed_each_for_themself(self, ana: Patient, cia: Patient):
        dan = self.child(ana, "Dan")
        claim(ana, **BY_NUMBER)
        claim(ana, patient_id=cia.pk)
        claim(ana, patient_id=dan.pk)

        claimed = BenefitClaim.objects.exclude(patient=ana)
        assert {(one.patient.given_name, one.person.first_name) for one in claimed} == {("Cia", "Cia"), ("Dan", "Dan")}

    def test_a_twin_by_another_name_is_not_taken_for_either(self, ana: Patient):
        claim(ana, **BY_NUMBER)
        zoe = person("Zoe", born=BORN["Cia"], user=False)
        Proxy.objects.create(user=of(ana), patient=zoe)

        with pytest.raises(claiming.BenefitNotFound):
            claim(ana, patient_id=zoe.pk)

    def test_nobody_claims_for_a_child_before_themself(self, ana: Patient, cia: Patient):
        with pytest.raises(claiming.BenefitNotFound):
            claim(ana, patient_id=cia.pk)

    def test_a_parent_without_a_benefit_claims_by_the_childs_number(self, rostered: None):
        parent = person("Pat", family="Other", born=date(1986, 1, 1))
        cia = self.child(parent, "Cia")

        assert claim(parent, patient_id=cia.pk, member_number="1001", birth_date=BORN["Cia"])

    def test_nobody_claims_for_whom_they_do_not_act(self, ana: Patient, cia: Patient):
        stranger = person("Eve", family="Iyer", born=date(1990, 1, 31))

        with pytest.raises(Exception, match="nothing here"):
            claim(stranger, patient_id=cia.pk)

    def test_a_child_who_turns_26_is_told_and_ends(self, works: Organization, hr: User):
        kid = "1001,child,Kid,Lopez,2000-12-10,,2026-01-01,"
        put(works, [*LOPEZ, kid], hr)
        child = person("Kid", born=date(2000, 12, 10))
        claim(child, member_number="1001", birth_date=date(2000, 12, 10))

        assert days(child) == [(TODAY, date(2026, 12, 10) + timedelta(days=30))]


class TestNobodyElse:
    """What is wrong and what is another's are refused by the same words after the same statements."""

    WRONG: dict[str, Any] = {
        "unknown number": {"member_number": "9999", "birth_date": "1985-03-02"},
        "wrong birth date": {"member_number": "1001", "birth_date": "1985-03-03"},
        "another's, on the roster": {"member_number": "1002", "birth_date": "1990-01-31"},
        "another's, claimed": {"member_number": "1001", "birth_date": "1984-07-12"},
        "right, and to be confirmed": JSON_BY_NUMBER,
    }

    def test_it_answers_them_alike(self, newcomer: Patient, works: Organization):
        claim(person("Ben"), member_number="1001", birth_date=BORN["Ben"])
        me = Caller(newcomer.user)
        answers, costs = {}, {}
        for name, proof in self.WRONG.items():
            with CaptureQueriesContext(connection) as queries:
                answer = me.post("/me/employer-benefit", proof)
            answers[name] = (answer.status_code, answer.json())
            costs[name] = str([query["sql"].split()[0] for query in queries])

        assert list(answers.values()) == [(202, {"results": [], "next": None})] * len(self.WRONG)
        assert len(set(costs.values())) == 1

    def test_a_code_that_is_none_is_refused(self, ana: Patient):
        assert Caller(ana.user).post("/me/employer-benefit", {"invitation": "x" * 22}).json()["code"] == (
            "benefit_not_found"
        )

    def test_somebody_else_with_the_same_birth_date_is_not_them(self, rostered: None):
        impostor = person("Mallory", family="Thief", born=BORN["Ana"])
        sponsors.verify(impostor.user)

        with pytest.raises(claiming.BenefitNotFound):
            claim(impostor)
        assert claim(impostor, **BY_NUMBER) == []

    def test_what_was_claimed_is_nobody_elses(self, ana: Patient):
        claim(ana, **BY_NUMBER)

        assert claim(person("Ana"), **BY_NUMBER) == []
        assert [one.patient for one in BenefitClaim.objects.all()] == [ana]

    def test_tries_are_few_and_a_key_does_not_help(self, ana: Patient):
        me = Caller(ana.user)
        wrong = {"member_number": "9999", "birth_date": "1985-03-02"}

        statuses = [
            me.post("/me/employer-benefit", wrong, **{"Idempotency-Key": f"k{number}"}).status_code
            for number in range(claiming.TRIES + 2)
        ]

        assert statuses == [202] * claiming.TRIES + [429] * 2
        assert me.post("/me/employer-benefit", JSON_BY_NUMBER).status_code == 429

    def test_tries_on_one_number_are_few_by_all_accounts_together(self, rostered: None):
        statuses = []
        for number in range(claiming.TRIES_OF_NUMBER + 1):
            me = Caller(cast.make_patient(f"P{number}", member=False).user)
            statuses.append(me.post("/me/employer-benefit", JSON_BY_NUMBER).status_code)

        assert statuses == [202] * claiming.TRIES_OF_NUMBER + [429]


class TestApi:
    def test_it_says_what_is_paid_by_whom_and_what_they_pay_besides(self, ana: Patient, works: Organization):
        own = cast.make_member(ana)
        me = Caller(ana.user)

        answer = me.post("/me/employer-benefit", JSON_BY_NUMBER, **{"Idempotency-Key": "k"})
        again = me.post("/me/employer-benefit", JSON_BY_NUMBER, **{"Idempotency-Key": "k"})

        [benefit] = answer.json()["results"]
        assert answer.status_code == 201
        assert benefit["employer"] == {"id": str(works.pk), "name": works.name}
        assert benefit["paid_besides"] == [str(own.pk)]
        assert [(one["from_on"], one["until_on"]) for one in benefit["memberships"]] == [("2026-11-24", None)]
        assert again.json() == answer.json() == me.get("/me/employer-benefit").json()

    def test_it_is_given_up_and_may_be_claimed_again(self, ana: Patient):
        me = Caller(ana.user)
        benefit = me.post("/me/employer-benefit", JSON_BY_NUMBER).json()["results"][0]["id"]

        assert me.delete(f"/me/employer-benefit/{benefit}").status_code == 204
        assert me.get("/me/employer-benefit").json()["results"] == []
        assert pays(ana, day(1)) is None
        assert me.post("/me/employer-benefit", JSON_BY_NUMBER).status_code == 201

    def test_it_is_nobody_elses_to_see_or_give_up(self, ana: Patient, hr: User):
        [made] = claim(ana, **BY_NUMBER)

        for caller in (Caller(person("Ben").user), Caller(hr)):
            assert caller.get("/me/employer-benefit").json()["results"] == []
            assert caller.delete(f"/me/employer-benefit/{made.pk}").status_code == 404


class TestRosterChanges:
    @pytest.fixture(autouse=True)
    def claimed(self, ana: Patient) -> None:
        claim(ana, **BY_NUMBER)

    def change(self, works: Organization, hr: User, line: str, offset: int = 0) -> None:
        put(works, [line], hr, kind="changes", now=NOW + timedelta(days=offset), as_of=day(offset))
        step(offset)

    def test_an_end_ends_after_grace(self, ana: Patient, works: Organization, hr: User):
        self.change(works, hr, LOPEZ[0] + "2026-12-31")

        assert days(ana) == [(TODAY, date(2027, 1, 31))]

    def test_an_end_that_is_taken_back_goes_on(self, ana: Patient, works: Organization, hr: User):
        self.change(works, hr, LOPEZ[0] + "2026-12-31")
        self.change(works, hr, LOPEZ[0], offset=3)

        assert days(ana) == [(TODAY, None)]

    def test_hired_again_in_grace_they_were_never_away(self, ana: Patient, works: Organization, hr: User):
        self.change(works, hr, LOPEZ[0] + "2026-11-30")
        self.change(works, hr, LOPEZ[0].replace("2026-01-01", "2026-12-20"), offset=10)

        assert days(ana) == [(TODAY, None)]

    def test_hired_again_after_grace_they_have_another_grant_without_claiming_again(
        self, ana: Patient, works: Organization, hr: User
    ):
        self.change(works, hr, LOPEZ[0] + "2026-11-30")
        self.change(works, hr, LOPEZ[0].replace("2026-01-01", "2027-03-01"), offset=60)

        assert days(ana) == [(TODAY, date(2026, 12, 31)), (date(2027, 3, 1), None)]

    def test_an_end_in_the_past_ends_today_and_visits_keep_what_paid(self, ana: Patient, works: Organization, hr: User):
        place, kind = cast.make_place(), cast.make_visit_type("office")
        visit = cast.make_completed(place, kind, ana, NOW + timedelta(days=10))
        visit.membership = Membership.objects.get(patient=ana)
        visit.paid_by = "employer"
        visit.save(update_fields=["membership", "paid_by"])

        self.change(works, hr, LOPEZ[0] + "2026-09-30", offset=20)

        visit.refresh_from_db()
        assert days(ana) == [(TODAY, day(20))]
        assert (visit.paid_by, visit.price, visit.membership.during.upper) == ("employer", 0, day(20))

    def test_an_end_before_they_claimed_keeps_the_day_they_did(self, ana: Patient, works: Organization, hr: User):
        self.change(works, hr, LOPEZ[0] + "2026-09-30")

        assert days(ana) == [(TODAY, day(1))]

    def test_a_grant_that_has_not_begun_and_is_not_to_be_entitles_to_nothing(
        self, works: Organization, hr: User, rostered: None
    ):
        new = "1009,employee,New,Comer,1980-01-01,,2027-01-01,"
        put(works, [new], hr, kind="changes")
        comer = person("New", family="Comer", born=date(1980, 1, 1))
        claim(comer, member_number="1009", birth_date=date(1980, 1, 1))
        before = days(comer)

        put(works, [*LOPEZ, *IYER], hr)
        step()

        assert before == [(date(2027, 1, 1), None)]
        assert [pays(comer, date(2027, 1, 1) + timedelta(days=offset)) for offset in (0, 40)] == [None, None]
        assert days(comer) == [(day(-1), TODAY)]

    def test_undoing_the_roster_brings_it_back(self, ana: Patient, works: Organization, hr: User):
        from memberships import rosters

        gone = put(works, IYER, hr)
        step()
        assert days(ana) == [(TODAY, day(30))]

        undone = rosters.undo(roster=gone, actor=hr, now=NOW)
        rosters.approve(roster=undone, actor=hr, now=NOW)
        step()

        assert days(ana) == [(TODAY, None)]

    def test_running_the_sweep_again_changes_nothing(self, ana: Patient, works: Organization, hr: User):
        self.change(works, hr, LOPEZ[0] + "2026-12-31")
        SponsoredPerson.objects.update(stale_since=NOW)
        before = list(Membership.history.rel.related_model.objects.values_list("pk", flat=True))

        assert granting.bring_in_step(now=NOW) == 5

        assert list(Membership.history.rel.related_model.objects.values_list("pk", flat=True)) == before
        assert granting.bring_in_step(now=NOW) == 0


class TestContracts:
    def test_an_employer_that_stops_gives_grace_and_an_offer(self, ana: Patient, works: Organization):
        price = Price.objects.create(
            plan=Plan.objects.create(code="annual", name="Annual membership", audience="anyone", benefits=["*"]),
            interval="year", amount=19_900, from_on=date(2026, 1, 1),
        )  # fmt: skip
        sponsors.make_contract(works, from_on=day(1), conversion=price, end_rule="grace", grace_days=30)
        claim(ana, **BY_NUMBER)

        contracts.end(employer=works, last_day=day(9), actor=None, today=TODAY, now=NOW)
        later = step(1)
        told = telling.tell_endings(now=later + timedelta(days=20))
        again = telling.tell_endings(now=later + timedelta(days=21))

        message = Message.objects.get(template="benefit_ends")
        assert days(ana) == [(TODAY, day(40))]
        assert (told, again) == (1, 0)
        assert message.context["offer"] == {
            "plan": "Annual membership", "amount": "$199", "interval": "year",
            "by": {"en": "March 3, 2027", "es": "3 de marzo de 2027"},
        }  # fmt: skip
        assert message.context["last_day"] == {"en": "January 2, 2027", "es": "2 de enero de 2027"}
        assert message.user == ana.user

    def test_another_plan_follows_without_a_gap_and_nothing_is_said_to_end(self, ana: Patient, works: Organization):
        claim(ana, **BY_NUMBER)
        more = Plan.objects.create(code="more", name="More", audience="employer", benefits=["*"])
        sponsors.make_contract(works, from_on=day(10), plan=more)
        step()

        assert days(ana) == [(TODAY, day(10)), (day(10), None)]
        assert telling.tell_endings(now=NOW) == 0

    def test_versions_follow_one_another_and_begin_today_or_later(self, works: Organization):
        for wrong in (date(2026, 1, 1), date(2025, 1, 1)):
            with pytest.raises(contracts.ContractPlanned):
                sponsors.make_contract(works, from_on=wrong)
        with pytest.raises(contracts.ContractInThePast):
            sponsors.make_contract(works, from_on=day(-1))
        with pytest.raises(contracts.BadContract):
            sponsors.make_contract(cast.make_system())

    def test_without_a_contract_there_is_nothing_to_claim(self, db: None):
        other = sponsors.make_employer("Other")
        put(other, LOPEZ, make_benefits(other))

        ana = person("Ana")
        sponsors.verify(ana.user)

        assert claim(ana, **BY_NUMBER) == []

    def test_a_contract_is_only_added_to(self):
        from clinics import rights

        assert rights.of_table("memberships_sponsorcontract") == rights.HISTORY


class TestTelling:
    def test_an_end_that_changes_takes_back_what_was_not_sent(self, ana: Patient, works: Organization, hr: User):
        claim(ana, **BY_NUMBER)
        put(works, [LOPEZ[0] + "2026-11-25"], hr, kind="changes")
        step()
        assert telling.tell_endings(now=NOW + timedelta(days=2)) == 1

        put(works, [LOPEZ[0]], hr, kind="changes")
        step()

        assert [message.status for message in Message.objects.filter(template="benefit_ends")] == ["withdrawn"]
        assert telling.tell_endings(now=NOW) == 0

    def test_it_is_written_in_both_languages_without_anything_of_health(self, ana: Patient):
        from clinics.messages import rendering

        context = {
            "employer": "Works", "last_day": {"en": "June 1, 2026", "es": "1 de junio de 2026"}, "is_over": False,
            "offer": {"amount": "$9", "interval": "month"}, "child": "",
        }  # fmt: skip
        english, spanish = (
            rendering.write(template="benefit_ends", channel="email", language=language, context=context)
            for language in ("en", "es")
        )

        assert "up to and including June 1, 2026" in english.body
        assert "$9 a month" in english.body
        assert "hasta el 1 de junio de 2026 inclusive" in spanish.body
        assert "$9 al mes" in spanish.body


class TestInviting:
    def test_hr_gets_the_same_answer_whoever_has_claimed(self, ana: Patient, works: Organization, hr: User):
        me, path = Caller(hr), f"/employers/{works.pk}/invitations"

        def ask() -> tuple[Any, int]:
            with CaptureQueriesContext(connection) as queries:
                answer = me.post(path, {})
            return answer.json(), len(queries)

        before = ask()
        claim(ana, **BY_NUMBER)
        after = ask()
        inviting.send_invitations(now=NOW)

        assert before == after
        assert before[0] == {"people": 2}
        addresses = set(Message.objects.filter(template="benefit_invitation").values_list("address", flat=True))
        # HR chose the addresses: one at which nothing came would tell that it is of somebody who has claimed.
        assert addresses == {"ana@works.example", "eve@works.example"}

    def test_somebody_is_written_to_once_a_week(self, rostered: None, works: Organization):
        for offset in (0, 3, 8):
            inviting.ask(employer=works, people_ids=None, now=NOW)
            inviting.send_invitations(now=NOW + timedelta(days=offset))

        assert SponsorInvitation.objects.filter(person__first_name="Eve").count() == 2

    def test_it_goes_to_the_address_on_the_roster(self, rostered: None, works: Organization):
        from clinics.messages import claiming as sending

        inviting.ask(employer=works, people_ids=[SponsoredPerson.objects.get(first_name="Eve").pk], now=NOW)
        inviting.send_invitations(now=NOW)

        [outgoing] = sending.claim("email", now=NOW).outgoing
        invitation = SponsorInvitation.objects.get()
        assert outgoing.to == "eve@works.example"
        assert f"/benefit/{links.derived(invitation.pk)}" in outgoing.body
        assert Message.objects.get().context == {
            "employer": works.name, "links": {"benefit": str(invitation.pk)},
        }  # fmt: skip

    def test_the_page_behind_it_tells_nobody_whether_the_code_is_one(self, rostered: None):
        from tests.calls import browser

        answers = [browser().get(f"/benefit/{token}") for token in ("x" * 22, "<b>")]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert b"&lt;b&gt;" in answers[1].content
        assert answers[0]["Referrer-Policy"] == "no-referrer"


class TestSeveral:
    def test_two_employers_pay_for_one_person(self, ana: Patient, works: Organization):
        other = sponsors.make_employer("Other")
        sponsors.make_contract(other)
        put(other, [LOPEZ[0].replace("1001", "77")], make_benefits(other))
        claim(ana, **BY_NUMBER)

        claim(ana, member_number="77", birth_date=BORN["Ana"])

        assert days(ana) == [(TODAY, None), (TODAY, None)]
        put(other, b"", make_benefits(other, "third"), as_of=TODAY)
        step()
        assert sorted(str(end) for _, end in days(ana)) == ["2026-11-25", "None"]

    def test_one_address_at_two_employers_claims_both(self, ana: Patient):
        other = sponsors.make_employer("Other")
        sponsors.make_contract(other)
        put(other, LOPEZ, make_benefits(other))

        assert len(claim(ana)) == 2

    def test_one_who_is_an_employee_and_a_spouse_has_both(self, works: Organization, hr: User):
        ana_too = "1005,spouse,Ana,Lopez,1985-03-02,,2026-01-01,"
        put(works, [*LOPEZ, "1005,employee,Ben,Lopez,1984-07-12,,2026-01-01,", ana_too], hr)
        ana = person("Ana")
        sponsors.verify(ana.user)

        claim(ana, **BY_NUMBER)
        claim(ana, member_number="1005", birth_date=BORN["Ana"])

        assert len(days(ana)) == 2


def test_today_is_the_day_at_home():
    assert people.today_at_home(NOW) == TODAY
