"""The map of hours, and what became of waits told, in the admin."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinics.models import StaffRole
from tests import cast
from tests.calls import browser
from tests.cast import NOW, Place, at
from tests.virtualcare import people
from virtualcare.models import Consult

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
MAP = "/admin/virtualcare/coveragealert/"
WAITS = "/admin/virtualcare/waitmodel/"


@pytest.fixture
def place() -> Place:
    return cast.make_place()


@pytest.fixture
def manager(place: Place) -> Client:
    return browser(cast.make_staff(place.clinic, "Manager", StaffRole.Role.MANAGER))


def rows(page: str, state: int = 0) -> dict[str, list[str]]:
    """Of a state's table, what stands in each day's cells: `1`, `0`, `1 0` for an hour that is repeated."""
    table = page.split('<table class="heat">')[1 + state].split("</table>", maxsplit=1)[0]
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)[1:]:
        [day] = re.findall(r'<th scope="row">(.*?)</th>', row)
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        found[day] = [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in cells]
    return found


def states(page: str) -> list[str]:
    return re.findall(r"<section>\s*<h2>(\w\w)</h2>", page)


class TestMap:
    @pytest.mark.parametrize("path", [MAP, WAITS])
    @pytest.mark.parametrize(("role", "status"), [("manager", 200), ("front_desk", 403), ("clinician", 403)])
    def test_it_is_for_managers(self, place: Place, path: str, role: str, status: int):
        client = browser(cast.make_staff(place.clinic, "Somebody", StaffRole.Role(role)))

        assert client.get(path).status_code == status

    def test_it_shows_the_hours_of_each_day_on_the_clock_of_the_state(self, manager: Client):
        people.on_call(people.make_doctor(), starts=at(9), ends=at(24))
        people.on_call(people.make_doctor("Stone"), starts=at(22), ends=at(26))

        found = rows(manager.get(MAP).content.decode())

        # From 9:00 on the day itself until 9:00 two weeks later.
        assert len(found) == 15
        assert found["Tue, Nov 24"] == [""] * 9 + ["1"] * 13 + ["2"] * 2
        assert found["Wed, Nov 25"] == ["1", "1", *["0"] * 22]
        assert found["Tue, Dec 8"] == [*["0"] * 9, *[""] * 15]

    def test_an_hour_that_nobody_covers_leads_to_a_new_shift_and_says_so_in_words(self, manager: Client):
        people.on_call(people.make_doctor(), starts=at(9), ends=at(23))

        page = manager.get(MAP, {"modality": "text"}).content.decode()

        [(address, words)] = re.findall(r'<td class="nobody">\s*<a href="([^"]+)"\s+aria-label="([^"]+)">0</a>', page)[
            :1
        ]
        assert words == "0: nobody on call in OH, Nov 24, 2026, 23:00 to Nov 25, 2026, 00:00 EST: put somebody on call"
        assert "next from Nov 24, 2026, 23:00 EST" in page
        assert "for 322 hours" in " ".join(page.split())
        form = manager.get(unescape(address))
        assert form.status_code == 200
        assert 'value="23:00"' in form.content.decode()

    def test_it_says_where_there_is_somebody_at_every_hour(self, manager: Client):
        people.on_call(people.make_doctor(), starts=NOW, ends=NOW + timedelta(days=15))

        page = manager.get(MAP).content.decode()

        assert "Somebody is on call at every hour" in page
        assert 'class="nobody' not in page.split("</p>", 1)[1].split("<section>")[1]

    def test_the_hour_that_autumn_repeats_has_both_and_the_one_that_spring_leaves_out_none(self, manager: Client):
        with time_machine.travel(datetime(2026, 10, 25, 14, tzinfo=UTC), tick=False):
            people.on_call(
                people.make_doctor(),
                starts=datetime(2026, 11, 1, 4, tzinfo=UTC),
                ends=datetime(2026, 11, 1, 6, tzinfo=UTC),
            )
            autumn = rows(browser(cast.make_user("o", is_staff=True, is_superuser=True)).get(MAP).content.decode())
        with time_machine.travel(datetime(2027, 3, 8, 14, tzinfo=UTC), tick=False):
            spring = rows(browser(cast.make_user("o", is_staff=True, is_superuser=True)).get(MAP).content.decode())

        assert autumn["Sun, Nov 1"][:4] == ["1", "1 0", "0", "0"]
        assert spring["Sun, Mar 14"][:4] == ["0", "0", "", "0"]

    def test_it_is_of_states_with_clinics_or_patients_of_theirs_or_the_one_that_is_asked_for(
        self, place: Place, manager: Client
    ):
        for state, registered in (("KY", True), ("NV", False)):
            patient = cast.make_patient(state)
            patient.state = state
            patient.save(update_fields=["state"])
            if registered:
                cast.register(patient, place.clinic)
        operator = browser(cast.make_user("operator", is_staff=True, is_superuser=True))

        assert states(manager.get(MAP).content.decode()) == ["KY", "OH"]
        assert states(operator.get(MAP).content.decode()) == ["KY", "NV", "OH"]
        assert states(manager.get(MAP, {"state": "hi"}).content.decode()) == ["HI"]
        assert states(manager.get(MAP, {"state": "<b>"}).content.decode()) == ["KY", "OH"]

    def test_it_shows_so_many_states_at_once_and_leads_to_the_others(self, manager: Client, settings):
        settings.COVERAGE_STATES = [f"A{letter}" for letter in "ABCDEFGHIJKL"]

        page = manager.get(MAP).content.decode()

        assert len(states(page)) == 12
        assert re.search(r'href="\?modality=video&amp;state=OH">OH</a>', page)

    def test_it_takes_as_many_statements_for_twenty_clinicians_as_for_one(self, manager: Client):
        def statements() -> int:
            with CaptureQueriesContext(connection) as caught:
                assert manager.get(MAP).status_code == 200
            return len(caught)

        people.doctor_on_duty()
        statements()
        at_one = statements()
        for number in range(19):
            people.doctor_on_duty(f"D{number}")

        assert statements() == at_one

    def test_it_has_no_style_of_its_own(self, manager: Client):
        for path in (MAP, WAITS):
            answer = manager.get(path)

            assert "style=" not in answer.content.decode().partition('class="sheet"')[2]
            assert "<style" not in answer.content.decode()


class TestWaits:
    def test_it_draws_what_became_of_what_was_told(self, manager: Client):
        consult = people.waiting(now=NOW - timedelta(days=2), modality="video")
        Consult.objects.filter(pk=consult.pk).update(
            promised_low=5, promised_high=15, accepted_at=NOW - timedelta(days=2, minutes=-8), status="cancelled"
        )

        page = manager.get(WAITS).content.decode()

        assert "2026-11-22: 100% of 1 waits inside" in page
        assert "2026-11-22: mean wait 8.0 min, mean error 2.0 min" in page
        assert page.count("<svg xmlns") == 1
        assert "Nobody who was told a range has been taken yet." in page
        assert "the default while there is little history" in page
