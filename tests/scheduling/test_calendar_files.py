"""The iCalendar file of a visit, as two readers understand it: icalendar, and vobject."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest
import time_machine
import vobject  # type: ignore[import-untyped]
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import Clinic
from scheduling import booking, feeds
from scheduling.models import Appointment
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at
from tests.world import CANARY, WHY, World

pytestmark = pytest.mark.django_db
PATIENT = Appointment.Source.PATIENT


def by_icalendar(text: str) -> dict:
    """What icalendar reads of the one event in `text`."""
    (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    return {
        "uid": str(event["UID"]),
        "sequence": int(str(event["SEQUENCE"])),
        "status": str(event["STATUS"]),
        "start": event.decoded("DTSTART"),
        "end": event.decoded("DTEND"),
        "location": str(event["LOCATION"]),
        "class": str(event["CLASS"]),
    }


def by_vobject(text: str) -> dict:
    """What vobject reads of the one event in `text`."""
    event = vobject.readOne(text).vevent
    return {
        "uid": event.uid.value,
        "sequence": int(event.sequence.value),
        "status": event.status.value,
        "start": event.dtstart.value,
        "end": event.dtend.value,
        "location": event.location.value,
        "class": getattr(event, "class").value,
    }


def read(text: str) -> dict:
    """What both read of it, which is the same."""
    one, other = by_icalendar(text), by_vobject(text)
    assert one == other
    return one


def booked(place: cast.Place, kind, patient, start: datetime, *, now: datetime = NOW) -> Appointment:
    by = {"actor": patient.user, "now": now}
    held, _ = booking.hold(patient=patient, slot=place.slot(start, kind), source=PATIENT, **by)
    return booking.book(held=held, reason=WHY, accept_price=None, **by)


class TestOneVisit:
    def test_it_reads_right_booked_and_moved_and_cancelled(self, avon, office, pat):
        visit = booked(avon, office, pat, at(10))
        first = read(feeds.calendar_of(visit, now=NOW))
        moved = booking.reschedule(
            visit=visit,
            slot=avon.slot(at(11, days=1), office),
            accept_price=None,
            actor=pat.user,
            source=PATIENT,
            now=NOW,
        )
        second = read(feeds.calendar_of(moved, now=NOW))
        cancelled = booking.cancel(visit=moved, reason=WHY, actor=pat.user, source=PATIENT, now=NOW)
        third = read(feeds.calendar_of(cancelled, now=NOW))

        assert {step["uid"] for step in (first, second, third)} == {str(visit.pk)}
        assert [step["sequence"] for step in (first, second, third)] == [0, 1, 2]
        assert [step["status"] for step in (first, second, third)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
        assert [step["start"] for step in (first, second, third)] == [at(10), at(11, days=1), at(11, days=1)]
        assert {step["end"] - step["start"] for step in (first, second, third)} == {timedelta(minutes=20)}
        assert first["class"] == "PRIVATE"

    @pytest.mark.parametrize(
        ("zone", "before", "after"),
        [
            ("America/New_York", datetime(2026, 10, 31, 14, tzinfo=UTC), datetime(2026, 11, 1, 15, tzinfo=UTC)),
            ("America/Chicago", datetime(2027, 3, 13, 16, tzinfo=UTC), datetime(2027, 3, 14, 15, tzinfo=UTC)),
        ],
    )
    def test_it_keeps_the_hour_on_the_wall_over_a_change_of_the_clock(self, office, pat, zone, before, after):
        place = cast.make_place("Border", time_zone=zone)
        cast.make_shift(place, before, before + timedelta(hours=2), office)
        cast.make_shift(place, after, after + timedelta(hours=2), office)
        now = before - timedelta(hours=3)
        visit = booked(place, office, pat, before, now=now)
        first = read(feeds.calendar_of(visit, now=now))
        moved = booking.reschedule(
            visit=visit, slot=place.slot(after, office), accept_price=None, actor=pat.user, source=PATIENT, now=now
        )
        second = read(feeds.calendar_of(moved, now=now))

        assert [first["start"], second["start"]] == [before, after]
        walls = [step["start"].astimezone(place.clinic.zone).hour for step in (first, second)]
        assert walls == [10, 10]

    def test_it_is_written_as_the_standard_has_it(self, avon, office, pat):
        name = "Avon, “West”; Ecke\nÄußerer \\ Ring 🏥 " + "x" * 60
        Clinic.objects.filter(pk=avon.clinic.pk).update(brand=name, name='A "B", C; D: É', street="1, Main; St\r\nRear")
        visit = booked(avon, office, pat, at(10))

        text = feeds.calendar_of(visit, now=NOW)

        lines = text.encode().split(b"\r\n")
        assert lines[-1] == b""
        assert not [line for line in lines if len(line) > 75 or b"\n" in line or b"\r" in line]
        assert [line.decode() for line in lines]  # no character is cut in two
        assert name in read(text)["location"]
        assert "1, Main; St\nRear" in read(text)["location"]
        (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
        assert event["ORGANIZER"].params["CN"] == 'A "B", C; D: É'
        assert event["ORGANIZER"] == "mailto:care@sameday.example"
        calendar = icalendar.Calendar.from_ical(text)
        assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")

    def test_it_is_stamped_when_it_is_made_and_modified_when_it_changed(self, avon, office, pat):
        visit = booked(avon, office, pat, at(10))
        later = NOW + timedelta(hours=1)

        (event,) = icalendar.Calendar.from_ical(feeds.calendar_of(visit, now=later)).walk("VEVENT")

        assert (event.decoded("DTSTAMP"), event.decoded("LAST-MODIFIED")) == (later, NOW)

    def test_it_takes_time_of_the_reader_unless_cancelled(self, avon, office, pat):
        visit = booked(avon, office, pat, at(10))
        stands = feeds.calendar_of(visit, now=NOW)
        cancelled = booking.cancel(visit=visit, reason="", actor=pat.user, source=PATIENT, now=NOW)

        assert "TRANSP:OPAQUE" in stands
        assert "TRANSP:TRANSPARENT" in feeds.calendar_of(cancelled, now=NOW)

    def test_it_says_nothing_of_the_patient_or_why_they_come(self, world: World):
        text = feeds.calendar_of(world.visit, now=NOW)

        for word in (CANARY, "Office", world.avon.clinicians[0].family_name + ",", "Reyes", "MD"):
            assert word not in text.replace("\r\n ", "")

    def test_it_leads_to_the_visit_where_there_is_a_client_to_open_it(self, avon, office, pat, settings):
        visit = booked(avon, office, pat, at(10))
        settings.FRONTEND_URL = "https://app.example.com"

        text = feeds.calendar_of(visit, now=NOW).replace("\r\n ", "")

        assert f"URL:https://app.example.com/appointments/{visit.pk}\r\n" in text
        assert "or call (201) 555-0123" in text.replace("\\", "")

    def test_it_takes_one_statement(self, avon, office, pat):
        visit = booked(avon, office, pat, at(10))

        with CaptureQueriesContext(connection) as queries:
            feeds.calendar_of(visit, now=NOW)

        assert len(queries) == 1


class TestDownload:
    def test_it_answers_a_file(self, world: World):
        answer = Caller(world.callers["owner"]).get(f"/appointments/{world.visit.pk}/calendar.ics")

        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
        assert answer["Content-Disposition"] == 'attachment; filename="visit.ics"'
        assert answer["Cache-Control"] == "no-store"
        assert read(answer.content.decode())["uid"] == str(world.visit.pk)

    @pytest.mark.parametrize(
        ("role", "status"),
        [("parent", 200), ("limited parent", 200), ("stranger", 404), ("staff elsewhere", 404), ("nobody", 401)],
    )
    def test_it_is_for_those_who_see_the_visit(self, world: World, role: str, status: int):
        answer = Caller(world.callers[role]).get(f"/appointments/{world.visit.pk}/calendar.ics")

        assert answer.status_code == status
        if status != 200:
            assert answer["Content-Type"] == "application/problem+json"

    def test_it_has_none_of_a_hold(self, world: World):
        caller = Caller(world.callers["owner"])

        assert caller.get(f"/appointments/{world.held.pk}/calendar.ics").status_code == 404

    def test_it_takes_as_many_statements_as_showing_the_visit_and_one(self, world: World):
        caller = Caller(world.callers["owner"])
        counts = []
        for path in (f"/appointments/{world.visit.pk}", f"/appointments/{world.visit.pk}/calendar.ics"):
            with CaptureQueriesContext(connection) as queries, time_machine.travel(NOW, tick=False):
                caller.get(path)
            counts.append(len(queries))

        assert counts[1] <= counts[0] + 1
