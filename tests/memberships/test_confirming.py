"""Who knows somebody's member number and birth date, as their employer does, is not them: the mail's reader is."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics import links
from clinics.messages import rendering
from clinics.models import Message, Organization, Patient
from memberships.employers import claiming, inviting
from memberships.models import BenefitClaim, Membership, SponsoredPerson, SponsorInvitation
from tests.calls import Caller
from tests.cast import NOW
from tests.memberships import sponsors
from tests.memberships.sponsors import LOPEZ, make_benefits, put
from tests.memberships.test_claiming import BORN, BY_NUMBER, JSON_BY_NUMBER, claim, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def works(db: None) -> Organization:
    employer = sponsors.make_employer()
    sponsors.make_contract(employer)
    put(employer, LOPEZ, make_benefits(employer))
    return employer


@pytest.fixture
def as_ana(works: Organization) -> Patient:
    """An account by the name and birth date of Ana, whoever opened it."""
    return person("Ana")


def mailed(template: str = "benefit_confirmation") -> list[str]:
    return list(Message.objects.filter(template=template).order_by("pk").values_list("address", flat=True))


def code() -> str:
    return links.derived(SponsorInvitation.objects.latest("pk").pk)


class TestConfirming:
    def test_a_number_gives_nothing_until_the_mail_was_read(self, as_ana: Patient):
        me = Caller(as_ana.user)

        answer = me.post("/me/employer-benefit", JSON_BY_NUMBER)
        inviting.send_invitations(now=NOW)

        assert (answer.status_code, answer.json()) == (202, {"results": [], "next": None})
        assert mailed() == ["ana@works.example"]
        assert not BenefitClaim.objects.exists()
        assert not Membership.objects.exists()
        assert me.get("/me/employer-benefit").json()["results"] == []

    def test_the_code_in_it_claims_once(self, as_ana: Patient):
        claim(as_ana, **BY_NUMBER)
        inviting.send_invitations(now=NOW)
        secret, me = code(), Caller(as_ana.user)

        answer = me.post("/me/employer-benefit", {"invitation": secret})

        assert answer.status_code == 201
        assert BenefitClaim.objects.get().patient == as_ana
        BenefitClaim.objects.update(ended_at=NOW)
        assert me.post("/me/employer-benefit", {"invitation": secret}).status_code == 404

    def test_it_opens_nothing_to_an_account_by_another_name(self, as_ana: Patient):
        """Whoever has somebody's mail is not them either."""
        claim(as_ana, **BY_NUMBER)
        inviting.send_invitations(now=NOW)

        with pytest.raises(claiming.BenefitNotFound):
            claim(person("Mallory", family="Thief", born=BORN["Ana"]), invitation=code())

    def test_the_person_themself_claims_by_the_mail_that_an_impostor_caused(self, as_ana: Patient):
        claim(as_ana, **BY_NUMBER)
        inviting.send_invitations(now=NOW)
        ana = person("Ana")

        assert [one.patient for one in claim(ana, invitation=code())] == [ana]
        assert claim(as_ana, **BY_NUMBER) == []

    def test_who_has_claimed_is_written_to_like_everybody_else(self, works: Organization):
        """Their employer may read that mail: one that did not come would tell it that they have claimed."""
        ana, costs = person("Ana"), []
        for is_claimed in (False, True):
            if is_claimed:
                sponsors.verify(ana.user)
                claim(ana)
            SponsorInvitation.objects.all().delete()
            with CaptureQueriesContext(connection) as queries:
                assert claim(person("Ana"), **BY_NUMBER) == []
            costs.append(len(queries))
            assert inviting.send_invitations(now=NOW) == 1

        assert costs[0] == costs[1]
        with pytest.raises(claiming.BenefitNotFound):
            claim(person("Ana"), invitation=code())
        assert BenefitClaim.objects.get().patient == ana

    def test_it_is_over_after_three_days(self, as_ana: Patient):
        claim(as_ana, **BY_NUMBER)
        inviting.send_invitations(now=NOW)

        with pytest.raises(claiming.BenefitNotFound):
            claim(as_ana, invitation=code(), now=NOW + inviting.CONFIRM_LASTS)

    def test_nobody_is_mailed_more_than_once_a_day(self, as_ana: Patient):
        for hours in (0, 1, 23, 24):
            claim(as_ana, **BY_NUMBER)
            inviting.send_invitations(now=NOW + timedelta(hours=hours))

        assert mailed() == ["ana@works.example"] * 2

    def test_it_keeps_no_invitation_of_the_employers_back(self, as_ana: Patient, works: Organization):
        """Nor the other way round: what HR asks for is sent alike, whoever asked by themself."""
        claim(as_ana, **BY_NUMBER)
        inviting.send_invitations(now=NOW)
        inviting.ask(employer=works, people_ids=None, now=NOW)
        inviting.send_invitations(now=NOW)

        assert mailed("benefit_invitation") == mailed() == ["ana@works.example"]

    def test_whom_nothing_is_paid_for_any_more_is_not_written_to(self, as_ana: Patient, works: Organization):
        put(works, [LOPEZ[0] + "2026-01-31"], make_benefits(works, "other"), kind="changes")

        assert claim(as_ana, **BY_NUMBER) == []
        assert inviting.send_invitations(now=NOW) == 0
        assert not SponsoredPerson.objects.filter(confirm_since__isnull=False).exists()

    def test_what_is_sent_again_is_answered_the_same(self, as_ana: Patient):
        me = Caller(as_ana.user)

        answers = [me.post("/me/employer-benefit", JSON_BY_NUMBER, **{"Idempotency-Key": "k"}) for _ in range(2)]

        assert [(one.status_code, one.json()["results"]) for one in answers] == [(202, [])] * 2

    def test_the_address_may_be_one_that_the_account_has_verified(self, as_ana: Patient):
        sponsors.verify(as_ana.user)

        assert Caller(as_ana.user).post("/me/employer-benefit", JSON_BY_NUMBER).status_code == 201
        assert inviting.send_invitations(now=NOW) == 0

    def test_the_control_would_tell(self, as_ana: Patient, monkeypatch: pytest.MonkeyPatch):
        """Were the mail queued while they wait, the statements would say that somebody is on the roster."""
        ask = inviting.ask_to_confirm

        def at_once(people_ids: list[Any], *, now: Any) -> None:
            ask(people_ids, now=now)
            inviting.send_invitations(now=now)

        monkeypatch.setattr(inviting, "ask_to_confirm", at_once)
        costs = []
        for proof in ({"member_number": "9999", "birth_date": date(1985, 3, 2)}, BY_NUMBER):
            with CaptureQueriesContext(connection) as queries:
                claim(as_ana, **proof)
            costs.append(len(queries))

        assert costs[0] < costs[1]


class TestWithoutAnAddress:
    """The roster has none for Ben: there is nobody to ask, so whoever claimed is told."""

    def test_the_number_is_enough_and_they_are_told(self, works: Organization):
        ben = person("Ben")

        claimed = claim(ben, member_number="1001", birth_date=BORN["Ben"])
        claim(ben, member_number="1001", birth_date=BORN["Ben"])

        assert [one.by for one in claimed] == ["number"]
        assert ben.user is not None
        assert mailed("benefit_claimed") == [ben.user.email]


@pytest.mark.parametrize(("language", "words"), [("en", "within 3 days"), ("es", "próximos 3 días")])
def test_it_is_written_in_both_languages(language: str, words: str):
    context = {"employer": "Works", "links": {"benefit": str(SponsorInvitation().pk)}, "child": ""}

    mails = {
        template: rendering.write(template=template, channel="email", language=language, context=context)
        for template in ("benefit_confirmation", "benefit_claimed")
    }

    assert words in mails["benefit_confirmation"].body
    assert "Works" in mails["benefit_claimed"].subject
