"""Searching: what is listed, in what order and by which clock, and what it reads to find it."""

import contextlib
import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinics.models import Clinic, Clinician, Credential, Licence, Room
from clinics.places import Point
from scheduling import closures, slots, time_off
from scheduling.models import Appointment, Claim, VisitType
from scheduling.slots import statement
from scheduling.slots.wanted import Place as PlaceInOrder
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts

pytestmark = pytest.mark.django_db
TODAY, TOMORROW = date(2026, 11, 24), date(2026, 11, 25)
LISTS = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def search(*, now=NOW, limit=200, after=None, **wanted):
    return slots.search(
        slots.Search(**{"visit_type": "office", "asked_at": now, **wanted}), now=now, limit=limit, after=after
    )


def at_place(place, zone, *moments):
    return [datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for moment in moments]


class TestWhatIsListed:
    @LISTS
    @given(
        shift=st.tuples(st.integers(0, 5), st.integers(1, 12)),
        taken=st.lists(st.tuples(st.integers(0, 14), st.integers(1, 5), st.sampled_from("cprao")), max_size=4),
        duration=st.sampled_from([10, 15, 20, 45]),
        turnover=st.sampled_from([0, 5, 15]),
        step=st.sampled_from([5, 10, 15, 20, 30]),
        minute=st.integers(0, 59),
    )
    def test_it_is_what_can_be_held_and_nothing_else(self, scene, shift, taken, duration, turnover, step, minute):
        """Against a model in a few lines of Python: half-open spans, a grid from midnight."""
        with transaction.atomic():
            self.compare(scene, shift, taken, duration, turnover, step, minute)
            transaction.set_rollback(True)

    def compare(self, scene, shift, taken, duration, turnover, step, minute):
        place, pat = scene
        minutes = lambda number: at(9) + timedelta(minutes=10 * number)  # noqa: E731
        now = at(8, minute)
        kind = cast.make_visit_type(
            f"k{uuid.uuid4().hex[:8]}",
            price=None,
            duration=timedelta(minutes=duration),
            turnover=timedelta(minutes=turnover),
            step=step,
        )
        first, last = minutes(shift[0]) + timedelta(minutes=3), minutes(shift[0] + shift[1])
        cast.make_shift(place, first, last, kind)
        busy = []
        for begin, length, who in taken:
            start, end = minutes(begin), minutes(begin + length)
            of = {"c": place.clinicians[0], "p": pat, "r": place.rooms[0], "a": place.clinicians[0], "o": None}[who]
            if any(who == other and start < till and since < end for since, till, other in busy):
                continue
            busy.append((start, end, who))
            if who == "o":
                closures.close(clinic=place.clinic, start=start, end=end, reason="x", actor=None, now=now)
            elif who == "a":
                time_off.enter(of=of, start=start, end=end, reason="x", now=now)
            else:
                take(of, start, end)
        long, gap = timedelta(minutes=duration), timedelta(minutes=turnover)

        listed = acts.starts(place, kind.code, now=now, patient=pat.pk)

        grid = [at(0) + timedelta(minutes=step * number) for number in range(24 * 60 // step)]
        assert listed == [
            start
            for start in grid
            if max(first, now) <= start
            and start + long <= last
            and not any(
                since < start + long + (gap if who in "ca" else timedelta()) and start < till
                for since, till, who in busy
            )
        ]
        others = [start for start in grid if first <= start < last and start not in listed]
        assert all(acts.can_be_held(pat, place.slot(start, kind), now=now) for start in listed[::3])
        assert not any(acts.can_be_held(pat, place.slot(start, kind), now=now) for start in others[::4])

    @pytest.fixture
    def scene(self, db):
        return cast.make_place("Avon"), cast.make_patient("Pat")

    def test_it_wants_a_licence_and_a_credential_on_the_day(self, avon, office):
        for records in (Licence, Credential):
            records.objects.update(during=DateRange(TODAY, TOMORROW))
            assert {start.date() for start in acts.starts(avon)} == {TODAY}
            records.objects.update(during=DateRange(TOMORROW, None))
            assert {start.date() for start in acts.starts(avon)} == {TOMORROW}
            records.objects.update(during=DateRange(None, None))
        Licence.objects.update(state="PA")
        assert acts.starts(avon) == []
        Licence.objects.update(state="OH")
        Credential.objects.update(health_system=cast.make_system())
        assert acts.starts(avon) == []

    def test_it_judges_the_day_of_a_licence_by_the_clinics_clock(self, office):
        place = cast.make_place("Bellevue", state="WA", time_zone="America/Los_Angeles")
        cast.make_shift(place, *at_place(place, "America/Los_Angeles", "2026-11-24T22:00", "2026-11-25T02:00"), office)
        Licence.objects.update(during=DateRange(None, TOMORROW))

        assert [start.astimezone(ZoneInfo("America/Los_Angeles")).time() for start in acts.starts(place)][-1] == time(
            23, 50
        )

    def test_it_sees_a_clinic_from_the_day_it_opens_until_it_closes(self, avon, office):
        Clinic.objects.update(opens_on=TOMORROW)
        assert {start.date() for start in acts.starts(avon)} == {TOMORROW}
        Clinic.objects.update(opens_on=TODAY, closes_on=TOMORROW)
        assert {start.date() for start in acts.starts(avon)} == {TODAY}
        Clinic.objects.update(opens_on=date(2026, 12, 24), closes_on=None)
        assert acts.starts(avon) == []

    def test_it_leaves_out_what_touches_a_closure(self, avon, office):
        closures.close(clinic=avon.clinic, start=at(10), end=at(11), reason="x", actor=None, now=NOW)

        found = acts.starts(avon)

        assert at(9, 40) in found
        assert at(11) in found
        assert not [start for start in found if at(9, 40) < start < at(11)]

    def test_it_needs_a_room_of_the_kind_in_use_throughout(self, avon, office):
        Room.objects.update(kind="consult")
        assert acts.starts(avon) == []
        Room.objects.update(kind="exam", in_use=False)
        assert acts.starts(avon) == []
        VisitType.objects.update(room_kind="")
        assert acts.starts(avon)[0] == at(9)

    def test_it_needs_one_room_for_the_whole_visit(self, avon, office):
        avon.rooms.append(cast.make_room(avon.clinic, "Exam 9"))
        take(avon.rooms[0], at(9), at(10, 10))
        take(avon.rooms[1], at(10, 10), at(11))

        assert at(9, 50) in acts.starts(avon)
        assert at(10) not in acts.starts(avon)
        assert at(10, 10) in acts.starts(avon)

    def test_it_keeps_to_the_types_notice_except_for_staff(self, avon, office):
        VisitType.objects.update(latest_notice=timedelta(hours=2), earliest_notice=timedelta(hours=6))

        found = acts.starts(avon)

        assert (found[0], found[-1]) == (at(11), at(14, 50))
        assert acts.starts(avon, staff=True)[0] == at(9)
        assert acts.starts(avon, staff=True)[-1] == at(16, 40, days=1)

    def test_it_hides_what_is_not_offered_or_for_staff(self, avon, office):
        VisitType.objects.update(booked_by="staff")
        assert acts.starts(avon) == []
        assert acts.starts(avon, staff=True)
        VisitType.objects.update(is_offered=False)
        assert acts.starts(avon, staff=True) == []
        assert acts.starts(avon, "no-such-type") == []

    def test_it_lists_the_time_of_a_hold_from_the_second_it_is_over(self, avon, office, pat):
        held = acts.hold(pat, avon.slot(at(10), office))
        assert at(10) not in acts.starts(avon)

        acts.age(held, by=timedelta(0))

        assert at(10) in acts.starts(avon)


class TestFilters:
    def test_it_keeps_to_a_language_and_a_gender(self, avon, office):
        carmen = cast.make_clinician(avon.clinic, "Carmen", languages=["en", "es"], gender="female")
        cast.make_shift(avon, at(9), at(17), office, clinician=carmen)

        def who(**wanted):
            return {row.slot.clinician for row in acts.found(avon, **wanted)}

        assert who() == {carmen.pk, avon.clinicians[0].pk}
        assert who(language="es") == who(gender="female") == who(clinicians=(carmen.pk,)) == {carmen.pk}
        assert who(language="fr") == who(gender="male") == set()

    def test_it_keeps_to_a_part_of_the_day_on_the_clinics_clock(self, avon, office):
        found = acts.starts(avon, part_of_day=(time(12), time(13)))

        assert found[:6] == [at(12, 10 * number) for number in range(6)]
        assert found[6] == at(12, days=1)
        assert acts.starts(avon, part_of_day=(time(16, 30), None))[:2] == [at(16, 30), at(16, 40)]
        assert acts.starts(avon, part_of_day=(None, time(9, 10)))[:2] == [at(9), at(9, days=1)]

    def test_it_takes_out_the_patients_own_time(self, avon, office, pat):
        elsewhere = cast.make_place("Hartford")
        cast.make_shift(elsewhere, at(9), at(17), office)
        acts.book(pat, elsewhere.slot(at(10), office))

        assert not {at(9, 50), at(10), at(10, 10)} & set(acts.starts(avon, patient=pat.pk))
        assert {at(9, 40), at(10, 20)} <= set(acts.starts(avon, patient=pat.pk))
        assert at(10) in acts.starts(avon)

    def test_it_finds_a_clinician_wherever_they_work(self, avon, office):
        elsewhere = cast.make_place("Bristol", clinicians=0, system=avon.clinic.health_system)
        cast.make_shift(elsewhere, at(18), at(19), office, clinician=avon.clinicians[0])

        found = search(clinicians=(avon.clinicians[0].pk,))

        assert {row.slot.clinic for row in found} == {avon.clinic.pk, elsewhere.clinic.pk}


class TestWindow:
    def test_it_is_today_and_tomorrow_of_each_clinic(self, office):
        """At 23:30 in Seattle and 2:30 in Ohio, a day apart."""
        now = datetime(2026, 11, 25, 7, 30, tzinfo=UTC)
        days = {}
        for name, state, zone in (("Seattle", "WA", "America/Los_Angeles"), ("Avon", "OH", "America/New_York")):
            place = cast.make_place(name, state=state, time_zone=zone)
            for day in range(23, 29):
                cast.make_shift(place, *at_place(place, zone, f"2026-11-{day}T00:00", f"2026-11-{day}T23:59"), office)
            days[name] = {start.astimezone(ZoneInfo(zone)).day for start in acts.starts(place, now=now)}

        assert days == {"Seattle": {24, 25}, "Avon": {25, 26}}

    def test_it_freezes_the_day_on_which_it_was_asked(self, avon, office):
        later = at(0, 30, days=1)

        found = search(clinics=(avon.clinic.pk,), asked_at=NOW, now=later)

        assert {row.slot.start.date() for row in found} == {TOMORROW}

    def test_it_can_be_any_days_or_instants(self, avon, office):
        cast.make_shift(avon, at(9, days=5), at(10, days=5), office)

        assert acts.starts(avon, first_day=date(2026, 11, 29), days=1)[0] == at(9, days=5)
        assert acts.starts(avon, first_day=TOMORROW, days=4) == acts.starts(avon, first_day=TOMORROW, days=1)
        assert acts.starts(avon, days=None, from_at=at(10, 5), until_at=at(10, 30)) == [at(10, 10), at(10, 20)]
        assert acts.starts(avon, days=None, from_at=at(6), until_at=at(9)) == []

    def test_it_never_lists_the_past(self, avon, office):
        assert acts.starts(avon, now=at(10, 5))[0] == at(10, 10)
        assert acts.starts(avon, now=at(10))[0] == at(10)
        assert acts.starts(avon, now=at(12), first_day=date(2026, 11, 20), days=14)[0] == at(12)

    @pytest.mark.parametrize(
        "wanted",
        [{"days": 0}, {"days": 15}, {"days": None}, {"days": None, "from_at": at(9), "until_at": at(9)}],
    )
    def test_it_has_an_end(self, avon, wanted):
        with pytest.raises(slots.WindowTooLong):
            search(clinics=(avon.clinic.pk,), **wanted)

    def test_it_is_somewhere(self):
        with pytest.raises(slots.Nowhere):
            search()

    @pytest.mark.parametrize(
        ("night", "hours", "now"),
        [
            (("2026-10-31T22:00", "2026-11-01T06:00"), 9, datetime(2026, 10, 31, 12, tzinfo=UTC)),
            (("2027-03-13T22:00", "2027-03-14T06:00"), 7, datetime(2027, 3, 13, 12, tzinfo=UTC)),
        ],
    )
    @pytest.mark.parametrize("zone", ["America/New_York", "America/Los_Angeles"])
    def test_it_lists_every_real_ten_minutes_of_a_night_whose_clock_changes(self, office, pat, zone, night, hours, now):
        place = cast.make_place("Avon", time_zone=zone)
        first, last = at_place(place, zone, *night)
        cast.make_shift(place, first, last, office)

        found = acts.starts(place, now=now)

        assert found == [first + timedelta(minutes=10 * number) for number in range(6 * hours - 1)]
        assert last - first == timedelta(hours=hours)
        repeated = next(start for start in found if start.astimezone(ZoneInfo(zone)).hour in {1, 3})
        for start in (repeated, repeated + timedelta(hours=1)):
            held = acts.hold(pat, place.slot(start, office), now=now)
            assert slots.Slot.from_id(place.slot(start, office).id).start == held.starts_at == start


class TestOrder:
    @pytest.fixture
    def three(self, office):
        """Clinics 1, 2 and 3 tenths of a degree north of a point, made the farthest first; two clinicians each."""
        places = []
        for north in (3, 2, 1):
            place = cast.make_place(f"North{north}", clinicians=2, rooms=2, latitude=41 + north / 10, longitude=-82)
            for clinician in (0, 1):
                cast.make_shift(place, at(9), at(11), office, clinician=clinician)
            places.append(place)
        return places[::-1]

    NEAR = Point(41, -82)

    def test_it_is_by_start_then_distance_then_clinic_and_clinician(self, three):
        found = search(near=self.NEAR, within=50_000)

        assert found == sorted(found, key=lambda row: (row.slot.start, row.metres, row.slot.clinic, row.slot.clinician))
        assert [row.clinic_name for row in found[:6]] == ["North1", "North1", "North2", "North2", "North3", "North3"]
        assert [round(row.metres, -3) for row in found[:6:2]] == [11_000, 22_000, 33_000]

    def test_it_leaves_out_what_is_farther(self, three):
        assert {row.clinic_name for row in search(near=self.NEAR, within=25_000)} == {"North1", "North2"}
        assert {row.clinic_name for row in search(near=self.NEAR, within=10_000)} == set()

    @pytest.mark.parametrize("size", [1, 5, 7, 66, 200])
    def test_its_pages_put_together_are_the_whole(self, three, size):
        wanted = {"near": self.NEAR, "within": 50_000}
        whole, pages, after = search(**wanted), [], None
        if size == 1:
            whole = whole[:9]

        while len(pages) < len(whole):
            page = search(**wanted, after=after, limit=size)
            assert len(page) <= size
            pages += page
            after = page[-1].place

        assert pages == whole

    def test_it_neither_repeats_nor_skips_when_time_is_taken_between_pages(self, three, office, pat):
        wanted = {"near": self.NEAR, "within": 50_000}
        whole = search(**wanted)
        first = search(**wanted, limit=10)
        taken = whole[12].slot
        acts.hold(pat, first[3].slot)
        acts.hold(cast.make_patient(), taken)

        rest = search(**wanted, after=first[-1].place)

        gone = {row.slot for row in whole} - {row.slot for row in search(**wanted)}
        assert [row.slot for row in rest] == [row.slot for row in whole[10:] if row.slot not in gone]

    def test_it_goes_on_behind_a_place_that_is_no_row(self, three):
        found = search(near=self.NEAR, within=50_000, after=PlaceInOrder(at(10, 5)))

        assert found[0].slot.start == at(10, 10)

    def test_it_gives_the_next_of_each_clinic(self, three):
        found = search(near=self.NEAR, within=50_000, per_clinic=3)

        by_clinic = {}
        for row in found:
            by_clinic.setdefault(row.clinic_name, []).append(row.slot.start)
        assert by_clinic == {f"North{north}": [at(9), at(9), at(9, 10)] for north in (1, 2, 3)}
        again = search(near=self.NEAR, within=50_000, per_clinic=3, after=found[3].place)
        assert again == found[4:]

    def test_it_looks_at_the_nearest_fifty(self, office):
        for number in range(52):
            place = cast.make_place(f"C{number:02}", latitude=41 + (51 - number) / 100, longitude=-82)
            cast.make_shift(place, at(9), at(9, 20), office)

        found = search(near=self.NEAR, within=None)

        assert [row.clinic_name for row in found] == [f"C{number:02}" for number in range(51, 1, -1)]


class TestNextAvailable:
    def next(self, place, *, now=NOW, **wanted):
        search = slots.Search(visit_type="office", asked_at=now, clinics=(place.clinic.pk,), **wanted)
        return [found.start for found in slots.next_available(search, now=now)]

    def test_it_is_the_first_start_behind_the_window(self, avon, office):
        assert self.next(avon) == []
        cast.make_shift(avon, at(9, days=2), at(10, days=2), office)
        cast.make_shift(avon, at(9, days=20), at(10, days=20), office)

        assert self.next(avon) == [at(9, days=2)]
        assert self.next(avon, first_day=date(2026, 11, 26), days=3) == [at(9, days=20)]
        assert self.next(avon, days=None, from_at=at(6), until_at=at(8)) == [at(9)]

    def test_it_keeps_to_filters_and_to_free_time(self, avon, office, pat):
        cast.make_shift(avon, at(9, days=2), at(9, 20, days=2), office)
        cast.make_shift(avon, at(9, days=9), at(10, days=9), office)
        acts.hold(pat, avon.slot(at(9, days=2), office))

        assert self.next(avon) == [at(9, days=9)]
        assert self.next(avon, part_of_day=(time(9, 30), None)) == [at(9, 30, days=9)]
        assert self.next(avon, language="fr") == []

    def test_it_sorts_clinics_by_distance_and_leaves_out_those_without(self, office):
        far, _, near = (
            cast.make_place(name, latitude=41 + north / 10, longitude=-82)
            for name, north in (("Far", 3), ("None", 2), ("Near", 1))
        )
        cast.make_shift(far, at(9, days=3), at(10, days=3), office)
        cast.make_shift(near, at(9, days=4), at(10, days=4), office)

        found = slots.next_available(
            slots.Search(visit_type="office", asked_at=NOW, near=Point(41, -82), within=50_000), now=NOW
        )

        assert [(row.clinic_name, row.start) for row in found] == [("Near", at(9, days=4)), ("Far", at(9, days=3))]


class TestWhatItReads:
    """By pages, not by time."""

    @pytest.mark.usefixtures("as_owner")
    def test_it_reads_no_more_with_years_of_history(self, avon, office, pat):
        for hour in (10, 11):
            acts.book(pat, avon.slot(at(hour, days=1), office))
        analyze()
        few = at_the_least(avon)

        with connection.cursor() as cursor:
            for calendar in (avon.clinicians[0].pk, avon.rooms[0].pk, pat.pk):
                cursor.execute(
                    """
                    INSERT INTO scheduling_claim (id, calendar_id, lane, during, kind, appointment_id, reason)
                    SELECT gen_random_uuid(), %s, 0, tstzrange(at, at + interval '20 minutes'), 'visit',
                           (SELECT min(id::text)::uuid FROM scheduling_appointment), ''
                    FROM generate_series(%s - interval '365 days', %s - interval '1 day', interval '30 minutes') AS at
                    """,
                    [calendar, NOW, NOW],
                )
            cursor.execute(
                """
                INSERT INTO scheduling_shift (id, clinician_id, clinic_id, "on", during, visit_types)
                SELECT gen_random_uuid(), %s, %s, at::date, tstzrange(at, at + interval '8 hours'),
                       ARRAY[%s]::smallint[]
                FROM generate_series(%s - interval '700 days', %s - interval '2 days', interval '1 day') AS at
                """,
                [avon.clinicians[0].pk, avon.clinic.pk, office.pk, NOW, NOW],
            )
        assert Claim.objects.count() > 50_000
        analyze()

        # What a deeper index costs: 11 pages more than 138 when this was written.
        assert at_the_least(avon) <= few + 40

    def test_it_takes_one_statement_whatever_it_finds(self, avon, office, django_assert_num_queries):
        with django_assert_num_queries(1):
            acts.found(avon)
        for number in range(20):
            place = cast.make_place(f"More{number}")
            cast.make_shift(place, at(9), at(17), office)
        with django_assert_num_queries(1):
            search(near=Point(41.45, -82.03), within=50_000)
        with django_assert_num_queries(1):
            slots.next_available(
                slots.Search(visit_type="office", asked_at=NOW, near=Point(41, -82), within=90_000), now=NOW
            )


class TestSlotId:
    def test_it_is_a_legal_fhir_id_and_comes_back(self, avon, office):
        slot = avon.slot(at(10), office)

        assert slots.Slot.from_id(slot.id) == slot
        assert re.fullmatch(r"[A-Za-z0-9.-]{52}", slot.id)

    @given(text=st.one_of(st.text(max_size=80), st.from_regex(r"[A-Za-z0-9.-]{52}", fullmatch=True)))
    def test_it_takes_its_own_alone(self, text):
        with contextlib.suppress(slots.BadSlot):
            assert slots.Slot.from_id(text).id == text


def take(of, start, end):
    """Time that a visit of somebody else's takes."""
    of_nobody = Appointment.objects.create(
        patient=cast.make_patient(user=False, member=False),
        clinic=Clinic.objects.first(),
        clinician=Clinician.objects.first(),
        visit_type=VisitType.objects.first(),
        starts_at=start,
        ends_at=end,
        status="held",
        source="staff",
    )
    Claim.objects.create(calendar_id=of.pk, during=DateTimeTZRange(start, end), kind="visit", appointment=of_nobody)


def analyze():
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE scheduling_claim, scheduling_shift")


def at_the_least(place):
    """The pages of a search without those of planning it, which its first run after an ANALYZE reads, too."""
    return min(pages_read(place) for _ in range(3))


def pages_read(place):
    """Pages that one search of two days touches, in memory or not."""
    wanted = slots.Search(visit_type="office", asked_at=NOW, clinics=(place.clinic.pk,))
    parameters = statement.parameters(wanted, NOW) | {
        "after": "-infinity",
        "after_metres": -1,
        "after_clinic": uuid.UUID(int=0),
        "after_clinician": uuid.UUID(int=0),
        "limit": 50,
    }
    sql = statement.SEARCH.format(chosen=statement.chosen(wanted), source=statement.ALL_CLINICS)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE) {sql}", parameters)  # plans the function, once a connection
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", parameters)
        plan = cursor.fetchone()[0][0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
