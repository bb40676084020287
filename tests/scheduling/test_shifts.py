"""Weekly hours become shifts."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from clinics.models import Clinic, OpeningHours
from scheduling import shifts, tasks
from scheduling.models import DayByHand, Shift, VisitType, WeeklyHours
from scheduling.shifts.expansion import DAYS_AHEAD
from tests import cast
from tests.cast import ALWAYS, NOW, Place

TODAY = date(2026, 11, 24)  # a Tuesday
TUESDAY, WEDNESDAY = 1, 2
WEEK = timedelta(days=7)


@pytest.fixture
def clinic(office: VisitType) -> Place:
    """Avon with two physicians, open round the clock, without shifts."""
    return cast.make_place("Avon", clinicians=2)


def hours(
    place: Place, office: VisitType, weekday: int, starts: int, ends: int, *, clinician: int = 0, **fields: Any
) -> WeeklyHours:
    return WeeklyHours.objects.create(
        clinician=place.clinicians[clinician],
        clinic=fields.pop("clinic", place.clinic),
        weekday=weekday,
        starts=time(starts),
        ends=time(ends),
        visit_types=[office.pk],
        **{"during": ALWAYS, **fields},
    )


def opening(clinic: Clinic, *doors: tuple[int, int]) -> None:
    """Every day's doors are open at these hours, and at no others."""
    OpeningHours.objects.filter(clinic=clinic).delete()
    for weekday in range(7):
        for opens, closes in doors:
            OpeningHours.objects.create(clinic=clinic, weekday=weekday, opens=time(opens), closes=time(closes))


def local(shift: Shift) -> str:
    start, end = (at.astimezone(shift.clinic.zone) for at in (shift.during.lower, shift.during.upper))
    return f"{start:%m-%d %H:%M}-{end:%H:%M}"


def written(place: Place, *, first: int = 3, clinician: int = 0) -> list[str]:
    """The first shifts of a clinician, as on a wall calendar."""
    found = Shift.objects.filter(clinician=place.clinicians[clinician]).select_related("clinic").order_by("during")
    return [local(shift) for shift in found[:first]]


class TestExtend:
    def test_it_makes_shifts_from_today_to_90_days_ahead(self, clinic, office):
        hours(clinic, office, TUESDAY, 9, 17)

        added = shifts.extend(now=NOW)

        assert added == 13
        assert written(clinic) == ["11-24 09:00-17:00", "12-01 09:00-17:00", "12-08 09:00-17:00"]
        assert Shift.objects.latest("on").on == date(2027, 2, 16)
        assert Shift.objects.values_list("visit_types", flat=True).first() == [office.pk]

    def test_it_reaches_the_90th_day_itself(self, clinic, office):
        for weekday in range(7):
            hours(clinic, office, weekday, 9, 17)

        shifts.extend(now=NOW)

        assert Shift.objects.earliest("on").on == TODAY
        assert Shift.objects.latest("on").on == TODAY + timedelta(days=DAYS_AHEAD)

    def test_it_adds_nothing_the_second_time_and_a_day_on_the_next(self, clinic, office):
        for weekday in range(7):
            hours(clinic, office, weekday, 9, 17)
        shifts.extend(now=NOW)

        assert shifts.extend(now=NOW) == 0
        assert shifts.extend(now=NOW + timedelta(days=1)) == 1
        assert shifts.extend(now=NOW + timedelta(days=11)) == 10

    def test_it_does_not_bring_back_what_staff_removed(self, clinic, office):
        hours(clinic, office, TUESDAY, 9, 17)
        shifts.extend(now=NOW)
        Shift.objects.filter(on=TODAY + WEEK).delete()

        shifts.extend(now=NOW + WEEK)

        assert not Shift.objects.filter(on=TODAY + WEEK).exists()

    def test_it_leaves_days_alone_that_were_set_by_hand_beforehand(self, clinic, office):
        hours(clinic, office, TUESDAY, 9, 17)
        doctor = clinic.clinicians[0]
        DayByHand.objects.create(clinician=doctor, clinic=clinic.clinic, on=TODAY + WEEK, set_at=NOW)

        shifts.extend(now=NOW)

        assert written(clinic) == ["11-24 09:00-17:00", "12-08 09:00-17:00", "12-15 09:00-17:00"]

    def test_it_keeps_the_wall_clock_over_the_change_in_march(self, clinic, office):
        hours(clinic, office, 6, 9, 17)

        shifts.extend(now=datetime(2027, 3, 7, 12, tzinfo=UTC))

        assert [shift.during.lower.hour for shift in Shift.objects.order_by("on")[:2]] == [14, 13]

    def test_it_gives_the_night_shift_of_the_change_its_real_length(self, clinic, office):
        hours(clinic, office, 5, 22, 6)

        shifts.extend(now=datetime(2027, 3, 6, 12, tzinfo=UTC))

        lengths = [shift.during.upper - shift.during.lower for shift in Shift.objects.order_by("on")[:2]]
        assert lengths == [timedelta(hours=8), timedelta(hours=7)]

    def test_it_includes_the_night_that_is_still_going_on(self, clinic, office):
        hours(clinic, office, TUESDAY, 22, 6)

        shifts.extend(now=datetime(2026, 11, 25, 8, tzinfo=UTC))  # Wednesday, 3:00 in Ohio

        assert written(clinic, first=1) == ["11-24 22:00-06:00"]

    def test_it_keeps_to_the_days_of_the_hours(self, clinic, office):
        hours(clinic, office, TUESDAY, 9, 12, during=DateRange(date(2020, 1, 1), date(2026, 12, 1)))
        hours(clinic, office, TUESDAY, 13, 17, during=DateRange(date(2026, 12, 8), date(2026, 12, 15)))

        shifts.extend(now=NOW)

        assert written(clinic) == ["11-24 09:00-12:00", "12-08 13:00-17:00"]

    def test_it_clips_to_the_opening_hours_and_splits_at_lunch(self, clinic, office):
        opening(clinic.clinic, (8, 12), (13, 16))
        hours(clinic, office, TUESDAY, 7, 18)

        shifts.extend(now=NOW)

        assert written(clinic) == ["11-24 08:00-12:00", "11-24 13:00-16:00", "12-01 08:00-12:00"]

    def test_it_makes_none_on_a_weekday_without_opening_hours(self, clinic, office):
        OpeningHours.objects.filter(clinic=clinic.clinic, weekday=TUESDAY).delete()
        hours(clinic, office, TUESDAY, 9, 17)

        assert shifts.extend(now=NOW) == 0

    def test_it_uses_the_hours_that_the_day_before_left_open(self, clinic, office):
        opening(clinic.clinic, (20, 4))
        hours(clinic, office, WEDNESDAY, 0, 8)

        shifts.extend(now=NOW)

        assert written(clinic, first=1) == ["11-25 00:00-04:00"]

    def test_it_keeps_to_the_days_on_which_the_clinic_exists(self, clinic, office):
        Clinic.objects.filter(pk=clinic.clinic.pk).update(opens_on=date(2026, 12, 1), closes_on=date(2026, 12, 15))
        hours(clinic, office, TUESDAY, 9, 17)

        shifts.extend(now=NOW)

        assert written(clinic) == ["12-01 09:00-17:00", "12-08 09:00-17:00"]

    def test_it_fits_around_a_shift_that_is_there(self, clinic, office):
        elsewhere = cast.make_place("Shaker", clinicians=0)
        cast.make_shift(elsewhere, cast.at(11), cast.at(13), office, clinician=clinic.clinicians[0])
        hours(clinic, office, TUESDAY, 9, 17)

        shifts.extend(now=NOW)

        assert written(clinic) == ["11-24 09:00-11:00", "11-24 11:00-13:00", "11-24 13:00-17:00"]

    def test_it_takes_only_the_clinicians_asked_for(self, clinic, office):
        hours(clinic, office, TUESDAY, 9, 17)
        hours(clinic, office, TUESDAY, 9, 17, clinician=1)

        shifts.extend(now=NOW, clinicians=[clinic.clinicians[1].pk])

        assert written(clinic) == []
        assert len(written(clinic, clinician=1)) == 3

    def test_it_needs_as_many_queries_for_twenty_clinicians_as_for_two(
        self, clinic, office, django_assert_max_num_queries
    ):
        for _ in range(18):
            clinic.clinicians.append(cast.make_clinician(clinic.clinic))
        for number in range(20):
            hours(clinic, office, TUESDAY, 9, 17, clinician=number)

        with django_assert_max_num_queries(14):
            assert shifts.extend(now=NOW) == 20 * 13


class TestExtendWhenNothingIsDue:
    """It runs every hour, and at all but one of them no clinic's day begins."""

    @pytest.fixture
    def denver(self, clinic, office):
        """Avon and Denver, each with its clinician's hours every day, expanded at NOW."""
        denver = cast.make_place("Denver", time_zone="America/Denver")
        for weekday in range(7):
            hours(clinic, office, weekday, 9, 17)
            hours(denver, office, weekday, 9, 17)
        shifts.extend(now=NOW)
        return denver

    def test_it_reads_once_and_locks_nothing(self, clinic, denver):
        # The last is 23:59 in Ohio, where NOW is 9:00; in UTC the next day began at 19:00.
        for minutes in (0, 60, 9 * 60 + 59, 10 * 60 + 1, 14 * 60 + 59):
            sent = statements(lambda minutes=minutes: shifts.extend(now=NOW + timedelta(minutes=minutes)))

            assert [sql.split()[0] for sql in sent] == ["SELECT"]
            assert not locks(sent)

    def test_it_locks_those_alone_whose_day_begins(self, clinic, denver):
        midnight_in_ohio, midnight_in_denver = NOW + timedelta(hours=15), NOW + timedelta(hours=17)

        first = statements(lambda: shifts.extend(now=midnight_in_ohio))
        again = statements(lambda: shifts.extend(now=midnight_in_ohio))
        second = statements(lambda: shifts.extend(now=midnight_in_denver))

        assert len(written(clinic, first=100)) == len(written(denver, first=100)) == DAYS_AHEAD + 2
        for sent, here, there in ((first, clinic, denver), (second, denver, clinic)):
            clinics, calendars = (sql.replace("-", "") for sql in locks(sent))
            assert here.clinic.pk.hex in clinics
            assert there.clinic.pk.hex not in clinics
            assert here.clinicians[0].pk.hex in calendars
            assert there.clinicians[0].pk.hex not in calendars
        assert not locks(again)

    def test_it_leaves_hours_that_have_ended_or_are_expanded_to_their_end(self, clinic, office):
        hours(clinic, office, TUESDAY, 9, 12, during=DateRange(date(2020, 1, 1), TODAY - WEEK))
        hours(clinic, office, TUESDAY, 13, 17, during=DateRange(date(2020, 1, 1), TODAY + WEEK))
        shifts.extend(now=NOW)

        assert not locks(statements(lambda: shifts.extend(now=NOW + timedelta(days=1))))


def statements(work: Callable[[], Any]) -> list[str]:
    """What `work` sends to the database."""
    with CaptureQueriesContext(connection) as queries:
        work()
    return [query["sql"] for query in queries]


def locks(sent: list[str]) -> list[str]:
    return [sql for sql in sent if " FOR " in sql]


@pytest.mark.django_db(transaction=True)
class TestExtendTwiceAtOnce:
    def test_it_makes_each_shift_once(self, clinic, office):
        for weekday in range(7):
            hours(clinic, office, weekday, 9, 17)

        added = cast.at_the_same_time(lambda _: shifts.extend(now=NOW), range(4))

        assert sorted(added) == [0, 0, 0, DAYS_AHEAD + 1]
        assert Shift.objects.count() == DAYS_AHEAD + 1


class TestTask:
    def test_it_extends_the_shifts_of_everybody(self, clinic, office):
        hours(clinic, office, TUESDAY, 9, 17)

        with time_machine.travel(NOW):
            tasks.extend_shifts()

        assert Shift.objects.count() == 13
