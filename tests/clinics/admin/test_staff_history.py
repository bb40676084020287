"""The history of records, and who saw a patient's, in the admin."""

import pytest

from clinics.admin import clock
from clinics.models import Clinic, Room, StaffRole, User
from clinics.models.audit import PatientSeen
from tests import cast
from tests.calls import browser
from tests.world import CANARY

pytestmark = pytest.mark.django_db
ACCESS = "/admin/clinics/accessevent/"


@pytest.fixture
def manager(world) -> User:
    return cast.make_staff(world.avon.clinic, "Manager", StaffRole.Role.MANAGER)


class TestHistory:
    def test_it_shows_who_changed_what_from_what_to_what(self, world):
        room, desk = world.avon.rooms[0], world.callers["staff here"]
        browser(desk).post(f"/admin/clinics/room/{room.pk}/change/", {})

        page = browser(desk).get(f"/admin/clinics/room/{room.pk}/history/").content.decode()

        assert not Room.objects.get(pk=room.pk).in_use
        assert desk.email in page
        assert "yes →" in page

    def test_it_is_absent_to_those_who_do_not_see_the_record(self, world):
        Clinic.objects.filter(pk=world.avon.clinic.pk).update(brand=CANARY)
        pages = [
            f"/admin/clinics/clinic/{world.avon.clinic.pk}/history/",
            f"/admin/clinics/room/{world.avon.rooms[0].pk}/history/",
            f"/admin/clinics/patient/{world.patient.pk}/history/",
            f"/admin/scheduling/appointment/{world.visit.pk}/history/",
        ]

        for page in pages:
            assert browser(world.callers["staff elsewhere"]).get(page).status_code == 404, page
            assert browser(world.callers["stranger"]).get(page).status_code == 302, page


class TestWhoSaw:
    def test_a_manager_sees_who_saw_a_record_and_that_is_on_record(self, world, manager):
        desk = world.callers["staff here"]
        browser(desk).get(f"/admin/clinics/patient/{world.patient.pk}/history/")
        client = browser(manager)

        found = client.get(ACCESS, {"q": CANARY[:4]}).content.decode()
        page = client.get(f"{ACCESS}{world.patient.pk}/").content.decode()

        assert f"{ACCESS}{world.patient.pk}/" in found
        assert desk.email in page
        look = PatientSeen.objects.filter(patient=world.patient.pk, event__viewer=desk).latest("event_id")
        assert clock.when(look.event.at, world.avon.clinic.zone) in page
        looks = PatientSeen.objects.filter(patient=world.patient.pk, event__viewer=manager)
        assert {"access_log"} <= set(looks.values_list("event__what", flat=True))

    def test_it_is_for_managers_there_and_operators(self, world, manager):
        operator = User.objects.create_superuser("operator@example.com", None)
        other = cast.make_staff(world.elsewhere.clinic, "Other", StaffRole.Role.MANAGER)

        assert browser(world.callers["staff here"]).get(f"{ACCESS}{world.patient.pk}/").status_code == 403
        assert browser(other).get(f"{ACCESS}{world.patient.pk}/").status_code == 404
        assert f"{ACCESS}{world.patient.pk}" not in browser(other).get(ACCESS, {"q": CANARY[:4]}).content.decode()
        page = browser(operator).get(f"{ACCESS}{world.patient.pk}/")
        assert page.status_code == 200
        assert CANARY not in page.content.decode()
