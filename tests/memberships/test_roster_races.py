"""Rosters and claims by several at the same time: each thing is done once, and nobody takes another's place."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from clinics.models import Organization, Patient, User
from memberships import rosters
from memberships.employers import claiming, granting
from memberships.models import BenefitClaim, Membership, Roster, RosterRow, SponsoredPeriod, SponsoredPerson
from memberships.rosters import applying, deciding, working
from tests import cast, owner
from tests.cast import NOW, at_the_same_time
from tests.memberships import sponsors
from tests.memberships.sponsors import IYER, LOPEZ, make_benefits, put, send
from tests.scheduling.races import together

pytestmark = pytest.mark.django_db(transaction=True)
ANA = {"member_number": "1001", "birth_date": date(1985, 3, 2)}
# The roster has no address of theirs: the number alone is enough.
WITHOUT_MAIL = [line.replace("ana@works.example", "") for line in LOPEZ]
EXPIRED = NOW + working.LEASE + timedelta(seconds=1)


@pytest.fixture
def works(db: None) -> Organization:
    employer = sponsors.make_employer()
    sponsors.make_contract(employer)
    return employer


@pytest.fixture
def hr(works: Organization) -> User:
    return make_benefits(works)


def approved(works: Organization, hr: User, monkeypatch: pytest.MonkeyPatch) -> Roster:
    """A roster of two families that waits for a worker to apply it."""
    monkeypatch.setattr(deciding, "AT_ONCE", -1)
    return rosters.approve(roster=send(works, [*LOPEZ, *IYER], hr), actor=hr, now=NOW)


def require_applied_once(works: Organization) -> None:
    assert Roster.objects.get().status == "applied"
    assert Roster.objects.get().families_applied == 2
    assert SponsoredPerson.objects.filter(employer=works).count() == 5
    assert SponsoredPeriod.objects.filter(person__employer=works).count() == 5
    assert not RosterRow.objects.filter(applied_at=None).exists()


def named_ana(account: str) -> Patient:
    """A record of Ana Lopez, as the roster has her: nothing of it tells two of them apart."""
    patient = cast.make_patient(account, member=False)
    Patient.objects.filter(pk=patient.pk).update(
        given_name="Ana", preferred_name="", family_name="Lopez", birth_date=ANA["birth_date"]
    )
    patient.refresh_from_db()
    return patient


def claim(patient: Patient) -> str:
    assert patient.user is not None
    claims = claiming.claim(user=patient.user, now=NOW, **ANA)  # type: ignore[arg-type]
    return str(claims[0].patient_id) if claims else "nothing"


class TestDeciding:
    def test_of_two_who_approve_at_once_one_does(self, works: Organization, hr: User):
        sent = send(works, [*LOPEZ, *IYER], hr)

        outcomes = at_the_same_time(
            lambda actor: rosters.approve(roster=Roster.objects.get(pk=sent.pk), actor=actor, now=NOW).status,
            [hr, make_benefits(works, "second")],
        )

        assert sorted(outcomes) == ["applied", "roster_not_to_decide"]
        require_applied_once(works)

    def test_of_approving_and_rejecting_at_once_one_happens(self, works: Organization, hr: User):
        sent = send(works, [*LOPEZ, *IYER], hr)

        outcomes = at_the_same_time(
            lambda decide: decide(roster=Roster.objects.get(pk=sent.pk), actor=hr, now=NOW).status,
            [rosters.approve, rosters.reject],
        )

        assert sorted(outcomes) in (["applied", "roster_not_to_decide"], ["rejected", "roster_not_to_decide"])
        assert SponsoredPerson.objects.count() == (5 if "applied" in outcomes else 0)

    def test_of_two_files_at_once_one_is_taken_in(self, works: Organization, hr: User):
        outcomes = at_the_same_time(lambda lines: send(works, lines, hr).status, [LOPEZ, IYER])

        assert sorted(outcomes) == ["diffed", "roster_open"]
        assert Roster.objects.count() == 1


class TestApplying:
    def test_two_workers_apply_it_once(self, works: Organization, hr: User, monkeypatch: pytest.MonkeyPatch):
        approved(works, hr, monkeypatch)

        outcomes = at_the_same_time(lambda clock: rosters.work_off(clock=clock), [lambda: NOW, lambda: NOW])

        assert sorted(outcomes) == [0, 1]
        require_applied_once(works)

    def test_a_worker_that_stood_still_finds_that_another_went_on(
        self, works: Organization, hr: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        caplog.set_level("INFO", working.log.name)
        approved(works, hr, monkeypatch)

        outcomes = together.interleave(
            monkeypatch,
            (working, "point"),
            lambda: rosters.work_off(clock=lambda: NOW),
            lambda: rosters.work_off(clock=lambda: EXPIRED),
        )

        assert outcomes == (1, 1)
        assert "A roster was taken from this worker, or rejected" in caplog.messages
        require_applied_once(works)

    def test_the_same_family_twice_at_once_is_changed_once(
        self, works: Organization, hr: User, monkeypatch: pytest.MonkeyPatch
    ):
        roster = approved(works, hr, monkeypatch)

        def lopez() -> None:
            with transaction.atomic():
                applying.apply(roster, "1001", now=NOW)

        outcomes = together.interleave(monkeypatch, (applying, "apply"), lopez, lopez)

        assert outcomes == (None, None)
        assert SponsoredPerson.objects.count() == 4
        assert SponsoredPeriod.objects.count() == 4


class TestClaiming:
    def test_of_two_who_fit_the_same_line_at_once_one_has_it(self, works: Organization, hr: User):
        put(works, WITHOUT_MAIL, hr)
        both = [named_ana("one"), named_ana("two")]

        outcomes = at_the_same_time(claim, both)

        assert "nothing" in outcomes
        (held,) = BenefitClaim.objects.filter(ended_at__isnull=True)
        assert str(held.patient_id) in outcomes
        assert list(Membership.objects.filter(source="employer").values_list("patient", flat=True)) == [held.patient_id]

    def test_it_is_the_constraint_that_keeps_it_to_one(self, works: Organization, hr: User, monkeypatch: Any):
        """The control: without it both have it, where each looked before the other wrote."""
        put(works, WITHOUT_MAIL, hr)
        both = [named_ana("one"), named_ana("two")]
        once = next(found for found in BenefitClaim._meta.constraints if found.name == "benefit_claim_once")
        with owner.acting(), together.connection.schema_editor() as editor:
            editor.remove_constraint(BenefitClaim, once)

        try:
            outcomes = together.interleave(
                monkeypatch, (claiming, "candidates"), lambda: claim(both[0]), lambda: claim(both[1])
            )
            claims = BenefitClaim.objects.count()
        finally:
            with owner.acting():
                Membership.objects.filter(benefit_grant__isnull=False).update(source="complimentary", sponsor=None)
                claiming.BenefitGrant.objects.all().delete()
                BenefitClaim.objects.all().delete()
                with together.connection.schema_editor() as editor:
                    editor.add_constraint(BenefitClaim, once)

        assert "nothing" not in outcomes
        assert claims == 2

    def test_the_same_person_twice_at_once_claims_once(self, works: Organization, hr: User):
        put(works, WITHOUT_MAIL, hr)
        ana = named_ana("one")

        outcomes = at_the_same_time(claim, [ana, ana])

        assert outcomes == [str(ana.pk)] * 2
        assert BenefitClaim.objects.count() == 1
        assert Membership.objects.filter(source="employer").count() == 1

    def test_who_is_taken_off_the_roster_while_they_claim_is_entitled_no_longer_than_that(
        self, works: Organization, hr: User, monkeypatch: pytest.MonkeyPatch
    ):
        put(works, WITHOUT_MAIL, hr)
        ana = named_ana("one")
        gone = [f"{line}2026-11-23" if ",Ana," in line else line for line in WITHOUT_MAIL]

        outcomes = together.interleave(
            monkeypatch, (claiming, "candidates"), lambda: claim(ana), lambda: put(works, gone, hr).status
        )
        granting.bring_in_step(now=NOW)

        assert outcomes == (str(ana.pk), "applied")
        lasting = Membership.objects.filter(source="employer", during__upper_inf=True)
        assert not lasting.exists()
