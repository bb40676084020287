"""Who may have a visit: what a patient finds is what they can have, whatever their age and whenever they were here."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scheduling.models import VisitType
from tests import cast
from tests.scheduling import acts

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ZONES = ("America/New_York", "America/Los_Angeles")
# The last before a day that is not there every year, and one in an ordinary week.
FIRST_DAYS = [date(2026, 11, 24), date(2027, 2, 26), date(2028, 2, 27)]
FITS = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def age_on(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def day_of(day: date) -> int:
    """Its day of the month, as there is in every year."""
    return 28 if (day.month, day.day) == (2, 29) else day.day


def three_years_after(day: date) -> date:
    """The first day on which three years since `day` are over: 1 March after a 29 February."""
    try:
        return day.replace(year=day.year + 3)
    except ValueError:
        return date(day.year + 3, 3, 1)


class TestWhatIsListedForAPatient:
    """Four nights in a row, each with starts on both sides of midnight, on which birthdays and periods turn."""

    @FITS
    @given(
        first=st.sampled_from(FIRST_DAYS),
        zone=st.sampled_from(ZONES),
        ages=st.sampled_from([(0, None), (0, 17), (18, None), (1, 64), (65, None), (5, 5)]),
        years=st.sampled_from([0, 1, 5, 6, 18, 65]),
        birthday=st.integers(-1, 5),
        of_patients=st.sampled_from(VisitType.Patients.values),
        seen=st.none() | st.tuples(st.integers(-2, 6), st.integers(0, 23), st.booleans()),
    )
    @example(FIRST_DAYS[2], ZONES[1], (18, None), 18, 2, "anyone", None)
    @example(FIRST_DAYS[0], ZONES[0], (0, None), 18, 0, "new", (2, 12, True))
    @example(FIRST_DAYS[0], ZONES[0], (0, None), 18, 0, "established", (2, 12, True))
    @example(FIRST_DAYS[0], ZONES[0], (0, None), 18, 0, "established", (2, 12, False))
    def test_it_is_what_they_can_have(self, first, zone, ages, years, birthday, of_patients, seen):
        """`years` before a day of these, `birthday`, they were born; three years before one, `seen`, they were here, or
        at another health system.
        """
        with transaction.atomic():
            birthday = first + birthday * DAY
            born = birthday.replace(year=birthday.year - years, day=day_of(birthday))
            last = first + seen[0] * DAY if seen else None
            here = last and last.replace(year=last.year - 3, day=day_of(last))
            self.compare(first, ZoneInfo(zone), ages, born, of_patients, here, *(seen[1:] if seen else ()))
            transaction.set_rollback(True)

    @pytest.mark.parametrize("ages", [(19, None), (0, 18)])
    def test_it_has_a_birthday_of_29_february_on_1_march(self, ages):
        self.compare(FIRST_DAYS[1], ZoneInfo(ZONES[0]), ages, date(2008, 2, 29), "anyone", None)

    @pytest.mark.parametrize("of_patients", ["new", "established"])
    def test_it_lets_three_years_from_29_february_end_with_february(self, of_patients):
        born, here = date(1990, 5, 17), date(2024, 2, 29)

        self.compare(FIRST_DAYS[1], ZoneInfo(ZONES[0]), (0, None), born, of_patients, here)

    def compare(self, first, zone, ages, born, of_patients, here, hour=12, at_this_system=True):
        place = cast.make_place("Avon", time_zone=zone.key)
        kind = self.make_kind(ages, of_patients)
        for number in range(4):
            evening = datetime.combine(first + number * DAY, time(23), zone).astimezone(UTC)
            cast.make_shift(place, evening, evening + timedelta(hours=2), kind)
        patient = cast.make_patient("Pat", born=born)
        seen_on = None
        if here is not None:
            at = place if at_this_system else cast.make_place("Elsewhere", time_zone=zone.key)
            start = datetime.combine(here, time(hour), zone).astimezone(UTC)
            cast.make_completed(at, kind, patient, start)
            seen_on = here if at_this_system else None
        now = datetime.combine(first, time(9), zone).astimezone(UTC)

        listed = acts.starts(place, kind.code, now=now, patient=patient.pk, first_day=first, days=6)

        low, high = ages
        offered = acts.starts(place, kind.code, now=now, first_day=first, days=6)
        assert len(offered) == 16
        wanted = []
        for start in offered:
            on = start.astimezone(zone).date()
            established = seen_on is not None and on < three_years_after(seen_on)
            if (low <= age_on(born, on) and (high is None or age_on(born, on) <= high)) and (
                of_patients == "anyone" or established == (of_patients == "established")
            ):
                wanted.append(start)
        assert listed == wanted
        for start in offered:
            assert acts.can_be_held(patient, place.slot(start, kind), now=now) == (start in listed), start

    def make_kind(self, ages: tuple[int, int | None], of_patients: str) -> VisitType:
        return cast.make_visit_type(
            f"k{uuid.uuid4().hex[:8]}",
            price=None,
            duration=timedelta(minutes=30),
            step=30,
            min_age=ages[0],
            max_age=ages[1],
            patients=of_patients,
        )
