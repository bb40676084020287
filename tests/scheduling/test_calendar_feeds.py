"""Feeds that calendar programs read by a secret address."""

import re
import uuid
from datetime import timedelta
from typing import Any

import icalendar
import pytest
import time_machine
import vobject  # type: ignore[import-untyped]
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinics import audit
from clinics.models import AccessEvent, Clinician, IdempotencyKey, Patient, Proxy, StaffRole, User
from config import throttling
from scheduling import booking, feeds
from scheduling.feeds import reading
from scheduling.models import Appointment, CalendarFeed
from tests import cast
from tests.calls import Caller
from tests.canaries import FAMILY_NAME
from tests.cast import NOW, at, at_the_same_time
from tests.world import CANARY, ROLES, WHY, World

pytestmark = pytest.mark.django_db
PATIENT = Appointment.Source.PATIENT
OWN, WORK = "/me/calendar-feed", "/me/work-calendar-feed"


@pytest.fixture(autouse=True)
def at_nine():
    with time_machine.travel(NOW, tick=False):
        yield


def subscribe(user: User | None, feed: str = OWN) -> str:
    """The path of a new feed of `user`."""
    address = Caller(user).post(feed).json()["address"]
    assert address.startswith("http://localhost:8000/calendar/")
    return str(address.removeprefix("http://localhost:8000"))


def fetch(path: str, **headers: str) -> Any:
    """What a calendar program gets, which has nothing but the address."""
    return Client().get(path, headers=headers)


def events(answer: Any) -> dict[str, dict[str, Any]]:
    """The events of a feed by UID, as both readers understand them."""
    text = answer.content.decode()
    found = {
        str(event["UID"]): {
            "summary": str(event["SUMMARY"]),
            "sequence": int(str(event["SEQUENCE"])),
            "status": str(event["STATUS"]),
            "start": event.decoded("DTSTART"),
            "end": event.decoded("DTEND"),
        }
        for event in icalendar.Calendar.from_ical(text).walk("VEVENT")
    }
    other = {
        event.uid.value: {
            "summary": event.summary.value,
            "sequence": int(event.sequence.value),
            "status": event.status.value,
            "start": event.dtstart.value,
            "end": event.dtend.value,
        }
        for event in vobject.readOne(text).contents.get("vevent", [])
    }
    assert found == other
    return found


def booked(place: cast.Place, kind: Any, patient: Patient, start: Any, actor: User | None = None) -> Appointment:
    by: dict[str, Any] = {"actor": actor or patient.user, "now": NOW}
    held, _ = booking.hold(patient=patient, slot=place.slot(start, kind), source=PATIENT, **by)
    return booking.book(held=held, reason=WHY, accept_price=None, **by)


@pytest.fixture
def child(pat: Patient) -> Patient:
    """A child for whom Pat acts, of an age at which Pat reads everything."""
    child = cast.make_patient("Mia", born=NOW.date().replace(year=2018), user=False)
    Proxy.objects.create(user=pat.user, patient=child)
    return child


@pytest.fixture
def physician(avon: cast.Place) -> User:
    """The clinician of Avon, with an account and a role there."""
    user = cast.make_staff(avon.clinic, "Physician", StaffRole.Role.CLINICIAN)
    Clinician.objects.filter(pk=avon.clinicians[0].pk).update(user=user)
    return user


class TestAddress:
    def test_it_is_told_once_and_only_its_digest_is_stored(self, pat):
        caller = Caller(pat.user)
        made = caller.post(OWN, {}, **{"Idempotency-Key": "one"})
        secret = re.search(r"/calendar/(.+)\.ics$", made.json()["address"])[1]  # type: ignore[index]

        assert made.status_code == 201
        assert len(secret) >= 22
        assert "address" not in caller.get(OWN).json()
        with connection.cursor() as cursor:
            for model in (CalendarFeed, IdempotencyKey):
                cursor.execute(f"SELECT count(*) FROM {model._meta.db_table} t WHERE t::text LIKE %s", [f"%{secret}%"])
                assert cursor.fetchone() == (0,)

    def test_it_is_told_again_to_the_same_request(self, pat):
        caller = Caller(pat.user)

        first, again = (caller.post(OWN, {}, **{"Idempotency-Key": "one"}) for _ in range(2))

        assert again["Idempotent-Replayed"] == "true"
        assert (again.status_code, again.json()) == (first.status_code, first.json())

    def test_it_is_not_told_again_once_there_is_another(self, pat, settings):
        caller = Caller(pat.user)
        caller.post(OWN, {}, **{"Idempotency-Key": "one"})
        with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
            caller.post(OWN, {}, **{"Idempotency-Key": "two"})

        over = caller.post(OWN, {}, **{"Idempotency-Key": "one"})
        settings.LINKS_KEY = "another"
        forgotten = caller.post(OWN, {}, **{"Idempotency-Key": "two"})

        assert [over.status_code, forgotten.status_code] == [404, 404]

    def test_it_is_dead_at_once_when_another_is_made_or_the_feed_is_switched_off(self, pat):
        old = subscribe(pat.user)
        with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
            new = subscribe(pat.user)
        rotated = fetch(old), fetch(new)
        Caller(pat.user).delete(OWN)

        assert [answer.status_code for answer in rotated] == [404, 200]
        assert [fetch(path).status_code for path in (old, new)] == [404, 404]
        assert Caller(pat.user).get(OWN).json() == {"is_on": False, "made_at": None, "fetched_at": None}

    def test_it_ends_with_the_account(self, pat):
        path = subscribe(pat.user)
        User.objects.filter(pk=pat.user.pk).update(is_active=False)

        assert fetch(path).status_code == 404

    def test_it_outlives_another_key(self, pat, settings):
        path = subscribe(pat.user)
        settings.LINKS_KEY = "another"

        assert fetch(path).status_code == 200

    @pytest.mark.parametrize("secret", ["x", "A" * 32, "%00", "é" * 900, "..", "%ff"])
    def test_an_unknown_one_is_a_problem_like_a_dead_one(self, db: None, secret: str):
        answer = fetch(f"/calendar/{secret}.ics")

        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["code"] == "not_found"

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_it_can_only_be_read(self, pat, method: str):
        assert getattr(Client(), method)(subscribe(pat.user)).status_code == 405

    def test_it_says_when_it_was_fetched(self, pat):
        path = subscribe(pat.user)
        before = Caller(pat.user).get(OWN).json()
        fetch(path)

        assert before["fetched_at"] is None
        assert Caller(pat.user).get(OWN).json()["fetched_at"] == NOW.isoformat()

    def test_each_account_has_its_own(self, pat, stranger):
        paths = {subscribe(user) for user in (pat.user, stranger.user)}

        assert len(paths) == 2
        assert {fetch(path).status_code for path in paths} == {200}
        Caller(stranger.user).delete(OWN)
        assert sorted(fetch(path).status_code for path in paths) == [200, 404]

    def test_one_for_work_is_for_clinicians(self, pat, physician):
        assert Caller(pat.user).post(WORK).json()["code"] == "no_clinician_record"
        assert Caller(physician).post(WORK).status_code == 201


class TestWhatItTells:
    def test_it_follows_a_visit_booked_and_moved_and_cancelled(self, avon, office, pat):
        path = subscribe(pat.user)
        by: dict[str, Any] = {"actor": pat.user, "source": PATIENT, "now": NOW}
        visit = booked(avon, office, pat, at(10))
        steps = [events(fetch(path))[str(visit.pk)]]
        visit = booking.reschedule(visit=visit, slot=avon.slot(at(11, days=1), office), accept_price=None, **by)
        steps.append(events(fetch(path))[str(visit.pk)])
        booking.cancel(visit=visit, reason=WHY, **by)
        steps.append(events(fetch(path))[str(visit.pk)])

        assert [(step["sequence"], step["status"], step["start"]) for step in steps] == [
            (0, "CONFIRMED", at(10)),
            (1, "CONFIRMED", at(11, days=1)),
            (2, "CANCELLED", at(11, days=1)),
        ]
        assert [step["summary"] for step in steps] == ["Visit at Avon"] * 2 + ["Cancelled: Visit at Avon"]

    def test_a_cancelled_visit_stays_for_four_weeks(self, avon, office, pat):
        cast.make_shift(avon, at(9, days=60), at(17, days=60), office)
        path = subscribe(pat.user)
        visit = booked(avon, office, pat, at(10, days=60))
        booking.cancel(visit=visit, reason="", actor=pat.user, source=PATIENT, now=NOW)

        told = []
        for days in (27, 28):
            with time_machine.travel(NOW + timedelta(days=days), tick=False):
                told.append(list(events(fetch(path))))

        assert told == [[str(visit.pk)], []]

    def test_a_visit_that_is_over_stays_for_four_weeks(self, avon, office, pat):
        path = subscribe(pat.user)
        kept = cast.make_completed(avon, office, pat, NOW - timedelta(days=27))
        cast.make_completed(avon, office, pat, NOW - timedelta(days=29))

        assert list(events(fetch(path))) == [str(kept.pk)]

    def test_it_has_no_holds(self, avon, office, pat):
        path = subscribe(pat.user)
        booking.hold(patient=pat, slot=avon.slot(at(10), office), actor=pat.user, source=PATIENT, now=NOW)

        assert events(fetch(path)) == {}

    def test_it_has_the_next_ones_when_there_are_too_many(self, avon, office, pat, monkeypatch):
        monkeypatch.setattr(reading, "MOST", 2)
        path = subscribe(pat.user)
        over = [cast.make_completed(avon, office, pat, NOW - timedelta(days=day)) for day in (3, 2)]
        cast.make_completed(avon, office, pat, NOW - timedelta(days=4))
        only_over = list(events(fetch(path)))
        ahead = [booked(avon, office, pat, at(hour)) for hour in (10, 11, 12)]

        assert only_over == [str(visit.pk) for visit in over]
        assert list(events(fetch(path))) == [str(visit.pk) for visit in ahead[:2]]

    def test_it_names_a_child_by_first_name(self, avon, office, pat, child):
        own = booked(avon, office, pat, at(10))
        hers = booked(avon, office, child, at(11), actor=pat.user)

        told = events(fetch(subscribe(pat.user)))

        assert told[str(own.pk)]["summary"] == "Visit at Avon"
        assert told[str(hers.pk)]["summary"] == "Mia's visit at Avon"
        assert f"{FAMILY_NAME}," not in fetch(subscribe(pat.user)).content.decode()

    def test_it_names_no_child_to_a_parent_who_reads_less(self, world: World):
        told = {role: fetch(subscribe(world.callers[role])) for role in ("parent", "limited parent")}

        assert [event["summary"] for event in events(told["parent"]).values()] == [f"{CANARY}'s visit at Avon"]
        assert [event["summary"] for event in events(told["limited parent"]).values()] == ["Visit at Avon"]
        assert CANARY.encode() not in told["limited parent"].content

    def test_it_stops_telling_of_a_child_whose_proxy_ends(self, avon, office, pat, child):
        booked(avon, office, child, at(11), actor=pat.user)
        path = subscribe(pat.user)
        before = fetch(path)
        Proxy.objects.update(ended_on=NOW.date())
        after = fetch(path, **{"If-None-Match": before["ETag"], "If-Modified-Since": before["Last-Modified"]})

        assert len(events(before)) == 1
        assert after.status_code == 200
        assert events(after) == {}

    def test_it_says_why_to_nobody(self, world: World):
        for role in ROLES[:-1]:
            answer = fetch(subscribe(world.callers[role]))
            text = answer.content.decode().replace("\r\n ", "")
            assert answer.status_code == 200
            assert WHY not in text
            assert "office" not in text.lower()
            if role not in {"owner", "parent", "limited parent"}:
                assert events(answer) == {}, role

    def test_nobody_has_none(self, db: None):
        for path in (OWN, WORK):
            assert [call(path).status_code for call in (Caller().get, Caller().post, Caller().delete)] == [401] * 3


class TestAtWork:
    def test_it_tells_a_clinician_when_and_where_and_not_whom(self, world: World, physician):
        told = fetch(subscribe(physician, WORK))

        assert [(event["summary"], event["start"]) for event in events(told).values()] == [("Visit at Avon", at(10))]
        for word in (CANARY, f"{FAMILY_NAME},", WHY):
            assert word not in told.content.decode()

    def test_it_has_no_visits_where_they_work_no_more(self, world: World, physician):
        path = subscribe(physician, WORK)
        StaffRole.objects.filter(user=physician).delete()

        assert events(fetch(path)) == {}

    def test_it_is_apart_from_their_own_visits(self, world: World, physician, office):
        me = cast.make_patient("Self", user=False)
        Patient.objects.filter(pk=me.pk).update(user=physician)
        me.refresh_from_db()
        mine = booked(world.elsewhere, office, me, at(12))

        own, work = (events(fetch(subscribe(physician, feed))) for feed in (OWN, WORK))

        assert list(own) == [str(mine.pk)]
        assert list(work) == [str(world.visit.pk)]


class TestPolling:
    def test_it_is_not_sent_again_while_it_is_the_same(self, avon, office, pat):
        path = subscribe(pat.user)
        booked(avon, office, pat, at(10))
        first = fetch(path)
        with time_machine.travel(NOW + timedelta(minutes=20), tick=False):
            by_tag = fetch(path, **{"If-None-Match": first["ETag"]})
            by_time = fetch(path, **{"If-Modified-Since": first["Last-Modified"]})
            whole = fetch(path)

        assert [by_tag.status_code, by_time.status_code, whole.status_code] == [304, 304, 200]
        assert by_tag.content == b""
        assert by_tag["ETag"] == first["ETag"]
        assert whole.content == first.content

    def test_it_is_sent_again_when_it_changed_within_a_second(self, avon, office, pat):
        path = subscribe(pat.user)
        first = fetch(path)
        booked(avon, office, pat, at(10))
        again = fetch(path, **{"If-Modified-Since": first["Last-Modified"]})

        assert again.status_code == 200
        assert again["ETag"] != first["ETag"]
        assert again["Last-Modified"] != first["Last-Modified"]

    def test_it_is_for_its_reader_alone_and_for_no_search_engine(self, pat):
        path = subscribe(pat.user)
        for answer in (fetch(path), fetch(path, **{"If-None-Match": fetch(path)["ETag"]}), fetch("/calendar/x.ics")):
            assert answer["Cache-Control"] == "private, no-cache"
            assert answer["X-Robots-Tag"] == "noindex"
        assert fetch(path)["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
        assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in fetch(path).content.decode()

    def test_it_does_not_mind_what_calendar_programs_add(self, pat):
        path = subscribe(pat.user)

        assert fetch(f"{path}?nocache=1").status_code == 200
        assert fetch(path, **{"X-Session-Token": "old", "Accept": "text/calendar"}).status_code == 200
        assert Client().head(path).status_code == 200

    def test_it_is_counted_by_feed_and_not_by_address(self, pat, stranger, settings, monkeypatch):
        settings.RATE_LIMITS = {"anonymous": 3, "user": 100}
        somebody = f"test-{uuid.uuid4()}"
        monkeypatch.setattr(throttling, "client_network", lambda _request: somebody)
        monkeypatch.setattr(throttling, "counter", throttling.Counter(settings.REDIS_URL, timeout=60))
        one, other = subscribe(pat.user), subscribe(stranger.user)

        polled = [fetch(one).status_code for _ in range(4)]
        guessed = [fetch(f"/calendar/{number}.ics").status_code for number in range(4)]

        assert polled == [200, 200, 200, 429]
        assert guessed == [404, 404, 404, 429]
        assert fetch(other).status_code == 200

    def test_it_takes_as_many_statements_for_twenty_visits_as_for_one(self, avon, office, pat, child):
        path = subscribe(pat.user)
        fetch(path)
        counts = []
        for days in (range(1, 2), range(2, 22)):
            for day in days:
                for patient in (pat, child):
                    cast.make_completed(avon, office, patient, NOW - timedelta(days=day))
            with CaptureQueriesContext(connection) as queries:
                fetch(path)
            counts.append(len(queries))

        assert counts[0] == counts[1] <= 6


class TestOnRecord:
    def test_it_writes_down_what_a_parent_is_sent_of_a_child_and_not_that_they_asked(self, avon, office, pat, child):
        booked(avon, office, pat, at(10))
        booked(avon, office, child, at(11), actor=pat.user)
        path = subscribe(pat.user)
        first = fetch(path)
        for _ in range(3):
            fetch(path, **{"If-None-Match": first["ETag"]})

        (event,) = AccessEvent.objects.all()
        assert (event.viewer_id, event.via, event.what, event.basis) == (pat.user.pk, "feed", "calendar", "proxy")
        assert list(event.patients.values_list("patient", flat=True)) == [child.pk]
        assert event.page == "GET calendar/{id}.ics"
        assert event.repeats.count() == 0

    def test_it_shows_nothing_where_that_cannot_be_written_down(self, avon, office, pat, child, monkeypatch):
        booked(avon, office, child, at(11), actor=pat.user)
        path = subscribe(pat.user)
        monkeypatch.setattr(audit, "WRITE", "SELECT 1/0")

        answer = Client(raise_request_exception=False).get(path)

        assert answer.status_code == 500
        assert b"Mia" not in answer.content

    def test_ones_own_visits_and_those_at_work_without_names_are_nobodys_look(self, world: World, physician):
        fetch(subscribe(world.callers["owner"]))
        fetch(subscribe(physician, WORK))

        assert not AccessEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_polling_while_it_is_made_anew_and_switched_off_is_never_an_error(avon, office, pat):
    booked(avon, office, pat, at(10))
    path = subscribe(pat.user)
    caller = Caller(pat.user)

    def work(number: int) -> int:
        match number % 4:
            case 0:
                return int(caller.post(OWN).status_code)
            case 1 if number > 4:
                return int(caller.delete(OWN).status_code)
            case _:
                return int(fetch(path).status_code)

    statuses = at_the_same_time(work, range(12))

    assert set(statuses) <= {200, 201, 204, 404}
    assert CalendarFeed.objects.count() <= 1


def test_a_lost_race_to_note_a_reading_leaves_the_new_address_alone(pat):
    old = feeds.make(user=pat.user, kind=CalendarFeed.Kind.VISITS, now=NOW)
    stale = CalendarFeed.objects.select_related("user__patient").get(digest=old.digest)
    feeds.make(user=pat.user, kind=CalendarFeed.Kind.VISITS, now=NOW)

    feeds.read(stale, now=NOW)

    assert CalendarFeed.objects.get().fetched_at is None
