"""Patients in the admin."""

import html
import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import IdentityCorrection, Patient
from clinics.models.audit import AccessEvent
from scheduling.models import Appointment
from tests import cast
from tests.calls import browser
from tests.canaries import FAMILY_NAME
from tests.cast import NOW, at
from tests.world import CANARY

pytestmark = pytest.mark.django_db
LIST = "/admin/clinics/patient/"


@pytest.fixture
def me(world):
    return browser(world.callers["staff here"])


def text(answer):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def contact(**changes):
    return {"time_zone": "America/New_York", "language": "en", "phone": "(201) 555-0123", **changes}


def identity(**changes):
    asked = {"given_name": "Canaria", "family_name": "Canarnio", "birth_date": "11/24/2016", "reason": "passport"}
    return {**asked, **changes}


class TestList:
    def test_it_shows_those_of_the_clinic(self, world, me):
        other = cast.make_patient("Elsewhere")
        cast.register(other, world.elsewhere.clinic)

        page = text(me.get(LIST))

        assert CANARY in page
        assert f"Elsewhere {FAMILY_NAME}" not in page

    @pytest.mark.parametrize("term", ["canaria", "Canarin", "canaria canarin", "2016-11-24"])
    def test_it_finds_them(self, world, me, term):
        assert CANARY in text(me.get(LIST, {"q": term}))

    def test_it_finds_by_an_index(self, world):
        from clinics.admin import searching

        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for term, index in (("canar", "patient_given_name"), ("1990-05-17", "patient_birth_name")):
            plan = searching.patients(Patient.objects.all(), term).order_by().explain()
            assert index in plan


class TestPage:
    def test_it_shows_what_they_had_and_will_have_here(self, world, me):
        page = text(me.get(f"{LIST}{world.patient.pk}/change/"))

        for told in (CANARY, "10 years", "Standard", "Tue Nov 24, 2026, 10:00 AM", f"Parent {FAMILY_NAME}", "Avon"):
            assert told in page
        event = AccessEvent.objects.get()
        assert (event.page, event.what, event.patients.get().patient_id) == (
            "admin:patient:page",
            "record",
            world.patient.pk,
        )

    def test_it_takes_no_form_of_its_own(self, world, me):
        for address in ("change/", "delete/"):
            assert me.post(f"{LIST}{world.patient.pk}/{address}", {"given_name": "X"}).status_code == 403


class TestChanging:
    def test_it_changes_how_to_reach_them(self, world, me):
        answer = me.post(f"{LIST}{world.patient.pk}/contact/", contact(street="2 New Road", state="oh"))

        world.patient.refresh_from_db()
        assert answer.status_code == 302
        assert (str(world.patient.phone), world.patient.street, world.patient.state) == (
            "+12015550123",
            "2 New Road",
            "OH",
        )

    @pytest.mark.parametrize("changes", [{"phone": "1"}, {"time_zone": "Mars"}, {"state": "Ohio"}, {"language": "x"}])
    def test_it_says_what_is_wrong(self, world, me, changes):
        assert me.post(f"{LIST}{world.patient.pk}/contact/", contact(**changes)).status_code == 400

    def test_it_leaves_an_account_s_address_alone(self, world, me):
        me.post(f"{LIST}{world.patient.pk}/contact/", contact(email="new@example.com", given_name="X", user=""))

        was = world.patient.email
        world.patient.refresh_from_db()
        assert (world.patient.email, world.patient.given_name) == (was, CANARY)

    def test_it_changes_the_address_of_somebody_without_account(self, world, me):
        patient = cast.make_patient("Caller", user=False)
        cast.register(patient, world.avon.clinic)

        me.post(f"{LIST}{patient.pk}/contact/", contact(email="new@example.com"))

        patient.refresh_from_db()
        assert patient.email == "new@example.com"

    def test_it_corrects_who_they_are_and_keeps_what_was_there(self, world, me):
        answer = me.post(f"{LIST}{world.patient.pk}/identity/", identity())

        world.patient.refresh_from_db()
        kept = IdentityCorrection.objects.get()
        assert (answer.status_code, world.patient.family_name) == (302, "Canarnio")
        assert (kept.before, kept.after, kept.reason) == (
            {"family_name": FAMILY_NAME},
            {"family_name": "Canarnio"},
            "passport",
        )
        assert kept.actor == world.callers["staff here"]

    @pytest.mark.parametrize(
        "changes", [{"reason": ""}, {"reason": "  "}, {"birth_date": "1/1/2090"}, {"given_name": ""}]
    )
    def test_it_corrects_nothing_without_a_reason_or_in_vain(self, world, me, changes):
        assert me.post(f"{LIST}{world.patient.pk}/identity/", identity(**changes)).status_code == 400
        assert not IdentityCorrection.objects.exists()
        world.patient.refresh_from_db()
        assert world.patient.birth_date == date(2016, 11, 24)


@pytest.mark.parametrize("address", ["/admin/", LIST, "/admin/scheduling/appointment/", "visit", "patient"])
def test_it_costs_as_many_queries_for_twenty_rows_as_for_one(world, me, address):
    address = {
        "visit": f"/admin/scheduling/appointment/{world.visit.pk}/change/",
        "patient": f"{LIST}{world.patient.pk}/change/",
    }.get(address, address)

    def counted():
        me.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert me.get(address).status_code == 200
        return len(queries)

    counted()
    one = counted()
    for number in range(20):
        patient = cast.make_patient(f"More{number}")
        cast.register(patient, world.avon.clinic)
        for whose in (patient, world.patient):
            visit = Appointment.objects.create(
                patient=whose,
                clinic=world.avon.clinic,
                clinician=world.avon.clinicians[0],
                visit_type=world.office,
                starts_at=at(9, number),
                ends_at=at(9, number + 20),
                status="arrived" if number % 2 else "booked",
                source="staff",
                price=0,
                booked_at=NOW,
            )
            visit.changes.create(at=NOW, kind="booked", to_status=visit.status)
            world.visit.changes.create(at=NOW, kind="status", from_status="booked", to_status="booked")

    assert counted() == one
