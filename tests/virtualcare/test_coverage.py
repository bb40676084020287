"""Coverage: who is on call and licensed when, to the instant, over licences, shifts and changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from clinics.models import Clinician, Licence, User
from tests.cast import NOW
from tests.virtualcare import people
from virtualcare import coverage, duty
from virtualcare.models import Duty

OHIO = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)
db = pytest.mark.django_db


def utc(day: int, hour: int, minute: int = 0, *, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def licensed(doctor: Clinician, start: date | None, end: date | None, state: str = "OH") -> None:
    """The doctor's licence in `state` is this one alone."""
    Licence.objects.filter(clinician=doctor, state=state).delete()
    Licence.objects.create(clinician=doctor, state=state, number="2", during=DateRange(start, end))


def counts(first: datetime, hours: int, *, state: str = "OH", modality: str = "text") -> list[int]:
    found = coverage.matrix(states=[state], modalities=[modality], first=first, until=first + HOUR * hours)
    assert found.hours == hours
    return found.counts[state, modality]


@db
class TestMatrix:
    def test_it_counts_who_is_on_call_and_licensed_by_hour(self):
        ohio = people.make_doctor("Reyes")
        both = people.make_doctor("Stone", states=("OH", "IN"))
        people.on_call(ohio, starts=utc(1, 8), ends=utc(1, 11))
        people.on_call(both, starts=utc(1, 10), ends=utc(1, 12), modalities=["video"])

        found = coverage.matrix(
            states=["OH", "IN", "HI"], modalities=["text", "video"], first=utc(1, 7), until=utc(1, 13)
        )

        assert found.starts() == [utc(1, hour) for hour in range(7, 13)]
        assert found.counts == {
            ("OH", "text"): [0, 1, 1, 1, 0, 0],
            ("OH", "video"): [0, 1, 1, 2, 1, 0],
            ("IN", "text"): [0] * 6,
            ("IN", "video"): [0, 0, 0, 1, 1, 0],
            ("HI", "text"): [0] * 6,
            ("HI", "video"): [0] * 6,
        }
        assert found.gaps(("OH", "video")) == [utc(1, 7), utc(1, 12)]

    def test_an_hour_in_which_somebody_goes_counts_those_who_stay(self):
        doctor = people.make_doctor()
        people.on_call(doctor, starts=utc(1, 8, 15), ends=utc(1, 10, 45))
        people.on_call(people.make_doctor("Stone"), starts=utc(1, 10, 45), ends=utc(1, 12))

        # From 8:00 to 8:15 nobody; one hands over to the other in the minute, and nobody is missed.
        assert counts(utc(1, 7), 6) == [0, 0, 1, 1, 1, 0]

    def test_a_gap_of_a_minute_is_a_gap(self):
        doctor = people.make_doctor()
        people.on_call(doctor, starts=utc(1, 8), ends=utc(1, 9, 30))
        people.on_call(doctor, starts=utc(1, 9, 31), ends=utc(1, 11))

        assert counts(utc(1, 8), 3) == [1, 0, 1]

    def test_a_licence_ends_when_its_last_day_ends_first_in_the_country(self):
        doctor = people.make_doctor()
        people.on_call(doctor, starts=utc(1, 0), ends=utc(3, 0))
        licensed(doctor, date(2020, 1, 1), date(2026, 12, 2))

        # Midnight before December 2 is at 14:00 UTC in Guam.
        assert counts(utc(1, 12), 4) == [1, 1, 0, 0]

    def test_a_licence_begins_when_its_first_day_has_begun_everywhere(self):
        doctor = people.make_doctor()
        people.on_call(doctor, starts=utc(1, 0), ends=utc(3, 0))
        licensed(doctor, date(2026, 12, 2), None)

        # Midnight before December 2 is at 11:00 UTC on that day in American Samoa.
        assert counts(utc(2, 9), 4) == [0, 0, 1, 1]

    def test_a_renewed_licence_is_one_licence(self):
        doctor = people.make_doctor()
        people.on_call(doctor, starts=utc(1, 0), ends=utc(4, 0))
        licensed(doctor, date(2020, 1, 1), date(2026, 12, 2))
        Licence.objects.create(
            clinician=doctor, state="OH", number="3", during=DateRange(date(2026, 12, 2), date(2028, 1, 1))
        )

        assert counts(utc(1, 0), 72) == [1] * 72

    def test_a_licence_in_two_rows_at_once_is_one_clinician(self):
        doctor = people.doctor_on_duty()
        Licence.objects.create(clinician=doctor, state="OH", number="3", during=DateRange(date(2026, 1, 1), None))

        assert counts(NOW, 1) == [1]

    def test_who_has_no_account_any_more_covers_nothing(self):
        doctor = people.doctor_on_duty()
        User.objects.filter(pk=people.user_of(doctor).pk).update(is_active=False)

        assert counts(NOW, 1) == [0]

    @pytest.mark.parametrize(("day", "hours"), [(date(2026, 11, 1), 25), (date(2027, 3, 14), 23)])
    def test_a_shift_over_a_change_of_the_clock_covers_its_whole_day(self, day: date, hours: int):
        doctor = people.make_doctor()
        start = datetime(day.year, day.month, day.day, tzinfo=OHIO).astimezone(UTC)
        end = datetime(day.year, day.month, day.day + 1, tzinfo=OHIO).astimezone(UTC)
        people.on_call(doctor, starts=start, ends=end)

        assert counts(start - HOUR, hours + 2) == [0, *[1] * hours, 0]

    def test_it_is_one_statement_however_much_there_is(self):
        def statements() -> int:
            with CaptureQueriesContext(connection) as caught:
                coverage.matrix(states=["OH", "IN"], modalities=["text", "video"], first=NOW, until=NOW + 336 * HOUR)
            return len(caught)

        people.doctor_on_duty()
        at_one = statements()
        for number in range(19):
            people.doctor_on_duty(f"D{number}", states=("OH", "IN"))

        assert at_one == statements() == 1

    def test_it_looks_no_further_than_two_weeks(self):
        found = coverage.matrix(states=["OH"], modalities=["text"], first=NOW, until=NOW + timedelta(days=365))

        assert found.hours == 14 * 24 + 1


@db
class TestNow:
    def test_it_names_who_may_take_somebody_now(self):
        ohio = people.doctor_on_duty("Ohio")
        away = people.doctor_on_duty("Away")
        Duty.objects.filter(pk=away.pk).update(available=False)
        silent = people.doctor_on_duty("Silent")
        Duty.objects.filter(pk=silent.pk).update(heard_at=NOW - duty.FRESH - timedelta(seconds=1))
        people.doctor_on_duty("Video", modalities=["video"])
        people.doctor_on_duty("Indiana", states=("IN",))
        people.doctor_on_duty("Over", starts=NOW - 2 * HOUR, ends=NOW)
        people.doctor_on_duty("Later", starts=NOW + HOUR, ends=NOW + 2 * HOUR)
        gone = people.doctor_on_duty("Gone")
        User.objects.filter(pk=people.user_of(gone).pk).update(is_active=False)

        assert {*coverage.eligible_now(state="OH", modality="text", now=NOW)} == {ohio, away, silent}
        assert [*coverage.on_duty(state="OH", modality="text", now=NOW)] == [ohio]

    def test_a_licence_counts_on_both_days_that_it_is(self):
        # At NOW it is the 24th in American Samoa, and the 25th in Guam.
        doctor = people.doctor_on_duty()
        is_there = lambda: coverage.eligible_now(state="OH", modality="text", now=NOW).exists()  # noqa: E731

        licensed(doctor, date(2020, 1, 1), date(2026, 11, 25))
        assert not is_there()
        assert counts(NOW, 1) == [0]
        licensed(doctor, date(2026, 11, 25), None)
        assert not is_there()
        assert counts(NOW, 1) == [0]
        Licence.objects.create(
            clinician=doctor, state="OH", number="3", during=DateRange(date(2020, 1, 1), date(2026, 11, 25))
        )
        assert is_there()
        assert counts(NOW, 1) == [1]

    def test_it_says_when_somebody_is_on_call_next(self):
        doctor = people.make_doctor()

        def following() -> datetime | None:
            return coverage.next_covered(state="OH", modality="text", now=NOW)

        assert following() is None
        people.on_call(doctor, starts=NOW + timedelta(days=15), ends=NOW + timedelta(days=16))
        assert following() is None
        people.on_call(doctor, starts=NOW + 9 * HOUR, ends=NOW + 10 * HOUR)
        people.on_call(doctor, starts=NOW + 5 * HOUR, ends=NOW + 6 * HOUR, modalities=["video"])
        assert following() == NOW + 9 * HOUR
        people.on_call(doctor, starts=NOW - HOUR, ends=NOW + HOUR)
        assert following() == NOW

    def test_on_call_next_is_when_they_are_licensed_too(self):
        doctor = people.make_doctor()
        people.on_call(doctor, starts=utc(1, 0), ends=utc(3, 0))
        licensed(doctor, date(2026, 12, 2), None)

        assert coverage.next_covered(state="OH", modality="text", now=NOW) == utc(2, 11)

    def test_it_says_until_when_there_is_no_gap(self):
        def until() -> datetime | None:
            return coverage.covered_until(state="OH", modality="text", now=NOW)

        assert until() is None
        first, second = people.make_doctor(), people.make_doctor("Stone")
        people.on_call(second, starts=NOW + HOUR, ends=NOW + 5 * HOUR)
        assert until() is None
        people.on_call(first, starts=NOW - HOUR, ends=NOW + HOUR)
        people.on_call(first, starts=NOW + 6 * HOUR, ends=NOW + 8 * HOUR)
        assert until() == NOW + 5 * HOUR


INSTANTS = st.integers(-300, 900).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(st.lists(st.tuples(INSTANTS, INSTANTS).filter(lambda span: span[0] < span[1]), max_size=6))
def test_the_least_of_an_hour_is_the_least_of_its_minutes(spans: list[tuple[datetime, datetime]]):
    expected = [
        min(
            sum(start <= NOW + HOUR * hour + timedelta(minutes=minute) < end for start, end in spans)
            for minute in range(60)
        )
        for hour in range(10)
    ]

    assert coverage.least(spans, NOW, 10) == expected


def test_licences_without_an_end_hold_for_ever():
    [(start, end)] = coverage.licensed([(None, date(2026, 1, 1)), (date(2026, 1, 1), None)])

    assert (start, end) == (coverage.EARLIEST, coverage.LATEST)
