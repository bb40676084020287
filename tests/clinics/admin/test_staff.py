"""Places, people of the house and their roles in the admin."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.forms.models import model_to_dict

from clinics import staffing
from clinics.models import Clinic, Licence, Room, Session, StaffRole, User
from memberships.models import Fee, Price, VisitPrice
from tests import cast
from tests.calls import browser, sign_in
from tests.cast import NOW
from tests.world import CANARY

pytestmark = pytest.mark.django_db
STAFF = "/admin/clinics/user/"
Role = StaffRole.Role


@pytest.fixture
def manager(world) -> User:
    return cast.make_staff(world.avon.clinic, "Manager", Role.MANAGER)


@pytest.fixture
def operator(world) -> User:
    return User.objects.create_superuser("operator@example.com", None)


class TestGivingRoles:
    def give(self, actor: User, email: str, role: Role, place: Any) -> Any:
        asked = {"email": email, "role": role, "place": str(place.pk), "once": f"{email}{role}"}
        return browser(actor).post(f"{STAFF}give/", asked)

    def test_a_manager_gives_and_takes_roles_at_their_clinic(self, world, manager):
        answer = self.give(manager, "New@Example.com", Role.FRONT_DESK, world.avon.clinic)

        given = StaffRole.objects.get(user__email="new@example.com")
        assert answer["Location"] == f"{STAFF}{given.user_id}/"
        assert (given.clinic, given.user.is_staff, given.user.has_usable_password()) == (world.avon.clinic, True, False)
        page = browser(manager).get(answer["Location"]).content.decode()
        assert "Front desk at Avon" in page
        answer = browser(manager).post(f"{STAFF}{given.user_id}/take/{given.pk}/", {"once": "k"})
        assert answer.status_code == 302
        assert not StaffRole.objects.filter(pk=given.pk).exists()
        assert not User.objects.get(pk=given.user_id).is_staff

    @pytest.mark.parametrize("role", [Role.MANAGER, Role.PARTNER, Role.BENEFITS])
    def test_a_manager_raises_nobody(self, world, manager, role):
        answer = self.give(manager, "new@example.com", role, world.avon.clinic)

        assert answer.status_code == 422
        assert not User.objects.filter(email="new@example.com").exists()

    def test_a_manager_gives_nothing_elsewhere(self, world, manager):
        for place in (world.elsewhere.clinic, world.avon.clinic.health_system):
            assert self.give(manager, "new@example.com", Role.FRONT_DESK, place).status_code == 422

        assert not User.objects.filter(email="new@example.com").exists()

    def test_nobody_raises_themself(self, world, manager, operator):
        for actor, role in ((manager, Role.CLINICIAN), (operator, Role.MANAGER)):
            answer = self.give(actor, actor.email.upper(), role, world.avon.clinic)

            assert answer.status_code == 422
            assert "themself" in answer.content.decode() or "their own" in answer.content.decode()
            assert not StaffRole.objects.filter(user=actor, role=role).exists()

    def test_an_operator_gives_every_role_where_it_makes_sense(self, world, operator):
        system = world.avon.clinic.health_system

        assert self.give(operator, "a@example.com", Role.MANAGER, system).status_code == 302
        assert self.give(operator, "b@example.com", Role.PARTNER, system).status_code == 302
        assert self.give(operator, "c@example.com", Role.PARTNER, world.avon.clinic).status_code == 422
        assert self.give(operator, "d@example.com", Role.BENEFITS, system).status_code == 422
        assert not User.objects.get(email="b@example.com").is_staff

    def test_it_is_for_managers_and_operators_alone(self, world):
        for who in ("staff here", "clinician here", "staff elsewhere"):
            assert browser(world.callers[who]).get(STAFF).status_code == 403
            assert self.give(world.callers[who], "x@example.com", Role.FRONT_DESK, world.avon.clinic).status_code == 403
        assert not User.objects.filter(email="x@example.com").exists()


class TestSwitchingOff:
    def test_it_ends_every_session_at_once(self, world, manager):
        desk = world.callers["staff here"]
        theirs = browser(desk)
        sign_in(desk)
        assert theirs.get("/admin/").status_code == 200

        answer = browser(manager).post(f"{STAFF}{desk.pk}/switch/", {"once": "k"})

        assert answer.status_code == 302
        assert not Session.objects.filter(user=desk).exists()
        assert theirs.get("/admin/").status_code == 302
        browser(manager).post(f"{STAFF}{desk.pk}/switch/", {"once": "k2", "on": "1"})
        desk.refresh_from_db()
        assert desk.is_active

    def test_a_manager_reaches_neither_peers_nor_patients_nor_themself(self, world, manager, operator):
        peer = cast.make_staff(world.avon.clinic, "Peer", Role.MANAGER)
        patient = world.callers["parent"]
        StaffRole.objects.create(user=patient, role=Role.FRONT_DESK, clinic=world.avon.clinic)

        for user in (peer, patient, manager):
            assert browser(manager).post(f"{STAFF}{user.pk}/switch/", {"once": "k"}).status_code == 422
            user.refresh_from_db()
            assert user.is_active
        for user in (operator, world.callers["staff elsewhere"], world.callers["stranger"]):
            assert browser(manager).post(f"{STAFF}{user.pk}/switch/", {"once": "k"}).status_code == 404

    def test_roles_elsewhere_are_not_theirs_to_see_or_take(self, world, manager):
        desk = world.callers["staff here"]
        other = StaffRole.objects.create(user=desk, role=Role.FRONT_DESK, clinic=world.elsewhere.clinic)

        assert "Hartford" not in browser(manager).get(f"{STAFF}{desk.pk}/").content.decode()
        assert browser(manager).post(f"{STAFF}{desk.pk}/take/{other.pk}/").status_code == 404
        with pytest.raises(staffing.NotYoursToGive):
            staffing.take(role=other, actor=manager)


class TestPlaces:
    LISTS = (
        "clinics/organization", "clinics/clinic", "clinics/room", "clinics/clinician", "clinics/licence",
        "clinics/credential", "scheduling/visittype", "scheduling/cancellationpolicy", "memberships/plan",
        "memberships/fee", "memberships/price", "memberships/visitprice",
    )  # fmt: skip

    def test_they_open_to_staff_and_nobody_else(self, world, operator):
        Room.objects.create(calendar=cast.Calendar.objects.create(kind="room"), clinic=world.avon.clinic, name=CANARY)
        Licence.objects.filter(clinician=world.avon.clinicians[0]).update(number=CANARY)
        for name in self.LISTS:
            for user in (operator, world.callers["staff here"], world.callers["clinician here"]):
                assert browser(user).get(f"/admin/{name}/").status_code == 200, name
            for who in ("owner", "stranger", "partner", "nobody"):
                assert browser(world.callers[who]).get(f"/admin/{name}/").status_code == 302, name
            elsewhere = browser(world.callers["staff elsewhere"])
            for query in ("", f"?q={CANARY}"):
                page = elsewhere.get(f"/admin/{name}/{query}").content.decode()
                # What was searched for stands in the page again.
                assert CANARY not in page.replace(f'value="{CANARY}"', "").replace(f"q={CANARY}", ""), name

    def test_they_are_read_by_staff_and_changed_by_operators(self, world, operator):
        desk = browser(world.callers["staff here"])
        for name in self.LISTS:
            assert desk.get(f"/admin/{name}/add/").status_code == 403, name
        page = f"/admin/clinics/clinic/{world.avon.clinic.pk}/change/"

        assert desk.post(page, {"name": "Mine"}).status_code == 403
        fields = model_to_dict(world.avon.clinic, ("name", "brand", "street", "city", "postal_code"))
        sent = {**fields, "name": "Avon Lake", "latitude": 41.4, "longitude": -82, "phone": "+12015550123"}
        answer = browser(operator).post(page, {**sent, "time_zone": "America/Chicago", "state": "TX"})
        assert answer.status_code == 302, answer.content.decode()[:2000]
        clinic = Clinic.objects.get(pk=world.avon.clinic.pk)
        assert (clinic.name, clinic.time_zone, clinic.state) == ("Avon Lake", "America/New_York", "OH")

    def test_front_desk_takes_a_room_of_theirs_out_of_use(self, world):
        room = world.avon.rooms[0]
        page = f"/admin/clinics/room/{room.pk}/change/"

        assert browser(world.callers["staff elsewhere"]).post(page, {}).status_code == 404
        assert browser(world.callers["clinician here"]).post(page, {}).status_code == 403
        assert browser(world.callers["staff here"]).post(page, {"name": "Mine"}).status_code == 302
        room.refresh_from_db()
        assert (room.in_use, room.name) == (False, "Exam 0")

    def test_an_operator_adds_a_room_and_a_clinician_with_their_calendars(self, world, operator):
        client = browser(operator)

        asked = {"clinic": world.avon.clinic.pk, "name": "Exam 9", "kind": "exam", "in_use": "on"}
        assert client.post("/admin/clinics/room/add/", asked).status_code == 302
        person = {
            "given_name": "Eve",
            "family_name": "New",
            "npi": "1234567893",
            "languages": "en, es",
            "gender": "other",
        }
        assert client.post("/admin/clinics/clinician/add/", person).status_code == 302
        assert Room.objects.get(name="Exam 9").calendar.kind == "room"
        assert cast.Clinician.objects.get(npi="1234567893").languages == ["en", "es"]

    def test_it_shows_licences_that_expire_or_overlap(self, world, operator):
        clinician = world.avon.clinicians[0]
        Licence.objects.filter(clinician=clinician).delete()
        soon = NOW.date() + timedelta(days=30)
        Licence.objects.create(clinician=clinician, state="OH", number="SOON", during=DateRange(date(2025, 1, 1), soon))
        Licence.objects.create(clinician=clinician, state="CT", number="OLD", during=DateRange(date(2025, 1, 1), soon))
        Licence.objects.create(clinician=clinician, state="CT", number="NEXT", during=DateRange(date(2026, 6, 1), None))
        client = browser(operator)

        everything = client.get("/admin/clinics/licence/").content.decode()
        expiring = client.get("/admin/clinics/licence/?expires=soon").content.decode()

        assert "expires in 30 days" in everything
        assert "overlaps another row" in everything
        assert "SOON" in expiring
        assert "OLD" not in expiring  # NEXT follows it

    def test_prices_are_added_and_never_changed(self, world, operator):
        client = browser(operator)
        old = Price.objects.first()
        assert old is not None
        price = {"plan": old.plan_id, "interval": "year", "amount": 20_900, "trial_days": 0}

        assert client.post(f"/admin/memberships/price/{old.pk}/change/", {**price, "amount": 1}).status_code == 403
        assert client.post("/admin/memberships/price/add/", {**price, "from_on": "2026-11-01"}).status_code == 200
        assert client.post("/admin/memberships/price/add/", {**price, "from_on": "2027-01-01"}).status_code == 302
        assert {row.amount for row in Price.objects.filter(plan=old.plan)} == {19_900, 20_900}
        visit = {"benefit": "office", "amount": 15_900, "from_on": "2027-01-01"}
        assert client.post("/admin/memberships/visitprice/add/", visit).status_code == 302
        again = client.post("/admin/memberships/visitprice/add/", visit)
        assert "planned already" in again.content.decode()
        prices = VisitPrice.objects.filter(benefit="office").order_by("during")
        assert [(row.amount, row.during.upper) for row in prices] == [(14_900, date(2027, 1, 1)), (15_900, None)]
        fee = {"code": "late-cancel", "name": "Late cancellation", "amount": 2_500}
        assert client.post("/admin/memberships/fee/add/", {**fee, "from_on": "2027-01-01"}).status_code == 302
        assert client.post("/admin/memberships/fee/add/", {**fee, "from_on": "2027-01-01"}).status_code == 200
        assert Fee.objects.get().during.upper is None
