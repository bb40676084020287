"""Employers in the admin: what operators and benefit staff do there, and that nobody else gets anywhere."""

from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clinics.models import Organization, StaffRole, User
from memberships.models import Roster, RosterMapping, SponsorContract, SponsoredPerson
from scheduling.models import UsageReport
from tests import cast
from tests.calls import browser
from tests.cast import NOW
from tests.memberships import sponsors
from tests.memberships.sponsors import IYER, LOPEZ, file, make_benefits, put, send

pytestmark = pytest.mark.django_db
AT = "/admin/memberships/roster"


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def works(db: None) -> Organization:
    employer = sponsors.make_employer()
    sponsors.make_contract(employer)
    return employer


@pytest.fixture
def hr(works: Organization) -> User:
    return in_admin(make_benefits(works))


@pytest.fixture
def me(hr: User) -> Client:
    return browser(hr)


@pytest.fixture
def operator(db: None) -> Client:
    return browser(User.objects.create_superuser("operator@example.com", None))


def in_admin(user: User) -> User:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    return user


def upload(me: Client, employer: Organization, content: bytes, *, key: str = "k", kind: str = "full") -> Any:
    sent = {"once": key, "kind": kind, "as_of": "2026-11-24", "file": SimpleUploadedFile("r.csv", content, "text/csv")}
    return me.post(f"{AT}/{employer.pk}/send/", sent)


def page(me: Client, address: str) -> str:
    answer = me.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


class TestRosters:
    def test_it_shows_what_a_file_would_change_and_applies_it(self, me: Client, works: Organization):
        sent = upload(me, works, file(*LOPEZ, *IYER, "x"))
        shown = page(me, sent["Location"])
        approved = me.post(f"{sent['Location']}approve/", {"once": "a"})

        assert "Ana Lopez" in shown
        assert "errors.csv" in shown
        assert SponsoredPerson.objects.filter(employer=works).count() == 5
        assert (approved.status_code, approved["Location"]) == (302, sent["Location"])
        assert ">Applied<" in page(me, sent["Location"])

    def test_a_second_click_sends_it_once_and_another_file_by_the_same_form_is_refused(
        self, me: Client, works: Organization
    ):
        first, again = upload(me, works, file(*LOPEZ)), upload(me, works, file(*LOPEZ))
        other = upload(me, works, file(*IYER))

        assert first["Location"] == again["Location"]
        assert other.status_code == 422
        assert Roster.objects.count() == 1

    def test_it_says_why_a_file_is_refused(self, me: Client, works: Organization):
        answer = upload(me, works, b"PK\x03\x04 a spreadsheet")

        assert answer.status_code == 422
        assert "This is a spreadsheet" in answer.content.decode()
        assert not Roster.objects.exists()

    def test_without_a_file_it_asks_for_one(self, me: Client, works: Organization):
        answer = me.post(f"{AT}/{works.pk}/send/", {"once": "k", "kind": "full", "as_of": "2026-11-24"})

        assert answer.status_code == 422
        assert "Choose a file" in answer.content.decode()

    def test_one_that_is_held_takes_a_second_person(self, me: Client, works: Organization, hr: User):
        put(works, [*LOPEZ, *IYER], hr)
        held = upload(me, works, file())["Location"]

        refused = me.post(f"{held}approve/", {"once": "a"})
        second = browser(in_admin(make_benefits(works, "second"))).post(f"{held}approve/", {"once": "b"})

        assert refused.status_code == 422
        assert "It has nobody in it." in refused.content.decode()
        assert "somebody else than who sent it has to approve it" in refused.content.decode()
        assert second.status_code == 302
        assert Roster.objects.latest("received_at").status == "applied"

    def test_it_is_rejected_and_taken_back(self, me: Client, works: Organization, hr: User):
        done = put(works, LOPEZ, hr)
        undo = me.post(f"{AT}/of/{done.pk}/undo/", {"once": "u"})
        rejected = me.post(f"{undo['Location']}reject/", {"once": "r"})

        assert rejected.status_code == 302
        assert Roster.objects.get(kind="undo").status == "rejected"
        assert "Prepare to take it back" in page(me, f"{AT}/of/{done.pk}/")

    def test_its_errors_are_a_file_without_formulas(self, me: Client, works: Organization, hr: User):
        sent = send(works, [*LOPEZ, "9,employee,=1+1,Evil,x,,2026-01-01,"], hr)

        answer = me.get(f"{AT}/of/{sent.pk}/errors.csv")

        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert "'=1+1" in answer.content.decode()

    def test_it_shows_how_far_a_worker_is(self, me: Client, works: Organization, hr: User):
        sent = send(works, LOPEZ, hr)
        Roster.objects.filter(pk=sent.pk).update(status="received", rows_read=3, rows_expected=5)

        shown = page(me, f"{AT}/of/{sent.pk}/")

        assert "3 of 5 lines read" in shown
        assert "Look again" in shown


class TestEnrollmentAndUse:
    def test_it_finds_people_on_the_roster(self, me: Client, works: Organization, hr: User):
        put(works, [*LOPEZ, *IYER], hr)

        everybody = page(me, f"{AT}/{works.pk}/enrollment/")
        found = page(me, f"{AT}/{works.pk}/enrollment/?q=iyer&status=active&on=2026-11-24")

        assert "Ana Lopez" in everybody
        assert "Eve Iyer" in found
        assert "Ana Lopez" not in found

    def test_it_tells_totals_of_a_period_and_why_not(self, me: Client, works: Organization):
        at = f"/admin/scheduling/usagereport/{works.pk}/"

        told, refused = page(me, f"{at}?period=2026-10"), me.get(f"{at}?period=2026-11")

        assert "People, at least" in told
        assert UsageReport.objects.get().employer == works
        assert refused.status_code == 422
        assert "7 days after the end" in refused.content.decode()


class TestMapping:
    NAMES = {
        "once": "m",
        "member_number": "EE ID",
        "birth_date": "DOB",
        "dates": "dmy",
        "words": "kin = child\n\n P = spouse",
    }

    def test_it_is_kept_shown_and_the_next_file_is_read_by_it(self, me: Client, works: Organization):
        address = f"/admin/memberships/rostermapping/{works.pk}/"

        kept = me.post(address, self.NAMES)
        shown = page(me, address)
        line = (
            "EE ID,relationship,first_name,last_name,DOB\n7,kin,Gil,Stone,31/12/2015\n7,employee,Hal,Stone,30/01/1980"
        )
        sent = page(me, upload(me, works, line.encode())["Location"])

        mapping = RosterMapping.objects.get(employer=works)
        assert (kept.status_code, kept["Location"]) == (302, f"{AT}/{works.pk}/")
        assert mapping.columns == {"member_number": "EE ID", "birth_date": "DOB"}
        assert (mapping.relationships, mapping.dates) == ({"kin": "child", "P": "spouse"}, "dmy")
        assert 'value="EE ID"' in shown
        assert "kin = child" in shown
        assert "Gil Stone" in sent

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"birth_date": "ee id"}, "Name each column of the file once"),
            ({"words": "kin = cousin"}, "is not a word = one of"),
            ({"words": "kin"}, "is not a word = one of"),
            ({"dates": "ymd"}, "Select a valid choice"),
            ({"email": "x" * 101}, "at most 100 characters"),
            ({"words": "\n".join(f"word{number} = child" for number in range(51))}, "for each of its words"),
        ],
    )
    def test_it_says_what_is_wrong_and_keeps_nothing(
        self, me: Client, works: Organization, wrong: dict[str, str], said: str
    ):
        answer = me.post(f"/admin/memberships/rostermapping/{works.pk}/", {**self.NAMES, **wrong})

        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert not RosterMapping.objects.exists()

    def test_operators_help(self, operator: Client, works: Organization):
        assert operator.post(f"/admin/memberships/rostermapping/{works.pk}/", self.NAMES).status_code == 302


class TestInviting:
    @pytest.fixture
    def address(self, works: Organization, hr: User) -> str:
        put(works, [*LOPEZ, *IYER], hr)
        return f"/admin/memberships/sponsorinvitation/{works.pk}/"

    def asked(self) -> set[str]:
        return set(SponsoredPerson.objects.filter(invite_since__isnull=False).values_list("first_name", flat=True))

    def test_those_chosen_are_asked_for(self, me: Client, works: Organization, address: str):
        shown = page(me, f"{AT}/{works.pk}/enrollment/")
        eve = SponsoredPerson.objects.get(first_name="Eve")

        done = me.post(address, {"once": "i", "whom": "chosen", "people": [str(eve.pk), "no id"]})

        assert shown.count('name="people"') == 2  # who has an e-mail address
        assert f'value="{eve.pk}"' in shown
        assert (done.status_code, done["Location"]) == (302, f"{AT}/{works.pk}/enrollment/")
        assert "1 person with an e-mail address" in page(me, done["Location"])
        assert self.asked() == {"Eve"}

    def test_everybody_is_asked_for(self, me: Client, address: str):
        assert "Invite everybody" in page(me, address)

        done = me.post(address, {"once": "i", "whom": "everybody"})

        told = page(me, done["Location"])
        assert "2 people with an e-mail address" in told
        assert "also who has claimed" in told  # a mail says nothing of who has
        assert self.asked() == {"Ana", "Eve"}

    def test_nobody_chosen_is_said(self, me: Client, address: str):
        answer = me.post(address, {"once": "i", "whom": "chosen"})

        assert answer.status_code == 422
        assert "Choose whom to invite" in answer.content.decode()
        assert self.asked() == set()

    def test_those_of_another_employer_are_not_asked_for(self, me: Client, address: str):
        other = sponsors.make_employer("Other")
        sponsors.make_contract(other)
        put(other, ["5,employee,Fay,Stone,1985-03-02,fay@other.example,2026-01-01,"], make_benefits(other, "other"))
        fay = SponsoredPerson.objects.get(first_name="Fay")

        me.post(address, {"once": "i", "whom": "chosen", "people": [str(fay.pk)]})

        assert self.asked() == set()


class TestContracts:
    TERMS = {
        "once": "k", "from_on": "2027-01-01", "plan": "employer", "covers": "employees", "dependents_until_age": "26",
        "amount": "120.50", "interval": "year", "end_rule": "grace", "grace_days": "30", "conversion": "",
    }  # fmt: skip

    def test_an_operator_agrees_a_new_version(self, operator: Client, works: Organization):
        form = page(operator, f"{AT}/{works.pk}/contract/")
        answer = operator.post(f"{AT}/{works.pk}/contract/", self.TERMS)

        latest = SponsorContract.objects.latest("from_on")
        assert 'value="150.00"' in form
        assert answer.status_code == 302
        assert (latest.amount, latest.covers, latest.grace_days) == (12_050, "employees", 30)

    def test_it_says_why_one_is_refused(self, operator: Client, works: Organization):
        answer = operator.post(f"{AT}/{works.pk}/contract/", {**self.TERMS, "from_on": "2026-01-01"})

        assert answer.status_code == 422
        assert SponsorContract.objects.count() == 1

    def test_benefit_staff_agree_none(self, me: Client, works: Organization):
        answer = me.post(f"{AT}/{works.pk}/contract/", self.TERMS)

        assert answer.status_code == 403
        assert SponsorContract.objects.count() == 1
        assert "New version of the contract" not in page(me, f"{AT}/{works.pk}/")


class TestWhoEnters:
    def test_the_role_opens_the_admin_and_its_end_closes_it(self, operator: Client, works: Organization):
        given = {"once": "g", "email": "new@example.com", "role": "benefits", "place": str(works.pk)}
        answer = operator.post("/admin/clinics/user/give/", given)
        role = StaffRole.objects.get(user__email="new@example.com")
        entered = browser(role.user).get(f"{AT}/")
        operator.post(f"{answer['Location']}take/{role.pk}/", {"once": "t"})

        assert (role.user.is_staff, entered.status_code) == (True, 302)
        assert not User.objects.get(pk=role.user_id).is_staff

    def test_benefit_staff_are_shown_their_employer_and_nothing_else(self, me: Client, works: Organization):
        first = page(me, "/admin/")

        assert f"{AT}/{works.pk}/" in first
        for other in ("clinics/message", "scheduling/appointment", "clinics/patient", "clinics/clinic", "clinics/user"):
            assert f"/admin/{other}/" not in first
            assert me.get(f"/admin/{other}/").status_code in (403, 404), other

    @pytest.mark.parametrize("who", ["another employer's", "manager"])
    def test_others_get_nowhere(self, who: str, works: Organization, hr: User):
        roster = put(works, LOPEZ, hr)
        if who == "manager":
            user = cast.make_staff(cast.make_place().clinic, "Manager", StaffRole.Role.MANAGER)
        else:
            user = in_admin(make_benefits(sponsors.make_employer("Other"), "other"))
        them, before = browser(user), list(Roster.objects.values())

        for address in (
            *(f"{AT}/{works.pk}/{part}" for part in ("", "contract/", "enrollment/", "send/")),
            *(f"{AT}/of/{roster.pk}/{part}" for part in ("", "errors.csv", "approve/", "reject/", "undo/")),
            f"/admin/scheduling/usagereport/{works.pk}/?period=2026-10",
            f"/admin/memberships/rostermapping/{works.pk}/",
            f"/admin/memberships/sponsorinvitation/{works.pk}/",
        ):
            for answer in (them.get(address), them.post(address, {"once": "k"})):
                assert answer.status_code in (403, 404), address
                assert b"Lopez" not in answer.content
        assert list(Roster.objects.values()) == before
        assert not RosterMapping.objects.exists()
        assert not SponsoredPerson.objects.filter(invite_since__isnull=False).exists()
        assert not UsageReport.objects.exists()
