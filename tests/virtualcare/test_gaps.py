"""Hours without a clinician: found before they begin, told of once, to those who can do something."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.messages import rendering
from clinics.models import Clinic, Message, Organization, StaffRole, User
from tests import cast
from tests.cast import NOW, Place, at
from tests.virtualcare import people
from virtualcare import gaps, tasks
from virtualcare.models import CoverageAlert

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAYS = timedelta(days=1)


def place(name: str = "Avon", state: str = "OH", **fields: Any) -> Place:
    return cast.make_place(name, state=state, **fields)


def manager(of: Clinic | Organization, name: str = "Manager") -> User:
    user = cast.make_user(name.lower(), is_staff=True)
    where = {"clinic": of} if isinstance(of, Clinic) else {"organization": of}
    StaffRole.objects.create(user=user, role=StaffRole.Role.MANAGER, **where)
    return user


def cover(start: Any, end: Any, *states: str, **fields: Any) -> None:
    people.on_call(people.make_doctor(states=states or ("OH",)), starts=start, ends=end, **fields)


def told() -> dict[str, list[str]]:
    """Who was told of what: `OH video 14:00-16:00`."""
    return {
        message.address.split("-")[0]: [
            f"{gap['state']} {gap['modality']} {gap['start'][11:16]}-{gap['end'][11:16]}"
            for gap in message.context["gaps"]
        ]
        for message in Message.objects.filter(template="coverage_gap").order_by("created_at", "pk")
    }


class TestComing:
    def test_it_finds_the_hours_to_come_without_a_clinician(self):
        cover(NOW - HOUR, NOW + 10 * HOUR)
        cover(NOW + 12 * HOUR, NOW + 60 * HOUR, modalities=["video"])
        cover(NOW + 10 * HOUR, NOW + 60 * HOUR, modalities=["text"])

        assert gaps.coming(["OH"], now=NOW + timedelta(minutes=20)) == [
            ("OH", "video", NOW + 10 * HOUR),
            ("OH", "video", NOW + 11 * HOUR),
        ]

    def test_it_looks_where_clinics_are_open_and_where_it_is_told_to(self, settings: Any):
        place("Avon", "OH")
        Clinic.objects.filter(pk=place("Gary", "IN").clinic.pk).update(closes_on=NOW.date())
        Clinic.objects.filter(pk=place("Erie", "PA").clinic.pk).update(opens_on=NOW.date() + DAYS)
        settings.COVERAGE_STATES = ["KY", "OH"]

        assert gaps.served(now=NOW) == ["KY", "OH"]


class TestTell:
    def test_it_tells_the_managers_there_of_what_is_new_in_one_message_each(self):
        avon, gary = place("Avon", "OH"), place("Gary", "IN")
        manager(avon.clinic, "Avon")
        manager(gary.clinic.health_system, "Gary")
        both = manager(avon.clinic, "Both")
        StaffRole.objects.create(user=both, role="manager", clinic=gary.clinic)
        cast.make_staff(avon.clinic, "Desk")
        cover(NOW, NOW + 2 * DAYS + HOUR, "OH", "IN", modalities=["text"])
        cover(NOW, NOW + 2 * DAYS + HOUR, "OH", modalities=["video"])
        cover(NOW, NOW + 46 * HOUR, "IN", modalities=["video"])

        assert gaps.tell(now=NOW) == 2

        # Of the hours from 7 to 9 on the clock of Ohio, two days later.
        assert told() == {"gary": ["IN video 07:00-09:00"], "both": ["IN video 07:00-09:00"]}

    def test_it_tells_of_each_hour_once_and_of_the_next_when_it_comes_near(self):
        manager(place().clinic)
        cover(NOW, NOW + 47 * HOUR)

        assert gaps.tell(now=NOW) == 2
        assert gaps.tell(now=NOW) == 0
        assert gaps.tell(now=NOW + HOUR) == 2

        assert CoverageAlert.objects.count() == 4
        assert [message.context["hours"] for message in Message.objects.order_by("created_at")] == [2, 2]

    def test_without_a_manager_operators_are_told(self):
        place()
        operator = cast.make_user("operator", is_staff=True, is_superuser=True)
        cast.make_user("gone", is_superuser=True, is_active=False)
        cover(NOW, NOW + 47 * HOUR)

        gaps.tell(now=NOW)

        assert [message.user_id for message in Message.objects.all()] == [operator.pk]

    def test_an_hour_covered_meanwhile_is_not_told_of(self):
        manager(place().clinic)
        cover(NOW, NOW + 49 * HOUR)

        assert gaps.tell(now=NOW) == 0
        assert not Message.objects.exists()

    def test_what_it_marks_it_tells_or_neither(self, monkeypatch: pytest.MonkeyPatch):
        manager(place().clinic)

        def fails(*_: Any, **__: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr(gaps.messages, "queue_all", fails)
        with pytest.raises(RuntimeError):
            gaps.tell(now=NOW)

        assert not CoverageAlert.objects.exists()

    def test_hours_long_past_are_forgotten(self):
        place()
        CoverageAlert.objects.create(state="OH", modality="text", hour=NOW - 100 * DAYS, alerted_at=NOW - 101 * DAYS)

        gaps.tell(now=NOW)

        assert not CoverageAlert.objects.filter(hour__lt=NOW - DAYS).exists()

    def test_it_takes_as_many_statements_for_twenty_managers_as_for_one(self):
        clinic = place().clinic

        def statements() -> int:
            CoverageAlert.objects.all().delete()
            with CaptureQueriesContext(connection) as caught:
                assert gaps.tell(now=NOW) == 96
            return len(caught)

        manager(clinic.health_system)
        at_one = statements()
        for number in range(19):
            manager(clinic if number % 2 else clinic.health_system, f"M{number}")
        Message.objects.all().delete()

        assert statements() == at_one
        assert Message.objects.count() == 20

    def test_the_sweep_tells(self):
        manager(place().clinic)

        tasks.tell_coverage_gaps()

        assert Message.objects.filter(template="coverage_gap").exists()


class TestMessage:
    def write(self, language: str, stretches: list[gaps.Stretch], more: int = 0) -> rendering.Written:
        zone = cast.make_place().clinic.zone
        context = {
            "to_account": True,
            "hours": sum(one.hours for one in stretches),
            "gaps": [gaps.as_context(one, zone) for one in stretches],
            "more": more,
        }
        return rendering.write(template="coverage_gap", channel="email", language=language, context=context)

    def test_it_says_when_and_where_on_the_clock_of_the_state(self):
        night = gaps.Stretch("OH", "video", at(22), at(26))

        english = self.write("en", [night], more=3)

        assert english.subject == "No clinician on call for 4 hours to come"
        said = re.sub(r"\s+", " ", english.body)
        assert "OH, video: Tuesday, November 24, 10:00 PM to Wednesday, November 25, 2:00 AM EST" in said
        assert "and 3 more" in said

    def test_it_says_so_in_spanish(self):
        spanish = self.write("es", [gaps.Stretch("OH", "text", at(10), at(11))])

        assert spanish.subject == "Sin profesional de guardia en 1 hora próxima"
        assert "OH, texto: martes 24 de noviembre, 10:00 a 11:00 EST" in spanish.body

    def test_over_the_change_of_the_clock_it_says_both(self):
        # 1:00 EDT to 1:00 EST on November 1: an hour, on a clock that says the same twice.
        hour = gaps.Stretch("OH", "text", at(0, days=-23, zone_offset=-5), at(1, days=-23, zone_offset=-5))

        context = gaps.as_context(hour, cast.make_place().clinic.zone)

        assert (context["start"], context["end"]) == ("2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00")


def test_hours_that_follow_one_another_are_one_stretch():
    found = gaps.stretches(
        [("OH", "text", NOW + 2 * HOUR), ("OH", "text", NOW + HOUR), ("IN", "text", NOW + 3 * HOUR),
         ("OH", "text", NOW + 4 * HOUR)]
    )  # fmt: skip

    assert [(one.state, one.start, one.hours) for one in found] == [
        ("OH", NOW + HOUR, 2),
        ("IN", NOW + 3 * HOUR, 1),
        ("OH", NOW + 4 * HOUR, 1),
    ]
