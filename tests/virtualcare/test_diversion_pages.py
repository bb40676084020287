"""Patients who were sent elsewhere, in the admin: who sees whom, that it is on record, and that a call is kept."""

import html
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext

from clinics.models import AccessEvent, Patient, Proxy, StaffRole, User
from clinics.models.audit import PatientSeen
from tests import cast
from tests.calls import browser
from tests.cast import NOW, Place
from tests.virtualcare.people import user_of
from tests.virtualcare.test_diverting import sent_elsewhere
from tests.world import CANARY
from virtualcare.models import NurseCall, NurseShift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
LIST = "/admin/virtualcare/nursealert/"
Role = StaffRole.Role


@pytest.fixture
def pat(avon: Place) -> Patient:
    patient = cast.make_patient(CANARY)
    Patient.objects.filter(pk=patient.pk).update(phone="+12015550177")
    cast.register(patient, avon.clinic)
    return patient


@pytest.fixture
def nurse(avon: Place) -> User:
    """On call; her role is at a clinic elsewhere."""
    user = cast.make_staff(cast.make_place("Hartford").clinic, "Nurse", Role.CLINICIAN)
    around = DateTimeTZRange(NOW - timedelta(hours=1), NOW + timedelta(hours=2))
    NurseShift.objects.create(nurse=user, during=around)
    return user


def page(user: User, path: str = "") -> str:
    return html.unescape(browser(user).get(f"{LIST}{path}").content.decode())


class TestWhoSees:
    def test_a_nurse_on_call_sees_who_where_how_to_reach_them_and_why(self, pat: Patient, nurse: User):
        consult = sent_elsewhere(pat)

        listed, one = page(nurse), page(nurse, f"{consult.pk}/")

        assert CANARY in listed
        assert "not called" in listed
        assert all(said in one for said in (CANARY, consult.street, "Avon, OH 44011", "(201) 555-0177", "Call 911 now"))
        assert "Is it hard to breathe? yes" in one
        assert "Nurse on call" in one

    def test_a_manager_sees_their_own_patients_alone(self, pat: Patient, avon: Place, nurse: User):
        consult = sent_elsewhere(pat)
        here = cast.make_staff(avon.clinic, "Manager", Role.MANAGER)
        elsewhere = cast.make_staff(cast.make_place("Elyria").clinic, "Manager", Role.MANAGER)

        assert CANARY in page(here)
        assert CANARY in page(here, f"{consult.pk}/")
        assert CANARY not in page(elsewhere)
        assert browser(elsewhere).get(f"{LIST}{consult.pk}/").status_code == 404

    def test_others_at_the_clinic_and_nurses_off_duty_see_nothing(
        self, pat: Patient, avon: Place, nurse: User, desk: User
    ):
        consult = sent_elsewhere(pat)
        doctor = cast.make_staff(avon.clinic, "Doctor", Role.CLINICIAN)
        off = cast.make_staff(avon.clinic, "Off", Role.CLINICIAN)
        NurseShift.objects.create(nurse=off, during=DateTimeTZRange(NOW - timedelta(hours=9), NOW))

        for user in (desk, doctor, off):
            assert CANARY not in page(user)
            assert browser(user).get(f"{LIST}{consult.pk}/").status_code == 404
            answer = browser(user).post(f"{LIST}{consult.pk}/called/", {"note": "Called."})
            assert answer.status_code == 404

        assert not NurseCall.objects.exists()

    def test_who_runs_the_server_sees_whom_they_were_told_of_alone(self, pat: Patient, stranger: Patient, avon: Place):
        operator = User.objects.create_superuser("operator@example.com", None)
        told = sent_elsewhere(stranger)
        cast.make_staff(avon.clinic, "Manager", Role.MANAGER)
        not_told = sent_elsewhere(pat)

        assert browser(operator).get(f"{LIST}{told.pk}/").status_code == 200
        assert browser(operator).get(f"{LIST}{not_told.pk}/").status_code == 404
        assert CANARY not in page(operator)

    def test_who_was_told_still_sees_it_after_the_shift(self, pat: Patient, nurse: User):
        consult = sent_elsewhere(pat)

        with time_machine.travel(NOW + timedelta(hours=3), tick=False):
            assert CANARY in page(nurse, f"{consult.pk}/")
        with time_machine.travel(NOW + timedelta(days=3), tick=False):
            assert browser(nurse).get(f"{LIST}{consult.pk}/").status_code == 404

    def test_for_a_child_it_says_who_asked(self, nurse: User):
        child = cast.make_patient("Kid", born=NOW.date().replace(year=2022), user=False)
        parent = cast.make_patient("Parent")
        Patient.objects.filter(pk=parent.pk).update(phone="+12015550188")
        Proxy.objects.create(user=user_of(parent), patient=child)
        consult = sent_elsewhere(child, by=user_of(parent))

        shown = page(nurse, f"{consult.pk}/")

        assert "Kid" in shown
        assert "Parent" in shown
        assert "(201) 555-0188" in shown
        assert "none on record" in shown


class TestOnRecord:
    def test_reading_is_on_record(self, pat: Patient, nurse: User):
        consult = sent_elsewhere(pat)

        page(nurse)
        page(nurse, f"{consult.pk}/")

        seen = PatientSeen.objects.filter(patient=pat, event__viewer=nurse).order_by("event__id")
        assert [(one.event.what, one.event.via) for one in seen.select_related("event")] == [
            ("consults", "admin"),
            ("consult", "admin"),
        ]

    def test_an_empty_list_shows_nobody(self, pat: Patient, nurse: User):
        page(nurse)

        assert not AccessEvent.objects.filter(viewer=nurse).exists()


class TestCalling:
    def test_a_call_is_kept(self, pat: Patient, nurse: User):
        consult = sent_elsewhere(pat)

        answer = browser(nurse).post(f"{LIST}{consult.pk}/called/", {"note": "Ambulance is there."}, follow=True)

        assert "It is kept that you called." in answer.content.decode()
        assert [(call.by, call.note) for call in NurseCall.objects.all()] == [(nurse, "Ambulance is there.")]
        assert "Ambulance is there." in page(nurse, f"{consult.pk}/")

    def test_it_says_what_came_of_it(self, pat: Patient, nurse: User):
        consult = sent_elsewhere(pat)

        answer = browser(nurse).post(f"{LIST}{consult.pk}/called/", {"note": " "})

        assert answer.status_code == 422
        assert "even that nobody answered" in answer.content.decode()
        assert not NurseCall.objects.exists()

    def test_who_was_not_called_stands_first_and_on_the_first_page(self, pat: Patient, stranger: Patient, nurse: User):
        first, second = sent_elsewhere(stranger, now=NOW - timedelta(hours=1)), sent_elsewhere(pat)
        before = browser(nurse).get("/admin/").content.decode()
        browser(nurse).post(f"{LIST}{second.pk}/called/", {"note": "Reached."})

        listed, after = page(nurse), browser(nurse).get("/admin/").content.decode()

        assert listed.index(str(first.pk)) < listed.index(str(second.pk))
        assert "<strong>2</strong> patients sent to emergency care" in before
        assert "<strong>1</strong> patient sent to emergency care" in after

    def test_it_takes_as_many_statements_for_twenty_as_for_one(self, pat: Patient, nurse: User):
        client = browser(nurse)
        sent_elsewhere(pat)
        client.get(LIST)
        with CaptureQueriesContext(connection) as one:
            client.get(LIST)
        for number in range(19):
            sent_elsewhere(cast.make_patient(f"P{number}"))

        with CaptureQueriesContext(connection) as many:
            client.get(LIST)

        assert len(many) == len(one)
