"""`GET coverage`: whether there is somebody, for all who are signed in; how many, for those who plan it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import Clinician, StaffRole, User
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.virtualcare import people

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
HOUR = timedelta(hours=1)
OHIO = {"state": "OH", "modality": "video"}


def ask(query: dict[str, str] | None = None, *, user: User | None = None) -> Any:
    return Caller(user or cast.make_user("anybody")).get("/coverage", {**OHIO, **(query or {})})


class TestCoverage:
    def test_it_says_of_each_hour_whether_somebody_licensed_is_on_call(self):
        people.doctor_on_duty(ends=NOW + 2 * HOUR)

        answer = ask({"from": "2026-11-24T13:20:00Z", "to": "2026-11-24T12:00:00-05:00"})

        assert answer.status_code == 200
        assert answer.json() == {
            "state": "OH",
            "modality": "video",
            "hours": [
                {"start": "2026-11-24T13:00:00+00:00", "covered": True, "clinicians": None},
                {"start": "2026-11-24T14:00:00+00:00", "covered": True, "clinicians": None},
                {"start": "2026-11-24T15:00:00+00:00", "covered": True, "clinicians": None},
                {"start": "2026-11-24T16:00:00+00:00", "covered": False, "clinicians": None},
            ],
        }

    def test_it_is_of_the_day_to_come_where_nothing_is_said(self):
        assert len(ask().json()["hours"]) == 24

    @pytest.mark.parametrize("who", ["clinician", "manager", "operator"])
    def test_those_who_plan_it_are_told_how_many(self, who: str, reyes: Clinician, stone: Clinician):
        users = {
            "clinician": people.user_of(reyes),
            "manager": cast.make_staff(cast.make_place().clinic, "Manager", StaffRole.Role.MANAGER),
            "operator": cast.make_user("operator", is_superuser=True, is_staff=True),
        }

        told = ask(user=users[who]).json()

        assert told["hours"][0] == {"start": "2026-11-24T14:00:00+00:00", "covered": True, "clinicians": 2}

    @pytest.mark.parametrize("who", ["desk", "patient"])
    def test_others_are_not(self, who: str, reyes: Clinician):
        user = cast.make_patient().user if who == "patient" else cast.make_staff(cast.make_place().clinic)

        assert ask(user=user).json()["hours"][0] == {
            "start": "2026-11-24T14:00:00+00:00",
            "covered": True,
            "clinicians": None,
        }

    @pytest.mark.parametrize(
        ("query", "field", "code"),
        [
            ({"state": "Ohio"}, "state", "invalid"),
            ({"modality": "fax"}, "modality", "invalid_choice"),
            ({"from": "tomorrow"}, "from", "invalid"),
            ({"to": "2026-11-24T14:00:00Z"}, "to", "bad_window"),
            ({"to": "2026-12-08T14:00:01Z"}, "to", "bad_window"),
            ({"from": "2199-12-31T23:00:00Z", "to": "2200-01-01T00:00:00Z"}, "to", "far"),
            ({"limit": "7"}, "limit", "unknown_field"),
        ],
    )
    def test_it_says_what_is_wrong_with_a_question(self, query: dict[str, str], field: str, code: str):
        answer = ask(query)

        assert answer.status_code == 400
        assert answer.json()["errors"][field][0]["code"] == code

    def test_two_weeks_are_the_most(self):
        answer = ask({"to": "2026-12-08T14:00:00Z"})

        assert len(answer.json()["hours"]) == 14 * 24

    def test_nobody_who_is_not_signed_in_is_told(self):
        assert Caller().get("/coverage", OHIO).status_code == 401

    def test_it_takes_as_many_statements_for_twenty_clinicians_as_for_one(self):
        caller = Caller(cast.make_user("anybody"))

        def statements() -> int:
            with CaptureQueriesContext(connection) as caught:
                assert caller.get("/coverage", OHIO).status_code == 200
            return len(caught)

        people.doctor_on_duty()
        statements()
        at_one = statements()
        for number in range(19):
            people.doctor_on_duty(f"D{number}")

        assert statements() == at_one
