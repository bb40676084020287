"""What is shown to staff who close a clinic or enter time off: every visit that it hits, and what it costs to find."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from clinics.models import Patient
from scheduling import closures, time_off
from scheduling.models import Appointment, Shift, VisitType
from scheduling.models.visit_types import LONGEST_VISIT
from scheduling.shifts import diffs
from tests import cast
from tests.cast import NOW, Place, at
from tests.scheduling import acts

pytestmark = pytest.mark.django_db


def make_history(place: Place, office: VisitType, patient: Patient, number: int) -> None:
    """`number` visits, an hour apart, that were over long ago."""
    starts = [NOW - timedelta(days=30, hours=each) for each in range(number)]
    Appointment.objects.bulk_create(past(place, office, patient, start) for start in starts)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE scheduling_appointment")


def past(place: Place, office: VisitType, patient: Patient, start: datetime, **fields: Any) -> Appointment:
    values = {
        "ends_at": start + timedelta(minutes=20),
        "status": "completed",
        "source": "patient",
        "price": 0,
        "booked_at": start,
        **fields,
    }
    return Appointment(
        patient=patient,
        clinic=place.clinic,
        clinician=place.clinicians[0],
        visit_type=office,
        starts_at=start,
        **values,
    )


def pages_read(rows: QuerySet[Appointment]) -> int:
    plan = json.loads(rows.explain(format="json", analyze=True, buffers=True))[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


class TestVisitsDuring:
    @pytest.mark.usefixtures("as_owner")
    def test_it_reads_no_more_after_years_of_visits(self, avon, office, pat):
        make_history(avon, office, pat, 200)
        few = pages_read(closures.visits_during(clinic=avon.clinic, start=at(9), end=at(17)))
        make_history(avon, office, pat, 5_000)

        many = pages_read(closures.visits_during(clinic=avon.clinic, start=at(9), end=at(17)))

        assert many <= few + 3

    @pytest.mark.usefixtures("as_owner")
    def test_it_would_without_a_first_start(self, avon, office, pat):
        """A control: the pages of history are there to be read."""
        make_history(avon, office, pat, 5_000)
        bounded = closures.visits_during(clinic=avon.clinic, start=at(9), end=at(17))
        unbounded = Appointment.objects.filter(clinic=avon.clinic, starts_at__lt=at(17), ends_at__gt=at(9))

        assert pages_read(unbounded) > pages_read(bounded) + 30

    def test_it_finds_the_longest_visit_by_its_last_minute(self, avon, pat):
        day = cast.make_visit_type("day", duration=LONGEST_VISIT)
        start = at(9, days=-1) + timedelta(minutes=1)
        visit = past(avon, day, pat, start, ends_at=start + LONGEST_VISIT, status="roomed")
        visit.save()

        assert list(closures.visits_during(clinic=avon.clinic, start=at(9), end=at(10))) == [visit]

    def test_the_database_keeps_visits_as_short(self, avon, office, pat):
        too_long = past(avon, office, pat, at(9), ends_at=at(9, 1, days=1))

        with pytest.raises(IntegrityError, match="appointment_within_a_day"), transaction.atomic():
            too_long.save()
        with pytest.raises(IntegrityError, match="visit_type_duration"):
            cast.make_visit_type("retreat", duration=LONGEST_VISIT + timedelta(minutes=1))


class TestVisitsWithoutShift:
    @pytest.mark.usefixtures("as_owner")
    def test_it_lists_those_of_today_alone(self, avon, office, pat):
        make_history(avon, office, pat, 100)
        visit = acts.book(pat, avon.slot(at(10), office))
        days: dict[Any, list[Shift]] = {}
        for shift in Shift.objects.all():
            days.setdefault((shift.clinician_id, shift.clinic_id, shift.on), []).append(shift)

        assert diffs.visits_without_shift(days, {}, now=NOW) == [visit]


class TestTimeOff:
    @pytest.fixture
    def visit(self, avon, pat):
        """From 10:00 to 10:20, and 15 minutes of turnover behind it."""
        swift = cast.make_visit_type("swift", turnover=timedelta(minutes=15))
        Shift.objects.update(visit_types=[swift.pk])
        return acts.book(pat, avon.slot(at(10), swift))

    def leave(self, of: Any, start: datetime) -> list[Appointment]:
        return time_off.enter(of=of, start=start, end=at(12), reason="away", now=NOW)[1]

    def test_it_lists_a_visit_whose_turnover_alone_it_meets(self, avon, visit):
        assert self.leave(avon.clinicians[0], at(10, 30)) == [visit]

    def test_it_does_not_list_a_visit_that_is_tidied_up_by_then(self, avon, visit):
        assert self.leave(avon.clinicians[0], at(10, 35)) == []

    def test_it_lists_none_for_a_room_that_the_patient_has_left(self, avon, visit):
        assert self.leave(avon.rooms[0], at(10, 20)) == []
