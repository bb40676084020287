"""Putting people on call in the admin: by managers for the clinicians of their clinics, and by operators."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinics.models import Clinician, StaffRole, User
from tests import cast
from tests.calls import browser
from tests.cast import NOW, Place, at
from tests.virtualcare import people
from virtualcare.models import NurseShift, OnCallShift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
SHIFTS = "/admin/virtualcare/oncallshift/"
NURSES = "/admin/virtualcare/nurseshift/"
TONIGHT = {"first_day": "2026-11-24", "starts": "18:00", "last_day": "2026-11-25", "ends": "02:00"}
BOTH = {"modalities": ["text", "video"], "capacity": "3"}


@pytest.fixture
def place() -> Place:
    """A clinic whose clinician has an account."""
    found = cast.make_place()
    Clinician.objects.filter(pk=found.clinicians[0].pk).update(user=cast.make_user("doctor", is_staff=True))
    found.clinicians[0].refresh_from_db()
    return found


@pytest.fixture
def manager(place: Place) -> Client:
    return browser(staff(place, "manager"))


@pytest.fixture
def operator() -> Client:
    return browser(cast.make_user("operator", is_staff=True, is_superuser=True))


def staff(place: Place, role: str) -> User:
    return cast.make_staff(place.clinic, role.title(), StaffRole.Role(role))


def elsewhere() -> Clinician:
    """A clinician of another health system, with an account."""
    other = cast.make_place("Hartford").clinicians[0]
    Clinician.objects.filter(pk=other.pk).update(user=cast.make_user("other"))
    return other


def posted(client: Client, path: str, **fields: Any) -> Any:
    return client.post(path, fields)


class TestWhoMay:
    @pytest.mark.parametrize("path", [SHIFTS, SHIFTS + "add/", NURSES, NURSES + "add/"])
    @pytest.mark.parametrize(
        ("who", "status"), [("manager", 200), ("front_desk", 403), ("clinician", 403), ("operator", 200)]
    )
    def test_managers_and_operators_plan(self, place: Place, operator: Client, path: str, who: str, status: int):
        client = operator if who == "operator" else browser(staff(place, who))

        assert client.get(path).status_code == status

    def test_a_manager_sees_the_clinicians_of_their_clinics_alone(self, place: Place, manager: Client):
        other = elsewhere()
        ours = people.on_call(place.clinicians[0])
        theirs = people.on_call(other)

        listed = manager.get(SHIFTS).content.decode()

        assert place.clinicians[0].name in listed
        assert other.name not in listed
        assert other.name not in manager.get(SHIFTS + "add/").content.decode()
        assert manager.get(f"{SHIFTS}{ours.pk}/").status_code == 200
        assert manager.get(f"{SHIFTS}{theirs.pk}/").status_code == 404
        assert manager.get(f"{SHIFTS}{theirs.pk}/history/").status_code == 404
        assert posted(manager, f"{SHIFTS}{theirs.pk}/", do="take_away").status_code == 404

    def test_an_operator_sees_all(self, operator: Client):
        theirs = people.on_call(elsewhere())

        assert operator.get(f"{SHIFTS}{theirs.pk}/").status_code == 200

    def test_a_manager_puts_nobody_on_call_who_is_not_theirs(self, manager: Client):
        answer = posted(manager, SHIFTS + "add/", clinician=elsewhere().pk, **TONIGHT, **BOTH)

        assert answer.status_code == 422
        assert not OnCallShift.objects.exists()


class TestShifts:
    def test_it_is_entered_on_the_clock_of_the_clinic(self, place: Place, manager: Client):
        answer = posted(manager, SHIFTS + "add/", clinician=place.clinicians[0].pk, **TONIGHT, **BOTH)

        assert answer.status_code == 302
        [shift] = OnCallShift.objects.all()
        assert (shift.during.lower, shift.during.upper) == (at(18), at(26))
        assert (shift.modalities, shift.capacity) == (["text", "video"], 3)

    def test_a_second_click_enters_nothing_more(self, place: Place, manager: Client):
        fields = {
            "clinician": place.clinicians[0].pk,
            **TONIGHT,
            **BOTH,
            "once": "8a8f4fd3-5e21-4f6c-9d4f-6c47a3b9a001",
        }

        answers = [posted(manager, SHIFTS + "add/", **fields).status_code for _ in range(2)]

        assert answers == [302, 302]
        assert OnCallShift.objects.count() == 1

    def test_what_is_refused_is_said_on_the_page(self, place: Place, manager: Client):
        people.on_call(place.clinicians[0], starts=at(17), ends=at(19))

        answer = posted(manager, SHIFTS + "add/", clinician=place.clinicians[0].pk, **TONIGHT, **BOTH)

        assert answer.status_code == 422
        assert "on call then already" in answer.content.decode()

    def test_it_is_changed_and_taken_away(self, place: Place, manager: Client):
        shift = people.on_call(place.clinicians[0], starts=at(18), ends=at(26))
        page = f"{SHIFTS}{shift.pk}/"

        posted(manager, page, **{**TONIGHT, "ends": "03:30"}, modalities=["text"], capacity="5")

        shift.refresh_from_db()
        assert (shift.during.upper, shift.modalities, shift.capacity) == (at(27, 30), ["text"], 5)
        assert "changed" in manager.get(page + "history/").content.decode()
        posted(manager, page, do="take_away")
        assert not OnCallShift.objects.exists()

    def test_one_that_has_begun_is_ended_now(self, place: Place, manager: Client):
        shift = people.on_call(place.clinicians[0])

        assert "End this shift now" in manager.get(f"{SHIFTS}{shift.pk}/").content.decode()
        posted(manager, f"{SHIFTS}{shift.pk}/", do="take_away")

        shift.refresh_from_db()
        assert shift.during.upper == NOW

    def test_one_that_is_over_is_only_read(self, place: Place, manager: Client):
        shift = people.on_call(place.clinicians[0], starts=at(1), ends=at(2))

        page = manager.get(f"{SHIFTS}{shift.pk}/").content.decode()

        assert "<form method" not in page.partition('class="sheet"')[2]
        assert str(shift.pk) not in manager.get(SHIFTS).content.decode()

    def test_it_begins_with_the_hour_that_the_map_leads_to_and_those_licensed_there(
        self, place: Place, manager: Client
    ):
        query = {"state": "OH", "modality": "video", "start": at(22).isoformat()}

        page = manager.get(SHIFTS + "add/", query).content.decode()
        nobody = manager.get(SHIFTS + "add/", {**query, "state": "HI"}).content.decode()

        assert 'value="2026-11-24"' in page
        assert 'value="22:00"' in page
        assert 'value="06:00"' in page
        assert place.clinicians[0].name in page
        assert "None of your clinicians is licensed in HI" in nobody

    @pytest.mark.parametrize("start", ["", "x", "2026-11-24T22:00", "1900-01-01T00:00:00Z", "9999-12-31T23:00:00Z"])
    def test_it_begins_with_nothing_where_no_hour_is_asked_for(self, manager: Client, start: str):
        answer = manager.get(SHIFTS + "add/", {"start": start, "state": "'; --"})

        assert answer.status_code == 200
        assert 'name="first_day" required' in " ".join(answer.content.decode().split())

    def test_a_shift_in_the_hour_that_autumn_repeats_keeps_its_edges(self, place: Place, manager: Client):
        # From the second 1:30 of November 7, 2027, until 9:00: its form says 1:30, which is the first one, too.
        second = datetime(2027, 11, 7, 6, 30, tzinfo=UTC)
        shift = people.on_call(place.clinicians[0], starts=second, ends=second + timedelta(hours=7, minutes=30))
        fields = {"first_day": "2027-11-07", "starts": "01:30", "last_day": "2027-11-07", "ends": "10:00"}

        assert posted(manager, f"{SHIFTS}{shift.pk}/", **fields, **BOTH).status_code == 302

        shift.refresh_from_db()
        assert (shift.during.lower, shift.during.upper) == (second, datetime(2027, 11, 7, 15, 0, tzinfo=UTC))

    def test_the_list_takes_as_many_statements_for_twenty_as_for_one(self, place: Place, manager: Client):
        def statements() -> int:
            with CaptureQueriesContext(connection) as caught:
                assert manager.get(SHIFTS).status_code == 200
            return len(caught)

        people.on_call(place.clinicians[0])
        statements()
        at_one = statements()
        for number in range(19):
            start = at(20 + number)
            people.on_call(place.clinicians[0], starts=start, ends=start + timedelta(minutes=30))

        assert statements() == at_one


class TestNurses:
    def test_a_nurse_is_put_on_call_moved_and_taken_away(self, place: Place, manager: Client):
        nurse = staff(place, "clinician")
        posted(manager, NURSES + "add/", nurse=nurse.pk, **TONIGHT)

        [shift] = NurseShift.objects.all()
        assert (shift.nurse, shift.during.lower, shift.during.upper) == (nurse, at(18), at(26))
        assert nurse.email in manager.get(NURSES).content.decode()
        page = f"{NURSES}{shift.pk}/"
        assert posted(manager, page, **{**TONIGHT, "starts": "19:00"}).status_code == 302
        shift.refresh_from_db()
        assert shift.during.lower == at(19)
        posted(manager, page, do="take_away")
        assert not NurseShift.objects.exists()

    def test_only_staff_of_ones_own_clinics_are(self, manager: Client):
        other = staff(cast.make_place("Hartford"), "clinician")
        patient = cast.make_patient().user
        shift = NurseShift.objects.create(nurse=other, during=people.on_call(elsewhere()).during)

        for user in (other, patient):
            assert user is not None
            assert posted(manager, NURSES + "add/", nurse=user.pk, **TONIGHT).status_code == 422

        assert manager.get(f"{NURSES}{shift.pk}/").status_code == 404
        assert other.email not in manager.get(NURSES).content.decode()
        assert NurseShift.objects.count() == 1


def test_a_licence_that_is_over_makes_nobody_a_choice_there(place: Place, manager: Client):
    place.clinicians[0].licences.update(during=(date(2020, 1, 1), date(2026, 1, 1)))

    page = manager.get(SHIFTS + "add/", {"state": "OH"}).content.decode()

    assert place.clinicians[0].name not in page
