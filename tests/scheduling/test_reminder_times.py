"""When to remind, by rules alone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.models import RemindBefore
from scheduling.models.visit_types import usual_reminders
from scheduling.reminders import times

OHIO, ARIZONA, HAWAII = ZoneInfo("America/New_York"), ZoneInfo("America/Phoenix"), ZoneInfo("Pacific/Honolulu")
ZONES = [OHIO, ARIZONA, HAWAII, ZoneInfo("America/Los_Angeles"), ZoneInfo("America/Chicago")]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def ohio(month, day, hour, minute=0, *, year=2026):
    return datetime(year, month, day, hour, minute, tzinfo=OHIO)


def due(start, *kinds, clinic=OHIO, patient=OHIO, confirmed_at=LONG_AGO):
    return times.due(
        start, kinds or usual_reminders(), clinic=clinic, patient=patient, confirmed_at=confirmed_at.astimezone(UTC)
    )


class TestBefore:
    def test_it_is_the_day_before_at_the_same_time_and_two_hours_before(self):
        assert due(ohio(11, 24, 15)) == {"P1D": ohio(11, 23, 15), "PT2H": ohio(11, 24, 13)}

    def test_a_day_is_25_hours_when_clocks_go_back(self):
        start = ohio(11, 1, 9)

        found = due(start)

        assert found["P1D"] == ohio(10, 31, 9)
        assert start.astimezone(UTC) - found["P1D"] == timedelta(hours=25)

    def test_a_day_is_23_hours_when_clocks_go_forward(self):
        start = ohio(3, 14, 9, year=2027)

        found = due(start)

        assert found["P1D"] == ohio(3, 13, 9, year=2027)
        assert start.astimezone(UTC) - found["P1D"] == timedelta(hours=23)

    @pytest.mark.parametrize("start", [ohio(11, 1, 3, 30), ohio(3, 14, 3, 30, year=2027)], ids=["autumn", "spring"])
    def test_two_hours_are_two_hours_across_a_change(self, start):
        assert times.before(start, "PT2H", clinic=OHIO) == start.astimezone(UTC) - timedelta(hours=2)

    def test_a_day_before_a_time_that_its_day_leaves_out_is_the_moment_of_the_change(self):
        assert times.before(ohio(3, 15, 2, 30, year=2027), "P1D", clinic=OHIO) == ohio(3, 14, 3, year=2027)

    def test_a_day_before_a_time_that_its_day_repeats_is_the_first_of_the_two(self):
        assert times.before(ohio(11, 2, 1, 30), "P1D", clinic=OHIO) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)

    def test_it_is_a_day_of_the_clinic_not_of_the_patient(self):
        """Arizona does not change its clocks: there the reminder comes an hour later than the visit's own time."""
        found = due(ohio(11, 1, 12), patient=ARIZONA)

        assert found["P1D"] == ohio(10, 31, 12)

    def test_it_knows_every_kind_there_is(self):
        start = ohio(11, 24, 15)

        assert [start - times.before(start, kind, clinic=OHIO) for kind in RemindBefore.values] == [
            timedelta(days=7), timedelta(days=2), timedelta(days=1),
            timedelta(hours=4), timedelta(hours=2), timedelta(hours=1),
        ]  # fmt: skip

    def test_it_refuses_what_is_no_duration(self):
        with pytest.raises(ValueError, match="P1M"):
            times.before(ohio(11, 24, 15), "P1M", clinic=OHIO)


class TestQuietHours:
    def test_what_would_come_before_eight_comes_the_evening_before(self):
        assert due(ohio(11, 24, 9))["PT2H"] == ohio(11, 23, 19, 30)

    def test_what_would_come_at_eight_comes_at_eight(self):
        assert due(ohio(11, 24, 10))["PT2H"] == ohio(11, 24, 8)

    def test_what_would_come_from_eight_in_the_evening_on_comes_before(self):
        assert due(ohio(11, 24, 21, 59))["PT2H"] == ohio(11, 24, 19, 59)
        assert due(ohio(11, 24, 22))["PT2H"] == ohio(11, 24, 19, 30)

    def test_what_would_come_after_midnight_comes_the_evening_before(self):
        assert due(ohio(11, 24, 2, 30))["PT2H"] == ohio(11, 23, 19, 30)

    def test_they_are_the_patients_not_the_clinics(self):
        """15:00 in Ohio is 10:00 in Hawaii, and so 13:00 is 8:00 there, but 14:30 is 9:30 and 12:30 is 7:30."""
        assert due(ohio(11, 24, 15), patient=HAWAII)["PT2H"] == ohio(11, 24, 13)
        assert due(ohio(11, 24, 14, 30), patient=HAWAII)["PT2H"] == datetime(2026, 11, 23, 19, 30, tzinfo=HAWAII)

    @pytest.mark.parametrize("start", [ohio(11, 1, 9), ohio(3, 14, 9, year=2027)], ids=["autumn", "spring"])
    def test_the_evening_before_is_half_past_seven_on_the_wall_on_days_of_change_too(self, start):
        found = due(start)["PT2H"].astimezone(OHIO)

        assert (found.date(), found.time()) == (start.date() - timedelta(days=1), times.EVENING)


class TestAfterAConfirmation:
    def test_it_plans_none_that_is_due_within_two_hours_of_it(self):
        start = ohio(11, 24, 15)

        assert due(start, confirmed_at=ohio(11, 24, 10, 59)) == {"PT2H": ohio(11, 24, 13)}
        assert due(start, confirmed_at=ohio(11, 24, 11)) == {}

    def test_it_plans_none_that_should_have_come_already(self):
        assert due(ohio(11, 24, 15), confirmed_at=ohio(11, 23, 16)) == {"PT2H": ohio(11, 24, 13)}

    def test_it_plans_none_whose_evening_has_passed(self):
        assert due(ohio(11, 24, 9), confirmed_at=ohio(11, 23, 19)) == {}


def test_two_that_quiet_hours_put_at_one_time_are_one():
    assert due(ohio(11, 24, 7), "PT4H", "PT2H", "PT1H") == {"PT4H": ohio(11, 23, 19, 30)}


def test_a_visit_type_may_have_none():
    assert times.due(ohio(11, 24, 7), [], clinic=OHIO, patient=OHIO, confirmed_at=LONG_AGO) == {}


@given(
    start=st.datetimes(
        datetime(2026, 10, 25),  # noqa: DTZ001 - in UTC
        datetime(2027, 3, 21),  # noqa: DTZ001 - in UTC
        timezones=st.just(UTC),
    ),
    clinic=st.sampled_from(ZONES),
    patient=st.sampled_from(ZONES),
    minutes=st.integers(0, 10 * 24 * 60),
)
def test_it_never_disturbs_anybody_at_night_nor_comes_too_soon_or_too_late(start, clinic, patient, minutes):
    confirmed_at = start - timedelta(minutes=minutes)

    found = times.due(start, RemindBefore.values, clinic=clinic, patient=patient, confirmed_at=confirmed_at)

    for at in found.values():
        assert not times.is_quiet(at, patient=patient)
        assert confirmed_at + timedelta(hours=2) < at < start
    assert len(set(found.values())) == len(found)
