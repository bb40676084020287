"""Hours, days and closures in the admin: looked at first, done once, by those whose they are."""

import re
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinics.admin import clock
from clinics.models import OpeningHours, StaffRole, User
from scheduling import closures, shifts, time_off
from scheduling.models import Claim, Closure, OpeningHoursChange, Shift, WeeklyHours
from scheduling.shifts import WeeklyBlock
from tests import cast
from tests.calls import browser
from tests.cast import NOW, at
from tests.world import CANARY

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 24)
HOURS, DOORS, DAYS = "/admin/scheduling/weeklyhours/", "/admin/clinics/openinghours/", "/admin/scheduling/shift/"
CLOSURES, AWAY = "/admin/scheduling/closure/", "/admin/scheduling/claim/"


@pytest.fixture
def manager(world) -> User:
    return cast.make_staff(world.avon.clinic, "Manager", StaffRole.Role.MANAGER)


@pytest.fixture
def operator(world) -> User:
    return User.objects.create_superuser("operator@example.com", None)


@pytest.fixture
def weekly(world) -> None:
    """Tuesdays and Wednesdays from 9 to 17, as the shifts are already."""
    Shift.objects.filter(clinic=world.avon.clinic).delete()
    blocks = [WeeklyBlock(world.avon.clinic.pk, day, time(9), time(17), (world.office.pk,)) for day in (1, 2)]
    asked: dict[str, Any] = {"clinician": world.avon.clinicians[0], "blocks": blocks, "from_on": TODAY, "now": NOW}
    diff = shifts.preview_weekly_hours(**asked)
    shifts.change_weekly_hours(**asked, actor=None, accept=diff.digest)


def form_of(*rows: dict[str, Any], **others: Any) -> dict[str, Any]:
    """What a form of rows sends, looking at first."""
    asked: dict[str, Any] = {"rows": len(rows), "do": "look", "once": "a-key", **others}
    for number, row in enumerate(rows):
        asked |= {f"row{number}-{name}": value for name, value in row.items()}
    return asked


def week_at(world, *days: int, starts: str = "09:00", ends: str = "17:00", from_on: date = TODAY) -> dict[str, Any]:
    here = {"clinic": str(world.avon.clinic.pk), "visit_types": [world.office.pk]}
    return form_of(*({"weekday": day, "starts": starts, "ends": ends, **here} for day in days), from_on=from_on)


def digest(response: Any) -> str:
    found = re.search(r'name="accept"\s+value="([0-9a-f]{64})"', response.content.decode())
    assert found, response.content.decode()[-3000:]
    return found[1]


class TestWeeklyHours:
    def test_it_shows_what_a_change_does_and_does_it_when_that_is_confirmed(self, world, manager, weekly):
        client, page = browser(manager), f"{HOURS}{world.avon.clinicians[0].pk}/"
        asked = week_at(world, 1, 2, starts="12:00")

        look = client.post(page, asked)

        text = look.content.decode()
        assert look.status_code == 200
        assert "13 Tuesdays" in text
        assert CANARY in text  # at 10 and 11: whose visits these are is for those who move them
        assert Shift.objects.filter(during__startswith=at(9)).exists()

        done = client.post(page, {**asked, "do": "confirm", "accept": digest(look)})

        assert done.status_code == 302
        assert not Shift.objects.filter(clinic=world.avon.clinic, during__startswith=at(9)).exists()
        assert {row.set_by for row in WeeklyHours.objects.filter(during__upper_inf=True)} == {manager}
        world.visit.refresh_from_db()
        assert world.visit.status == "booked"

    def test_it_shows_anew_what_has_changed_since_the_look(self, world, manager, weekly):
        client, page = browser(manager), f"{HOURS}{world.avon.clinicians[0].pk}/"
        asked = week_at(world, 1, starts="12:00")
        look = client.post(page, asked)
        Shift.objects.filter(on=TODAY + timedelta(days=7)).delete()

        done = client.post(page, {**asked, "do": "confirm", "accept": digest(look)})

        assert done.status_code == 409
        assert "have changed since you looked" in done.content.decode()
        assert digest(done) != digest(look)
        assert client.post(page, {**asked, "do": "confirm", "accept": digest(done)}).status_code == 302

    def test_it_does_a_change_once_however_often_it_is_clicked(self, world, manager, weekly):
        client, page = browser(manager), f"{HOURS}{world.avon.clinicians[0].pk}/"
        asked = week_at(world, 1)
        confirmed = {**asked, "do": "confirm", "accept": digest(client.post(page, asked))}

        answers = [client.post(page, confirmed).status_code for _ in range(2)]

        assert answers == [302, 302]
        assert WeeklyHours.objects.filter(during__upper_inf=True).count() == 1

    def test_it_counts_no_rows_of_a_form_that_says_nonsense(self, world, manager, weekly):
        asked = {**week_at(world, 1), "rows": "9" * 5000}

        answer = browser(manager).post(f"{HOURS}{world.avon.clinicians[0].pk}/", asked)

        assert answer.status_code == 200
        assert "row0-" not in answer.content.decode()

    def test_it_says_why_hours_cannot_be(self, world, manager, weekly):
        answer = browser(manager).post(f"{HOURS}{world.avon.clinicians[0].pk}/", week_at(world, 1, 1))

        assert answer.status_code == 422
        assert "overlap" in answer.content.decode()

    def test_it_fills_in_earlier_hours_to_undo_a_change(self, world, manager, weekly):
        client, page = browser(manager), f"{HOURS}{world.avon.clinicians[0].pk}/"
        asked = week_at(world, 1, from_on=TODAY + timedelta(days=7))
        client.post(page, {**asked, "do": "confirm", "accept": digest(client.post(page, asked))})

        again = client.get(page, {"like": "2026-11-24"}).content.decode()

        assert manager.email in again
        assert re.search(rf"{re.escape(manager.email)}\s*<br>\s*<span class=\"soft\">[^<]* E[SD]T</span>", again)
        assert again.count('value="09:00"') == 2

    def test_it_is_for_managers_to_change_and_for_the_others_there_to_see(self, world, weekly):
        page = f"{HOURS}{world.avon.clinicians[0].pk}/"
        desk, elsewhere = (browser(world.callers[who]) for who in ("staff here", "staff elsewhere"))

        assert desk.get(page).status_code == 200
        assert desk.post(page, week_at(world, 1)).status_code == 403
        assert elsewhere.get(page).status_code == 404
        assert elsewhere.post(page, week_at(world, 1)).status_code == 404

    def test_it_shows_an_operator_times_and_nobodys_name(self, world, operator, weekly):
        answer = browser(operator).post(f"{HOURS}{world.avon.clinicians[0].pk}/", week_at(world, 4))

        assert "Visits left outside" in answer.content.decode()
        assert CANARY not in answer.content.decode()


class TestOpeningHours:
    def test_it_shows_the_diff_and_changes_by_its_digest(self, world, manager, weekly):
        client, page = browser(manager), f"{DOORS}{world.avon.clinic.pk}/"
        asked = form_of(*({"weekday": day, "starts": "08:00", "ends": "12:00"} for day in range(7)))

        look = client.post(page, asked)
        done = client.post(page, {**asked, "do": "confirm", "accept": digest(look)})

        assert "changed" in look.content.decode()
        assert done.status_code == 302
        assert {row.closes for row in OpeningHours.objects.filter(clinic=world.avon.clinic)} == {time(12)}
        change = OpeningHoursChange.objects.get()
        assert change.actor == manager
        before = client.get(page, {"like": change.pk}).content.decode()
        assert before.count('value="00:00"') == 14
        assert manager.email in before
        assert clock.when(change.at, world.avon.clinic.zone) in before

    def test_it_is_for_managers(self, world):
        page = f"{DOORS}{world.avon.clinic.pk}/"

        assert browser(world.callers["staff here"]).get(page).status_code == 200
        assert browser(world.callers["staff here"]).post(page, form_of()).status_code == 403
        assert browser(world.callers["staff elsewhere"]).get(page).status_code == 404


class TestOneDay:
    def wanted(self, world, starts: str, ends: str) -> dict[str, Any]:
        return {
            "on": "2026-11-24", "starts": starts, "ends": ends, "visit_types": [world.office.pk], "do": "look",
            "once": "a-key",
        }  # fmt: skip

    def test_it_changes_a_shift_and_undoes_it(self, world):
        client = browser(world.callers["staff here"])
        shift = Shift.objects.get(clinic=world.avon.clinic, on=TODAY)
        page = f"{DAYS}{shift.pk}/"
        asked = self.wanted(world, "12:00", "17:00")

        look = client.post(page, asked)
        done = client.post(page, {**asked, "do": "confirm", "accept": digest(look)})

        assert CANARY in look.content.decode()
        assert done.status_code == 302
        shift.refresh_from_db()
        assert shift.during.lower == at(12)
        back = self.wanted(world, "09:00", "17:00") | {"once": "another"}
        client.post(page, {**back, "do": "confirm", "accept": digest(client.post(page, back))})
        shift.refresh_from_db()
        assert shift.during.lower == at(9)

    def test_it_takes_a_shift_away_after_showing_its_visits(self, world):
        client = browser(world.callers["staff here"])
        shift = Shift.objects.get(clinic=world.avon.clinic, on=TODAY)
        page = f"{DAYS}{shift.pk}/remove/"

        look = client.get(page)
        assert Shift.objects.filter(pk=shift.pk).exists()
        done = client.post(page, {"do": "confirm", "accept": digest(look), "once": "k"})

        assert CANARY in look.content.decode()
        assert done.status_code == 302
        assert not Shift.objects.filter(pk=shift.pk).exists()
        to_sort_out = client.get(f"{CLOSURES}to-sort-out/").content.decode()
        assert CANARY in to_sort_out
        assert "no shift then" in to_sort_out

    def test_it_adds_a_shift(self, world):
        client = browser(world.callers["staff here"])
        page = f"{DAYS}add/?clinic={world.avon.clinic.pk}"
        asked = self.wanted(world, "18:00", "20:00") | {"clinician": str(world.avon.clinicians[0].pk)}

        assert client.post(page, asked).status_code == 302
        assert client.post(page, asked | {"once": "k2"}).status_code == 422
        assert Shift.objects.filter(during=DateTimeTZRange(at(18), at(20))).count() == 1

    def test_it_is_absent_to_staff_elsewhere_and_not_for_clinicians(self, world):
        shift = Shift.objects.get(clinic=world.avon.clinic, on=TODAY)

        for page in (f"{DAYS}{shift.pk}/", f"{DAYS}{shift.pk}/remove/"):
            assert browser(world.callers["staff elsewhere"]).get(page).status_code == 404
            assert browser(world.callers["clinician here"]).get(page).status_code == 403

    @pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
    def test_it_shows_this_week_in_place_of_one_at_the_ends_of_the_calendar(self, world, manager, day):
        week = browser(manager).get(DAYS, {"from": day})

        assert week.status_code == 200
        assert "Tue, Nov 24" in week.content.decode()

    @pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
    def test_it_takes_no_day_at_the_ends_of_the_calendar(self, world, manager, day):
        client, shift = browser(manager), Shift.objects.get(clinic=world.avon.clinic, on=TODAY)
        clinician = str(world.avon.clinicians[0].pk)
        asked = self.wanted(world, "22:00", "06:00") | {"on": day, "clinician": clinician}

        answers = [client.post(f"{DAYS}{page}/", asked) for page in ("add", shift.pk)]

        for answer in answers:
            assert answer.status_code == 200
            assert "Ensure this value is" in answer.content.decode()
        assert not Shift.objects.filter(on=day).exists()


SNOW = {
    "first_day": "2026-11-24", "starts": "09:30", "last_day": "2026-11-24", "ends": "12:00", "reason": "Snow",
    "do": "look", "once": "a-key",
}  # fmt: skip


class TestClosing:
    def test_it_shows_the_visits_closes_and_leaves_a_list_to_work_off(self, world):
        client = browser(world.callers["staff here"])

        look = client.post(f"{CLOSURES}add/", SNOW)
        assert CANARY in look.content.decode()
        assert not Closure.objects.exists()
        done = [client.post(f"{CLOSURES}add/", SNOW | {"do": "confirm"}) for _ in range(2)]

        closure = Closure.objects.get()
        assert [each["Location"] for each in done] == [f"{CLOSURES}{closure.pk}/"] * 2
        assert (closure.during.lower, closure.created_by) == (at(9, 30), world.callers["staff here"])
        page = client.get(done[0]["Location"]).content.decode()
        assert f"/admin/scheduling/appointment/{world.visit.pk}/" in page

    def test_it_opens_again_once(self, world):
        closure, _ = closures.close(
            clinic=world.avon.clinic, start=at(9), end=at(12), reason="Snow", actor=None, now=NOW
        )
        client = browser(world.callers["staff here"])

        assert client.post(f"{CLOSURES}{closure.pk}/", {"once": "k"}).status_code == 302
        assert not Closure.objects.exists()
        assert client.get(f"{CLOSURES}{closure.pk}/").status_code == 404

    def test_it_refuses_what_cannot_be(self, world):
        client = browser(world.callers["staff here"])

        for do in ("look", "confirm"):
            answer = client.post(f"{CLOSURES}add/", SNOW | {"ends": "09:00", "do": do})
            assert answer.status_code == 422
            assert "ends after it begins" in answer.content.decode()

    def test_it_is_for_those_of_the_clinic(self, world):
        closure, _ = closures.close(
            clinic=world.avon.clinic, start=at(9), end=at(12), reason=f"{CANARY} snow", actor=None, now=NOW
        )
        elsewhere = browser(world.callers["staff elsewhere"])

        assert elsewhere.get(f"{CLOSURES}{closure.pk}/").status_code == 404
        assert elsewhere.post(f"{CLOSURES}{closure.pk}/").status_code == 404
        assert CANARY not in elsewhere.get(CLOSURES).content.decode()
        asked = SNOW | {"clinic": str(world.avon.clinic.pk), "do": "confirm"}
        assert elsewhere.post(f"{CLOSURES}add/", asked).status_code == 404
        assert browser(world.callers["clinician here"]).get(f"{CLOSURES}add/").status_code == 404


class TestTimeOff:
    def test_it_shows_the_visits_takes_the_time_off_and_gives_it_back(self, world):
        client = browser(world.callers["staff here"])
        asked = SNOW | {"of": str(world.avon.clinicians[0].pk)}

        look = client.post(f"{AWAY}add/", asked)
        done = client.post(f"{AWAY}add/", asked | {"do": "confirm"})

        assert CANARY in look.content.decode()
        claim = Claim.objects.get(lane=Claim.AWAY)
        assert done["Location"] == f"{AWAY}{claim.pk}/"
        assert CANARY in client.get(done["Location"]).content.decode()
        again = client.post(f"{AWAY}add/", asked | {"do": "confirm", "once": "k2"})
        assert "time off at this time already" in again.content.decode()
        assert client.post(f"{AWAY}{claim.pk}/", {"once": "k3"}).status_code == 302
        assert not Claim.objects.filter(lane=Claim.AWAY).exists()

    def test_it_names_nobodys_visit_at_another_clinic(self, world):
        """A clinician of both clinics: Hartford sees when a visit at Avon is, and not whose."""
        hartford = world.elsewhere
        cast.make_shift(hartford, at(18), at(20), world.office, clinician=world.avon.clinicians[0])
        client = browser(world.callers["staff elsewhere"])

        look = client.post(f"{AWAY}add/", SNOW | {"of": str(world.avon.clinicians[0].pk)})

        assert "Nov 24, 2026 10:00" in look.content.decode()
        assert CANARY not in look.content.decode()

    def test_it_never_reaches_a_visits_own_claims(self, world):
        claim = Claim.objects.filter(appointment=world.visit).first()
        client = browser(world.callers["staff here"])

        assert client.get(f"{AWAY}{claim.pk}/").status_code == 404
        assert client.post(f"{AWAY}{claim.pk}/").status_code == 404

    def test_it_is_absent_to_staff_elsewhere(self, world):
        claim, _ = time_off.enter(of=world.avon.rooms[0], start=at(9), end=at(12), reason=CANARY, now=NOW)
        client = browser(world.callers["staff elsewhere"])

        assert client.get(f"{AWAY}{claim.pk}/").status_code == 404
        assert CANARY not in client.get(AWAY).content.decode()


class TestPages:
    PAGES = (HOURS, DOORS, DAYS, CLOSURES, AWAY, f"{CLOSURES}to-sort-out/")

    def test_they_open_to_staff_here_and_nobody_without_work(self, world, operator, weekly):
        closures.close(clinic=world.avon.clinic, start=at(9), end=at(12), reason="Snow", actor=None, now=NOW)
        for page in self.PAGES:
            for who in ("staff here", "clinician here"):
                assert browser(world.callers[who]).get(page).status_code == 200, (page, who)
            assert browser(operator).get(page).status_code == 200, page
            for who in ("owner", "parent", "stranger", "partner", "nobody"):
                answer = browser(world.callers[who]).get(page)
                assert answer.status_code == 302, (page, who)
                assert answer["Location"].startswith("/admin/login/"), (page, who)
            assert CANARY not in browser(world.callers["staff elsewhere"]).get(page).content.decode()
            assert CANARY not in browser(operator).get(page).content.decode()

    def test_they_cost_as_many_queries_for_twenty_rows_as_for_one(
        self, world, manager, weekly, django_assert_max_num_queries
    ):
        client = browser(manager)
        for number in range(20):
            clinician = cast.make_clinician(world.avon.clinic, f"Many{number}")
            cast.make_shift(world.avon, at(9), at(17), world.office, clinician=clinician)
            closures.close(
                clinic=world.avon.clinic, start=at(number), end=at(number + 1), reason="Snow", actor=None, now=NOW
            ) if number > 9 else None
        for page in self.PAGES:
            with django_assert_max_num_queries(16):
                assert client.get(page).status_code == 200
