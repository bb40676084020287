"""Records opened in an emergency, in the admin: who oversees them, and ends them."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics import break_glass
from clinics.admin import clock
from clinics.admin.history_lines import history_of
from clinics.models import AccessEvent, BreakGlass, Patient, StaffRole, User
from clinics.refusals import NotFound
from tests import cast
from tests.calls import Caller, browser
from tests.cast import Place
from tests.world import CANARY

pytestmark = pytest.mark.django_db
LIST = "/admin/clinics/breakglass/"
REASON = "Came in unconscious; allergies unknown."
Role = StaffRole.Role


@pytest.fixture
def pat(avon: Place) -> Patient:
    patient = cast.make_patient(CANARY)
    cast.register(patient, avon.clinic)
    return patient


@pytest.fixture
def far() -> Place:
    return cast.make_place("Hartford")


@pytest.fixture
def doctor(far: Place) -> User:
    return cast.make_staff(far.clinic, "Doctor", Role.CLINICIAN)


@pytest.fixture
def manager(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "Manager", Role.MANAGER)


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("operator@example.com", None)


@pytest.fixture
def access(doctor: User, pat: Patient) -> BreakGlass:
    """The doctor, from elsewhere, has Pat's record open."""
    return open_record(doctor, pat)


def open_record(doctor: User, patient: Patient, reason: str = REASON) -> BreakGlass:
    """By the API, so that the look is on record."""
    answer = Caller(doctor).post(
        "/break-glass",
        {
            "given_name": patient.given_name,
            "family_name": patient.family_name,
            "birth_date": str(patient.birth_date),
            "reason": reason,
        },
    )
    assert answer.status_code == 201, answer.content
    return BreakGlass.objects.get(pk=answer.json()["id"])


def age(access: BreakGlass, by: timedelta = timedelta(hours=3)) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE clinics_breakglass SET during = tstzrange(
              lower(during) - make_interval(secs => %s), upper(during) - make_interval(secs => %s)) WHERE id = %s
            """,
            [by.total_seconds(), by.total_seconds(), access.pk],
        )


def page(user: User | None, query: dict[str, str] | None = None, address: str = LIST) -> str:
    return browser(user).get(address, query or {}).content.decode()


class TestLooking:
    def test_a_manager_reads_who_opened_whose_record_why_and_until_when(
        self, access: BreakGlass, manager: User, doctor: User, avon: Place
    ):
        found = page(manager)

        since = clock.when(access.during.lower, avon.clinic.zone)
        assert since.endswith(("EST", "EDT"))
        for said in (doctor.email, CANARY, REASON, "Clinician", 'class="tag bad">open', since):
            assert said in found, said
        assert f"{LIST}{access.pk}/" in found

    def test_each_look_is_on_record(self, access: BreakGlass, manager: User, pat: Patient):
        page(manager)
        page(manager, address=f"{LIST}{access.pk}/")

        looks = AccessEvent.objects.filter(viewer=manager, patients__patient=pat.pk).order_by("id")
        assert [(look.page, look.what, look.via) for look in looks] == [
            ("admin:breakglass:list", "access_log", "admin"),
            ("admin:breakglass:page", "access_log", "admin"),
        ]

    def test_its_page_says_what_was_looked_at_by_it(self, access: BreakGlass, manager: User, doctor: User):
        Caller(doctor).get(f"/break-glass/{access.pk}")

        found = page(manager, address=f"{LIST}{access.pk}/")

        assert "GET break-glass/{id}" in found
        assert "End this access now" in found

    def test_the_open_ones_come_first_and_are_told_apart(
        self, access: BreakGlass, manager: User, far: Place, pat: Patient
    ):
        age(access)
        now_open = open_record(cast.make_staff(far.clinic, "Surgeon", Role.CLINICIAN), pat)
        again = open_record(access.user, pat, "Second time, to read the medication list.")
        age(again, timedelta(hours=1, minutes=1))

        everything = page(manager)

        assert everything.index(str(now_open.pk)) < everything.index(str(again.pk)) < everything.index(str(access.pk))
        assert everything.count('class="marked"') == 1
        assert str(access.pk) not in page(manager, {"state": "open"})
        assert str(now_open.pk) not in page(manager, {"state": "over"})
        assert str(access.pk) in page(manager, {"state": "over"})
        assert str(now_open.pk) in page(manager, {"q": "SURG"})
        assert str(access.pk) not in page(manager, {"q": "SURG"})
        assert "None fits." in page(manager, {"q": "nobody"})

    def test_it_comes_in_pages_that_keep_what_was_asked(
        self, access: BreakGlass, manager: User, monkeypatch: pytest.MonkeyPatch, pat: Patient
    ):
        monkeypatch.setattr("clinics.admin.break_glass.A_PAGE", 1)
        age(access)
        open_record(access.user, pat)

        found = page(manager, {"q": "doctor"})

        assert "Page 1 of 2" in found
        assert "q=doctor" in found
        assert "page=2" in found
        assert str(access.pk) in page(manager, {"q": "doctor", "page": "2"})

    def test_it_costs_as_many_statements_for_twenty_as_for_one(self, access: BreakGlass, manager: User, far: Place):
        client = browser(manager)
        client.get(LIST)
        with CaptureQueriesContext(connection) as one:
            client.get(LIST)
        for number in range(20):
            access = open_record(cast.make_staff(far.clinic, f"D{number}", Role.CLINICIAN), access.patient)
        with CaptureQueriesContext(connection) as many:
            client.get(LIST)

        assert len(many) == len(one)


class TestEnding:
    def test_a_manager_ends_it_and_the_record_says_who(
        self, access: BreakGlass, manager: User, doctor: User, pat: Patient, caplog: pytest.LogCaptureFixture
    ):
        client = browser(manager)

        answer = client.post(f"{LIST}{access.pk}/end/", {"once": "k"})
        again = client.post(f"{LIST}{access.pk}/end/", {"once": "k"})

        assert (answer.status_code, again.status_code) == (302, 302)
        assert not BreakGlass.objects.open().exists()
        assert Caller(doctor).get(f"/break-glass/{access.pk}").status_code == 404
        kept = history_of(BreakGlass).objects.filter(pgh_obj_id=access.pk).latest("pgh_id")
        assert (kept.pgh_label, kept.pgh_context["user"]) == ("update", str(manager.pk))
        assert f"ended by {manager.email}" in page(manager)
        assert "ended early" in page(manager, address=f"{LIST}{access.pk}/")
        assert str(access.pk) in caplog.text
        assert CANARY not in caplog.text

    def test_what_is_over_is_not_ended_again(self, access: BreakGlass, manager: User):
        age(access)
        before = BreakGlass.objects.get(pk=access.pk).during

        answer = browser(manager).post(f"{LIST}{access.pk}/end/", {"once": "k"})

        assert answer.status_code == 422
        assert break_glass.NotOpen.detail in answer.content.decode()
        assert BreakGlass.objects.get(pk=access.pk).during == before

    def test_no_page_ends_it_by_being_looked_at(self, access: BreakGlass, manager: User):
        assert browser(manager).get(f"{LIST}{access.pk}/end/").status_code == 404
        assert BreakGlass.objects.open().exists()


class TestWho:
    def test_neither_a_desk_nor_a_clinician_nor_who_opened_it_oversees_it(
        self, access: BreakGlass, avon: Place, doctor: User
    ):
        for user in (cast.make_staff(avon.clinic), cast.make_staff(avon.clinic, "Here", Role.CLINICIAN), doctor):
            client = browser(user)
            assert client.get(LIST).status_code == 403
            assert client.get(f"{LIST}{access.pk}/").status_code == 403
            assert client.post(f"{LIST}{access.pk}/end/", {"once": "k"}).status_code == 403
        assert BreakGlass.objects.open().exists()

    def test_a_manager_elsewhere_finds_none(self, access: BreakGlass, far: Place):
        other = cast.make_staff(far.clinic, "Else", Role.MANAGER)
        client = browser(other)

        for query in ({}, {"q": access.user.email}, {"state": "open"}):
            assert CANARY not in page(other, query)
            assert str(access.pk) not in page(other, query)
        assert client.get(f"{LIST}{access.pk}/").status_code == 404
        assert client.post(f"{LIST}{access.pk}/end/", {"once": "k"}).status_code == 404
        with pytest.raises(NotFound):
            break_glass.end_for(actor=other, access=access.pk)
        assert BreakGlass.objects.open().exists()

    def test_a_manager_of_the_health_system_oversees_it(self, access: BreakGlass, avon: Place):
        user = cast.make_user("system", is_staff=True)
        user.staff_roles.create(role=Role.MANAGER, organization=avon.clinic.health_system)

        assert CANARY in page(user)
        assert browser(user).post(f"{LIST}{access.pk}/end/", {"once": "k"}).status_code == 302
        assert not BreakGlass.objects.open().exists()

    def test_an_operator_sees_who_and_ends_it_and_neither_whose_nor_why(
        self, access: BreakGlass, operator: User, doctor: User
    ):
        for found in (page(operator), page(operator, address=f"{LIST}{access.pk}/")):
            assert doctor.email in found
            assert CANARY not in found
            assert REASON not in found
            assert str(access.patient_id) not in found
        assert not AccessEvent.objects.filter(viewer=operator).exists()

        assert browser(operator).post(f"{LIST}{access.pk}/end/", {"once": "k"}).status_code == 302
        assert not BreakGlass.objects.open().exists()

    def test_nobody_else_gets_in(self, access: BreakGlass, pat: Patient, stranger: Patient):
        for user in (pat.user, stranger.user, None):
            assert browser(user).get(LIST).status_code == 302
            assert browser(user).post(f"{LIST}{access.pk}/end/", {"once": "k"}).status_code == 302
        assert BreakGlass.objects.open().exists()

    def test_it_ends_with_the_managers_role(self, access: BreakGlass, manager: User):
        client = browser(manager)
        assert CANARY in client.get(LIST).content.decode()

        StaffRole.objects.filter(user=manager).delete()

        assert client.get(LIST).status_code == 302


class TestTheFirstPage:
    def test_it_counts_the_open_ones_for_those_who_oversee_them(
        self, access: BreakGlass, manager: User, operator: User, avon: Place, far: Place
    ):
        others = [cast.make_staff(avon.clinic), cast.make_staff(far.clinic, "Else", Role.MANAGER)]

        shown = ["open in an emergency" in page(user, address="/admin/") for user in (manager, operator, *others)]

        assert shown == [True, True, False, False]
        age(access)
        assert "open in an emergency" not in page(manager, address="/admin/")


def test_time_is_on_the_clinics_clock(pat: Patient, doctor: User, manager: User):
    access = open_record(doctor, pat)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE clinics_breakglass SET during = '[2026-07-01 13:30Z, 2026-07-01 14:30Z)' WHERE id = %s", [access.pk]
        )

    with time_machine.travel("2026-11-24T14:00Z", tick=False):
        found = page(manager)

    assert "Jul 1, 2026, 09:30 EDT" in found
